//! `geodeploy dns networks`.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::Globals;
use crate::commands::Outcome;
use crate::dns::networks::{Reading, text};
use crate::error::{Error, ErrorContext, ErrorKind};

/// Compile registries' statistics files, and lines of NETWORK,COUNTRY, into one table for `networks` below [dns]
#[derive(clap::Args)]
pub struct Args {
    /// Files such as delegated-apnic-extended-latest, unpacked; what a later one says wins over an equal network
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where the table goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// The result as a document.
#[derive(Serialize)]
struct Made {
    file: String,
    bytes: usize,
    networks: usize,
    left_out: usize,
}

/// Runs the action. Needs no inventory and no network.
///
/// # Errors
/// A file cannot be read or is wrong, with its line; the table cannot be written.
pub(super) fn run(globals: &Globals, args: &Args) -> Result<Outcome, Error> {
    let mut reading = Reading::default();
    for path in &args.files {
        reading.add(Reading::of(&text(path)?, &path.display().to_string())?);
    }
    let table = reading.networks().table(&reading.days);
    let what = || format!("cannot write {}", args.out.display());
    std::fs::write(&args.out, &table).context(ErrorKind::Failed, what)?;
    let made = Made {
        file: args.out.display().to_string(),
        bytes: table.len(),
        networks: table.lines().filter(|line| !line.starts_with('#')).count(),
        left_out: reading.unknown,
    };
    globals.ui.report("networks", &made, |_| {
        let mut text = format!("{}: {} networks", made.file, made.networks);
        if made.left_out > 0 {
            text.push_str(&format!("; {} lines name no known country", made.left_out));
        }
        text
    });
    Ok(Outcome::Done)
}
