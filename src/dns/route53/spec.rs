//! Record sets as attributes of an object, and back. Pure.
//!
//! An object is everything that one name and type answers: one set alone, with `ttl` and `values`, or several sets that
//! are routed among, each a line of JSON in `sets`. Nothing is lost on the way, so that a snapshot can be put back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::canonical;
use super::wire::{AliasTarget, CidrRouting, GeoLocation, RecordSet, Records, ResourceRecord};
use crate::dns::Handles;
use crate::error::{Error, ErrorKind};
use crate::plan::{Attributes, Id, Kind, Value};

/// Names of health checks by Route 53's id for them.
pub(super) type CheckNames = BTreeMap<String, String>;

/// One set, less its name and type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(super) struct Spec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) continent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subdivision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failover: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) multi_value: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cidr_collection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cidr_location: Option<String>,
    /// The name that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alias: Option<String>,
    /// The zone of that name, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alias_zone: Option<String>,
    /// Whether the alias is as well as what it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evaluate: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<u64>,
    /// The health check that it depends on, one of ours by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) check: Option<String>,
    /// The same, somebody else's by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) check_id: Option<String>,
    /// What keeps it from being written again as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) managed_by: Option<String>,
}

impl Spec {
    /// A set as it was found in the zone of that id.
    pub(super) fn of(set: &RecordSet, zone: &str, names: &CheckNames) -> Self {
        let geo = set.geo_location.clone().unwrap_or_default();
        let cidr = set.cidr_routing_config.as_ref();
        let alias = set.alias_target.as_ref();
        let ours = set.health_check_id.as_ref().and_then(|id| names.get(id));
        let policy = set.traffic_policy_instance_id.as_ref();
        let mut values: Vec<String> = set
            .values()
            .into_iter()
            .map(|value| canonical_value(&set.kind, value))
            .collect();
        values.sort();
        Self {
            set: set.set_identifier.clone(),
            continent: geo.continent_code,
            country: geo.country_code,
            subdivision: geo.subdivision_code,
            failover: set.failover.clone(),
            weight: set.weight,
            region: set.region.clone(),
            multi_value: set.multi_value_answer,
            cidr_collection: cidr.map(|cidr| cidr.collection_id.clone()),
            cidr_location: cidr.map(|cidr| cidr.location_name.clone()),
            alias: alias.map(|alias| canonical(&alias.dns_name)),
            alias_zone: alias
                .map(|alias| alias.hosted_zone_id.clone())
                .filter(|id| id != zone),
            evaluate: alias.map(|alias| alias.evaluate_target_health),
            values,
            ttl: set.ttl.filter(|_| alias.is_none()),
            check: ours.cloned(),
            check_id: set.health_check_id.clone().filter(|_| ours.is_none()),
            managed_by: policy.map(|id| format!("traffic policy {id}")).or_else(|| {
                set.geo_proximity_location
                    .as_ref()
                    .map(|_| "geoproximity".to_owned())
            }),
        }
    }

