//! `geodeploy restart`.

use std::path::PathBuf;

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Restart the server with no dropped stream
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
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("restart"))
}
