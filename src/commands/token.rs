//! `geodeploy token`.

use super::{Outcome, unfinished};
use crate::cli::Globals;
use crate::error::Error;

/// Mint a token with which a user logs in to the server
#[derive(clap::Args)]
pub struct Args {
    /// Mint it for this user
    #[arg(long, value_name = "ID")]
    pub user: String,
    /// Make it valid for this long
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub ttl: String,
    /// Make it for this region's server [default: all, which share a login]
    pub region: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(_globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    Err(unfinished("token"))
}
