//! A copy of gdnsd's folder with the new files in it, for gdnsd to check.

use std::io;
use std::path::{Path, PathBuf};

use super::{FOLDER, Gdnsd};
use crate::agent::paths;
use crate::agent::system::{Entry, Fault, Invocation, System};
use crate::resource::{Context, Ownership};

/// Lets gdnsd read everything as it would be, other people's zones with it.
///
/// # Errors
/// What gdnsd said, in the real files' names.
pub(super) fn check(gdnsd: &Gdnsd, stale: &[String], context: &Context<'_>) -> Result<(), Fault> {
    let fault = |error| Fault::new("cannot stage gdnsd's configuration", error);
    let system = context.system;
    let copy = paths::runtime().join("gdnsd");
    clear(&copy, system).map_err(fault)?;
    let place = copy.to_string_lossy();
    let checked = build(gdnsd, stale, &copy, system)
        .and_then(|()| system.run(&Invocation::new(&["gdnsd", "-c", &place, "checkconf"])));
    clear(&copy, system).map_err(fault)?;
    let output = checked.map_err(fault)?;
    if output.success() {
        return Ok(());
    }
    let said = output.stderr.replace(&*place, FOLDER);
    let wrong = said
        .lines()
        .filter(|line| line.starts_with("error: ") || line.starts_with("fatal: "));
    let wrong: Vec<&str> = wrong.take(6).collect();
    let why = match wrong.is_empty() {
        true => said.trim().to_owned(),
        false => wrong.join("\n"),
    };
    Err(Fault::new("gdnsd refuses its new configuration", why).hint(
        "mend the template gdnsd.conf.j2 or gdnsd.zone.j2; what is on the host is as it was and still answers",
    ))
}

fn build(gdnsd: &Gdnsd, stale: &[String], copy: &Path, system: &dyn System) -> io::Result<()> {
    let zones = Path::new(FOLDER).join("zones");
    for name in system.list(&zones)?.unwrap_or_default() {
        let path = zones.join(&name);
        let is_file = system
            .metadata(&path)?
            .is_some_and(|found| matches!(found.entry, Entry::File(_)));
        if name == gdnsd.zone || stale.contains(&name) || !is_file {
            continue;
        }
        let bytes = system.read(&path)?.unwrap_or_default();
        place(&copy.join("zones").join(name), &bytes, system)?;
    }
    for (path, text) in gdnsd.files() {
        let path: PathBuf = match path.strip_prefix(FOLDER) {
            Ok(rest) => copy.join(rest),
            Err(_) => path,
        };
        place(&path, text.as_bytes(), system)?;
    }
    Ok(())
}

fn place(path: &Path, bytes: &[u8], system: &dyn System) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        system.make_directory(folder)?;
    }
    system.write(path, bytes, &Ownership::root(0o600))
}

/// Removes a folder and what is in it; links are not followed.
fn clear(path: &Path, system: &dyn System) -> io::Result<()> {
    let found = system.metadata(path)?.map(|found| found.entry);
    if found == Some(Entry::Directory) {
        for name in system.list(path)?.unwrap_or_default() {
            clear(&path.join(name), system)?;
        }
    }
    system.remove(path)
}
