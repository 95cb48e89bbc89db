//! The operator's inventory for twins: addresses substituted, secrets replaced by made-up ones, ports as they are. Pure.

use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::error::{Error, Result};
use super::switch::Endpoint;

/// What a region's twin puts in place of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The region's name.
    pub region: String,
    /// Where the twin is.
    pub endpoint: Endpoint,
    /// Its public key: `ssh-ed25519 AAAA...`.
    pub host_key: String,
}

/// What all twins have in common.
pub struct Surroundings<'a> {
    /// Where the operator comes from.
    pub operator: &'a Endpoint,
    /// The private key that twins accept.
    pub key: &'a Path,
    /// The apt proxy that is near to them.
    pub mirror: &'a str,
    /// A file with a made-up secret, at least 32 bytes.
    pub secret: &'a Path,
    /// The folder of certificates that are the rehearsal's own, and of the age identity `identity.txt` that opens them.
    pub certificates: &'a Path,
    /// Where MongoDB comes from; with `None` the application keeps its data in a file of its own.
    pub mongodb: Option<&'a Mongodb>,
}

/// An archive with a MongoDB for twins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mongodb {
    /// Its base address as twins reach it: `http://10.77.0.1:3143/mongodb/apt/debian`.
    pub url: String,
    /// Its suite, where it is not `{codename}/mongodb-org/SERIES`.
    pub suite: Option<String>,
    /// Its component: `main`.
    pub component: String,
    /// A file with the key that signs it, ASCII-armoured.
    pub key: PathBuf,
    /// That key's fingerprint, 40 hex digits.
    pub fingerprint: String,
    /// The release in it: `6.0.5`.
    pub version: String,
}

/// The inventory's text for twins. Comments stay.
///
/// # Errors
/// When the text is not TOML or names no regions; `geodeploy check` has the whole story.
pub fn substitute(text: &str, stands: &[Stand], around: &Surroundings<'_>) -> Result<String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Error::new(
            "cannot rehearse this inventory",
            error.message(),
            "run `geodeploy check`",
        )
    })?;
    let root = document.as_table_mut();
    let made_up = reference(around.secret);
    replace_secrets(root, &made_up);
    let login = section(root, "login");
    login.clear();
    login.insert("jwt_secret", Item::Value(made_up));
    section(root, "model").clear();
    section(root, "model").insert("kind", value("echo"));
    database(section(root, "database"), around);
    ssh(section(root, "ssh"), around);
    if root.contains_key("dns") {
        dns(section(root, "dns"));
    }
    let firewall = section(root, "firewall");
    firewall.insert("administrators", networks(around.operator));
    // A container's kernel belongs to this machine: it can neither swap nor set the clock.
    section(root, "system").insert("swap", value("none"));
    for stand in stands {
        let regions = section(root, "regions");
        let Some(region) = regions
            .get_mut(&stand.region)
            .and_then(Item::as_table_like_mut)
        else {
            let why = format!("it has no region {}", stand.region);
            return Err(Error::new(
                "cannot rehearse this inventory",
                why,
                "run `geodeploy check`",
            ));
        };
        region.insert("ipv4", value(stand.endpoint.ipv4.to_string()));
        region.insert("ipv6", value(stand.endpoint.ipv6.to_string()));
        let mut own = Table::new();
        own.insert("host_key", value(&stand.host_key));
        region.insert("ssh", Item::Table(own));
        let mut mirrors = Table::new();
        mirrors.insert("apt_proxy", value(around.mirror));
        region.insert("mirrors", Item::Table(mirrors));
        region.remove("model");
        for (name, key) in [
            ("firewall", "administrators"),
            ("system", "swap"),
            ("system", "time_servers"),
        ] {
            if let Some(own) = region.get_mut(name).and_then(Item::as_table_like_mut) {
                own.remove(key);
            }
        }
    }
    Ok(document.to_string())
}

