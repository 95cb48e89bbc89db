//! The inventory: a TOML file becomes regions whose values are all checked. Pure but for [`Inventory::load`].
//!
//! `inventory/example.toml` documents every key. All mistakes of a file are reported at once.

mod app;
mod database;
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
mod reader;
mod region;
mod secret_reference;
mod ssh;
mod values;

use std::path::{Path, PathBuf};

pub use app::{App, Login, Variables};
pub use database::{Database, DatabaseMode};
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
pub use region::{Addresses, Nginx, Region};
pub use secret_reference::{SecretReference, SecretSource, Setting};
pub use ssh::{JumpHost, Ssh, SshDefaults};
pub use values::{ByteSize, Cidr, HttpUrl, Port, Span};

use document::Document;
use reader::Table;
use region::Defaults;
use secret_reference::FilePath;

/// The version of the inventory's form that this program reads.
const VERSION: u32 = 1;

/// The example: manual, fixture and what `geodeploy init` writes.
pub const EXAMPLE: &str = include_str!("../../inventory/example.toml");

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
    /// How releases are kept and switched.
    pub release: Release,
    /// The regions in the order of the file; at least one.
    pub regions: Vec<Region>,
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
        let inventory = read(document.root(&table), file);
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
        references.extend(&self.database.password);
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

    /// A path of the inventory as the program can open it: relative ones start at the inventory's folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The line between two ends, if the inventory describes one.
    pub fn link(&self, one: &LinkEnd, other: &LinkEnd) -> Option<&Link> {
        self.links.iter().find(|link| link.joins(one, other))
    }
}

fn read(root: Table<'_>, file: &str) -> Option<Inventory> {
    check_version(&root);
    let templates = root.text::<FilePath>("templates").map(|path| path.0);
    let (app, env) = App::read(root.section("app"));
    let ssh = root.section("ssh");
    let ssh_defaults = SshDefaults::read(&ssh, None);
    ssh.finish();
    let model = Model::read(root.section("model"), None);
    let nginx = root.section("nginx");
    let timeout = region::sse_read_timeout(&nginx);
    nginx.finish();
    let regions_table = root.section("regions");
    let entries = regions_table.entries();
    let names: Vec<&str> = entries.iter().map(|(name, _, _)| *name).collect();
    let firewall = Firewall::read(root.section("firewall"), None, &names);
    let defaults = Defaults {
        app: app.as_ref(),
        ssh: ssh_defaults.as_ref(),
        env: &env,
        model: model.as_ref(),
        sse_read_timeout: timeout.unwrap_or(std::time::Duration::from_secs(3600)),
        firewall: &firewall,
        limits: &Limits::read(root.section("limits"), &Limits::default()),
        packages: &Packages::read(root.section("packages"), &Packages::default()),
        system: &HostSystem::read(root.section("system"), &HostSystem::default()),
        regions: &names,
    };
    if entries.is_empty() {
        root.missing("regions", "[regions.us] and its keys");
    }
    let mut regions = Vec::new();
    for (key, span, value) in entries {
        let name = key
            .parse()
            .map_err(|wrong| regions_table.note(span.clone(), wrong))
            .ok();
        regions.push(Region::read(
            name,
            regions_table.inner(key, span, value),
            &defaults,
        ));
    }
    check_regions(
        &regions_table,
        &regions,
        !root.section("firewall").has("administrators"),
    );
    let login = Login::read(root.section("login"));
    let database = Database::read(root.section("database"));
    check_database(&root.section("database"), database.as_ref(), &names);
    let release = Release::read(root.section("release"));
    let links = Link::read_all(root.tables("links"), &names);
    root.finish();
    Some(Inventory {
        file: PathBuf::from(file),
        templates,
        app: app?,
        login: login?,
        database: database?,
        release,
        regions: regions.into_iter().collect::<Option<_>>()?,
        links,
    })
}

fn check_version(root: &Table<'_>) {
    if root.value("version").is_none() {
        root.missing("version", &format!("version = {VERSION}"));
    } else if let Some(version) = root.whole("version", 1..=u32::MAX)
        && version != VERSION
    {
        let cause =
            format!("this inventory has version {version}, this program reads version {VERSION}");
        let remedy =
            format!("use a geodeploy that reads version {version}, or write version = {VERSION}");
        root.wrong("version", Wrong::new(cause, remedy));
    }
}

/// What only shows when regions are looked at together.
fn check_regions(table: &Table<'_>, regions: &[Option<Region>], no_common_administrators: bool) {
    let known: Vec<&Region> = regions.iter().flatten().collect();
    for (index, region) in known.iter().enumerate() {
        let own = table.region(region.name.as_str());
        if no_common_administrators && region.firewall.administrators.is_empty() {
            let write = "administrators = [\"192.0.2.7\"], the networks that you come from,";
            own.missing("firewall.administrators", write);
        }
        for earlier in &known[..index] {
            let twice = |key: &str, same: bool, what: &str| {
                if same {
                    let cause =
                        format!("{} and {} have the same {what}", earlier.name, region.name);
                    own.wrong(
                        key,
                        Wrong::new(cause, format!("write the {what} of {} itself", region.name)),
                    );
                }
            };
            twice(
                "ipv4",
                earlier.addresses.ipv4 == region.addresses.ipv4,
                "IPv4 address",
            );
            let six =
                region.addresses.ipv6.is_some() && earlier.addresses.ipv6 == region.addresses.ipv6;
            twice("ipv6", six, "IPv6 address");
            twice("domain", earlier.domain == region.domain, "domain");
            twice(
                "server_name",
                earlier.server_name == region.server_name,
                "server_name",
            );
        }
    }
}

fn check_database(table: &Table<'_>, database: Option<&Database>, regions: &[&str]) {
    let Some(database) = database else { return };
    if database.mode != DatabaseMode::Embedded {
        let cause = "this version of geodeploy installs and connects no MongoDB";
        table.wrong(
            "mode",
            Wrong::new(
                cause,
                "write mode = \"embedded\": each host keeps its own data in a file",
            ),
        );
    }
    if let Some(region) = &database.region
        && !regions.contains(&region.as_str())
    {
        let cause = format!("no region is called `{region}`");
        table.wrong(
            "region",
            Wrong::new(cause, format!("write one of {}", regions.join(", "))),
        );
    }
}
