//! `geodeploy trust`.

use std::path::Path;

use super::{Outcome, block_on};
use crate::cli::Globals;
use crate::error::{Error, ErrorKind};
use crate::fleet::Project;
use crate::host;
use crate::inventory::{HostKey, RegionName, with_host_keys};

/// Show a host's key on first contact and pin it in the inventory
#[derive(clap::Args)]
pub struct Args {
    /// Act on this region
    pub region: String,
    /// Agree beforehand to the key with this fingerprint
    #[arg(long, value_name = "SHA256:...")]
    pub fingerprint: Option<String>,
}

/// Runs the verb.
///
/// # Errors
/// Those of the run.
pub fn run(globals: &Globals, args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let region = project.region(&args.region)?;
    let destination = project.destination(region);
    let folder = project.state.control_folder()?;
    let learned = block_on(host::learn(&destination, &folder))?;
    let keys: Vec<HostKey> = learned
        .iter()
        .map(|learned| learned.key.parse())
        .collect::<Result<_, _>>()
        .map_err(|wrong: crate::inventory::Wrong| {
            Error::new(ErrorKind::Failed, wrong.cause).hint(wrong.remedy)
        })?;
    if keys.iter().all(|key| region.ssh.host_keys.contains(key)) {
        project
            .ui
            .note(&format!("{}: that key is pinned already", args.region));
        return Ok(Outcome::Done);
    }
    for key in &keys {
        project.ui.print(&format!(
            "{}: {} {}",
            args.region,
            key.algorithm(),
            key.fingerprint()
        ));
    }
    agree(&project, &args, &keys, !region.ssh.host_keys.is_empty())?;
    pin(&project.file, &region.name, &keys)?;
    project
        .ui
        .note(&format!("pinned in {}", project.file.display()));
    Ok(Outcome::Done)
}

/// `--yes` is no consent to a key: its fingerprint is.
fn agree(project: &Project, args: &Args, keys: &[HostKey], replaces: bool) -> Result<(), Error> {
    let given = match &args.fingerprint {
        None => false,
        Some(expected) if keys.iter().all(|key| key.fingerprint() == *expected) => true,
        Some(expected) => {
            return Err(Error::new(
                ErrorKind::LoginRefused,
                format!("{}: the host shows another key", args.region),
            )
            .cause(format!("expected {expected}"))
            .hint(
                "compare it with what the provider's console shows; somebody else may be answering",
            ));
        }
    };
    let question = if replaces {
        "ANOTHER key is pinned for this host. Is it the new fingerprint that the provider's console shows?"
    } else {
        "Is it the fingerprint that the provider's console shows?"
    };
    project
        .ui
        .consent(question, given, "--fingerprint SHA256:...")
}

fn pin(file: &Path, region: &RegionName, keys: &[HostKey]) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::Failed,
            format!("cannot pin the key in {}", file.display()),
        )
        .cause(error)
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    let text = with_host_keys(&text, region, keys)
        .map_err(|wrong| failed(&wrong.cause).hint(wrong.remedy))?;
    crate::state::replace(file, text.as_bytes()).map_err(|error| failed(&error))
}