/// The same inventory with certificates of a private authority, by the address of its directory and a file with its root.
///
/// # Errors
/// When the text is not TOML.
pub fn with_authority(text: &str, directory: &str, root: &Path) -> Result<String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Error::new(
            "cannot rehearse this inventory",
            error.message(),
            "run `geodeploy check`",
        )
    })?;
    let tls = section(document.as_table_mut(), "tls");
    tls.remove("staging");
    tls.insert("directory", value(directory));
    tls.insert("root", value(root.to_string_lossy().into_owned()));
    Ok(document.to_string())
}

fn section<'t>(table: &'t mut Table, name: &str) -> &'t mut Table {
    let item = table
        .entry(name)
        .or_insert_with(|| Item::Table(Table::new()));
    if !item.is_table() {
        let whole = std::mem::take(item);
        *item = whole
            .into_table()
            .map_or_else(|_| Item::Table(Table::new()), Item::Table);
    }
    match item {
        Item::Table(table) => table,
        Item::None | Item::Value(_) | Item::ArrayOfTables(_) => unreachable!("made a table above"),
    }
}

/// The certificates of a rehearsal are its own; an address of the real host's interface is none of a twin's.
fn database(database: &mut Table, around: &Surroundings<'_>) {
    let Some(mongodb) = around.mongodb else {
        database.clear();
        database.insert("mode", value("embedded"));
        return;
    };
    database.remove("bind");
    if let Some(hosts) = database.get_mut("hosts").and_then(Item::as_table_like_mut) {
        for (_, host) in hosts.iter_mut() {
            if let Some(host) = host.as_table_like_mut() {
                host.remove("bind");
            }
        }
    }
    let tls = section(database, "tls");
    tls.clear();
    let folder = around.certificates.to_string_lossy();
    tls.insert("folder", value(folder.as_ref()));
    let identity = around.certificates.join("identity.txt");
    tls.insert("identity", value(identity.to_string_lossy().into_owned()));
    database.insert("version", value(&mongodb.version));
    let archive = section(database, "archive");
    archive.clear();
    let key = mongodb.key.to_string_lossy();
    for (name, text) in [
        ("url", Some(mongodb.url.as_str())),
        ("suite", mongodb.suite.as_deref()),
        ("component", Some(mongodb.component.as_str())),
        ("key", Some(key.as_ref())),
        ("fingerprint", Some(mongodb.fingerprint.as_str())),
    ] {
        if let Some(text) = text {
            archive.insert(name, value(text));
        }
    }
}

/// Whoever answers outside, here the twins answer: names, routing and TTL stay, accounts and files go.
fn dns(dns: &mut Table) {
    let kept = ["zone", "name", "ttl", "routing"];
    let others: Vec<String> = dns
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| !kept.contains(&key.as_str()))
        .collect();
    for key in others {
        dns.remove(&key);
    }
    dns.insert("provider", value("embedded"));
}

fn ssh(ssh: &mut Table, around: &Surroundings<'_>) {
    for key in ["jump", "sudo_password", "port"] {
        ssh.remove(key);
    }
    ssh.insert("user", value("root"));
    ssh.insert("identity", value(around.key.to_string_lossy().into_owned()));
}

fn networks(operator: &Endpoint) -> Item {
    let mut list = Array::new();
    list.push(format!("{}/32", operator.ipv4));
    list.push(format!("{}/128", operator.ipv6));
    value(list)
}

fn reference(file: &Path) -> Value {
    let mut table = InlineTable::new();
    table.insert("file", file.to_string_lossy().into_owned().into());
    Value::InlineTable(table)
}

/// Whether a value is one of the four ways to a secret.
fn is_reference(item: &Item) -> bool {
    item.as_inline_table().is_some_and(|table| {
        ["env", "file", "command", "age"]
            .iter()
            .any(|key| table.contains_key(key))
    })
}

fn replace_secrets(table: &mut Table, made_up: &Value) {
    for (_, item) in table.iter_mut() {
        if is_reference(item) {
            *item = Item::Value(made_up.clone());
        } else if let Item::Table(inner) = item {
            replace_secrets(inner, made_up);
        }
    }
}

#[cfg(test)]
mod tests;
