//! What is rehearsed, step by step, each timed.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::Globals;
use crate::commands::dns::verify::Servers;
use crate::commands::visitor::Visitor;
use crate::commands::{Outcome, block_on, check, deploy, plan, provision, verify};
use crate::error::{Error, ErrorKind};
use crate::fleet::Project;
use crate::inventory::{Inventory, Login, Region};
use crate::rehearse::Lab;
use crate::secrets::Secrets;
use crate::serve::auth::{SigningKey, mint};
use crate::text;
use crate::ui::Ui;

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Taken {
    step: String,
    seconds: f64,
    result: String,
    ok: bool,
}

/// What happened and how long each step took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Report {
    steps: Vec<Taken>,
}

impl Report {
    /// Takes a step and writes down how it went.
    pub(super) fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(T, String), Error>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        self.write_down(name, begun, work())
    }

    /// Takes a step that waits, likewise.
    pub(super) async fn step_async<T>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<(T, String), Error>>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        self.write_down(name, begun, work.await)
    }

    fn write_down<T>(
        &mut self,
        name: &str,
        begun: Instant,
        ended: Result<(T, String), Error>,
    ) -> Result<T, Error> {
        let (ok, result) = match &ended {
            Ok((_, result)) => (true, result.clone()),
            Err(error) => (false, error.what.clone()),
        };
        let seconds = begun.elapsed().as_secs_f64();
        self.steps.push(Taken {
            step: name.to_owned(),
            seconds,
            result,
            ok,
        });
        ended.map(|(value, _)| value)
    }

    /// Shows the table.
    pub(super) fn show(&self, ui: &Ui, well: bool) {
        ui.report("rehearsal", self, |palette| {
            let width = self
                .steps
                .iter()
                .map(|taken| taken.step.len())
                .max()
                .unwrap_or(0);
            let mut lines: Vec<String> = vec![String::new()];
            for taken in &self.steps {
                let mark = if taken.ok {
                    palette.paint(text::Tone::Added, "ok").to_string()
                } else {
                    palette.paint(text::Tone::Removed, "!!").to_string()
                };
                lines.push(format!(
                    "  {mark}  {:width$}  {:>6.1} s  {}",
                    taken.step, taken.seconds, taken.result
                ));
            }
            let total: f64 = self.steps.iter().map(|taken| taken.seconds).sum();
            let end = if well { "rehearsed" } else { "failed" };
            lines.push(format!(
                "{end} in {}",
                text::duration(Duration::from_secs_f64(total))
            ));
            lines.join("\n")
        });
    }
}

/// Check, plan, provision, deploy, verify, a whole chat in each region, and a second provision that changes nothing.
pub(super) fn run(globals: &Globals, lab: &Lab, report: &mut Report) -> Result<(), Error> {
    report.step("check", || {
        check::run(globals, check::Args {})?;
        Ok(((), "inventory, secrets and templates".to_owned()))
    })?;
    let saved = lab.folder().join("plan.json");
    report.step("plan", || {
        Ok(((), planned(globals, Some(&saved))?.to_owned()))
    })?;
    report.step("provision", || {
        provision(globals, Some(&saved))?;
        Ok(((), "packages, nginx, firewall, units".to_owned()))
    })?;
    report.step("deploy", || {
        deploy::run(
            globals,
            deploy::Args {
                region: None,
                binary: None,
                host_binary: None,
            },
        )?;
        Ok(((), "the server runs behind nginx".to_owned()))
    })?;
    report.step("verify", || {
        verify::run(
            globals,
            verify::Args {
                region: None,
                host_binary: None,
                servers: Servers::default(),
                without_names: true,
            },
        )?;
        Ok((
            (),
            "health, the database's link, a chat's first event".to_owned(),
        ))
    })?;
    visits(globals, lab, report)?;
    report.step("provision again", || {
        provision(globals, None)?;
        match planned(globals, None)? {
            NOTHING => Ok(((), NOTHING.to_owned())),
            _ => Err(Error::new(
                ErrorKind::Failed,
                "a second run would change something",
            )),
        }
    })
}

/// What visitors meet: the geo name's answers, where the twins answer, and a whole chat in each region.
fn visits(globals: &Globals, lab: &Lab, report: &mut Report) -> Result<(), Error> {
    let project = Project::open(globals)?;
    if crate::blueprint::embedded_dns(&project.inventory).is_some() {
        report.step("dns", || {
            Ok(((), super::dns::answers(&project.inventory, lab)?))
        })?;
    }
    for region in &project.inventory.regions {
        let name = region.name.as_str().to_owned();
        let visitor = visitor(&project, region, lab.twin(&name)?.endpoint.ipv4)?;
        report.step(&format!("chat {name}"), || {
            let token = token(&project.inventory)?;
            Ok(((), block_on(visitor.chat(&token))?))
        })?;
    }
    Ok(())
}

/// A user of that region, over HTTPS where the inventory has it.
fn visitor<'r>(
    project: &Project,
    region: &'r Region,
    address: Ipv4Addr,
) -> Result<Visitor<'r>, Error> {
    let way = "through nginx";
    if project.inventory.tls.is_none() {
        return Visitor::new(region, (address, 80).into(), way);
    }
    let client = verify::https::client(&verify::https::roots(project)?);
    Visitor::over(client, region, (address, 443).into(), way)
}

const NOTHING: &str = "nothing to change";

fn planned(globals: &Globals, out: Option<&Path>) -> Result<&'static str, Error> {
    let outcome = plan::run(
        globals,
        plan::Args {
            region: None,
            out: out.map(Path::to_owned),
            host_binary: None,
        },
    )?;
    Ok(match outcome {
        Outcome::Differences => "bare hosts, everything to do",
        Outcome::Done => NOTHING,
    })
}

fn provision(globals: &Globals, plan: Option<&Path>) -> Result<Outcome, Error> {
    provision::run(
        globals,
        provision::Args {
            shorten_ttl: Vec::new(),
            adopt_data: None,
            data_backup: None,
            region: None,
            plan: plan.map(Path::to_owned),
            host_binary: None,
        },
    )
}

fn token(inventory: &Inventory) -> Result<String, Error> {
    let failed = |why: String| Error::new(ErrorKind::Failed, "cannot mint a token").cause(why);
    let secrets = Secrets::resolve(inventory).map_err(|found| crate::fleet::mistakes(&found))?;
    let Login::Secret(reference) = &inventory.login else {
        return Err(failed(
            "the rehearsal's login is a shared secret".to_owned(),
        ));
    };
    let secret = secrets
        .get(reference)
        .ok_or_else(|| failed("it has no secret".to_owned()))?;
    let key = SigningKey::Hs256(secret.clone());
    mint("rehearsal", Duration::from_secs(600), &key).map_err(|error| failed(error.to_string()))
}
