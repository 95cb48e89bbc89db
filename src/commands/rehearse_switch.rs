//! `geodeploy rehearse-switch`.

use std::ffi::OsString;

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Carry the frames of a rehearsal's links
#[derive(clap::Args)]
pub struct Args {
    /// Links to carry
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("rehearse-switch"))
}
