//! gdnsd's configuration, zone and networks, checked by gdnsd itself before any of them is put in place.

mod stage;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Notify, Ownership, restore};
use crate::agent::system::{Entry, Fault, Invocation};
use crate::digest::sha256;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// Everything that gdnsd answers from, all of it or nothing: a zone without its resource in the configuration, or a
/// configuration without its networks, would stop it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gdnsd {
    /// The zone: `api.yourapp.com`.
    pub zone: String,
    /// The file `config`.
    pub config: String,
    /// The zone's file.
    pub records: String,
    /// The file of networks, `NETWORK => [ REGION, ... ]` a line.
    pub networks: String,
    /// Where it listens, as far as the configuration says so: the host must have them.
    pub addresses: Vec<IpAddr>,
}

const PROGRAM: &str = "/usr/sbin/gdnsd";
const FOLDER: &str = "/etc/gdnsd";

/// What a zone file of ours begins with.
const MARK: &str = "; Written by geodeploy";

// A reload is a replacement that takes over the listening sockets: no question is lost (gdnsdctl(8), "replace").
static RELOAD: LazyLock<[Notify; 1]> = LazyLock::new(|| [Notify::reload("gdnsd.service")]);

impl Gdnsd {
    fn zone_file(zone: &str) -> PathBuf {
        Path::new(FOLDER).join("zones").join(zone)
    }

    /// Paths and texts.
    pub fn files(&self) -> [(PathBuf, &str); 3] {
        [
            (PathBuf::from(FOLDER).join("config"), &self.config),
            (Self::zone_file(&self.zone), &self.records),
            (PathBuf::from(FOLDER).join("geoip/nets"), &self.networks),
        ]
    }

    /// Zone files that an earlier inventory left.
    fn stale(&self, context: &Context<'_>) -> Result<Vec<String>, Fault> {
        let folder = Path::new(FOLDER).join("zones");
        let fault = |error| Fault::new(format!("cannot read {}", folder.display()), error);
        let names = context.system.list(&folder).map_err(fault)?;
        let mut stale = Vec::new();
        for name in names.unwrap_or_default() {
            if name == self.zone {
                continue;
            }
            let bytes = context.system.read(&folder.join(&name)).map_err(fault)?;
            if bytes.is_some_and(|bytes| bytes.starts_with(MARK.as_bytes())) {
                stale.push(name);
            }
        }
        Ok(stale)
    }

    /// Whether the host has the addresses, asked only where one of them is written in the configuration.
    fn has_addresses(&self, context: &Context<'_>) -> Result<(), Fault> {
        let what = "cannot see the host's addresses";
        let output = context
            .system
            .run(&Invocation::new(&["ip", "-oneline", "address", "show"]))
            .map_err(|error| Fault::new(what, error))?
            .checked(what)?;
        let own: Vec<IpAddr> = own_addresses(&output.stdout);
        let listen = listen(&self.config);
        let lacks = self
            .addresses
            .iter()
            .find(|address| listen.contains(&address.to_string()) && !own.contains(address));
        let Some(lacks) = lacks else {
            return Ok(());
        };
        let own: Vec<String> = own.iter().map(ToString::to_string).collect();
        Err(Fault::new(
            "gdnsd cannot answer on this host",
            format!("it has no address {lacks}, but {}", own.join(", ")),
        )
        .hint(
            "where a provider translates addresses, write the host's own one as `listen` in a template gdnsd.conf.j2 of \
             your own (`templates` in the inventory)",
        ))
    }
}

/// What a configuration's `listen` says, up to the end of its list.
fn listen(config: &str) -> &str {
    let options = config.split_once("listen").map_or("", |(_, rest)| rest);
    options.split_once(']').map_or(options, |(list, _)| list)
}

fn own_addresses(text: &str) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        words.find(|word| matches!(*word, "inet" | "inet6"))?;
        words.next()?.split('/').next()?.parse().ok()
    };
    text.lines().filter_map(address).collect()
}

fn describe(texts: [&str; 3], access: String, stale: Vec<String>) -> Attributes {
    let [config, records, networks] = texts;
    let count = crate::text::count(networks.lines().count(), "network");
    let digest = sha256(networks.as_bytes());
    Attributes::new()
        .lines("config", config)
        .lines("zone", records)
        .text("networks", format!("{count}, SHA-256 {}", &digest[..16]))
        .text("access", access)
        .list("old_zones", stale)
}

fn access(ownership: &Ownership) -> String {
    format!(
        "{:04o} {}:{}",
        ownership.mode, ownership.owner, ownership.group
    )
}

impl Manage for Gdnsd {
    fn id(&self) -> Id {
        Id::new(Kind::Gdnsd, FOLDER)
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let texts = self.files().map(|(_, text)| text);
        Some(describe(texts, access(&Ownership::root(0o644)), Vec::new()))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        let mut texts = Vec::new();
        let mut accesses = Vec::new();
        for (path, _) in self.files() {
            let fault = |error| Fault::new(format!("cannot read {}", path.display()), error);
            let found = context.system.metadata(&path).map_err(fault)?;
            let Some(found) = found else {
                texts.push(String::new());
                continue;
            };
            accesses.push(match found.entry {
                Entry::File(_) => access(&found.ownership),
                _ => format!("{} is not a regular file", path.display()),
            });
            let bytes = match found.entry {
                Entry::File(_) => context.system.read(&path).map_err(fault)?,
                _ => None,
            };
            texts.push(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned());
        }
        let stale = self.stale(context)?;
        if accesses.is_empty() && stale.is_empty() {
            return Ok(None);
        }
        accesses.sort();
        accesses.dedup();
        let [config, records, networks] = [0, 1, 2].map(|at| texts[at].as_str());
        Ok(Some(describe(
            [config, records, networks],
            accesses.join(", "),
            stale,
        )))
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        let system = context.system;
        let fault = |error| Fault::new("cannot change gdnsd's configuration", error);
        if system
            .metadata(Path::new(PROGRAM))
            .map_err(fault)?
            .is_none()
        {
            return Err(Fault::new(
                "cannot check gdnsd's configuration",
                "gdnsd is not installed",
            )
            .hint("the package gdnsd must come before its configuration"));
        }
        self.has_addresses(context)?;
        let stale = self.stale(context)?;
        stage::check(self, &stale, context)?;
        let stale: Vec<PathBuf> = stale.iter().map(|zone| Self::zone_file(zone)).collect();
        let mut paths: Vec<PathBuf> = self.files().map(|(path, _)| path).to_vec();
        paths.extend(stale.clone());
        restore::guard(&paths, system, fault, || {
            for (path, text) in self.files() {
                if let Some(folder) = path.parent() {
                    system.make_directory(folder).map_err(fault)?;
                }
                system
                    .write(&path, text.as_bytes(), &Ownership::root(0o644))
                    .map_err(fault)?;
            }
            stale
                .iter()
                .try_for_each(|path| system.remove(path).map_err(fault))
        })
    }

    fn notifies(&self) -> &[Notify] {
        &*RELOAD
    }
}

#[cfg(test)]
mod tests;
