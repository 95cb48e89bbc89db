//! How the database of this host is: looked at over loopback as the monitoring user, who sees figures and no document.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::paths;
use super::system::database::{Call, Database, Endpoint, Login, Refusal};
use super::system::{Fault, System};
use crate::resource::mongo::number;
use crate::secrets::{Secret, wire};

/// Where the database is, and as whom it is looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The project's certificate authority on the host, PEM.
    pub ca_file: PathBuf,
    /// The certificate with its key that is shown to the server, PEM, where it asks for one.
    pub certificate_file: Option<PathBuf>,
    /// The monitoring user, one of the database `admin`.
    pub user: String,
    /// Its password.
    #[serde(with = "wire")]
    pub password: Secret,
}

/// What was found on one host. Sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseReport {
    /// `8.0.21`.
    pub version: String,
    /// The replica set's name.
    pub set: String,
    /// This member's own state: `PRIMARY`.
    pub role: String,
    /// All members as this one sees them.
    pub members: Vec<MemberReport>,
    /// The log of operations; `None` where the server does not tell.
    pub oplog: Option<OplogReport>,
    /// When the certificate that the server shows expires.
    pub certificate_expires: Option<Timestamp>,
    /// Used bytes of the data's file system.
    pub disk_used: u64,
    /// All bytes of it.
    pub disk_total: u64,
    /// Open connections.
    pub connections: u64,
    /// How many more there may be.
    pub connections_available: u64,
    /// Bytes in the cache.
    pub cache_used: u64,
    /// Bytes that the cache may have.
    pub cache_maximum: u64,
    /// Documents deleted since the start because their time was over.
    pub ttl_deleted: u64,
    /// Open cursors.
    pub cursors: u64,
    /// Backups on this host.
    pub backup: BackupReport,
    /// The host's clock when the request had been read, and before the answer is written.
    pub clock: (Timestamp, Timestamp),
}

/// A member of the set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberReport {
    /// Its address in the set.
    pub host: String,
    /// `PRIMARY`, `SECONDARY`, `STARTUP2`, `(not reachable/healthy)`.
    pub state: String,
    /// Seconds that its last operation is behind the primary's; `None` where there is no primary.
    pub lag: Option<f64>,
}

/// The log of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OplogReport {
    /// Hours between its first and its last entry.
    pub hours: f64,
    /// Its size.
    pub used: u64,
    /// The size at which it begins to forget.
    pub maximum: u64,
}

/// Backups on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BackupReport {
    /// When one was last restored for a trial and found whole.
    pub verified: Option<Timestamp>,
    /// When the newest file was written.
    pub newest: Option<Timestamp>,
}

/// Looks at the database.
///
/// # Errors
/// When it does not run, refuses the user, or a figure that every server has cannot be had.
pub fn report(
    watch: &Watch,
    system: &dyn System,
    database: &dyn Database,
) -> Result<DatabaseReport, Fault> {
    let begun = timestamp(system.now());
    let asking = Asking { watch, database };
    let status = asking.ask("admin", doc! { "serverStatus": 1, "oplog": 1 })?;
    let set = asking.ask("admin", doc! { "replSetGetStatus": 1 })?;
    let sizes = asking.ask("admin", doc! { "dbStats": 1 })?;
    let log = asking.ask("local", doc! { "collStats": "oplog.rs" });
    let text = |document: &Document, name| document.get_str(name).unwrap_or_default().to_owned();
    let states = ["STARTUP", "PRIMARY", "SECONDARY", "RECOVERING"];
    let own = count(&set, "myState").try_into().unwrap_or(usize::MAX);
    let members = members(&set);
    let role = match states.get(own) {
        Some(state) => (*state).to_owned(),
        None => format!("state {own}"),
    };
    let cache = "wiredTiger.cache";
    Ok(DatabaseReport {
        version: text(&status, "version"),
        set: text(&set, "set"),
        role,
        members,
        oplog: log.ok().and_then(|log| oplog(&status, &log)),
        certificate_expires: at(&status, "security.SSLServerCertificateExpirationDate")
            .and_then(date),
        disk_used: count(&sizes, "fsUsedSize"),
        disk_total: count(&sizes, "fsTotalSize"),
        connections: count(&status, "connections.current"),
        connections_available: count(&status, "connections.available"),
        cache_used: count(&status, &format!("{cache}.bytes currently in the cache")),
        cache_maximum: count(&status, &format!("{cache}.maximum bytes configured")),
        ttl_deleted: count(&status, "metrics.ttl.deletedDocuments"),
        cursors: count(&status, "metrics.cursor.open.total"),
        backup: backup(system),
        clock: (begun, timestamp(system.now())),
    })
}

