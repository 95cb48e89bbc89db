//! `geodeploy rehearse`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Run the whole chain on local twins of the regions
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Leave the twins running afterwards
    #[arg(long)]
    pub keep: bool,
    /// Rehearse without twins: render every file and run the servers on loopback
    #[arg(long, conflicts_with = "keep")]
    pub local: bool,
    /// What to do instead of a rehearsal
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What to do instead of a rehearsal.
#[derive(clap::Subcommand)]
pub enum Action {
    /// End the twins that --keep left running
    Down,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("rehearse"))
}
