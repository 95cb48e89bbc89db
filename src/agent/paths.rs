//! Where things are on a host.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Everything below is under this folder, `/` but for tests on a developer's machine.
fn root() -> &'static PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        std::env::var_os("GEODEPLOY_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from)
    })
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

/// The environment that provision wrote for an application.
pub fn environment(app: &str) -> PathBuf {
    root().join("etc").join(app).join("env")
}
