//! `geodeploy db backup`.

use std::path::PathBuf;
use std::time::Duration;

use super::{ask, fetch};
use crate::agent::message::BackupOrder;
use crate::backup::manifest::Summary;
use crate::cli::Globals;
use crate::commands::{Outcome, block_on};
use crate::error::{Error, ErrorKind};
use crate::fleet::Project;

/// Make a backup of the database now, encrypted on its host
#[derive(clap::Args)]
pub struct Args {
    /// The database's region [default: the one that has it]
    pub region: Option<String>,
    /// Bring it here afterwards, at the inventory's rate, its checksum verified
    #[arg(long, value_name = "FOLDER")]
    pub fetch: Option<PathBuf>,
    /// With --fetch: make none, bring the newest that there is
    #[arg(long, requires = "fetch")]
    pub newest: bool,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

pub(super) fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let region = ask::holder(&project, args.region.as_deref())?;
    let rate = project.inventory.database.backup.rate.bytes();
    block_on(async {
        let member = ask::connect(&project, region, args.host_binary.as_deref()).await?;
        let summary = match args.newest {
            true => newest(&member).await?,
            false => {
                member.lane.note("the host makes a backup");
                let report = ask::ask(&member, BackupOrder::Make).await?;
                serde_json::from_value(report).map_err(|error| unreadable(&error))?
            }
        };
        let place = match &args.fetch {
            Some(folder) => Some(fetch::fetch(&member, &summary, folder, rate).await?),
            None => None,
        };
        member.lane.done("backed up");
        member.close().await;
        let document = serde_json::json!({ "backup": summary, "fetched": place });
        project.ui.report("db-backup", &document, |_| {
            let counts = summary
                .collections
                .iter()
                .filter(|(name, _)| !name.starts_with("admin."));
            let counts = counts.map(|(name, count)| format!("  {name}: {count} documents"));
            let head = format!(
                "{}: {}, {}",
                summary.file,
                crate::text::bytes(summary.bytes),
                crate::text::duration(Duration::from_secs(summary.seconds))
            );
            let tail = place
                .iter()
                .map(|place| format!("it is here: {}", place.display()));
            let lines: Vec<String> = std::iter::once(head).chain(counts).chain(tail).collect();
            lines.join("\n")
        });
        Ok(Outcome::Done)
    })
}

/// The newest backup on the host.
pub(super) async fn newest(member: &crate::fleet::Member) -> Result<Summary, Error> {
    let report = ask::ask(member, BackupOrder::List).await?;
    let all: Vec<Summary> =
        serde_json::from_value(report["backups"].clone()).map_err(|error| unreadable(&error))?;
    all.into_iter().next().ok_or_else(|| {
        let region = member.session.region();
        Error::new(ErrorKind::Failed, format!("{region} has no backup"))
            .hint("make one: `geodeploy db backup`")
    })
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Failed, "the host's report cannot be read").cause(error)
}
