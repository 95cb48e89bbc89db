//! What there is at Route 53: the zone, all pages of its sets, the health checks that are ours.

use std::collections::BTreeMap;

use super::answers::{HealthChecks, RecordSets, TagSets, Zone, Zones, list_tags};
use super::client::{Call, Client, Failure, unwritable};
use super::names::owner_of_reference;
use super::text::canonical;
use super::wire::{HealthCheck, RecordSet};
use super::world::{World, key};
use crate::error::{Error, ErrorKind};

/// How many zones an error names.
const NAMED_ZONES: usize = 20;

/// A health check with its tags.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) check: HealthCheck,
    pub(super) tags: BTreeMap<String, String>,
}

/// The id of the public zone of that name, `Z…`.
///
/// # Errors
/// There is none, or there are several.
pub(super) async fn zone(client: &Client, name: &str) -> Result<String, Error> {
    let all = zones(client, Some(name)).await?;
    let same: Vec<&Zone> = all
        .iter()
        .filter(|zone| canonical(&zone.name) == name)
        .collect();
    let public: Vec<&&Zone> = same
        .iter()
        .filter(|zone| !zone.config.private_zone)
        .collect();
    match public.as_slice() {
        [zone] => Ok(bare(&zone.id).to_owned()),
        [] => {
            let what = format!("Route 53 has no public zone {name}");
            let mut error = Error::new(ErrorKind::Input, what);
            if !same.is_empty() {
                error =
                    error.cause("there is a private one, which answers in its own network alone");
            }
            let there: Vec<String> = zones(client, None)
                .await?
                .iter()
                .filter(|zone| !zone.config.private_zone)
                .take(NAMED_ZONES)
                .map(|zone| canonical(&zone.name))
                .collect();
            Err(match there.as_slice() {
                [] => error.hint("this account has no public zones: create the zone, or use another account's keys"),
                _ => error.hint(format!("write one of {} as `dns.zone`", there.join(", "))),
            })
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|zone| bare(&zone.id)).collect();
            let what = format!("Route 53 has {} public zones {name}", several.len());
            let error = Error::new(ErrorKind::Input, what).cause(ids.join(", "));
            Err(error.hint("delete those that the parent zone does not delegate to"))
        }
    }
}

/// Zones in the order of their names; those of one name, or the first pages of all.
async fn zones(client: &Client, name: Option<&str>) -> Result<Vec<Zone>, Error> {
    let mut all: Vec<Zone> = Vec::new();
    let mut next = name.map(|name| (format!("{name}."), None::<String>));
    loop {
        let mut query = vec![("maxitems", "100")];
        if let Some((name, id)) = &next {
            query.push(("dnsname", name));
            if let Some(id) = id {
                query.push(("hostedzoneid", id));
            }
        }
        let call = Call::read("ListHostedZonesByName", "hostedzonesbyname", &query);
        let page: Zones = client.ask(&call).await.map_err(Failure::error)?;
        all.extend(page.hosted_zones.list);
        let beyond = match (name, all.last()) {
            (Some(name), Some(last)) => canonical(&last.name) != name,
            _ => all.len() >= NAMED_ZONES,
        };
        let following = page
            .next_dns_name
            .map(|name| (name, page.next_hosted_zone_id));
        if !page.is_truncated || beyond || following.is_none() || following == next {
            return Ok(all);
        }
        next = following;
    }
}

/// An id without the path that it comes with.
pub(super) fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// All sets of a zone.
pub(super) async fn world(client: &Client, zone: &str) -> Result<World, Error> {
    let mut world = World::default();
    let mut next: Option<(String, String, Option<String>)> = None;
    loop {
        let mut query = Vec::new();
        if let Some((name, kind, identifier)) = &next {
            query.extend([("name", name.as_str()), ("type", kind.as_str())]);
            query.extend(identifier.as_deref().map(|id| ("identifier", id)));
        }
        let page = sets(client, zone, &query).await?;
        let following = page
            .next_record_name
            .zip(page.next_record_type)
            .map(|(name, kind)| (name, kind, page.next_record_identifier));
        let mut grew = false;
        for set in page.resource_record_sets.list {
            let set = as_stored(set);
            grew |= world.get(&key(&set)).is_none();
            world.add(set);
        }
        if !page.is_truncated || following.is_none() {
            return Ok(world);
        }
        if !grew {
            let what = "Route 53 gives the same page of records again and again";
            return Err(Error::new(ErrorKind::Failed, what));
        }
        next = following;
    }
}

/// One page of a zone's sets.
pub(super) async fn sets(
    client: &Client,
    zone: &str,
    query: &[(&str, &str)],
) -> Result<RecordSets, Error> {
    let path = format!("hostedzone/{zone}/rrset");
    let call = Call::read("ListResourceRecordSets", path, query);
    client.ask(&call).await.map_err(Failure::error)
}

/// What an alias has no use for is left out, so that it is written back as it came.
fn as_stored(mut set: RecordSet) -> RecordSet {
    if set.alias_target.is_some() {
        set.ttl = None;
    }
    set.resource_records = set
        .resource_records
        .filter(|records| !records.list.is_empty());
    set
}

/// The health checks of any project of geodeploy's with that mark, with their tags.
pub(super) async fn checks(client: &Client, owner: &str) -> Result<Vec<Check>, Error> {
    let mut found: Vec<HealthCheck> = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let query: Vec<(&str, &str)> = marker.iter().map(|at| ("marker", at.as_str())).collect();
        let call = Call::read("ListHealthChecks", "healthcheck", &query);
        let page: HealthChecks = client.ask(&call).await.map_err(Failure::error)?;
        let ours = page.health_checks.list.into_iter();
        found.extend(
            ours.filter(|check| owner_of_reference(&check.caller_reference) == Some(owner)),
        );
        if !page.is_truncated || page.next_marker.is_none() || page.next_marker == marker {
            break;
        }
        marker = page.next_marker;
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let mut tags = tags(client, &found).await?;
    let with_tags = found.into_iter().map(|check| Check {
        tags: tags.remove(&check.id).unwrap_or_default(),
        check,
    });
    Ok(with_tags.collect())
}

async fn tags(
    client: &Client,
    checks: &[HealthCheck],
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let mut all = BTreeMap::new();
    for ten in checks.chunks(10) {
        let ids: Vec<&str> = ten.iter().map(|check| check.id.as_str()).collect();
        let body = list_tags(&ids).map_err(|error| unwritable(&error))?;
        let call = Call::send("ListTagsForResources", "tags/healthcheck", body).harmless();
        let page: TagSets = client.ask(&call).await.map_err(Failure::error)?;
        for set in page.resource_tag_sets.list {
            let tags = set.tags.list.into_iter().map(|tag| (tag.key, tag.value));
            all.insert(set.resource_id, tags.collect());
        }
    }
    Ok(all)
}
