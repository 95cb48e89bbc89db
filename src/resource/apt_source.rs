//! An apt archive in deb822 form, with the key that signs it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Ownership, apt, restore};
use crate::agent::system::Fault;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// One archive, as a file in /etc/apt/sources.list.d and a keyring beside it; the package lists are refreshed when it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AptSource {
    /// The file name without its ending: `mirror`, `mongodb-org-8.0`.
    pub name: String,
    /// Base addresses of the archive.
    pub uris: Vec<String>,
    /// Suites: `bookworm`, `bookworm-updates`. `{codename}` stands for the host's own.
    pub suites: Vec<String>,
    /// Components: `main`.
    pub components: Vec<String>,
    /// The archive's public key, ASCII-armoured or a path that is on the host already; `None` trusts the distribution's own keyring.
    pub signed_by: Option<String>,
    /// Whether the distribution's own sources are switched off, as for a mirror that replaces them.
    pub replaces_default: bool,
}

/// Where the distribution names its own archives: one-line style before Ubuntu 24.04 and Debian 13, deb822 since.
const DEFAULTS: [&str; 3] = [
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d/debian.sources",
    "/etc/apt/sources.list.d/ubuntu.sources",
];

const SWITCHED_OFF: &str = "# switched off by geodeploy: ";

impl AptSource {
    fn file(&self) -> PathBuf {
        Path::new("/etc/apt/sources.list.d").join(format!("{}.sources", self.name))
    }

    fn keyring(&self) -> PathBuf {
        Path::new("/etc/apt/keyrings").join(format!("geodeploy-{}.asc", self.name))
    }

    /// The key's text where it is ours to bring.
    fn key(&self) -> Option<&str> {
        self.signed_by
            .as_deref()
            .filter(|key| !key.starts_with('/'))
    }

    fn text(&self, codename: &str) -> String {
        let suites = self.suites.join(" ").replace("{codename}", codename);
        let mut text = format!(
            "# Managed by geodeploy.\nTypes: deb\nURIs: {}\nSuites: {suites}\nComponents: {}\n",
            self.uris.join(" "),
            self.components.join(" "),
        );
        if let Some(key) = &self.signed_by {
            let path = match self.key() {
                Some(_) => self.keyring().to_string_lossy().into_owned(),
                None => key.clone(),
            };
            text.push_str(&format!("Signed-By: {path}\n"));
        }
        text
    }

    fn describe(&self, content: String, key: Option<&str>, defaults: Vec<String>) -> Attributes {
        let mut attributes = Attributes::new().lines("content", content);
        if self.key().is_some() {
            let digest = key.map(|key| crate::digest::sha256(key.as_bytes()));
            attributes = attributes.text(
                "key",
                digest.as_deref().map_or("absent", |digest| &digest[..16]),
            );
        }
        if self.replaces_default {
            attributes = attributes.list("default_sources", defaults);
        }
        attributes
    }

    fn put(&self, context: &Context<'_>) -> Result<(), Fault> {
        let write = |path: &Path, text: &str| {
            let folder = path.parent().unwrap_or(Path::new("/"));
            context
                .system
                .make_directory(folder)
                .and_then(|()| {
                    context
                        .system
                        .write(path, text.as_bytes(), &Ownership::root(0o644))
                })
                .map_err(|error| Fault::new(format!("cannot write {}", path.display()), error))
        };
        if let Some(key) = self.key() {
            write(&self.keyring(), key)?;
        }
        write(&self.file(), &self.text(&codename(context)?))?;
        if self.replaces_default {
            for path in DEFAULTS {
                if let Some(text) = read(context, Path::new(path))?.filter(|text| is_on(path, text))
                {
                    write(Path::new(path), &switched_off(path, &text))?;
                }
            }
        }
        self.prove(context)
    }

