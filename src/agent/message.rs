//! What operator and agent say to each other: one request on standard input, events as JSON lines on standard output.
//!
//! A request is a frame of a 4-byte big-endian length and that many bytes of zstd-compressed JSON; a body may follow it.
//! Events start after a line that begins with [`MARK`], because login shells print things of their own.

mod backup;
mod facts;
mod frame;

use serde::{Deserialize, Serialize};

pub use backup::{BackupOrder, MongoLogin};
pub use facts::{Facts, Holder};
pub use frame::{decode, encode, write_event};

use super::database_status::Watch;
use crate::plan::{Change, Id};
use crate::resource::mongo::Connection;
use crate::resource::{Requirement, Resource};
use crate::secrets::{Secret, wire};

/// The version of these messages and of the journal. An agent that meets a newer one says so.
pub const PROTOCOL: u32 = 1;

/// How the line begins after which events begin; the host's clock follows, in milliseconds since 1970.
pub const MARK: &str = "\u{1e}geodeploy-events";

/// What the operator asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// [`PROTOCOL`] of the sender.
    pub protocol: u32,
    /// The project's fingerprint key.
    #[serde(with = "wire")]
    pub key: Secret,
    /// Who asks: `user@machine`, for the next operator who finds the host busy.
    pub operator: String,
    /// When it was sent by the operator's clock, in ms since 1970.
    pub sent: i64,
    /// What to do.
    pub operation: Operation,
}

/// What an agent can do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Compare resources with the host; changes nothing.
    Inspect {
        /// In the order in which they would be applied.
        resources: Vec<Resource>,
        /// What the host must offer.
        #[serde(default)]
        requirements: Vec<Requirement>,
    },
    /// Make the changes, detached, and tail the journal.
    Apply {
        /// Names the run.
        run: String,
        /// All resources of the host, in order.
        resources: Vec<Resource>,
        /// What the host must still offer.
        #[serde(default)]
        requirements: Vec<Requirement>,
        /// The changes that were consented to.
        changes: Vec<Change>,
        /// Seconds that a fresh connection has to confirm a firewall change.
        confirm_within: u64,
    },
    /// Tail the journal of a run that is under way or has ended.
    Attach {
        /// Which run.
        run: String,
        /// How many of its events were seen already.
        seen: usize,
    },
    /// Say over a fresh connection that the host can still be reached.
    Confirm {
        /// Which run waits for it.
        run: String,
    },
    /// Store a release; its zstd-compressed bytes follow the request.
    Receive {
        /// SHA-256 of the uncompressed binary, hex.
        digest: String,
    },
    /// Store a file to install from; its bytes follow the request.
    ReceiveArchive {
        /// Its SHA-256, hex.
        digest: String,
    },
    /// Compare the running generation with what would be deployed; changes nothing.
    InspectRelease(Target),
    /// Start a generation beside the running one and switch to it, detached.
    Deploy {
        /// Names the run.
        run: String,
        /// What to switch to.
        target: Target,
    },
    /// The backups of the host's database.
    Backup(BackupOrder),
    /// What the host's database holds, and how far other databases are away.
    Census {
        /// How it is reached.
        connection: Connection,
        /// The application's database.
        database: String,
        /// Names and ports of others: `cn-server.example.com:27017`.
        others: Vec<String>,
    },
    /// What runs, since when, and how it is.
    Status {
        /// The application's name.
        app: String,
    },
    /// Whether the application would reach its database with the environment that provision wrote.
    DatabaseLink {
        /// The application's name.
        app: String,
    },
    /// How the host's own database is.
    DatabaseStatus(Watch),
}

/// Which generation of the application is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The application's name: its units, its user, its folders.
    pub app: String,
    /// Which release.
    pub choice: Choice,
    /// Seconds that a new generation has to become healthy.
    pub healthy_within: u64,
    /// How many releases stay on the host.
    pub keep: usize,
    /// The Host header with which health is asked for through nginx; `None` asks the server alone.
    pub public_name: Option<String>,
}

/// How a generation is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The release with this digest and the environment that provision wrote.
    Release(String),
    /// The generation that was good before the current one, with the environment that belongs to it.
    Previous,
    /// The current release and environment, started anew.
    Again,
}

/// What an agent reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// The answer to an inspection.
    Inspected {
        /// The host itself.
        facts: Facts,
        /// How many resources were compared.
        resources: usize,
        /// Those that differ, in order.
        changes: Vec<Change>,
        /// A run that is under way on the host.
        busy: Option<Holder>,
        /// What the host lacks; nothing may be changed on it until it has it.
        #[serde(default)]
        unmet: Vec<Unmet>,
    },
    /// A step began.
    Started {
        /// From 1.
        number: usize,
        /// How many steps there are.
        of: usize,
        /// What it does: `create package nginx`.
        step: String,
    },
    /// The step ended well.
    Done {
        /// Which.
        number: usize,
        /// How long it took.
        milliseconds: u64,
    },
    /// Something worth a line.
    Note {
        /// The line.
        text: String,
    },
    /// A fresh connection must confirm within this time, otherwise the change is undone.
    AwaitingConfirmation {
        /// Seconds from now.
        seconds: u64,
    },
    /// The release must be sent first.
    NeedsRelease {
        /// Its digest.
        digest: String,
    },
    /// Somebody else's run is under way; nothing was done.
    Busy {
        /// Whose.
        holder: Holder,
    },
    /// A report for an operator, as JSON of its own.
    Report {
        /// The report.
        value: serde_json::Value,
    },
    /// The end; always the last event.
    Finished {
        /// How it ended.
        outcome: Outcome,
    },
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum Outcome {
    /// As desired.
    Converged {
        /// How many resources were changed.
        changed: usize,
        /// Units that were started anew or reread their configuration.
        restarted: Vec<String>,
    },
    /// The host moved since the plan was made; nothing was changed.
    Stale {
        /// What moved.
        moved: Vec<Id>,
    },
    /// It did not work and what was before is back.
    RolledBack {
        /// What was tried.
        what: String,
        /// Why it did not work.
        why: String,
        /// The unit's last lines.
        log: Vec<String>,
    },
    /// What could be done is done; the rest takes longer, or waits for another host. The same run later goes on.
    Pending {
        /// What is left.
        what: String,
        /// What it waits for.
        why: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// It did not work.
    Failed {
        /// What was tried.
        what: String,
        /// Why it did not work.
        why: String,
        /// What to do next.
        hint: Option<String>,
    },
}

/// Something that a host must offer and does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// What is missing.
    pub what: String,
    /// What was found, with its numbers.
    pub found: String,
    /// What to do about it.
    pub remedy: String,
}