    /// The set to be written.
    ///
    /// # Errors
    /// It depends on a health check that is not there, or cannot be written at all.
    pub(super) fn record_set(
        &self,
        name: &str,
        kind: &str,
        zone: &str,
        handles: &Handles,
    ) -> Result<RecordSet, Error> {
        if let Some(manager) = &self.managed_by {
            let what = format!("{name} {kind} belongs to a {manager}");
            let hint = "take it away in Route 53's console; geodeploy cannot put it back as it was";
            return Err(Error::new(ErrorKind::Failed, what).hint(hint));
        }
        let check = match &self.check {
            Some(check) => Some(handle_of(check, handles)?),
            None => self.check_id.clone(),
        };
        let geo = GeoLocation {
            continent_code: self.continent.clone(),
            country_code: self.country.clone(),
            subdivision_code: self.subdivision.clone(),
        };
        let values = self.values.iter().map(|value| ResourceRecord {
            value: value.clone(),
        });
        let records = Records {
            list: values.collect(),
        };
        let cidr = self.cidr_collection.clone().zip(self.cidr_location.clone());
        Ok(RecordSet {
            name: format!("{name}."),
            kind: kind.to_owned(),
            set_identifier: self.set.clone(),
            weight: self.weight,
            region: self.region.clone(),
            geo_location: (geo != GeoLocation::default()).then_some(geo),
            failover: self.failover.clone(),
            multi_value_answer: self.multi_value,
            ttl: self.ttl,
            resource_records: (!records.list.is_empty()).then_some(records),
            alias_target: self.alias.as_ref().map(|alias| AliasTarget {
                hosted_zone_id: self.alias_zone.clone().unwrap_or_else(|| zone.to_owned()),
                dns_name: format!("{alias}."),
                evaluate_target_health: self.evaluate.unwrap_or_default(),
            }),
            health_check_id: check,
            cidr_routing_config: cidr.map(|(collection_id, location_name)| CidrRouting {
                collection_id,
                location_name,
            }),
            ..RecordSet::default()
        })
    }

    fn is_simple(&self) -> bool {
        let plain = Self {
            values: self.values.clone(),
            ttl: self.ttl,
            ..Self::default()
        };
        *self == plain
    }
}

fn handle_of(check: &str, handles: &Handles) -> Result<String, Error> {
    let id = Id::new(Kind::HealthCheck, check);
    handles.get(&id).cloned().ok_or_else(|| {
        let what = format!("there is no health check {check} for a record to depend on");
        Error::new(ErrorKind::Stale, what).hint("run `geodeploy dns plan` again")
    })
}

/// An address in its one form; anything else as it is.
fn canonical_value(kind: &str, value: &str) -> String {
    match kind {
        "AAAA" => value
            .parse::<std::net::Ipv6Addr>()
            .map_or_else(|_| value.to_owned(), |address| address.to_string()),
        "CNAME" => canonical(value),
        _ => value.to_owned(),
    }
}

/// The sets of one name and type as attributes; `owner` where they are ours.
pub(super) fn attributes(specs: &[Spec], owner: Option<&str>) -> Attributes {
    let all = match specs {
        [one] if one.is_simple() => Attributes::new()
            .text("ttl", one.ttl.unwrap_or_default().to_string())
            .list("values", one.values.clone()),
        _ => {
            let mut lines: Vec<String> = specs
                .iter()
                .map(|spec| serde_json::to_string(spec).unwrap_or_default())
                .collect();
            lines.sort();
            Attributes::new().list("sets", lines)
        }
    };
    match owner {
        Some(owner) => all.text("owner", owner),
        None => all,
    }
}

/// The sets that attributes stand for, and whose they are said to be.
///
/// # Errors
/// The attributes are not those of a record set of Route 53's: a snapshot of another provider, say.
pub(super) fn specs(
    id: &Id,
    attributes: &Attributes,
) -> Result<(Vec<Spec>, Option<String>), Error> {
    let unreadable = || {
        let what = format!("{id} is not described as Route 53's records are");
        Error::new(ErrorKind::Input, what).hint("is it a snapshot of another provider?")
    };
    let owner = match attributes.get("owner") {
        Some(Value::Text(owner)) => Some(owner.clone()),
        _ => None,
    };
    if let Some(Value::List(lines)) = attributes.get("sets") {
        let read = lines.iter().map(|line| serde_json::from_str(line));
        let read: Result<Vec<Spec>, _> = read.collect();
        return Ok((read.map_err(|_| unreadable())?, owner));
    }
    let (Some(Value::Text(ttl)), Some(Value::List(values))) =
        (attributes.get("ttl"), attributes.get("values"))
    else {
        return Err(unreadable());
    };
    let simple = Spec {
        ttl: Some(ttl.parse().map_err(|_| unreadable())?),
        values: values.clone(),
        ..Spec::default()
    };
    Ok((vec![simple], owner))
}

#[cfg(test)]
mod tests;
