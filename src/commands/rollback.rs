//! `geodeploy rollback`.

use std::path::PathBuf;

use super::Outcome;
use super::switch;
use crate::agent::message::Choice;
use crate::cli::Globals;
use crate::error::Error;
use crate::fleet::{Order, Project};

/// Return to the release that was good before
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Ship this program to hosts [default: geodeploy-host beside this one, or this one itself]
    #[arg(long, value_name = "FILE")]
    pub host_binary: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let order = Order {
        choice: Choice::Previous,
        binary: None,
    };
    switch::run(
        &project,
        &[project.region(&args.region)?],
        &order,
        args.host_binary.as_deref(),
    )
}
