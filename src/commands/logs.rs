//! `geodeploy logs`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Show the server's log
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Go on with new lines as they come
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with this many lines
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub lines: u32,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("logs"))
}
