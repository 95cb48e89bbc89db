//! `geodeploy ssh`.

use std::ffi::OsString;

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Open a shell on a host, or run a command there
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Run this command instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("ssh"))
}
