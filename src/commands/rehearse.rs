//! `geodeploy rehearse`.

mod chain;
mod dns;
mod local;
mod twins;

use std::path::Path;

use super::Outcome;
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::inventory;
use crate::rehearse::Lab;
use crate::rehearse::requirements::{self, Missing};

/// The name of a rehearsal's lab.
const LAB: &str = "rehearsal";

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
/// Those of the first step that fails; the twins are taken down unless `--keep` was given.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    if let Some(Action::Down) = args.action {
        return down(globals);
    }
    let (text, name) = inventory_text(globals)?;
    globals.ui.note(&format!("rehearsing {name}"));
    if args.local {
        return local::rehearse(globals, &text, &name);
    }
    let missing = prepare(globals)?;
    if missing.is_empty() {
        return twins::rehearse(globals, &text, args.keep);
    }
    globals
        .ui
        .note("this machine cannot boot twins; rehearsing without them, as --local does:");
    for item in &missing {
        let Missing {
            what, why, remedy, ..
        } = item;
        globals
            .ui
            .note(&format!("  {what} is missing: {why}; {remedy}"));
    }
    local::rehearse(globals, &text, &name)
}

fn down(globals: &Globals) -> Result<Outcome, Error> {
    if Lab::names().iter().any(|name| name == LAB) {
        Lab::take_down(LAB)?;
        globals.ui.note("the twins are down");
    } else {
        globals.ui.note("there are no twins");
    }
    Ok(Outcome::Done)
}

/// The operator's own inventory where there is one, otherwise the example.
fn inventory_text(globals: &Globals) -> Result<(String, String), Error> {
    let here = std::env::current_dir().map_err(|error| {
        Error::new(ErrorKind::Failed, "the current folder is gone").cause(error)
    })?;
    match inventory::find(globals.inventory.as_deref(), &here) {
        Ok(file) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                Error::new(ErrorKind::Input, format!("cannot read {}", file.display())).cause(error)
            })?;
            inventory::Inventory::parse(&text, &file.display().to_string())
                .map_err(|found| crate::fleet::mistakes(&found))?;
            Ok((text, file.display().to_string()))
        }
        Err(mistake) if globals.inventory.is_some() => Err(crate::fleet::mistakes(&[mistake])),
        Err(_) => Ok((
            inventory::whole_example(),
            "the example inventory, with its names and certificates".to_owned(),
        )),
    }
}

/// Installs what twins need, after asking, and gives what is still missing. Where packages alone would not do, nothing
/// is installed.
fn prepare(globals: &Globals) -> Result<Vec<Missing>, Error> {
    let storage = Path::new(twins::STORAGE);
    let missing = requirements::missing(storage);
    if missing.is_empty() || missing.iter().any(|item| item.package.is_none()) {
        return Ok(missing);
    }
    let packages: Vec<&str> = missing.iter().filter_map(|item| item.package).collect();
    let question = format!(
        "Twins need packages of this machine: {}. Install them?",
        packages.join(" ")
    );
    globals.ui.consent(&question, globals.yes, "--yes")?;
    if let Err(error) = requirements::install(&missing) {
        globals.ui.warn(&error.to_string());
    }
    Ok(requirements::missing(storage))
}
