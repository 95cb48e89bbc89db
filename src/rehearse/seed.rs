//! What makes one twin different from the next, written into its file system before its first boot.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{Error, Result};

/// One twin's identity.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// Its host name.
    pub hostname: String,
    /// The whole `/etc/hosts`.
    pub hosts: String,
    /// The operator's public key.
    pub authorized_key: String,
    /// The whole apt configuration of the lab.
    pub apt: String,
}

impl Seed {
    /// Writes the identity below a twin's root.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write(&self, root: &Path) -> Result<()> {
        let digest =
            Sha256::digest(format!("{} {}", self.hostname, self.authorized_key).as_bytes());
        let machine: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        put(root, "etc/machine-id", &format!("{machine}\n"), 0o444)?;
        put(root, "etc/hostname", &format!("{}\n", self.hostname), 0o644)?;
        put(root, "etc/hosts", &self.hosts, 0o644)?;
        put(root, "etc/apt/apt.conf.d/00rehearsal", &self.apt, 0o644)?;
        put(
            root,
            "root/.ssh/authorized_keys",
            &self.authorized_key,
            0o600,
        )?;
        put(
            root,
            "home/admin/.ssh/authorized_keys",
            &self.authorized_key,
            0o600,
        )?;
        let (user, group) = ids(root, "admin")?;
        for path in ["home/admin/.ssh", "home/admin/.ssh/authorized_keys"] {
            let path = root.join(path);
            chown(&path, Some(user), Some(group)).map_err(|why| Error::file(&path, why))?;
        }
        Ok(())
    }
}

fn put(root: &Path, name: &str, text: &str, mode: u32) -> Result<()> {
    let path = root.join(name);
    let folder = path.parent().unwrap_or(root);
    let done = fs::create_dir_all(folder).and_then(|()| {
        if folder.ends_with(".ssh") {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        // What the base has there may be read-only or a link; a twin's own is neither.
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(&path)?;
        }
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
    });
    done.map_err(|why| Error::file(&path, why))
}

/// A user's and its group's number as the twin has them.
fn ids(root: &Path, user: &str) -> Result<(u32, u32)> {
    let path = root.join("etc/passwd");
    let text = fs::read_to_string(&path).map_err(|why| Error::file(&path, why))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(user)?.strip_prefix(':'));
    let mut numbers = line
        .into_iter()
        .flat_map(|line| line.split(':').skip(1))
        .map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(user)), Some(Ok(group))) => Ok((user, group)),
        _ => Err(Error::file(&path, format!("no user {user}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replaces_links_and_read_only_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(
            root.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n",
        )
        .unwrap();
        std::os::unix::fs::symlink("/nowhere", root.join("etc/hosts")).unwrap();
        put(root, "etc/hosts", "127.0.0.1 localhost\n", 0o644).unwrap();
        assert_eq!(
            fs::read_to_string(root.join("etc/hosts")).unwrap(),
            "127.0.0.1 localhost\n"
        );
        assert_eq!(ids(root, "admin").unwrap(), (1000, 1000));
        assert!(ids(root, "nobody").is_err());
    }
}
