//! When each change of a run over several hosts is made. Pure.

use crate::inventory::{DatabaseMode, Inventory, Region};
use crate::plan::{Change, Kind, Plan};

/// A stage: no change of a later one begins before all of an earlier one ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The host of the set's primary, which begins the set alone.
    Primary,
    /// All other hosts.
    Hosts,
    /// The other members join, from the primary's host.
    Members,
    /// What can be seen on a member's host only after it joined: nobody can log in before.
    Joined,
    /// Hosts ask for their certificates, when every region's web server can answer for them.
    Certificates,
    /// Each region learns to hand over to another, when that one has its certificate.
    Failover,
}

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Self; 6] = [
        Self::Primary,
        Self::Hosts,
        Self::Members,
        Self::Joined,
        Self::Certificates,
        Self::Failover,
    ];

    /// Whether what it changes was found before an earlier stage changed it.
    pub fn is_late(self) -> bool {
        matches!(
            self,
            Self::Members | Self::Joined | Self::Certificates | Self::Failover
        )
    }

    /// When a change in that region is made.
    pub fn of(change: &Change, region: &Region, inventory: &Inventory) -> Self {
        match change.id.kind {
            Kind::Certificate | Kind::HttpsSite => return Self::Certificates,
            Kind::Failover => return Self::Failover,
            _ => {}
        }
        if inventory.database.mode != DatabaseMode::ReplicaSet {
            return Self::Hosts;
        }
        let primary = inventory.database.region.as_ref() == Some(&region.name);
        match (primary, change.id.kind) {
            (true, Kind::SetMembers) => Self::Members,
            (true, _) => Self::Primary,
            (false, Kind::Mongod) => Self::Joined,
            (false, _) => Self::Hosts,
        }
    }
}

/// The part of a region's plan that is made in that stage.
pub fn part(plan: &Plan, stage: Stage, region: &Region, inventory: &Inventory) -> Plan {
    let changes = plan.changes.iter();
    Plan {
        target: plan.target.clone(),
        resources: plan.resources,
        changes: changes
            .filter(|change| Stage::of(change, region, inventory) == stage)
            .cloned()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::EXAMPLE;
    use crate::plan::{Attributes, Id};

    fn stage(inventory: &Inventory, region: &str, kind: Kind) -> Stage {
        let change = Change {
            id: Id::new(kind, "x"),
            before: None,
            after: Some(Attributes::new()),
            consequences: Vec::new(),
        };
        Stage::of(&change, inventory.region(region).unwrap(), inventory)
    }

    #[test]
    fn members_join_after_the_primary_began_and_their_hosts_were_made() {
        let mut inventory = Inventory::parse(EXAMPLE, "example.toml").unwrap();
        inventory.database.region = "cn".parse().ok();
        for kind in [Kind::File, Kind::ReplicaSet, Kind::Mongod] {
            assert_eq!(stage(&inventory, "cn", kind), Stage::Hosts);
        }
        inventory.database.mode = DatabaseMode::ReplicaSet;
        inventory.database.members = vec!["us".parse().unwrap()];
        let at = |region, kind| stage(&inventory, region, kind);
        assert!(at("cn", Kind::ReplicaSet) < at("us", Kind::File));
        assert!(at("us", Kind::Service) < at("cn", Kind::SetMembers));
        assert!(at("cn", Kind::SetMembers) < at("us", Kind::Mongod));
        assert_eq!(at("cn", Kind::Mongod), Stage::Primary);
    }
}
