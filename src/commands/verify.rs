//! `geodeploy verify`.

mod checks;
pub(super) mod https;
mod table;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::dns::verify::{Servers, short};
use super::{Outcome, block_on};
use crate::cli::Globals;
use crate::error::Error;
use crate::fleet::{self, Project, mistakes};
use crate::inventory::Login;
use crate::secrets::Secrets;
use crate::serve::auth::{SigningKey, mint};
use table::Check;

/// Try each region: its health, its database link, a chat's first event, its names
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region only [default: all]
    pub region: Option<String>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
    #[command(flatten)]
    pub(super) servers: Servers,
    /// Leave the names alone: those of a rehearsal are nobody's.
    #[arg(skip)]
    pub(super) without_names: bool,
}

/// What an inventory without `[tls]` means.
pub(super) const PLAIN: &str = "there is no [tls]: all regions serve plain HTTP, and whoever is on the way reads every token; write [tls] with an email";

/// Who chats, as the servers' logs name it.
const USER: &str = "geodeploy-verify";

/// Runs the verb. Each region gets one short question, which its model may charge.
///
/// # Errors
/// When a check fails, after all of them were made; it names each and what to type next.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let regions = project.regions(args.region.as_deref())?;
    let caller = project.caller(args.host_binary.as_deref())?;
    let token = token(&project)?;
    let roots = https::roots(&project)?;
    if project.inventory.tls.is_none() {
        project.ui.warn(PLAIN);
    }
    let checks: Vec<Check> = block_on(async {
        let members = fleet::connect(&project, &regions, &caller).await;
        let all = members.into_iter().zip(&regions).map(|(member, region)| {
            checks::region(&project, region, member, (token.as_deref(), &roots))
        });
        let names = names(&project, &args);
        let (checks, names) = tokio::join!(join_all(all), names);
        let mut checks = checks.concat();
        checks.extend(names);
        Ok(checks)
    })?;
    let asked = regions
        .iter()
        .map(|region| format!("{} at {}", region.domain, region.addresses.ipv4));
    let asked: Vec<String> = asked.collect();
    let how = match &project.inventory.dns {
        Some(_) if !args.without_names => "hosts were asked by the inventory's addresses",
        _ => "asked by the inventory's addresses, no name was looked up",
    };
    project.ui.note(&format!("{how}: {}", asked.join(", ")));
    project.ui.report("verified", &checks, |palette| {
        table::render(&checks, palette)
    });
    table::end(&checks).map(|()| Outcome::Done)
}

/// What the names are answered with; `None` where the inventory does not say who answers.
async fn names(project: &Project, args: &Args) -> Option<Check> {
    const CHECK: &str = "names";
    if args.without_names {
        return None;
    }
    let begun = Instant::now();
    let region = args.region.as_deref();
    let only = region.and_then(|name| project.inventory.region(name).ok());
    let only = only.map(|region| &region.name);
    let told = short(project, only, &args.servers).await?;
    let (region, milliseconds) = (
        region.unwrap_or("all"),
        begun.elapsed().as_secs_f64() * 1000.0,
    );
    Some(match told {
        Ok(told) => Check::well(region, CHECK, milliseconds, told),
        Err(error) => Check::failed(region, CHECK, milliseconds, error),
    })
}

/// A token for one chat; `None` where the operator cannot sign one.
fn token(project: &Project) -> Result<Option<String>, Error> {
    let Login::Secret(reference) = &project.inventory.login else {
        return Ok(None);
    };
    let secret = Secrets::resolve_one(&project.inventory, reference)
        .map_err(|mistake| mistakes(&[mistake]))?;
    let key = SigningKey::Hs256(secret);
    let token = mint(USER, Duration::from_secs(600), &key);
    token.map(Some).map_err(|error| {
        Error::new(crate::error::ErrorKind::Failed, "cannot mint a token").cause(error)
    })
}
