//! Objects as the interface has them. Reading is lenient: what is not known, or null, stands for the default.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// Something with an id.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed<T> {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) object: T,
}

/// An answer of which only the id matters.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Created {
    pub(super) id: String,
}

/// A zone that the token sees.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Zone {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account: Account,
    /// What the token's owner may do, by old names: `#dns_records:edit`.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) permissions: Vec<String>,
}

/// Whose a zone is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: String,
    #[serde(deserialize_with = "whole")]
    pub(super) ttl: u32,
    #[serde(deserialize_with = "or_default")]
    pub(super) proxied: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) comment: String,
}

/// What a health check asks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Monitor {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) method: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) path: String,
    pub(super) port: Option<u16>,
    #[serde(deserialize_with = "or_default")]
    pub(super) header: BTreeMap<String, Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) expected_codes: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) follow_redirects: bool,
    #[serde(deserialize_with = "whole")]
    pub(super) interval: u32,
    #[serde(deserialize_with = "whole")]
    pub(super) timeout: u32,
    #[serde(deserialize_with = "whole")]
    pub(super) retries: u32,
    #[serde(deserialize_with = "or_default")]
    pub(super) description: String,
}

/// A group of addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pool {
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) description: String,
    #[serde(deserialize_with = "or_true")]
    pub(super) enabled: bool,
    #[serde(deserialize_with = "whole")]
    pub(super) minimum_origins: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) monitor: Option<String>,
    /// From where health is asked; nothing stands for everywhere, which only the largest plan has.
    #[serde(deserialize_with = "or_default")]
    pub(super) check_regions: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) origins: Vec<Origin>,
}

/// One address of a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) address: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default = "one")]
    pub(super) weight: f64,
    /// Zero and nothing are the same to Cloudflare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
}

/// Lists of pools by the code of a country, a region or a data centre.
pub(super) type PoolMap = BTreeMap<String, Vec<String>>;

/// A name that answers over pools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Balancer {
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) description: String,
    #[serde(deserialize_with = "or_true")]
    pub(super) enabled: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) proxied: bool,
    #[serde(deserialize_with = "whole")]
    pub(super) ttl: u32,
    #[serde(deserialize_with = "or_default")]
    pub(super) steering_policy: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) location_strategy: LocationStrategy,
    #[serde(deserialize_with = "or_default")]
    pub(super) fallback_pool: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) default_pools: Vec<String>,
    // Each is always sent: a map that is left out keeps its entries.
    #[serde(deserialize_with = "or_default")]
    pub(super) country_pools: PoolMap,
    #[serde(deserialize_with = "or_default")]
    pub(super) region_pools: PoolMap,
    #[serde(deserialize_with = "or_default")]
    pub(super) pop_pools: PoolMap,
    #[serde(deserialize_with = "or_default")]
    pub(super) session_affinity: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) rules: Vec<serde_json::Value>,
}

/// Where a client is thought to be when it asks without a proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LocationStrategy {
    #[serde(deserialize_with = "or_default")]
    pub(super) mode: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) prefer_ecs: String,
}

/// Changes of records that are made together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Batch {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) deletes: Vec<ById>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) puts: Vec<Put>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) posts: Vec<Record>,
}

/// A record by its id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ById {
    pub(super) id: String,
}

/// A record by its id, as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Put {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) record: Record,
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

fn or_true<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Option::<bool>::deserialize(from).map(|value| value.unwrap_or(true))
}

/// Whole numbers that the interface may write as `60.0`.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    Option::<f64>::deserialize(from).map(|value| value.unwrap_or_default() as u32)
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}
