//! `geodeploy ssh`.

use std::ffi::OsString;

use std::os::unix::process::CommandExt;
use std::process::Command;

use super::Outcome;
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::fleet::Project;
use crate::host;

/// Open a shell on a host, or run a command there
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Run this command instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
#[expect(
    clippy::disallowed_methods,
    reason = "this process becomes the operator's own ssh"
)]
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let destination = project.destination(project.region(&args.region)?);
    let configuration = host::write_configuration(&destination, &project.state.control_folder()?)?;
    let error = Command::new("ssh")
        .arg("-F")
        .arg(&configuration.path)
        .args(["-o", "RequestTTY=auto"])
        .arg(destination.alias())
        .args(args.command)
        .exec();
    Err(Error::new(ErrorKind::Failed, "cannot run ssh")
        .cause(error)
        .hint("install the OpenSSH client"))
}
