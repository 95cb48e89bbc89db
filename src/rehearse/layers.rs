//! A twin's file system: an overlay of layers, so that a twin starts from the shared base and can be put back.
//!
//! The base is the lowest layer and never written. A snapshot freezes the written layer and puts an empty one on top:
//! it copies nothing, and going back is throwing layers away.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::shell::{Call, check};

/// The layers of one twin, in a folder of its own.
#[derive(Clone, Debug)]
pub struct Layers {
    folder: PathBuf,
    base: PathBuf,
}

/// What is written down beside the layers.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Frozen {
    /// Names of the snapshots, oldest first.
    snapshots: Vec<String>,
}

impl Layers {
    /// The layers in `folder` over the base system in `base`; nothing is made yet.
    pub fn new(folder: PathBuf, base: PathBuf) -> Self {
        Self { folder, base }
    }

    /// Where the merged file system is mounted.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn written(&self) -> PathBuf {
        self.folder.join("written")
    }

    fn frozen(&self, snapshot: &str) -> PathBuf {
        self.folder.join(format!("snapshot-{snapshot}"))
    }

    fn list(&self) -> PathBuf {
        self.folder.join("snapshots.json")
    }

    fn read(&self) -> Frozen {
        let text = fs::read_to_string(self.list()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn write(&self, frozen: &Frozen) -> Result<()> {
        let text = serde_json::to_string(frozen).map_err(|why| Error::file(&self.list(), why))?;
        fs::write(self.list(), text).map_err(|why| Error::file(&self.list(), why))
    }

    /// Whether the merged file system is mounted.
    pub fn mounted(&self) -> bool {
        mounts_below(&self.root()).contains(&self.root())
    }

    /// Mounts the merged file system; nothing happens if it is mounted.
    ///
    /// # Errors
    /// When the kernel refuses the overlay.
    pub fn mount(&self) -> Result<()> {
        if self.mounted() {
            return Ok(());
        }
        let work = self.folder.join("work");
        // A volatile overlay refuses a work folder that was used before, in case the machine crashed in between.
        remove(&work)?;
        for folder in [&self.root(), &self.written(), &work] {
            fs::create_dir_all(folder).map_err(|why| Error::file(folder, why))?;
        }
        let mut lower: Vec<_> = self
            .read()
            .snapshots
            .iter()
            .rev()
            .map(|name| self.frozen(name))
            .collect();
        lower.push(self.base.clone());
        let lower: Vec<_> = lower
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.join(":"),
            self.written().display(),
            work.display()
        );
        let mount = |options: &str| {
            let root = self.root();
            Call::new([
                "mount",
                "-t",
                "overlay",
                "overlay",
                "-o",
                options,
                &root.to_string_lossy(),
            ])
            .check()
        };
        // A twin's power cut is not this machine's: what a twin syncs need not reach the disk, which makes dpkg
        // several times as fast. Kernels before 5.10 do not know the option.
        mount(&format!("{options},volatile")).or_else(|_| mount(&options)).map_err(|error| {
            error.remedy("the folder's file system must allow overlays (ext4, xfs, btrfs, tmpfs): set another folder")
        })?;
        Ok(())
    }

    /// Unmounts the merged file system; the twin must be off.
    ///
    /// # Errors
    /// When something still uses it.
    pub fn unmount(&self) -> Result<()> {
        for path in mounts_below(&self.root()) {
            check(["umount", &path.to_string_lossy()])?;
        }
        Ok(())
    }

    /// Freezes what was written so far under a name; the twin must be off and unmounted.
    ///
    /// # Errors
    /// When the name is taken, is not a plain word, or the disk refuses.
    pub fn snapshot(&self, name: &str) -> Result<()> {
        let mut frozen = self.read();
        let plain = name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        if name.is_empty() || !plain || frozen.snapshots.iter().any(|other| other == name) {
            return Err(Error::new(
                format!("cannot take the snapshot {name:?}"),
                format!("taken so far: {:?}", frozen.snapshots),
                "use another name of letters, digits and dashes",
            ));
        }
        let target = self.frozen(name);
        fs::rename(self.written(), &target).map_err(|why| Error::file(&target, why))?;
        frozen.snapshots.push(name.to_owned());
        self.write(&frozen)
    }

    /// Throws away everything written since a snapshot, newer snapshots too; the twin must be off and unmounted.
    ///
    /// # Errors
    /// When there is no such snapshot.
    pub fn restore(&self, name: &str) -> Result<()> {
        let mut frozen = self.read();
        let Some(position) = frozen.snapshots.iter().position(|other| other == name) else {
            return Err(Error::new(
                format!("cannot go back to the snapshot {name:?}"),
                format!("there are {:?}", frozen.snapshots),
                "take it first",
            ));
        };
        let newer = frozen.snapshots.split_off(position + 1);
        self.write(&frozen)?;
        for name in newer {
            remove(&self.frozen(&name))?;
        }
        remove(&self.written())
    }

    /// Unmounts and removes everything.
    ///
    /// # Errors
    /// When something still uses it.
    pub fn remove(&self) -> Result<()> {
        self.unmount()?;
        remove(&self.folder)
    }
}

/// Mounts at a path and below it, innermost first.
pub(crate) fn mounts_below(path: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut found: Vec<_> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(|text| PathBuf::from(text.replace("\\040", " ")))
        .filter(|mount| mount.starts_with(path))
        .collect();
    found.reverse();
    found
}

/// Removes a folder with everything in it, unless something is mounted there; a folder that is absent is fine.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    if let Some(mount) = mounts_below(folder).first() {
        return Err(Error::new(
            format!("will not remove {}", folder.display()),
            format!("{} is mounted", mount.display()),
            format!("unmount it: umount {}", mount.display()),
        ));
    }
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(Error::file(folder, why)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> (tempfile::TempDir, Layers) {
        let folder = tempfile::tempdir().unwrap();
        let layers = Layers::new(folder.path().join("twin"), folder.path().join("base"));
        fs::create_dir_all(layers.written()).unwrap();
        (folder, layers)
    }

    #[test]
    fn going_back_drops_what_was_written_since_and_newer_snapshots() {
        let (_folder, layers) = layers();
        fs::write(layers.written().join("one"), "1").unwrap();
        layers.snapshot("provisioned").unwrap();
        fs::create_dir_all(layers.written()).unwrap();
        layers.snapshot("deployed").unwrap();
        fs::create_dir_all(layers.written()).unwrap();
        fs::write(layers.written().join("three"), "3").unwrap();
        layers.restore("provisioned").unwrap();
        assert!(!layers.written().exists());
        assert!(!layers.frozen("deployed").exists());
        assert_eq!(
            fs::read_to_string(layers.frozen("provisioned").join("one")).unwrap(),
            "1"
        );
        assert_eq!(layers.read().snapshots, ["provisioned"]);
    }

    #[test]
    fn a_snapshot_is_not_overwritten_and_an_unknown_one_is_refused() {
        let (_folder, layers) = layers();
        layers.snapshot("a").unwrap();
        assert!(layers.snapshot("a").unwrap_err().why.contains("\"a\""));
        assert!(layers.snapshot("../x").is_err());
        assert!(layers.restore("b").unwrap_err().why.contains("\"a\""));
    }
}
