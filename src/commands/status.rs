//! `geodeploy status`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use super::{Outcome, block_on, combine};
use crate::agent::message::Operation;
use crate::cli::Globals;
use crate::error::Error;
use crate::fleet::{self, Member, Project};
use crate::inventory::Region;
use crate::monitor::certificates;
use crate::resource::certificate;

/// Show what runs in each region; exit with 2 if it is not as it should be
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region only [default: all]
    pub region: Option<String>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let regions = project.regions(args.region.as_deref())?;
    let caller = project.caller(args.host_binary.as_deref())?;
    block_on(async {
        let members = fleet::connect(&project, &regions, &caller).await;
        let asked = members.into_iter().map(|member| async {
            let member = member?;
            let report = ask(&project, &member).await;
            member.lane.done("asked");
            member.close().await;
            report
        });
        let reports = futures_util::future::join_all(asked).await;
        let mut shown = Vec::new();
        let mut ends = Vec::new();
        for (region, report) in regions.iter().zip(reports) {
            let name = region.name.as_str().to_owned();
            ends.push((
                name.clone(),
                report.map(|mut report| {
                    if project.inventory.tls.is_some() {
                        report["certificate problems"] = problems(&report, region).into();
                    }
                    let end = if is_well(&report) {
                        Outcome::Done
                    } else {
                        Outcome::Differences
                    };
                    report["region"] = Value::String(name);
                    shown.push(report);
                    end
                }),
            ));
        }
        project.ui.report("status", &shown, |_| {
            shown.iter().map(describe).collect::<Vec<_>>().join("\n")
        });
        combine(ends)
    })
}

async fn ask(project: &Project, member: &Member) -> Result<Value, Error> {
    let operation = Operation::Status {
        app: project.inventory.app.name.as_str().to_owned(),
    };
    fleet::report(member, operation, Some(fleet::UNCHANGED)).await
}

fn is_well(report: &Value) -> bool {
    let problems = report["certificate problems"].as_array();
    report["health"]["status"] == 200 && problems.is_none_or(Vec::is_empty)
}

/// What is wrong with the region's certificate.
fn problems(report: &Value, region: &Region) -> Vec<String> {
    let found: Option<certificate::Report> =
        serde_json::from_value(report["certificate"].clone()).unwrap_or_default();
    let names = region.nginx.server_names.iter().map(ToString::to_string);
    let names: Vec<String> = names.collect();
    certificates::problems(found.as_ref(), &names, Timestamp::now())
}

/// `, certificate by R11 for us.yourapp.com, 60 days left`, and what is wrong with it, a line each.
fn describe_certificate(report: &Value) -> String {
    let found = &report["certificate"]["certificate"];
    let mut told = String::new();
    if let Ok(found) = serde_json::from_value::<certificate::OnDisk>(found.clone()) {
        let left = found.not_after.as_second() - Timestamp::now().as_second();
        told = format!(
            ", certificate by {} for {}, {} left",
            found.issuer,
            found.names.join(" and "),
            certificates::days(left)
        );
    }
    for problem in report["certificate problems"]
        .as_array()
        .into_iter()
        .flatten()
    {
        told.push_str(&format!("\n  !! {}", problem.as_str().unwrap_or_default()));
    }
    told
}

/// `cn: healthy, generation 3-ab12cd34ef56 since Mon ..., 12 of 200 streams`.
fn describe(report: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let region = text(&report["region"]);
    let Some(current) = report["current"].as_str() else {
        return format!("{region}: no release was deployed yet; run `geodeploy deploy {region}`");
    };
    let generations = report["generations"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let since = generations
        .iter()
        .find(|generation| generation["id"] == current)
        .map(|found| text(&found["since"]));
    let health = &report["health"];
    let state = match health["status"].as_u64() {
        Some(200) => "healthy".to_owned(),
        Some(0) | None => format!("does not answer ({})", text(&health["body"])),
        Some(status) => format!("unhealthy ({status})"),
    };
    let sse = &health["body"]["sse"];
    let streams = match (sse["activeGlobal"].as_u64(), sse["maxGlobal"].as_u64()) {
        (Some(active), Some(maximum)) => format!(", {active} of {maximum} streams"),
        _ => String::new(),
    };
    let draining = generations
        .iter()
        .filter(|generation| generation["state"] == "deactivating")
        .count();
    let drains = if draining > 0 {
        ", an older generation drains"
    } else {
        ""
    };
    let busy = match report["busy"].as_object() {
        Some(holder) => format!(
            ", {} runs {} there",
            text(&holder["operator"]),
            text(&holder["what"])
        ),
        None => String::new(),
    };
    format!(
        "{region}: {state}, generation {current} since {}{streams}{drains}{busy}{}",
        since.unwrap_or_default(),
        describe_certificate(report)
    )
}
