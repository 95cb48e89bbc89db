//! The inventory: a TOML file becomes regions whose values are all checked. Pure but for [`Inventory::load`].
//!
//! `inventory/example.toml` documents every key. All mistakes of a file are reported at once.

mod app;
mod checks;
mod database;
mod dns;
mod document;
mod find;
mod firewall;
mod host_key;
mod host_settings;
mod links;
mod mistake;
mod model;
mod names;
mod pin;
mod public_tls;
mod read;
mod reader;
mod region;
mod secret_reference;
mod ssh;
mod values;

use std::path::{Path, PathBuf};

pub use app::{App, Login, Variables};
pub(crate) use database::tls;
pub use database::{
    AppRole, Archive, Backup, Database, DatabaseMode, KeyFingerprint, MongoVersion, Offline,
    OfflineForm, OfflineSource, Place, Tls,
};
pub use dns::{Dns, DnsProvider, Routing, TencentSite};
pub use find::{FILE_NAME, find};
pub use firewall::{Firewall, Peer};
pub use host_key::HostKey;
pub use host_settings::{HostSystem, Limits, Mirrors, Packages, Release, Upgrade};
pub use links::{Link, LinkEnd};
pub use mistake::{Mistake, Wrong, did_you_mean, names_a_secret};
pub use model::Model;
pub use names::{
    AppName, DatabaseName, DomainName, HostName, PackageName, RegionName, ServerName, UserName,
    VariableName,
};
pub use pin::with_host_keys;
pub use public_tls::{EmailAddress, PublicTls};
pub use region::{Addresses, Nginx, Region};
pub use secret_reference::{SecretReference, SecretSource, Setting};
pub use ssh::{JumpHost, Ssh, SshDefaults};
pub use values::{ByteSize, Cidr, HttpUrl, Port, Span};

use document::Document;

/// The version of the inventory's form that this program reads.
const VERSION: u32 = 1;

/// The example: manual, fixture and what `geodeploy init` writes.
pub const EXAMPLE: &str = include_str!("../../inventory/example.toml");

