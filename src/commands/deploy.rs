//! `geodeploy deploy`.

use std::path::PathBuf;

use super::Outcome;
use super::switch;
use crate::cli::Globals;
use crate::error::Error;
use crate::fleet::{Order, Project};

/// Ship the server and switch to it with no dropped stream
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region only [default: all]
    pub region: Option<String>,
    /// Deploy this server [default: the program that is shipped to hosts]
    #[arg(long, value_name = "FILE")]
    pub binary: Option<PathBuf>,
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
    let regions = project.regions(args.region.as_deref())?;
    let host_binary = args.host_binary.as_deref();
    let order = match &args.binary {
        Some(binary) => Order::release(&project, binary)?,
        None => Order::release(&project, &project.caller(host_binary)?.binary.path)?,
    };
    switch::run(&project, &regions, &order, host_binary)
}
