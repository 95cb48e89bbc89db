//! `geodeploy man`.

use std::path::PathBuf;

use super::Outcome;
use crate::cli::{self, Globals};
use crate::error::{Error, ErrorContext, ErrorKind};

/// Print the manual page, or write the pages of all verbs
#[derive(clap::Args)]
pub struct Args {
    /// Write geodeploy.1 and a page for each verb to this folder
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// Prints or writes the pages.
///
/// # Errors
/// When the folder cannot be written to.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let Some(folder) = args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(cli::command())
            .render(&mut page)
            .context(ErrorKind::Failed, || {
                "cannot render the manual page".to_owned()
            })?;
        globals.ui.print(&String::from_utf8_lossy(&page));
        return Ok(Outcome::Done);
    };
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(cli::command(), &folder))
        .context(ErrorKind::Failed, || {
            format!("cannot write manual pages to {}", folder.display())
        })?;
    globals
        .ui
        .note(&format!("wrote manual pages to {}", folder.display()));
    Ok(Outcome::Done)
}
