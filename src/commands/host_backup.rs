//! `geodeploy backup`, which the host's timer runs.

use std::path::PathBuf;

use super::Outcome;
use crate::backup;
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};

/// Make a backup of this host's database
#[derive(clap::Args)]
pub struct Args {
    /// What to back up and where to
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Runs the verb.
///
/// # Errors
/// When there is no backup afterwards.
pub fn run(_globals: &Globals, args: Args) -> Result<Outcome, Error> {
    backup::main(&args.config)
        .map(|()| Outcome::Done)
        .map_err(|fault| {
            let error = Error::new(ErrorKind::Failed, fault.what).cause(fault.why);
            fault.hint.into_iter().fold(error, Error::hint)
        })
}
