//! `geodeploy agent`.

use std::ffi::OsString;

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Do on this host what the request on standard input says
#[derive(clap::Args)]
pub struct Args {
    /// Mode of the agent
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("agent"))
}
