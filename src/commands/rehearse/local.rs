//! A rehearsal without twins: every file is rendered, and every region's server runs on loopback behind its link.
//!
//! It needs no privilege and no Linux. What only a host has is left out: packages, nginx, firewall, systemd.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::chain::Report;
use super::twins::made_up;
use crate::agent::environment;
use crate::blueprint;
use crate::cli::Globals;
use crate::commands::visitor::Visitor;
use crate::commands::{Outcome, block_on};
use crate::error::{Error, ErrorKind};
use crate::inventory::{Inventory, LinkEnd, Region};
use crate::rehearse::relay::Relay;
use crate::rehearse::server::Server;
use crate::rehearse::{Shape, files};
use crate::secrets::{Secret, Secrets};
use crate::serve::auth::{SigningKey, mint};
use crate::text;
use crate::ui::Ui;

/// A region that serves on this machine.
struct Serving<'i> {
    region: &'i Region,
    server: Server,
    relay: Relay,
}

/// Rehearses the inventory of that text; `name` is what messages call it. No secret of the operator's is asked for.
pub(super) fn rehearse(globals: &Globals, text: &str, name: &str) -> Result<Outcome, Error> {
    let inventory = Inventory::parse(text, name).map_err(|found| crate::fleet::mistakes(&found))?;
    let folder = Folder::new()?;
    let mut report = Report::default();
    let secret = Secret::new(made_up()?);
    let ended = block_on(steps(
        &globals.ui,
        &inventory,
        &secret,
        &folder.0,
        &mut report,
    ));
    report.show(&globals.ui, ended.is_ok());
    ended.map(|()| Outcome::Done)
}

async fn steps(
    ui: &Ui,
    inventory: &Inventory,
    secret: &Secret,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Error> {
    let secrets = Secrets::made_up(inventory, |_| secret.clone());
    for region in &inventory.regions {
        let name = region.name.as_str();
        report.step(&format!("render {name}"), || {
            render(ui, inventory, region, &secrets, &folder.join(name))
        })?;
    }
    let mut serving = Vec::new();
    for region in &inventory.regions {
        let name = region.name.as_str();
        let shape = shape(inventory, region);
        let environment = root(folder, region).join(format!("etc/{}/env", inventory.app.name));
        let starting = start(region, &environment, secret, shape, folder.join(name));
        serving.push(
            report
                .step_async(&format!("serve {name}"), starting)
                .await?,
        );
    }
    for one in &serving {
        visit(one, secret, report).await?;
    }
    for one in serving {
        let name = one.region.name.as_str();
        let ending = async {
            one.server.end().await?;
            Ok(((), "told to end with SIGTERM: exit status 0".to_owned()))
        };
        report.step_async(&format!("end {name}"), ending).await?;
    }
    Ok(())
}

/// What stands in for `/` of the region's host.
fn root(folder: &Path, region: &Region) -> PathBuf {
    folder.join(region.name.as_str()).join("root")
}

fn render(
    ui: &Ui,
    inventory: &Inventory,
    region: &Region,
    secrets: &Secrets,
    folder: &Path,
) -> Result<((), String), Error> {
    if let Some(mistake) = blueprint::mistakes(inventory, region, secrets)
        .into_iter()
        .next()
    {
        return Err(mistake);
    }
    let blueprint = blueprint::region(inventory, &region.name, secrets)?;
    let written = files::write(&blueprint, &folder.join("root"))?;
    for file in &written {
        ui.note(&format!(
            "  {}  {:>8}  {}",
            region.name,
            text::bytes(file.bytes),
            file.path.display()
        ));
    }
    let total = written.iter().map(|file| file.bytes).sum();
    let files = text::count(written.len(), "file");
    Ok(((), format!("{files}, {}", text::bytes(total))))
}

/// The line between the operator and the region's host.
fn shape(inventory: &Inventory, region: &Region) -> Shape {
    let host = LinkEnd::Region(region.name.clone());
    let link = inventory
        .links
        .iter()
        .find(|link| link.joins(&LinkEnd::Operator, &host));
    link.map_or_else(Shape::default, |link| {
        Shape::new(link.round_trip, Some(f64::from(link.megabits)))
    })
}

/// The variables of the region's env file, but for what a rehearsal cannot have: a model, a database, others' tokens.
fn variables(text: &str, secret: &Secret) -> BTreeMap<String, String> {
    let mut variables = environment::parse(text);
    variables.retain(|name, _| !name.starts_with("MONGODB_"));
    variables.insert("MODEL".to_owned(), "echo".to_owned());
    if variables.remove("JWT_PUBLIC_KEY").is_some() {
        variables.insert("JWT_SECRET".to_owned(), secret.expose().to_owned());
    }
    variables
}

async fn start<'i>(
    region: &'i Region,
    environment: &Path,
    secret: &Secret,
    shape: Shape,
    folder: PathBuf,
) -> Result<(Serving<'i>, String), Error> {
    let text = std::fs::read_to_string(environment).map_err(|error| {
        let what = format!("cannot read {}", environment.display());
        Error::new(ErrorKind::Failed, what).cause(error)
    })?;
    let variables = variables(&text, secret);
    let count = variables.len();
    let server = Server::start(variables, &folder).await?;
    let relay = Relay::start(server.address, shape)
        .await
        .map_err(|error| Error::new(ErrorKind::Failed, "cannot listen on loopback").cause(error))?;
    let link = match shape.bits_per_second {
        None => "no link".to_owned(),
        Some(bits) => format!(
            "{} ms and {} Mbit/s",
            (2 * shape.delay).as_millis(),
            bits / 1_000_000
        ),
    };
    let result = format!("{count} variables of its env file, behind {link}");
    Ok((
        Serving {
            region,
            server,
            relay,
        },
        result,
    ))
}

