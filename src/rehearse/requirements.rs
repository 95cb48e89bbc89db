//! What this machine needs in order to boot twins, what of it is missing, and its installation.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cgroup;
use super::error::{Error, Result};
use super::shell::{Call, check, which};

/// Free space that a base system, two provisioned twins and the package cache take.
const FREE_BYTES: u64 = 3 << 30;

/// Programs that the lab runs and the packages of Debian and Ubuntu that bring them.
const PROGRAMS: [(&str, &str); 13] = [
    ("debootstrap", "debootstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("apt-cacher-ng", "apt-cacher-ng"),
    ("ip", "iproute2"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("setsid", "util-linux"),
    ("chroot", "coreutils"),
    ("gpgv", "gpgv"),
];

/// The keys that sign Debian's archive; Ubuntu does not install them by itself.
const KEYRING: (&str, &str) = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "debian-archive-keyring",
);

/// A name that no other probe has, of this process or of another.
fn probe_name(prefix: &str) -> String {
    static PROBES: AtomicU64 = AtomicU64::new(0);
    let count = PROBES.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{count}", std::process::id())
}

/// Something that twins need and this machine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What it is: `debootstrap`, `root`, `/dev/net/tun`.
    pub what: String,
    /// Why it is needed or what was tried.
    pub why: String,
    /// What to type.
    pub remedy: String,
    /// The package that [`install`] would install for it.
    pub package: Option<&'static str>,
}

impl Missing {
    fn new(what: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            why: why.into(),
            remedy: remedy.into(),
            package: None,
        }
    }
}

/// What this machine lacks, with `storage` as the folder for twins; nothing is changed.
///
/// Packages come first. Where nothing can be tried yet (no root, no programs) the later checks are left out.
pub fn missing(storage: &Path) -> Vec<Missing> {
    if !cfg!(target_os = "linux") {
        let remedy = "use a Linux machine, or rehearse without twins: geodeploy rehearse --local";
        return vec![Missing::new(
            "Linux",
            format!("this is {}", std::env::consts::OS),
            remedy,
        )];
    }
    let mut missing = tools(which("apt-get").is_some());
    if !rustix::process::geteuid().is_root() {
        missing.push(Missing::new(
            "root",
            "twins need mounts and namespaces",
            "run it with sudo",
        ));
        return missing;
    }
    missing.extend([tun(), groups(), space(storage)].into_iter().flatten());
    if missing.iter().all(|item| {
        item.package
            .is_none_or(|package| package == "apt-cacher-ng")
    }) {
        missing.extend([namespaces(), overlay(storage)].into_iter().flatten());
    }
    missing
}

fn tools(apt: bool) -> Vec<Missing> {
    let mut missing = lacking(&PROGRAMS, apt);
    if !Path::new(KEYRING.0).exists() {
        missing.push(unmet(KEYRING.0, KEYRING.1, apt));
    }
    missing
}

