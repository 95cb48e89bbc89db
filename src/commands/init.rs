//! `geodeploy init`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Write a commented inventory
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("init"))
}
