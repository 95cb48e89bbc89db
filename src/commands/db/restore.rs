//! `geodeploy db restore`.

use std::path::PathBuf;

use super::ask;
use super::sealed::{Sealed, describe};
use crate::agent::message::BackupOrder;
use crate::backup::restore::Restored;
use crate::cli::Globals;
use crate::commands::{Outcome, block_on};
use crate::error::{Error, ErrorKind};
use crate::fleet::Project;

/// Put a backup back into the database, which must hold none of its documents
#[derive(clap::Args)]
pub struct Args {
    /// The encrypted file, as `db backup --fetch` brings it
    pub file: PathBuf,
    /// The age identity that opens it [default: the one of database.tls]
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// The database or its region, typed: consent to restore there
    #[arg(long, value_name = "NAME")]
    pub into: Option<String>,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

pub(super) fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let region = ask::holder(&project, None)?;
    let sealed = Sealed::new(&project, &args.file, args.identity.as_deref())?;
    let manifest = sealed.verify()?;
    project.ui.note(&describe(&manifest));
    let name = project.inventory.database.name.as_str();
    consent(args.into.as_deref(), name, region.name.as_str())?;
    let contents = ask::contents(&project, region)?;
    let restored = block_on(async {
        let member = ask::connect(&project, region, args.host_binary.as_deref()).await?;
        // The agent is there after this, and a body is read once.
        ask::ask(&member, BackupOrder::List).await?;
        let order = BackupOrder::Restore {
            connection: Box::new(contents.set.connection),
            manifest: Box::new(manifest),
        };
        let report = ask::send(&member, order, sealed.stream()?).await?;
        let restored: Restored = serde_json::from_value(report).map_err(|error| {
            Error::new(ErrorKind::Failed, "the host's report cannot be read").cause(error)
        })?;
        member.lane.done("restored");
        member.close().await;
        Ok(restored)
    })?;
    project.ui.report("db-restore", &restored, |_| {
        format!(
            "{} documents and {} later writes are back; counts and indexes {}",
            restored.documents,
            restored.writes,
            match restored.differences.is_empty() {
                true => "are as in the backup",
                false => "are not",
            }
        )
    });
    settle(&restored, "the database is not as it was backed up")
}

/// Differences are a failure that names them.
pub(super) fn settle(restored: &Restored, what: &str) -> Result<Outcome, Error> {
    match restored.differences.is_empty() {
        true => Ok(Outcome::Done),
        false => {
            let error = Error::new(ErrorKind::Failed, what);
            Err(restored.differences.iter().fold(error, Error::cause))
        }
    }
}

fn consent(typed: Option<&str>, database: &str, region: &str) -> Result<(), Error> {
    match typed {
        Some(typed) if typed == database || typed == region => Ok(()),
        Some(typed) => Err(Error::new(ErrorKind::Usage, "nothing was restored")
            .cause(format!(
                "`{typed}` is neither the database {database} nor its region {region}"
            ))
            .hint(format!("type --into {database}"))),
        None => Err(Error::new(ErrorKind::Usage, "nothing was restored")
            .cause(format!(
                "a restore into {database} in {region} needs the name typed"
            ))
            .hint(format!("type the same with --into {database}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::consent;

    #[test]
    fn only_the_typed_name_of_the_database_or_its_region_is_consent() {
        assert!(consent(Some("aiagent"), "aiagent", "cn").is_ok());
        assert!(consent(Some("cn"), "aiagent", "cn").is_ok());
        for typed in [None, Some("us"), Some("")] {
            let hint = consent(typed, "aiagent", "cn").unwrap_err();
            assert!(format!("{hint:?}").contains("--into aiagent"), "{typed:?}");
        }
    }
}
