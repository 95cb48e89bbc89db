//! `geodeploy db drill`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::sealed::Sealed;
use super::{ask, backup, fetch, restore};
use crate::agent::message::{BackupOrder, MongoLogin};
use crate::backup::restore::Restored;
use crate::cli::Globals;
use crate::commands::{Outcome, block_on};
use crate::error::{Error, ErrorKind};
use crate::fleet::{Member, Project};

/// Prove that the newest backup can be restored: into a scratch server on its host, compared, removed
#[derive(clap::Args)]
pub struct Args {
    /// The database's region [default: the one that has it]
    pub region: Option<String>,
    /// The age identity that opens the backup [default: the one of database.tls]
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Keep the fetched backup in this folder; one that is there is not fetched again [default: removed]
    #[arg(long, value_name = "FOLDER")]
    pub fetch: Option<PathBuf>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

pub(super) fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let region = ask::holder(&project, args.region.as_deref())?;
    let contents = ask::contents(&project, region)?;
    let app = project
        .inventory
        .database
        .user
        .as_ref()
        .map_or("", |user| user.as_str());
    let user = contents.users.into_iter().find(|user| user.name == app);
    let user =
        user.ok_or_else(|| Error::new(ErrorKind::Input, "[database] has no `user` to log in as"))?;
    let user = MongoLogin {
        database: user.database,
        name: user.name,
        password: user.password,
    };
    let clock = Instant::now();
    let report = block_on(async {
        let member = ask::connect(&project, region, args.host_binary.as_deref()).await?;
        let report = try_out(&project, &member, &args, user).await?;
        member.lane.done("tried out");
        member.close().await;
        Ok(report)
    })?;
    let restored: Restored = serde_json::from_value(report.clone()).map_err(|error| {
        Error::new(ErrorKind::Failed, "the host's report cannot be read").cause(error)
    })?;
    project.ui.report("db-drill", &report, |_| {
        let seconds = report["rto_seconds"].as_u64().unwrap_or_default();
        format!(
            "{}: {} documents and {} later writes restored, {} in {} on the host, {} with the way here",
            report["file"].as_str().unwrap_or_default(),
            restored.documents,
            restored.writes,
            match restored.differences.is_empty() {
                true => "equal to the manifest, and the application logs in,",
                false => "with differences,",
            },
            crate::text::duration(Duration::from_secs(seconds)),
            crate::text::duration(clock.elapsed())
        )
    });
    restore::settle(&restored, "the backup is not what it says")
}

/// The newest backup comes here, is opened here, and goes back decrypted; the host's report of it.
async fn try_out(
    project: &Project,
    member: &Member,
    args: &Args,
    user: MongoLogin,
) -> Result<serde_json::Value, Error> {
    let rate = project.inventory.database.backup.rate.bytes();
    let summary = backup::newest(member).await?;
    member.lane.note(&format!(
        "{} goes from the host to here at {}/s, is opened here and goes back decrypted",
        crate::text::bytes(summary.bytes),
        crate::text::bytes(rate)
    ));
    let own = project.state.drills()?;
    let folder = args.fetch.as_deref().unwrap_or(&own);
    let path = fetch::fetch(member, &summary, folder, rate).await?;
    let sealed = Sealed::new(project, &path, args.identity.as_deref())?;
    let order = BackupOrder::Drill {
        file: summary.file.clone(),
        manifest: Box::new(sealed.verify()?),
        user: Box::new(user),
    };
    let report = ask::send(member, order, sealed.stream()?).await?;
    if args.fetch.is_none() {
        // What stays is only disk space; a later drill has another name.
        drop(std::fs::remove_dir_all(&own));
    }
    Ok(report)
}
