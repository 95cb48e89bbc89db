//! MongoDB from a file of the operator's, for hosts that reach no archive.

use std::path::PathBuf;
use std::str::FromStr;

use crate::inventory::mistake::Wrong;
use crate::inventory::reader::Table;
use crate::inventory::values::HttpUrl;

/// The vendor's package or archive, sent to the host over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offline {
    /// Where the operator has it from.
    pub source: OfflineSource,
    /// What it is.
    pub form: OfflineForm,
    /// Its SHA-256, 64 hex digits in lower case.
    pub sha256: String,
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfflineSource {
    /// A path, relative to the inventory's folder.
    File(PathBuf),
    /// An https address.
    Url(String),
}

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineForm {
    /// The package `mongodb-org-server`.
    Package,
    /// The vendor's archive for Linux, in which the server is `*/bin/mongod`.
    Archive,
}

struct Source(OfflineSource, OfflineForm);

impl FromStr for Source {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let form = if text.ends_with(".deb") {
            OfflineForm::Package
        } else if text.ends_with(".tgz") || text.ends_with(".tar.gz") {
            OfflineForm::Archive
        } else {
            return Err(Wrong::new(
                format!("`{text}` is neither a .deb nor a .tgz"),
                "write MongoDB's mongodb-org-server_VERSION_amd64.deb, or its mongodb-linux-...-VERSION.tgz",
            ));
        };
        if text.starts_with("http://") {
            return Err(Wrong::new(
                "the file would come in clear text",
                "write an https address, or a path",
            ));
        }
        let source = match text.starts_with("https://") {
            true => OfflineSource::Url(text.parse::<HttpUrl>()?.as_str().to_owned()),
            false => OfflineSource::File(PathBuf::from(text)),
        };
        Ok(Self(source, form))
    }
}

struct Digest(String);

impl FromStr for Digest {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(Wrong::new(
            format!("`{text}` is not a SHA-256"),
            "write its 64 hex digits, as `sha256sum FILE` prints them",
        ))
    }
}

impl Offline {
    /// Reads `offline` and `sha256` of `[database.archive]`.
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let source: Option<Source> = table.text("offline");
        let sha256: Option<Digest> = table.text("sha256");
        if table.has("sha256") && !table.has("offline") {
            let cause = "`sha256` belongs to `offline`, which is not there";
            table.wrong(
                "sha256",
                Wrong::new(cause, "write offline = \"FILE\" beside it, or remove it"),
            );
        }
        if table.has("offline") && !table.has("sha256") {
            let cause = "a file is sent to a host only if its digest is known";
            let remedy = "write sha256 = \"...\" beside it, from a source that you trust";
            table.wrong("offline", Wrong::new(cause, remedy));
        }
        for key in ["key", "fingerprint", "url", "suite", "component"] {
            if table.has("offline") && table.has(key) {
                let cause =
                    format!("`offline` takes MongoDB from a file, and `{key}` from an apt archive");
                table.wrong(key, Wrong::new(cause, "remove one of the two"));
            }
        }
        let Source(source, form) = source?;
        Some(Self {
            source,
            form,
            sha256: sha256?.0,
        })
    }
}