/// The example with the sections that it has commented out because they need an account, or names that lead somewhere:
/// `[dns]` and `[tls]`.
pub fn whole_example() -> String {
    let wanted = [
        "[dns]",
        "provider = \"embedded\"",
        "[dns.routing]",
        "default = \"us\"",
        "continents = { NA = \"us\", AS = \"cn\" }",
        "[tls]",
        "email = \"admin@yourapp.com\"",
    ];
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix("# ") {
        Some(commented) if wanted.contains(&commented) => commented,
        _ => line,
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The example with an application that keeps its data in a file of its own.
#[cfg(test)]
pub(crate) fn embedded_example() -> String {
    let (before, rest) = EXAMPLE.split_once("[database]\n").unwrap();
    let (_, after) = rest.split_once("# ---- Releases").unwrap();
    format!("{before}[database]\nmode = \"embedded\"\n\n# ---- Releases{after}")
}

/// Everything that a project deploys, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// The file it was read from, as the operator named it.
    pub file: PathBuf,
    /// Folder whose templates win over the built-in ones, relative to the inventory's.
    pub templates: Option<PathBuf>,
    /// What is deployed.
    pub app: App,
    /// How users log in.
    pub login: Login,
    /// Where conversations are kept.
    pub database: Database,
    /// Who answers for the regions' names, where geodeploy manages that.
    pub dns: Option<Dns>,
    /// How releases are kept and switched.
    pub release: Release,
    /// The regions in the order of the file; at least one.
    pub regions: Vec<Region>,
    /// How regions get certificates that browsers trust; without it they serve plain HTTP.
    pub tls: Option<PublicTls>,
    /// Lines between them, for the rehearsal.
    pub links: Vec<Link>,
}

impl Inventory {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Every mistake in it, in the order of its lines, or the one that it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Vec<Mistake>> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            vec![Mistake {
                file: file.clone(),
                line: None,
                text: String::new(),
                cause: format!("the inventory cannot be read: {error}"),
                remedy: "name it with --inventory FILE, or write one with `geodeploy init`"
                    .to_owned(),
            }]
        })?;
        Self::parse(&text, &file)
    }

    /// Reads and checks a text; `file` is what messages call it.
    ///
    /// # Errors
    /// Every mistake in it, in the order of its lines.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Mistake>> {
        let document = Document::new(file, text);
        let table = document.parse();
        let inventory = read::read(document.root(&table), file);
        let mistakes = document.into_mistakes();
        match inventory {
            Some(inventory) if mistakes.is_empty() => Ok(inventory),
            _ => Err(mistakes),
        }
    }

    /// The region of that name.
    ///
    /// # Errors
    /// Names the regions that there are, the likeliest first.
    pub fn region(&self, name: &str) -> Result<&Region, Wrong> {
        if let Some(region) = self
            .regions
            .iter()
            .find(|region| region.name.as_str() == name)
        {
            return Ok(region);
        }
        let names: Vec<&str> = self
            .regions
            .iter()
            .map(|region| region.name.as_str())
            .collect();
        let remedy = match did_you_mean(name, names.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("write one of {}", names.join(", ")),
        };
        Err(Wrong::new(
            format!("{} has no region `{name}`", self.file.display()),
            remedy,
        ))
    }

    /// Every secret that the inventory refers to, in the order of the file; the same source may come twice.
    pub fn secret_references(&self) -> Vec<&SecretReference> {
        let login = match &self.login {
            Login::Secret(reference) => Some(reference),
            Login::PublicKey(setting) => setting.reference(),
        };
        let mut references: Vec<&SecretReference> = login.into_iter().collect();
        references.extend(self.database.secret_references());
        references.extend(self.tls.iter().filter_map(|tls| tls.root.as_ref()));
        for region in &self.regions {
            references.extend(&region.ssh.login.sudo_password);
            references.extend(region.env.values().filter_map(Setting::reference));
            if let Model::Ark {
                api_key,
                endpoint_id,
                ..
            } = &region.model
            {
                references.push(api_key);
                references.extend(endpoint_id.reference());
            }
        }
        references.sort_by_key(|reference| reference.line);
        references
    }

    /// The keys of the regions' models, each once.
    pub fn model_keys(&self) -> Vec<&SecretReference> {
        let mut keys: Vec<&SecretReference> = Vec::new();
        for region in &self.regions {
            if let Model::Ark { api_key, .. } = &region.model
                && !keys.iter().any(|known| known.source == api_key.source)
            {
                keys.push(api_key);
            }
        }
        keys
    }

    /// The regions whose hosts have a MongoDB, that of the primary first.
    pub fn database_regions(&self) -> Vec<&Region> {
        let database = &self.database;
        let names: Vec<&RegionName> = match database.mode {
            DatabaseMode::Embedded | DatabaseMode::Atlas => Vec::new(),
            DatabaseMode::Single => database.region.iter().collect(),
            DatabaseMode::ReplicaSet => database.region.iter().chain(&database.members).collect(),
        };
        names
            .into_iter()
            .filter_map(|name| self.regions.iter().find(|region| region.name == *name))
            .collect()
    }

    /// The name by which other regions dial the database on that region's host.
    pub fn database_host(&self, holder: &Region) -> String {
        let place = self.database.place(&holder.name);
        match place.and_then(|place| place.host.as_ref()) {
            Some(host) => host.to_string(),
            None => format!("{}.{}", holder.server_name, self.app.domain),
        }
    }

    /// The addresses that the database on that region's host listens on beside loopback.
    pub fn database_addresses(&self, holder: &Region) -> Vec<std::net::IpAddr> {
        let place = self.database.place(&holder.name);
        if let Some(place) = place.filter(|place| !place.bind.is_empty()) {
            return place.bind.clone();
        }
        let six = holder.addresses.ipv6.map(Into::into);
        std::iter::once(holder.addresses.ipv4.into())
            .chain(six)
            .collect()
    }

    /// A path of the inventory as the program can open it: relative ones start at the inventory's folder; `~/` is left
    /// to whoever opens it.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        if path.starts_with("~") {
            return path.to_owned();
        }
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The line between two ends, if the inventory describes one.
    pub fn link(&self, one: &LinkEnd, other: &LinkEnd) -> Option<&Link> {
        self.links.iter().find(|link| link.joins(one, other))
    }
}