    /// Fetches the lists of this archive alone, so that a failure is its own.
    fn prove(&self, context: &Context<'_>) -> Result<(), Fault> {
        let list = format!("Dir::Etc::sourcelist={}", self.file().display());
        (context.progress)(&format!(
            "fetching the package lists of {}",
            self.uris.join(" ")
        ));
        let arguments = [
            "update",
            "-o",
            &list,
            "-o",
            "Dir::Etc::sourceparts=-",
            "-o",
            "APT::Get::List-Cleanup=0",
            "-o",
            // Without it apt takes an archive that does not answer for one without news.
            "APT::Update::Error-Mode=any",
        ];
        let what = format!("the archive {} cannot be used", self.name);
        apt::get(context, &what, &arguments)
            .map(drop)
            .map_err(|fault| {
                fault.hint("check its address, suite and key; the sources are as they were before")
            })
    }
}

impl Manage for AptSource {
    fn id(&self) -> Id {
        Id::new(Kind::AptSource, &self.name)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        Some(self.describe(self.text("{codename}"), self.key(), Vec::new()))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let Some(found) = read(context, &self.file())? else {
            return Ok(None);
        };
        // What is desired names no host's codename, so that it is the same for all.
        let content = if found == self.text(&codename(context)?) {
            self.text("{codename}")
        } else {
            found
        };
        let key = read(context, &self.keyring())?;
        let mut defaults = Vec::new();
        for path in DEFAULTS {
            if read(context, Path::new(path))?.is_some_and(|text| is_on(path, &text)) {
                defaults.push(path.to_owned());
            }
        }
        Ok(Some(self.describe(content, key.as_deref(), defaults)))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let mut paths = vec![self.keyring(), self.file()];
        if self.replaces_default {
            paths.extend(DEFAULTS.map(PathBuf::from));
        }
        let fault = |error| Fault::new(format!("cannot change the archive {}", self.name), error);
        restore::guard(&paths, context.system, fault, || self.put(context))
    }
}

fn read(context: &Context<'_>, path: &Path) -> Result<Option<String>, Fault> {
    let bytes = context
        .system
        .read(path)
        .map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn codename(context: &Context<'_>) -> Result<String, Fault> {
    let path = "/etc/os-release";
    let text = read(context, Path::new(path))?.unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .ok_or_else(|| {
            Fault::new(
                format!("cannot read the codename in {path}"),
                "there is no VERSION_CODENAME",
            )
            .hint("supported are Ubuntu 22.04 and 24.04, and Debian 12")
        })
}

fn is_deb822(path: &str) -> bool {
    path.ends_with(".sources")
}

fn is_on(path: &str, text: &str) -> bool {
    if !is_deb822(path) {
        return text
            .lines()
            .any(|line| line.trim_start().starts_with("deb"));
    }
    text.split("\n\n").any(|stanza| {
        let has = |start: &str| {
            stanza
                .lines()
                .any(|line| line.to_lowercase().starts_with(start))
        };
        has("types:") && !has("enabled: no")
    })
}

/// The file with its archives off and everything else as it was.
fn switched_off(path: &str, text: &str) -> String {
    let lines = text.lines().filter_map(|line| {
        if is_deb822(path) {
            let field = line.to_lowercase();
            return match () {
                () if field.starts_with("enabled:") => None,
                () if field.starts_with("types:") => Some(format!("Enabled: no\n{line}\n")),
                () => Some(format!("{line}\n")),
            };
        }
        let off = line.trim_start().starts_with("deb");
        Some(format!("{}{line}\n", if off { SWITCHED_OFF } else { "" }))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_sources_are_commented_out() {
        let path = DEFAULTS[0];
        let text = "# main\ndeb http://deb.debian.org/debian bookworm main\n";
        let off = switched_off(path, text);
        assert!(is_on(path, text) && !is_on(path, &off));
        assert_eq!(
            off,
            format!("# main\n{SWITCHED_OFF}deb http://deb.debian.org/debian bookworm main\n")
        );
    }

    #[test]
    fn every_stanza_of_a_deb822_file_is_switched_off() {
        let path = DEFAULTS[2];
        let text = "Types: deb\nURIs: http://a\n\nEnabled: yes\nTypes: deb\nURIs: http://b\n";
        let off = switched_off(path, text);
        assert!(is_on(path, text) && !is_on(path, &off));
        assert_eq!(off.matches("Enabled: no").count(), 2);
        assert!(!off.contains("Enabled: yes"));
    }
}
