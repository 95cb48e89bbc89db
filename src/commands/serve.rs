//! `geodeploy serve`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Run the application server
#[derive(clap::Args)]
pub struct Args {
    /// Serve on loopback only, with the echo model, the embedded store and no login
    #[arg(long)]
    pub dev: bool,
    /// Listen on this port [default: the variable PORT, or 8000]
    #[arg(long)]
    pub port: Option<u16>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("serve"))
}
