//! One change, and the plan that is a list of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Attributes;

/// What kind of thing a resource is. Its name is what an operator reads in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An apt archive.
    AptSource,
    /// The state of the installed packages as a whole: pending upgrades.
    Upgrade,
    /// A Debian package.
    Package,
    /// A system user.
    User,
    /// A folder.
    Directory,
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
    /// A link to the agent.
    Program,
    /// A kernel setting.
    Sysctl,
    /// A swap file.
    Swap,
    /// A systemd unit's file.
    Unit,
    /// A systemd unit's state.
    Service,
    /// A file of nginx's configuration.
    Nginx,
    /// gdnsd's configuration: what it answers to whom.
    Gdnsd,
    /// A certificate that browsers trust.
    Certificate,
    /// A file of nginx's configuration that needs the certificate.
    HttpsSite,
    /// A file of nginx's configuration that needs the other region's certificate.
    Failover,
    /// The generation of the application that serves.
    Release,
    /// ufw's rules and defaults.
    Firewall,
    /// A MongoDB replica set's configuration.
    ReplicaSet,
    /// A role of MongoDB's that is not built in.
    MongoRole,
    /// The members of a MongoDB replica set over several hosts.
    SetMembers,
    /// Which member of a MongoDB replica set is its primary.
    Primary,
    /// A user of MongoDB.
    MongoUser,
    /// An index of a MongoDB collection.
    MongoIndex,
    /// The running MongoDB server: its configuration and version.
    Mongod,
    /// The certificates that the running MongoDB server uses.
    MongodCertificates,
    /// A set of DNS records of one name and type.
    Record,
    /// What a provider of DNS asks a region to learn whether it is well.
    HealthCheck,
    /// A provider's group of addresses, one region's.
    Pool,
    /// A provider's name that answers by geography over pools.
    LoadBalancer,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AptSource => "apt-source",
            Self::Upgrade => "upgrade",
            Self::Package => "package",
            Self::User => "user",
            Self::Directory => "directory",
            Self::File => "file",
            Self::Symlink => "symlink",
            Self::Program => "program",
            Self::Sysctl => "sysctl",
            Self::Swap => "swap",
            Self::Unit => "unit",
            Self::Service => "service",
            Self::Nginx => "nginx",
            Self::Gdnsd => "gdnsd",
            Self::Certificate => "certificate",
            Self::HttpsSite => "https-site",
            Self::Failover => "failover",
            Self::Release => "release",
            Self::Firewall => "firewall",
            Self::ReplicaSet => "replica-set",
            Self::MongoRole => "mongo-role",
            Self::SetMembers => "set-members",
            Self::Primary => "primary",
            Self::MongoUser => "mongo-user",
            Self::MongoIndex => "mongo-index",
            Self::Mongod => "mongod",
            Self::MongodCertificates => "mongod-certificates",
            Self::Record => "record",
            Self::HealthCheck => "health-check",
            Self::Pool => "pool",
            Self::LoadBalancer => "load-balancer",
        })
    }
}

/// A resource's identity, unique on its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its name among its kind: a path, a package, a unit.
    pub name: String,
}

impl Id {
    /// An identity from its two halves.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}

/// What a change does, derived from its two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Nothing was there.
    Create,
    /// Something else was there.
    Update,
    /// It must not be there.
    Delete,
}

/// One resource that is not as desired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which resource.
    pub id: Id,
    /// As it was found; `None` when it was absent.
    pub before: Option<Attributes>,
    /// As it is to be; `None` when it is to be absent.
    pub after: Option<Attributes>,
    /// What happens to running services because of it: `reloads nginx.service`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<String>,
}

impl Change {
    /// The change that leads from `before` to `after`, or `None` where they are equal.
    pub fn between(id: Id, before: Option<Attributes>, after: Option<Attributes>) -> Option<Self> {
        (before != after).then_some(Self {
            id,
            before,
            after,
            consequences: Vec::new(),
        })
    }

    /// What it does.
    pub fn verb(&self) -> Verb {
        match (&self.before, &self.after) {
            (None, _) => Verb::Create,
            (Some(_), Some(_)) => Verb::Update,
            (Some(_), None) => Verb::Delete,
        }
    }
}

/// All changes of one target, in the order in which they are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The region, or the DNS zone.
    pub target: String,
    /// How many resources were compared.
    pub resources: usize,
    /// Those that differ, in the order of execution.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes create, update and delete.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |verb| {
            self.changes
                .iter()
                .filter(|change| change.verb() == verb)
                .count()
        };
        (of(Verb::Create), of(Verb::Update), of(Verb::Delete))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sides_are_no_change() {
        let id = Id::new(Kind::File, "/etc/x");
        let side = Some(Attributes::new().text("mode", "0644"));
        assert_eq!(Change::between(id, side.clone(), side), None);
    }

    #[test]
    fn the_verb_follows_from_the_sides() {
        let id = Id::new(Kind::File, "/etc/x");
        let side = Some(Attributes::new());
        let verb = |before, after| Change::between(id.clone(), before, after).map(|c| c.verb());
        assert_eq!(verb(None, side.clone()), Some(Verb::Create));
        assert_eq!(verb(side.clone(), None), Some(Verb::Delete));
        assert_eq!(
            verb(side, Some(Attributes::new().text("mode", "0644"))),
            Some(Verb::Update)
        );
    }
}
