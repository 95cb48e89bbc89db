//! Everything that is managed on a host, one file a kind: what it should be, how to look, how to make it so.
//!
//! `docs/adding-a-resource.md` is the guide to a new kind.

mod apt;
mod apt_source;
pub mod certificate;
mod directory;
mod facts;
mod failover;
mod file;
pub mod firewall;
mod gdnsd;
mod https_site;
pub mod mongo;
pub mod nginx;
pub mod package;
pub mod pending;
mod previous;
mod program;
mod requirement;
mod restore;
mod service;
mod swap;
mod symlink;
mod sysctl;
#[cfg(test)]
mod tests;
mod unit;
mod upgrade;
mod user;

use serde::{Deserialize, Serialize};

pub use apt_source::AptSource;
pub use certificate::Certificate;
pub use directory::Directory;
pub use facts::{Facts, PackageState, UnitState};
pub use failover::Failover;
pub use file::{Content, File};
pub use firewall::{Firewall, Protocol, Rule};
pub use gdnsd::Gdnsd;
pub use https_site::HttpsSite;
pub use mongo::{
    MongoIndex, MongoRole, MongoUser, Mongod, MongodCertificates, MongodConfiguration,
    OfflineMongod, Primary, ReplicaSet, RetiredMongoUser, SetMembers,
};
pub use nginx::Nginx;
pub use package::Package;
pub use program::Program;
pub use requirement::{FreeDisk, OwnData, Requirement};
pub use service::Service;
pub use swap::Swap;
pub use symlink::Symlink;
pub use sysctl::Sysctl;
pub use unit::Unit;
pub use upgrade::{Upgrade, UpgradeScope};
pub use user::User;

use crate::agent::system::database::Database;
use crate::agent::system::{Fault, System};
use crate::plan::{Attributes, Change, Id};
use crate::secrets::FingerprintKey;

/// What a resource needs to look at its host and to change it.
pub struct Context<'a> {
    /// The machine.
    pub system: &'a dyn System,
    /// The machine's database.
    pub database: &'a dyn Database,
    /// The project's key, so that what is secret compares without being told.
    pub key: &'a FingerprintKey,
    /// What was asked of the machine before. Made with [`Facts::about`] once a run.
    pub facts: &'a Facts,
    /// Takes a line of progress for the operator: `waiting for the apt lock, held by apt-get (812)`.
    pub progress: &'a dyn Fn(&str),
}

/// What every kind of resource can do.
///
/// `desired` and `inspect` give the same attribute names, so that equality means "nothing to do".
/// `apply` is called only with a change that an inspection found, and leaves the resource before or after, never between.
pub trait Manage {
    /// Its identity, unique on the host.
    fn id(&self) -> Id;

    /// As it should be; `None` when it must be absent.
    fn desired(&self, key: &FingerprintKey) -> Option<Attributes>;

    /// As it is; `None` when it is absent. A host on which the resource's own tools are not installed yet is "absent".
    ///
    /// # Errors
    /// A fault that names what could not be read and why.
    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault>;

    /// Makes it as desired.
    ///
    /// # Errors
    /// A fault that says what, where, why and what to do next. The resource is then as it was before.
    fn apply(&self, change: &Change, context: &Context<'_>) -> Result<(), Fault>;

    /// The running services that must hear of a change of this resource.
    fn notifies(&self) -> &[Notify] {
        &[]
    }
}

/// A service that must hear of a change, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// The unit's full name: `nginx.service`.
    pub unit: String,
    /// What it takes.
    pub action: Action,
}

impl Notify {
    /// `unit` rereads its configuration.
    pub fn reload(unit: impl Into<String>) -> Self {
        Self {
            unit: unit.into(),
            action: Action::Reload,
        }
    }

    /// `unit` takes its certificates from disk, by a resource of its own.
    pub fn rotate(unit: impl Into<String>) -> Self {
        Self {
            unit: unit.into(),
            action: Action::Rotate,
        }
    }

    /// `unit` starts anew.
    pub fn restart(unit: impl Into<String>) -> Self {
        Self {
            unit: unit.into(),
            action: Action::Restart,
        }
    }
}

