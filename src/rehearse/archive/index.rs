//! The texts that make a folder an apt archive: <https://wiki.debian.org/DebianRepository/Format>.

use jiff::Timestamp;

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its path: of a package below the archive's root, of an index below the suite's folder.
    pub(super) path: String,
    /// Its size in bytes.
    pub(super) bytes: u64,
    /// Its SHA-256 in hex.
    pub(super) sha256: String,
}

/// The list of packages: each package's control file and what its file is like.
pub(super) fn packages(entries: &[(String, Listed)]) -> String {
    let stanzas = entries.iter().map(|(control, file)| {
        format!(
            "{}\nFilename: {}\nSize: {}\nSHA256: {}\n",
            control.trim_end(),
            file.path,
            file.bytes,
            file.sha256
        )
    });
    stanzas.collect::<Vec<_>>().join("\n")
}

/// The file that is signed: it names the lists and their digests.
pub(super) fn release(suite: &str, component: &str, date: Timestamp, lists: &[Listed]) -> String {
    let date = date.strftime("%a, %d %b %Y %H:%M:%S UTC");
    let mut text = format!(
        "Origin: geodeploy rehearsal\nLabel: geodeploy rehearsal\nSuite: {suite}\nCodename: {suite}\nDate: {date}\n\
         Architectures: amd64\nComponents: {component}\nDescription: MongoDB for a rehearsal\nSHA256:\n"
    );
    for list in lists {
        text.push_str(&format!(" {} {} {}\n", list.sha256, list.bytes, list.path));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(path: &str) -> Listed {
        Listed {
            path: path.to_owned(),
            bytes: 12,
            sha256: "ab".repeat(32),
        }
    }

    #[test]
    fn stanzas_are_parted_by_one_empty_line() {
        let entries = [
            ("Package: a\n".to_owned(), listed("dists/a.deb")),
            ("Package: b\n".to_owned(), listed("dists/b.deb")),
        ];
        let digest = "ab".repeat(32);
        assert_eq!(
            packages(&entries),
            format!(
                "Package: a\nFilename: dists/a.deb\nSize: 12\nSHA256: {digest}\n\nPackage: b\nFilename: dists/b.deb\n\
                 Size: 12\nSHA256: {digest}\n"
            )
        );
    }

    #[test]
    fn a_release_has_the_suite_as_its_codename_and_a_date_as_apt_reads_it() {
        let date = "2026-11-03T04:05:06Z".parse().unwrap();
        let text = release(
            "bookworm/mongodb-org/6.0",
            "main",
            date,
            &[listed("main/Packages")],
        );
        assert!(text.contains(
            "\nCodename: bookworm/mongodb-org/6.0\nDate: Tue, 03 Nov 2026 04:05:06 UTC\n"
        ));
        assert!(text.ends_with(&format!("SHA256:\n {} 12 main/Packages\n", "ab".repeat(32))));
    }
}
