//! `geodeploy init`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use super::Outcome;
use crate::cli::Globals;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::inventory::{EXAMPLE, FILE_NAME};

/// Write a commented inventory
#[derive(clap::Args)]
pub struct Args {}

/// Writes it to `geodeploy.toml` in this folder, or to the file that `-i` names; never over one that is there.
///
/// # Errors
/// When a file is there, or it cannot be written.
pub fn run(globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    let named = globals.inventory.clone();
    let file = named.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
    let place = file.display();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut opened| opened.write_all(EXAMPLE.as_bytes()));
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let error = Error::new(ErrorKind::Usage, format!("{place} is there already"))
                .hint("name another file: `geodeploy init -i FILE`");
            return Err(error);
        }
        other => other.context(ErrorKind::Failed, || format!("cannot write {place}"))?,
    }
    let document = serde_json::json!({ "file": file });
    globals
        .ui
        .report("init", &document, |_| format!("wrote {place}"));
    let option = named.map_or_else(String::new, |file| format!(" -i {}", file.display()));
    globals.ui.note(&format!(
        "next: edit it, then type `geodeploy check{option}`"
    ));
    Ok(Outcome::Done)
}