struct Asking<'a> {
    watch: &'a Watch,
    database: &'a dyn Database,
}

impl Asking<'_> {
    fn ask(&self, database: &str, command: Document) -> Result<Document, Fault> {
        let Watch { port, user, .. } = self.watch;
        let at = Endpoint {
            port: *port,
            ca_file: &self.watch.ca_file,
            certificate_file: self.watch.certificate_file.as_deref(),
        };
        let login = Login::User {
            database: "admin",
            name: user,
            password: &self.watch.password,
        };
        let answer = self
            .database
            .ask(&at, &login, &Call::new(database, command));
        answer.map_err(|refusal| {
            let hint = match &refusal {
                Refusal::Absent => {
                    "on the host: `systemctl status mongod` and /var/log/mongodb/mongod.log"
                }
                Refusal::Login => {
                    "give it the inventory's password: `geodeploy db rotate-password monitor`"
                }
                Refusal::Command { .. } => "give it its roles again: `geodeploy provision`",
                Refusal::Lost(_) => "see what differs: `geodeploy plan`",
            };
            let what = format!("cannot look at the database on port {port} as {user}");
            refusal.during(what).hint(hint)
        })
    }
}

/// The value at a path of names.
fn at<'d>(document: &'d Document, path: &str) -> Option<&'d Bson> {
    match path.split_once('.') {
        None => document.get(path),
        Some((head, tail)) => at(document.get_document(head).ok()?, tail),
    }
}

/// A whole number that is not negative; 0 where there is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is cast to the nearest number that there is"
)]
fn count(document: &Document, path: &str) -> u64 {
    number(at(document, path)).map_or(0, |number| number as u64)
}

fn date(value: &Bson) -> Option<Timestamp> {
    let date = value.as_datetime()?;
    Timestamp::from_millisecond(date.timestamp_millis()).ok()
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}

fn members(set: &Document) -> Vec<MemberReport> {
    let found = set.get_array("members").ok().into_iter().flatten();
    let found: Vec<&Document> = found.filter_map(Bson::as_document).collect();
    let state = |member: &Document| member.get_str("stateStr").unwrap_or_default().to_owned();
    let applied = |member: &Document| member.get("optimeDate").and_then(date);
    let primary = found
        .iter()
        .find(|member| state(member) == "PRIMARY")
        .and_then(|member| applied(member));
    let reports = found.iter().map(|member| MemberReport {
        host: member.get_str("name").unwrap_or_default().to_owned(),
        state: state(member),
        lag: primary
            .zip(applied(member))
            .map(|(primary, own)| primary.duration_since(own).as_secs_f64().max(0.0)),
    });
    reports.collect()
}

/// The server tells the first and the last entry when it is asked for them.
fn oplog(status: &Document, log: &Document) -> Option<OplogReport> {
    let seconds = |name: &str| match at(status, &format!("oplog.{name}"))? {
        Bson::Timestamp(time) => Some(f64::from(time.time)),
        Bson::Document(optime) => Some(f64::from(optime.get_timestamp("ts").ok()?.time)),
        other => Some(date(other)?.as_second() as f64),
    };
    Some(OplogReport {
        hours: (seconds("latestOptime")? - seconds("earliestOptime")?) / 3600.0,
        used: count(log, "size"),
        maximum: count(log, "maxSize"),
    })
}

/// What the state file and the folder of backups say; a host without any has neither.
fn backup(system: &dyn System) -> BackupReport {
    const STATE: &str = "state.json";
    let folder: &Path = &paths::state().join("backup");
    let state = system.read(&folder.join(STATE)).ok().flatten();
    let state: serde_json::Value = state
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let names = system.list(folder).ok().flatten().unwrap_or_default();
    let backups = names
        .iter()
        .filter(|name| name.ends_with(crate::backup::folder::ENDING));
    let written = backups.filter_map(|name| system.modified(&folder.join(name)).ok().flatten());
    BackupReport {
        verified: state["verified_at"]
            .as_str()
            .and_then(|text| text.parse().ok()),
        newest: written.max().map(timestamp),
    }
}
