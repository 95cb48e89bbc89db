//! The base system that every twin starts from: a bare Debian with sshd, built once a suite by debootstrap.
//!
//! It is as bare as a provider's fresh server: no package lists, no host keys, no services beyond systemd's own and sshd.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::layers::{mounts_below, remove};
use super::shell::{Call, check};
use super::sources::{DEBIAN, SECURITY, Upstream};

/// Where base systems are kept unless another folder is given.
pub const FOLDER: &str = "/var/cache/geodeploy/rehearsal";

/// Packages beyond debootstrap's smallest set: what any provider's image has and an SSH login needs.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,iputils-ping,curl,ca-certificates,procps";

/// Timers that would start apt or touch the disk in the middle of a test.
const MASKED: [&str; 6] = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "e2scrub_reap.service",
];

/// Makes the host keys of a twin when it first boots; the base must not carry any, or all twins would share them.
const HOST_KEYS: &str = "[Unit]
Description=SSH host keys of this machine
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
";

/// A user as providers' images have one: no password, sudo without one.
const SUDO: &str = "admin ALL=(ALL) NOPASSWD:ALL\n";

/// A Debian release that a twin can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Debian 11: nginx 1.18, systemd 247, glibc 2.31; older than Ubuntu 22.04.
    Bullseye,
    /// Debian 12.
    #[default]
    Bookworm,
}

impl Suite {
    /// Its name in the archive.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bullseye => "bullseye",
            Self::Bookworm => "bookworm",
        }
    }

    /// The apt sources of a twin: Debian's usual ones.
    fn sources(self) -> String {
        let name = self.name();
        format!(
            "deb {DEBIAN} {name} main\ndeb {DEBIAN} {name}-updates main\ndeb {SECURITY} {name}-security main\n"
        )
    }

    /// A name for the recipe: another recipe gives another folder, so an old base is never taken for a new one.
    fn revision(self) -> String {
        let recipe = [
            PACKAGES,
            &MASKED.join(","),
            HOST_KEYS,
            SUDO,
            &self.sources(),
        ]
        .join("\n");
        let digest = Sha256::digest(recipe.as_bytes());
        digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// The base system of a suite below `folder`, built if it is not there. A second builder waits for the first.
///
/// Takes about a minute the first time and about 300 MB.
///
/// # Errors
/// When debootstrap fails: mostly because the archive cannot be reached.
pub fn ensure(
    folder: &Path,
    suite: Suite,
    upstream: &Upstream,
    building: impl FnOnce(),
) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|why| Error::file(folder, why))?;
    let ready = folder.join(format!("{}-{}", suite.name(), suite.revision()));
    let path = folder.join(format!("{}.lock", suite.name()));
    let lock = File::create(&path).map_err(|why| Error::file(&path, why))?;
    lock.lock().map_err(|why| Error::file(&path, why))?;
    if ready.exists() {
        return Ok(ready);
    }
    building();
    let partial = folder.join(format!("{}.building", suite.name()));
    discard(&partial)?;
    bootstrap(&partial, suite, upstream)
        .and_then(|()| furnish(&partial, suite))
        .map_err(|error| error.within(format!("cannot build the base system {}", suite.name())))?;
    fs::rename(&partial, &ready).map_err(|why| Error::file(&ready, why))?;
    Ok(ready)
}

/// Removes what a killed builder left, its mounts first.
fn discard(partial: &Path) -> Result<()> {
    for mount in mounts_below(partial) {
        check(["umount", "--lazy", &mount.to_string_lossy()])?;
    }
    remove(partial)
}

fn bootstrap(target: &Path, suite: Suite, upstream: &Upstream) -> Result<()> {
    // In namespaces of its own, so that neither its mounts nor its processes outlive it.
    let wrapper =
        "setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private";
    let mut argv: Vec<_> = wrapper.split(' ').map(str::to_owned).collect();
    argv.extend(["debootstrap", "--variant=minbase"].map(str::to_owned));
    argv.push(format!("--include={PACKAGES}"));
    argv.push("--keyring=/usr/share/keyrings/debian-archive-keyring.gpg".to_owned());
    argv.extend([
        suite.name().to_owned(),
        target.to_string_lossy().into_owned(),
        upstream.debian.clone(),
    ]);
    let mut call = Call::new(argv).variable("DEBIAN_FRONTEND", "noninteractive");
    if let Some(proxy) = &upstream.proxy {
        call = call
            .variable("http_proxy", proxy)
            .variable("https_proxy", proxy);
    }
    call.check().map(drop).map_err(|error| {
        error.remedy(format!(
            "see that {}/dists/{} can be fetched from here; the log of a failed build is in {}",
            upstream.debian,
            suite.name(),
            target.join("debootstrap/debootstrap.log").display()
        ))
    })
}

/// Turns debootstrap's result into a server as a provider hands it over.
fn furnish(target: &Path, suite: Suite) -> Result<()> {
    let write = |path: &str, text: &str, mode: u32| {
        let path = target.join(path);
        let done = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| {
                fs::write(&path, text)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            });
        done.map_err(|why| Error::file(&path, why))
    };
    let inside = |argv: &[&str]| {
        let root = target.to_string_lossy();
        Call::new(["chroot", &root].iter().chain(argv))
            .clean()
            .check()
    };
    inside(&["useradd", "--create-home", "--shell", "/bin/bash", "admin"])?;
    write("etc/sudoers.d/admin", SUDO, 0o440)?;
    write("etc/apt/sources.list", &suite.sources(), 0o644)?;
    write("etc/systemd/system/host-keys.service", HOST_KEYS, 0o644)?;
    inside(&[
        "systemctl",
        "add-requires",
        "ssh.service",
        "host-keys.service",
    ])?;
    inside(&[&["systemctl", "mask"], MASKED.as_slice()].concat())?;
    inside(&["apt-get", "clean"])?;
    inside(&[
        "sh",
        "-c",
        "rm -rf /etc/ssh/ssh_host_* /var/lib/apt/lists/* /var/log/*.log /etc/resolv.conf",
    ])?;
    // An empty file would make each twin's first boot re-apply all presets; a twin writes its own before that.
    write("etc/machine-id", "uninitialized\n", 0o444)?;
    // No name server: what a twin must know stands in its hosts file, and everything else fails at once.
    write("etc/resolv.conf", "", 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_their_own_sources_and_revisions() {
        assert_ne!(Suite::Bullseye.revision(), Suite::Bookworm.revision());
        let sources = Suite::Bullseye.sources();
        assert!(sources.contains("http://deb.debian.org/debian-security bullseye-security main"));
        assert_eq!(Suite::default().name(), "bookworm");
    }

    #[test]
    fn a_base_that_is_there_is_not_built_again() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("bookworm-{}", Suite::Bookworm.revision());
        fs::create_dir(folder.path().join(&name)).unwrap();
        let found = ensure(folder.path(), Suite::Bookworm, &Upstream::default(), || {
            panic!("built")
        })
        .unwrap();
        assert_eq!(found, folder.path().join(name));
    }
}
