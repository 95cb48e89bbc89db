//! `geodeploy db`.

mod ask;
mod backup;
mod backup_check;
mod census;
mod drill;
mod fetch;
mod grow;
mod journal;
mod promote;
mod restore;
mod rotate_password;
mod sealed;
mod status;

pub use backup_check::verified_backup;

use super::Outcome;
use crate::blueprint::{self, Contents};
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::fleet::{Project, mistakes};
use crate::inventory::{DatabaseMode, Region};
use crate::secrets::Secrets;

/// Back up, restore and look after the database
#[derive(clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the database.
#[derive(clap::Subcommand)]
#[expect(
    missing_docs,
    reason = "each variant's help is the comment on the arguments it holds"
)]
pub enum Action {
    Backup(backup::Args),
    Restore(restore::Args),
    Drill(drill::Args),
    Grow(grow::Args),
    Promote(promote::Args),
    Status(status::Args),
    RotatePassword(rotate_password::Args),
}

/// Runs the verb.
///
/// # Errors
/// Those of the action.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    match args.action {
        Action::Backup(args) => backup::run(globals, args),
        Action::Restore(args) => restore::run(globals, args),
        Action::Drill(args) => drill::run(globals, args),
        Action::Grow(args) => grow::run(globals, args),
        Action::Promote(args) => promote::run(globals, &args),
        Action::Status(args) => status::run(&Project::open(globals)?, args),
        Action::RotatePassword(args) => rotate_password::run(&Project::open(globals)?, args),
    }
}

/// A region whose host has a database of its own, and what is inside it.
struct Holder<'p> {
    region: &'p Region,
    contents: Contents,
}

/// The named region, or all, as far as they have a database.
fn holders<'p>(project: &'p Project, named: Option<&str>) -> Result<Vec<Holder<'p>>, Error> {
    let inventory = &project.inventory;
    let regions = project.regions(named)?;
    if inventory.database.mode == DatabaseMode::Embedded {
        let what = "the inventory has no MongoDB: each server keeps its own file";
        let hint = "write mode = \"single\" below [database]";
        return Err(Error::new(ErrorKind::Usage, what).hint(hint));
    }
    let secrets = Secrets::resolve(inventory).map_err(|found| mistakes(&found))?;
    let mut holders = Vec::new();
    for region in regions {
        let contents = blueprint::contents(inventory, region, &secrets)?;
        holders.extend(contents.map(|contents| Holder { region, contents }));
    }
    if holders.is_empty() {
        let what = "no host of these regions has a database that is managed here";
        let error = Error::new(ErrorKind::Usage, what);
        return Err(match &inventory.database.region {
            Some(holder) => error.hint(format!("the database is in {holder}")),
            None => error,
        });
    }
    Ok(holders)
}
