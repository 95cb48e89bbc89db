//! `geodeploy status`.

use std::path::PathBuf;

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

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
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("status"))
}
