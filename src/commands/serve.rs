//! `geodeploy serve`.

use super::Outcome;
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::serve::{self, Ended};

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

/// Serves until told to end.
///
/// # Errors
/// When the server cannot start, or was told twice to end and cut its streams.
pub fn run(_globals: &Globals, args: Args) -> Result<Outcome, Error> {
    match serve::main(args.dev, args.port) {
        Ok(Ended::Drained) => Ok(Outcome::Done),
        Ok(Ended::Cut) => Err(Error::new(
            ErrorKind::Interrupted,
            "told twice to end: open streams were cut",
        )),
        Err(error) => {
            let kind = if error.exit_code() == ErrorKind::Input.exit_code() {
                ErrorKind::Input
            } else {
                ErrorKind::Failed
            };
            Err(Error::new(kind, error.to_string()))
        }
    }
}