/// How a running service hears of a change. A restart outranks a reload, and that a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It takes its certificates from disk; a resource of its own sees to that, not its service.
    Rotate,
    /// It rereads its configuration and keeps its connections.
    Reload,
    /// It ends and starts anew.
    Restart,
}

impl Action {
    /// As in a mark, in an attribute and as systemctl's verb: `reload`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Reload => "reload",
            Self::Restart => "restart",
        }
    }

    /// As in a plan: `reloads`.
    pub fn third_person(self) -> &'static str {
        match self {
            Self::Rotate => "rotates certificates of",
            Self::Reload => "reloads",
            Self::Restart => "restarts",
        }
    }
}

/// Who owns a file or folder and who may use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// Permission bits: `0o644`.
    pub mode: u32,
    /// The owner's name.
    pub owner: String,
    /// The group's name.
    pub group: String,
}

impl Ownership {
    /// Owned by root and its group, with these permission bits.
    pub fn root(mode: u32) -> Self {
        Self {
            mode,
            owner: "root".to_owned(),
            group: "root".to_owned(),
        }
    }

    /// Adds `mode`, `owner` and `group`.
    pub fn describe(&self, attributes: Attributes) -> Attributes {
        attributes
            .text("mode", format!("{:04o}", self.mode))
            .text("owner", &self.owner)
            .text("group", &self.group)
    }
}

/// A resource of any kind. Crosses the link only inside a request, because a file's content may be secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "each variant is the type of its name, documented there"
)]
pub enum Resource {
    AptSource(AptSource),
    Upgrade(Upgrade),
    Package(Package),
    User(User),
    Directory(Directory),
    File(File),
    Symlink(Symlink),
    Program(Program),
    Sysctl(Sysctl),
    Swap(Swap),
    Unit(Unit),
    Service(Service),
    Nginx(Nginx),
    Gdnsd(Gdnsd),
    Firewall(Firewall),
    Certificate(Certificate),
    HttpsSite(HttpsSite),
    Failover(Failover),
    ReplicaSet(ReplicaSet),
    MongoRole(MongoRole),
    SetMembers(SetMembers),
    Primary(Primary),
    MongoUser(MongoUser),
    RetiredMongoUser(RetiredMongoUser),
    MongoIndex(MongoIndex),
    Mongod(Mongod),
    MongodConfiguration(MongodConfiguration),
    MongodCertificates(MongodCertificates),
    OfflineMongod(OfflineMongod),
}

impl Resource {
    /// The kind's own behaviour.
    pub fn manage(&self) -> &dyn Manage {
        match self {
            Self::AptSource(resource) => resource,
            Self::Upgrade(resource) => resource,
            Self::Package(resource) => resource,
            Self::User(resource) => resource,
            Self::Directory(resource) => resource,
            Self::File(resource) => resource,
            Self::Symlink(resource) => resource,
            Self::Program(resource) => resource,
            Self::Sysctl(resource) => resource,
            Self::Swap(resource) => resource,
            Self::Unit(resource) => resource,
            Self::Service(resource) => resource,
            Self::Nginx(resource) => resource,
            Self::Gdnsd(resource) => resource,
            Self::Firewall(resource) => resource,
            Self::Certificate(resource) => resource,
            Self::HttpsSite(resource) => resource,
            Self::Failover(resource) => resource,
            Self::ReplicaSet(resource) => resource,
            Self::MongoRole(resource) => resource,
            Self::SetMembers(resource) => resource,
            Self::Primary(resource) => resource,
            Self::MongoUser(resource) => resource,
            Self::RetiredMongoUser(resource) => resource,
            Self::MongoIndex(resource) => resource,
            Self::Mongod(resource) => resource,
            Self::MongodConfiguration(resource) => resource,
            Self::MongodCertificates(resource) => resource,
            Self::OfflineMongod(resource) => resource,
        }
    }

    /// Its identity.
    pub fn id(&self) -> Id {
        self.manage().id()
    }
}