/// Those of some programs and their packages that are not installed; each package once.
pub(crate) fn programs(wanted: &[(&str, &'static str)]) -> Vec<Missing> {
    lacking(wanted, which("apt-get").is_some())
}

fn lacking(wanted: &[(&str, &'static str)], apt: bool) -> Vec<Missing> {
    let mut missing: Vec<Missing> = Vec::new();
    for (program, package) in wanted {
        if which(program).is_none() && missing.iter().all(|item| item.what != *package) {
            missing.push(unmet(program, package, apt));
        }
    }
    missing
}

/// Something of a package that is not installed, on a machine with or without apt.
pub(crate) fn unmet(name: &str, package: &'static str, apt: bool) -> Missing {
    let remedy = if apt {
        format!("apt-get install {package}")
    } else {
        format!("install what Debian calls {package}; without apt this has to be done by hand")
    };
    Missing {
        package: apt.then_some(package),
        ..Missing::new(package, format!("{name} is not installed"), remedy)
    }
}

fn tun() -> Option<Missing> {
    let path = "/dev/net/tun";
    let why = File::options().read(true).write(true).open(path).err()?;
    Some(Missing::new(
        path,
        why.to_string(),
        "modprobe tun; in a container start it with --device /dev/net/tun",
    ))
}

fn groups() -> Option<Missing> {
    let remedy =
        "mount it writable: mount -t cgroup2 none /sys/fs/cgroup; a container needs --privileged";
    let missing = |why: String| Some(Missing::new("cgroup version 2", why, remedy));
    let Some(root) = cgroup::mount_point() else {
        return missing("not mounted".to_owned());
    };
    let probe = root.join(probe_name("geodeploy-probe"));
    match fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)) {
        Ok(()) => None,
        Err(why) => missing(format!("{}: {why}", root.display())),
    }
}

fn space(storage: &Path) -> Option<Missing> {
    let existing = storage.ancestors().find(|folder| folder.exists())?;
    let space = rustix::fs::statvfs(existing).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    (free < FREE_BYTES).then(|| {
        let megabytes = |bytes: u64| bytes >> 20;
        let why = format!(
            "{} has {} MB free, {} MB are needed",
            existing.display(),
            megabytes(free),
            megabytes(FREE_BYTES)
        );
        Missing::new(
            "free space",
            why,
            "free some, or choose another folder for the twins",
        )
    })
}

fn namespaces() -> Option<Missing> {
    let error = check([
        "unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "true",
    ])
    .err()?;
    Some(Missing::new(
        "namespaces",
        error.why,
        "a container needs --privileged; else use a virtual machine",
    ))
}

fn overlay(storage: &Path) -> Option<Missing> {
    let folder = storage.join(probe_name(".probe"));
    let script = "cd \"$0\" && mkdir lower upper work root && mount -t overlay overlay \
                  -o lowerdir=lower,upperdir=upper,workdir=work root";
    let tried = fs::create_dir_all(&folder)
        .map_err(|why| Error::file(&folder, why))
        .and_then(|()| {
            check([
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                script,
                &folder.to_string_lossy(),
            ])
        });
    fs::remove_dir_all(&folder).ok();
    let remedy = "choose a folder on ext4, xfs, btrfs or tmpfs; a container needs --privileged";
    tried
        .err()
        .map(|error| Missing::new("overlay mounts", error.why, remedy))
}

/// Installs the packages among what is missing, and returns their names.
///
/// The system's own apt-cacher-ng service is neither started now nor at the next boot: the lab runs its own.
///
/// # Errors
/// When apt fails; its last lines are in the error.
pub fn install(missing: &[Missing]) -> Result<Vec<&'static str>> {
    let mut packages: Vec<_> = missing.iter().filter_map(|item| item.package).collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(packages);
    }
    let systemd = Path::new("/run/systemd/system").exists() && packages.contains(&"apt-cacher-ng");
    let service = |verb: &[&str]| -> Result<()> {
        if systemd {
            Call::new(
                ["systemctl"]
                    .iter()
                    .chain(verb)
                    .chain(&["apt-cacher-ng.service"]),
            )
            .check()?;
        }
        Ok(())
    };
    service(&["mask", "--runtime"])?;
    let installed = install_packages(&packages);
    service(&["unmask", "--runtime"])?;
    installed?;
    service(&["disable"])?;
    Ok(packages)
}

fn install_packages(packages: &[&str]) -> Result<()> {
    let apt = |words: &[&str]| {
        let options = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"];
        let call =
            Call::new(options.iter().chain(words)).variable("DEBIAN_FRONTEND", "noninteractive");
        call.variable("NEEDRESTART_MODE", "l").check()
    };
    // One vendor's broken source must not stop what Debian itself has: the installation says what it lacks.
    let updated = apt(&["update"]);
    let words = [
        &["install", "--no-install-recommends", "--no-remove"],
        packages,
    ]
    .concat();
    apt(&words).map(drop).map_err(|error| match updated {
        Ok(_) => error.remedy("repair apt (apt-get -f install) and run it again"),
        Err(update) => Error {
            why: format!("{}\n  before that: {}", error.why, update.why),
            ..error
        }
        .remedy("make `apt-get update` work and run it again"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_installed_where_no_package_is_missing() {
        let item = Missing::new("root", "needed", "sudo");
        assert!(install(&[item]).unwrap().is_empty());
    }

    #[test]
    fn every_missing_thing_comes_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for item in missing(folder.path()) {
            assert!(!item.remedy.is_empty() && !item.why.is_empty(), "{item:?}");
        }
    }

    #[test]
    fn a_machine_without_apt_is_told_to_install_by_hand() {
        for item in tools(false) {
            assert_eq!(item.package, None);
        }
    }
}
