//! `geodeploy rehearse-switch`: started by the rehearsal, so that its links outlive the operator's process.

use std::path::PathBuf;

use super::{Outcome, block_on};
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::rehearse::switch;

/// Carry the frames of a rehearsal's links
#[derive(clap::Args)]
pub struct Args {
    /// Ports and links to carry, as JSON
    pub config: PathBuf,
}

/// Runs the verb.
///
/// # Errors
/// When the file cannot be read, or a device or the control socket cannot be made.
pub fn run(_globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let fault = |why: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::Input,
            format!("cannot read {}", args.config.display()),
        )
        .cause(why)
        .hint("it is written by geodeploy rehearse, which starts this itself")
    };
    let text = std::fs::read(&args.config).map_err(|why| fault(&why))?;
    let config = serde_json::from_slice(&text).map_err(|why| fault(&why))?;
    block_on(async { switch::run(config).await.map_err(Error::from) })?;
    Ok(Outcome::Done)
}
