//! `geodeploy completions`.

use clap_complete::Shell;

use super::Outcome;
use crate::cli::{self, Globals};
use crate::error::Error;

/// Print a shell's completions
#[derive(clap::Args)]
pub struct Args {
    /// Complete for this shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints them to standard output.
///
/// # Errors
/// Never.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "geodeploy", &mut text);
    globals.ui.print(&String::from_utf8_lossy(&text));
    Ok(Outcome::Done)
}
