//! `geodeploy trust`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Show a host's key on first contact and pin it in the inventory
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Agree beforehand to the key with this fingerprint
    #[arg(long, value_name = "SHA256:...")]
    pub fingerprint: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("trust"))
}
