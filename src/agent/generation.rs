//! Releases and generations on the host.
//!
//! A release is a binary by digest. A generation is one start of it with the environment of that moment, so that going
//! back brings the environment along that belonged to the release.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::message::Choice;
use super::paths;
use super::system::Fault;
use crate::digest;

/// A generation as it is written down beside its binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Generation {
    /// Rises with each start of a new one.
    pub number: u64,
    /// The release's SHA-256.
    pub release: String,
    /// The number whose release and environment this one repeats; its own where it repeats none.
    pub origin: u64,
    /// When it was made, RFC 3339 in UTC.
    pub created: String,
}

/// What a new generation is made of.
pub(super) struct Ingredients {
    /// The release's SHA-256.
    pub release: String,
    /// The environment file, with its secrets.
    pub environment: zeroize::Zeroizing<Vec<u8>>,
    /// The generation that is repeated.
    pub origin: Option<u64>,
}

impl Generation {
    /// The instance name of its unit: `12-ab12cd34ef56`.
    pub(super) fn id(&self) -> String {
        format!(
            "{}-{}",
            self.number,
            &self.release[..12.min(self.release.len())]
        )
    }

    /// Its folder.
    pub(super) fn folder(&self) -> PathBuf {
        paths::generations().join(self.id())
    }

    /// Whether it was healthy and served.
    pub(super) fn is_good(&self) -> bool {
        self.folder().join("good").exists()
    }

    /// Writes down that it was healthy and serves.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub(super) fn mark_good(&self) -> io::Result<()> {
        fs::write(self.folder().join("good"), b"")
    }

    /// Its environment file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn environment(&self) -> io::Result<zeroize::Zeroizing<Vec<u8>>> {
        fs::read(self.folder().join("env")).map(zeroize::Zeroizing::new)
    }
}

/// All generations on the host, oldest first. A half-made one has no description and is not among them.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn all() -> io::Result<Vec<Generation>> {
    let entries = match fs::read_dir(paths::generations()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut generations = Vec::new();
    for entry in entries {
        if let Ok(text) = fs::read(entry?.path().join("generation.json")) {
            generations.extend(serde_json::from_slice::<Generation>(&text).ok());
        }
    }
    generations.sort_by_key(|generation| generation.number);
    Ok(generations)
}

/// The generation that `current` points at.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn current() -> io::Result<Option<Generation>> {
    let Ok(target) = fs::read_link(paths::current()) else {
        return Ok(None);
    };
    let id = target
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(all()?
        .into_iter()
        .find(|generation| Some(generation.id()) == id))
}

/// What the chosen generation would be made of.
///
/// # Errors
/// When there is no environment yet, no previous generation, or nothing runs that could be started anew.
pub(super) fn ingredients(app: &str, choice: &Choice) -> Result<Ingredients, Fault> {
    let unreadable = |error: io::Error| Fault::new("cannot read the generations", error);
    let current = current().map_err(unreadable)?;
    let repeated = match choice {
        Choice::Release(release) => {
            let path = paths::environment(app);
            let environment = fs::read(&path).map_err(|error| {
                Fault::new(format!("cannot read {}", path.display()), error)
                    .hint("the host is not provisioned yet: run `geodeploy provision` first")
            })?;
            return Ok(Ingredients {
                release: release.clone(),
                environment: zeroize::Zeroizing::new(environment),
                origin: None,
            });
        }
        Choice::Again => current.ok_or_else(|| {
            Fault::new("nothing to restart", "no release was deployed yet")
                .hint("run `geodeploy deploy` first")
        })?,
        Choice::Previous => {
            let before = current.map_or(u64::MAX, |current| current.origin);
            let mut earlier = all().map_err(unreadable)?;
            earlier.retain(|generation| generation.is_good() && generation.origin < before);
            earlier.pop().ok_or_else(|| {
                Fault::new(
                    "nothing to go back to",
                    "no earlier release was good on this host",
                )
                .hint("deploy an older binary with `geodeploy deploy --binary FILE`")
            })?
        }
    };
    Ok(Ingredients {
        environment: repeated.environment().map_err(unreadable)?,
        release: repeated.release,
        origin: Some(repeated.origin),
    })
}

