//! `geodeploy db status`.

use std::path::PathBuf;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use super::{Holder, holders};
use crate::agent::database_status::{DatabaseReport, Watch};
use crate::agent::message::Operation;
use crate::blueprint::MONITOR;
use crate::commands::{Outcome, block_on, combine};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Member, Project};
use crate::inventory::Region;
use crate::monitor::clock::Asked;
use crate::monitor::database::{Finding, Word, judge, worst};
use crate::text::{Palette, Tone};

/// Show how each database is; exit with 1 if something is bad, with 2 if something needs attention
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region only [default: all with a database]
    pub region: Option<String>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// One database.
#[derive(Serialize)]
struct Shown {
    region: String,
    word: Word,
    findings: Vec<Finding>,
    report: DatabaseReport,
}

/// Runs the action.
///
/// # Errors
/// When a database is bad, cannot be looked at, or is not there.
pub(super) fn run(project: &Project, args: Args) -> Result<Outcome, Error> {
    let holders = holders(project, args.region.as_deref())?;
    let caller = project.caller(args.host_binary.as_deref())?;
    let regions: Vec<&Region> = holders.iter().map(|holder| holder.region).collect();
    block_on(async {
        let members = fleet::connect(project, &regions, &caller).await;
        let looks = members
            .into_iter()
            .zip(&holders)
            .map(|(member, holder)| async {
                let member = member?;
                let shown = look(&member, holder).await;
                match &shown {
                    Ok(_) => member.lane.done("looked at"),
                    Err(_) => member.lane.fail("not seen"),
                }
                member.close().await;
                shown
            });
        let looks = join_all(looks).await;
        let mut ends = Vec::new();
        let mut all = Vec::new();
        for (holder, look) in holders.iter().zip(looks) {
            let end = look.and_then(|shown| {
                let end = end(&shown);
                all.push(shown);
                end
            });
            ends.push((holder.region.name.as_str().to_owned(), end));
        }
        project.ui.report("databases", &all, |palette| {
            let texts: Vec<String> = all.iter().map(|shown| render(shown, palette)).collect();
            texts.join("\n")
        });
        combine(ends)
    })
}

async fn look(member: &Member, holder: &Holder<'_>) -> Result<Shown, Error> {
    let region = holder.region.name.as_str();
    let failed = |what: &str| Error::new(ErrorKind::Failed, format!("{region}: {what}"));
    let users = &holder.contents.users;
    let monitor = users.iter().find(|user| user.name == MONITOR);
    let monitor = monitor.ok_or_else(|| failed("the database has no user for monitoring"))?;
    let connection = &monitor.connection;
    let watch = Watch {
        port: connection.port,
        ca_file: connection.ca_file.clone(),
        certificate_file: connection.certificate_file.clone(),
        user: monitor.name.clone(),
        password: monitor.password.clone(),
    };
    let before = Timestamp::now();
    let operation = Operation::DatabaseStatus(watch);
    let report = fleet::report(member, operation, Some(fleet::UNCHANGED)).await?;
    let after = Timestamp::now();
    let report: DatabaseReport = serde_json::from_value(report)
        .map_err(|error| failed("the agent's report cannot be read").cause(error))?;
    let findings = judge(&report, Asked { before, after });
    Ok(Shown {
        region: region.to_owned(),
        word: worst(&findings),
        findings,
        report,
    })
}

fn end(shown: &Shown) -> Result<Outcome, Error> {
    match shown.word {
        Word::Ok => return Ok(Outcome::Done),
        Word::Warn => return Ok(Outcome::Differences),
        Word::Bad => {}
    }
    let bad = shown
        .findings
        .iter()
        .filter(|finding| finding.word == Word::Bad);
    let what = format!("{}: the database is not well", shown.region);
    Err(
        bad.fold(Error::new(ErrorKind::Failed, what), |error, finding| {
            let error = error.cause(format!("{}: {}", finding.name, finding.value));
            finding.hint.clone().into_iter().fold(error, Error::hint)
        }),
    )
}

/// A line for each figure, advice below it.
fn render(shown: &Shown, palette: Palette) -> String {
    let painted = |word: Word| match word {
        Word::Ok => palette.paint(Tone::Added, "ok  "),
        Word::Warn => palette.paint(Tone::Changed, "warn"),
        Word::Bad => palette.paint(Tone::Removed, "bad "),
    };
    let names = shown.findings.iter().map(|finding| finding.name.len());
    let width = names.max().unwrap_or(0);
    let mut lines = vec![format!("{}:", palette.paint(Tone::Strong, &shown.region))];
    for finding in &shown.findings {
        lines.push(format!(
            "  {}  {:width$}  {}",
            painted(finding.word),
            finding.name,
            finding.value
        ));
        let hint = finding.hint.iter();
        lines.extend(hint.map(|hint| format!("        {}", palette.paint(Tone::Hint, hint))));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(word: Word) -> Shown {
        let finding = Finding {
            name: "disk".to_owned(),
            value: "5 % of 40.0 GB free".to_owned(),
            word,
            hint: (word > Word::Ok).then(|| "make it larger".to_owned()),
        };
        Shown {
            region: "cn".to_owned(),
            word,
            findings: vec![finding],
            report: DatabaseReport::default(),
        }
    }

    #[test]
    fn what_is_bad_fails_with_its_figure_and_advice_and_a_warning_is_a_difference() {
        assert_eq!(end(&shown(Word::Ok)), Ok(Outcome::Done));
        assert_eq!(end(&shown(Word::Warn)), Ok(Outcome::Differences));
        let error = end(&shown(Word::Bad)).unwrap_err();
        assert_eq!(error.causes, ["disk: 5 % of 40.0 GB free"]);
        assert_eq!(
            (error.exit_code(), error.hints),
            (1, vec!["make it larger".to_owned()])
        );
    }

    #[test]
    fn each_figure_is_a_line_and_its_advice_stands_below() {
        let text = render(&shown(Word::Warn), Palette::PLAIN);
        assert_eq!(
            text,
            "cn:\n  warn  disk  5 % of 40.0 GB free\n        make it larger"
        );
    }
}
