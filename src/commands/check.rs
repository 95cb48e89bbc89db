//! `geodeploy check`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Check inventory, secrets and templates: everything that needs no network
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("check"))
}