/// Makes the generation's folder: under another name first, so that a half-made one is never taken for one.
///
/// # Errors
/// When the release is not there or the disk is full.
pub(super) fn create(ingredients: &Ingredients) -> io::Result<Generation> {
    let number = all()?.last().map_or(1, |last| last.number + 1);
    let generation = Generation {
        number,
        release: ingredients.release.clone(),
        origin: ingredients.origin.unwrap_or(number),
        created: jiff::Timestamp::now().to_string(),
    };
    let folder = generation.folder();
    let staged = folder.with_extension("new");
    drop(fs::remove_dir_all(&staged));
    fs::create_dir_all(&staged)?;
    fs::set_permissions(&staged, fs::Permissions::from_mode(0o755))?;
    fs::hard_link(
        paths::release(&ingredients.release),
        staged.join("geodeploy"),
    )?;
    let mut environment = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(staged.join("env"))?;
    io::Write::write_all(&mut environment, &ingredients.environment)?;
    environment.sync_all()?;
    fs::write(
        staged.join("generation.json"),
        serde_json::to_vec(&generation)?,
    )?;
    fs::rename(staged, &folder)?;
    Ok(generation)
}

/// Removes what is older than the newest `keep` good generations, and the releases that no generation uses.
/// What serves and what it could go back to always stay.
///
/// # Errors
/// When a folder cannot be removed.
pub(super) fn prune(keep: usize, running: &[String]) -> io::Result<()> {
    let generations = all()?;
    let serving = current()?.map(|generation| generation.id());
    let good: Vec<String> = generations
        .iter()
        .rev()
        .filter(|generation| generation.is_good())
        .take(keep.max(2))
        .map(Generation::id)
        .collect();
    let stays =
        |id: &String| good.contains(id) || serving.as_ref() == Some(id) || running.contains(id);
    for generation in generations
        .iter()
        .filter(|generation| !stays(&generation.id()))
    {
        fs::remove_dir_all(generation.folder())?;
    }
    let used: Vec<String> = all()?
        .into_iter()
        .map(|generation| generation.release)
        .collect();
    let Ok(releases) = fs::read_dir(paths::opt().join("releases")) else {
        return Ok(());
    };
    for release in releases {
        let release = release?;
        if !used.contains(&release.file_name().to_string_lossy().into_owned()) {
            fs::remove_dir_all(release.path())?;
        }
    }
    Ok(())
}

/// Makes the release available from the agent of the same digest, where that is the same file.
///
/// # Errors
/// When the folder cannot be made.
pub(super) fn adopt_agent(release: &str) -> io::Result<bool> {
    let path = paths::release(release);
    if path.exists() {
        return Ok(true);
    }
    let agent = paths::agent(release);
    if !agent.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::hard_link(agent, path)?;
    Ok(true)
}

/// Stores an uncompressed release whose digest must be the one named.
///
/// # Errors
/// When the input is not zstd, its digest differs, or the disk is full; nothing is left behind.
pub(super) fn receive(release: &str, body: impl io::Read) -> io::Result<()> {
    let path = paths::release(release);
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let staged = folder.with_extension("new");
    drop(fs::remove_dir_all(&staged));
    fs::create_dir_all(&staged)?;
    let result = unpack(release, body, &staged.join("geodeploy"));
    if result.is_err() {
        drop(fs::remove_dir_all(&staged));
        return result;
    }
    drop(fs::remove_dir_all(&folder));
    fs::rename(staged, folder)
}

fn unpack(release: &str, body: impl io::Read, path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o755)
        .open(path)?;
    zstd::stream::copy_decode(body, &mut file)?;
    file.sync_all()?;
    let found = digest::sha256(&fs::read(path)?);
    if found == release {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "received {found}, expected {release}"
        )))
    }
}
