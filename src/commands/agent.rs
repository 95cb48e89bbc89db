//! `geodeploy agent`.

use super::Outcome;
use crate::agent;
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};

/// Do on this host what the request on standard input says
#[derive(clap::Args)]
pub struct Args {
    /// Where the request comes from, as sshd says
    #[arg(long, allow_hyphen_values = true)]
    pub peer: Option<String>,
    /// Carry out this stored run
    #[arg(long)]
    pub run: Option<String>,
    /// Undo the firewall change of this run
    #[arg(long)]
    pub undo: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let arguments = agent::Arguments {
        peer: args.peer,
        run: args.run,
        undo: args.undo,
    };
    agent::main(&arguments)
        .map(|()| Outcome::Done)
        .map_err(|error| Error::new(ErrorKind::Failed, "the agent failed").cause(error))
}
