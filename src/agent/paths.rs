//! Where things are on a host.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The variable that names another root; every process of an agent must inherit it.
pub const ROOT: &str = "GEODEPLOY_ROOT";

/// The folder that stands in for `/` in everything that is the agent's own; `None` on a host, where it is `/` itself.
/// A test on a developer's machine sets [`ROOT`].
pub fn other_root() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            std::env::var_os(ROOT)
                .filter(|folder| !folder.is_empty())
                .map(PathBuf::from)
        })
        .as_deref()
}

fn root() -> &'static Path {
    other_root().unwrap_or(Path::new("/"))
}

/// Agents and releases by digest, generations by number.
pub fn opt() -> PathBuf {
    root().join("opt/geodeploy")
}

/// What must survive a reboot: journals, marks, armed undos.
pub fn state() -> PathBuf {
    root().join("var/lib/geodeploy")
}

/// What must not: requests with secrets, locks.
pub fn runtime() -> PathBuf {
    root().join("run/geodeploy")
}

/// The agent of that digest.
pub fn agent(digest: &str) -> PathBuf {
    opt().join("agents").join(digest).join("geodeploy")
}

/// A link to the agent of the last provision, which the host's own timers run.
pub fn program() -> PathBuf {
    opt().join("bin/geodeploy")
}

/// Backups of the host's database, and what the last drill found.
pub fn backups() -> PathBuf {
    state().join("backup")
}

/// MongoDB's server.
pub fn mongod() -> PathBuf {
    root().join("usr/bin/mongod")
}

/// Where a backup is tried out.
pub fn drill() -> PathBuf {
    state().join("drill")
}

/// The release of that digest.
pub fn release(digest: &str) -> PathBuf {
    opt().join("releases").join(digest).join("geodeploy")
}

/// The folder of all generations.
pub fn generations() -> PathBuf {
    opt().join("generations")
}

/// The link to the generation that serves.
pub fn current() -> PathBuf {
    opt().join("current")
}

/// The journal of a run.
pub fn journal(run: &str) -> PathBuf {
    state().join("runs").join(run).join("journal.jsonl")
}

/// The request of a run, with its secrets.
pub fn request(run: &str) -> PathBuf {
    runtime().join("runs").join(run).join("request")
}

/// Marks of services that have not heard of a change yet.
pub fn pending() -> PathBuf {
    state().join("pending")
}

/// What a unit's configuration was before it was changed, until the unit has started with the new one.
pub fn previous(unit: &str) -> PathBuf {
    state().join("previous").join(format!("{unit}.json"))
}

/// Files of the operator's that are installed from.
pub fn archives() -> PathBuf {
    state().join("archives")
}

/// The file of that digest.
pub fn archive(digest: &str) -> PathBuf {
    archives().join(digest)
}

/// A file whose time is that of the last complete refresh of the package lists.
pub fn refreshed() -> PathBuf {
    state().join("apt-refreshed")
}

/// Where units are checked before they are put in place.
pub fn staged_units() -> PathBuf {
    runtime().join("units")
}

/// The environment that provision wrote for an application.
pub fn environment(app: &str) -> PathBuf {
    root().join("etc").join(app).join("env")
}