async fn visit(one: &Serving<'_>, secret: &Secret, report: &mut Report) -> Result<(), Error> {
    let name = one.region.name.as_str();
    let visitor = Visitor::new(one.region, one.relay.address(), "through the relay")?;
    let key = SigningKey::Hs256(secret.clone());
    let token = mint("rehearsal", Duration::from_secs(600), &key)
        .map_err(|error| Error::new(ErrorKind::Failed, "cannot mint a token").cause(error))?;
    let health = async { Ok(((), visitor.health().await?)) };
    report.step_async(&format!("health {name}"), health).await?;
    let chat = async { Ok(((), visitor.chat(&token).await?)) };
    report.step_async(&format!("chat {name}"), chat).await?;
    let limit = async { Ok(((), visitor.one_stream_too_many(&token).await?)) };
    report.step_async(&format!("limit {name}"), limit).await
}

/// A folder of this rehearsal alone, gone when it is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("geodeploy-rehearsal-{}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| {
                let what = format!("cannot make {}", path.display());
                Error::new(ErrorKind::Failed, what)
                    .cause(error)
                    .hint("name another folder for temporary files with TMPDIR")
            })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is a temporary folder without any real secret.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::EXAMPLE;

    #[test]
    fn a_server_of_a_rehearsal_has_no_database_no_model_and_a_secret_that_mints_tokens() {
        let secret = Secret::new("s".repeat(64));
        let text = "REGION=US\nMODEL=ark\nMONGODB_URI=x\nMONGODB_USER=y\nJWT_PUBLIC_KEY=\"pem\"\n";
        let found = variables(text, &secret);
        let pairs: Vec<(&str, &str)> = found.iter().map(|(k, v)| (&**k, &**v)).collect();
        let expected = [
            ("JWT_SECRET", secret.expose()),
            ("MODEL", "echo"),
            ("REGION", "US"),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn a_region_is_behind_its_own_link_to_the_operator() {
        let mut inventory = Inventory::parse(EXAMPLE, "example").unwrap();
        let cn = shape(&inventory, &inventory.regions[1]);
        assert_eq!(cn, Shape::new(Duration::from_millis(180), Some(5.0)));
        inventory.links.clear();
        assert_eq!(shape(&inventory, &inventory.regions[1]), Shape::default());
    }
}
