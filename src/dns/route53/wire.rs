//! What Route 53 sends and takes, in the words of its service model. XML.

use serde::{Deserialize, Serialize};

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// One set of records: the unit of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordSet {
    pub(super) name: String,
    #[serde(rename = "Type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) set_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) geo_location: Option<GeoLocation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failover: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) multi_value_answer: Option<bool>,
    #[serde(rename = "TTL", default, skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resource_records: Option<Records>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alias_target: Option<AliasTarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) health_check_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) traffic_policy_instance_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cidr_routing_config: Option<CidrRouting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) geo_proximity_location: Option<GeoProximity>,
}

/// A continent, a country (`*`: everywhere else), or a country's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GeoLocation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) continent_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) country_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subdivision_code: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Records {
    #[serde(rename = "ResourceRecord", default)]
    pub(super) list: Vec<ResourceRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceRecord {
    pub(super) value: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AliasTarget {
    pub(super) hosted_zone_id: String,
    #[serde(rename = "DNSName")]
    pub(super) dns_name: String,
    pub(super) evaluate_target_health: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CidrRouting {
    pub(super) collection_id: String,
    pub(super) location_name: String,
}

/// Routing by distance; only that it is there matters, since it cannot be given back as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GeoProximity {}

impl RecordSet {
    /// The values of its records, as they are stored.
    pub(super) fn values(&self) -> Vec<&str> {
        let records = self.resource_records.iter().flat_map(|all| &all.list);
        records.map(|record| record.value.as_str()).collect()
    }
}

/// `CREATE` or `DELETE` of one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetChange {
    pub(super) action: Action,
    #[serde(rename = "ResourceRecordSet")]
    pub(super) set: RecordSet,
}

/// Never `UPSERT`: it writes over what somebody else may have changed meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Action {
    Create,
    Delete,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeRequest<'c> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    change_batch: Batch<'c>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'c> {
    changes: Changes<'c>,
}

#[derive(Serialize)]
struct Changes<'c> {
    #[serde(rename = "Change")]
    list: &'c [SetChange],
}

/// The body of `ChangeResourceRecordSets`.
pub(super) fn change_request(changes: &[SetChange]) -> Result<String, quick_xml::SeError> {
    let request = ChangeRequest {
        namespace: NAMESPACE,
        change_batch: Batch {
            changes: Changes { list: changes },
        },
    };
    quick_xml::se::to_string_with_root("ChangeResourceRecordSetsRequest", &request)
}

/// What is asked of an endpoint, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HealthCheckConfig {
    #[serde(rename = "IPAddress", default, skip_serializing_if = "Option::is_none")]
    pub(super) ip_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    #[serde(rename = "Type", default)]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resource_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fully_qualified_domain_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request_interval: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure_threshold: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) inverted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disabled: Option<bool>,
    #[serde(rename = "EnableSNI", default, skip_serializing_if = "Option::is_none")]
    pub(super) enable_sni: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HealthCheck {
    pub(super) id: String,
    #[serde(default)]
    pub(super) caller_reference: String,
    #[serde(default)]
    pub(super) health_check_config: HealthCheckConfig,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreateHealthCheck<'c> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    caller_reference: &'c str,
    health_check_config: &'c HealthCheckConfig,
}

/// The body of `CreateHealthCheck`.
pub(super) fn create_health_check(
    caller_reference: &str,
    config: &HealthCheckConfig,
) -> Result<String, quick_xml::SeError> {
    let request = CreateHealthCheck {
        namespace: NAMESPACE,
        caller_reference,
        health_check_config: config,
    };
    quick_xml::se::to_string_with_root("CreateHealthCheckRequest", &request)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateHealthCheck<'c> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    #[serde(rename = "IPAddress")]
    ip_address: &'c Option<String>,
    port: &'c Option<u16>,
    resource_path: &'c Option<String>,
    fully_qualified_domain_name: &'c Option<String>,
    failure_threshold: &'c Option<u16>,
    inverted: bool,
    disabled: bool,
}

/// The body of `UpdateHealthCheck`, which takes neither the type nor the interval.
pub(super) fn update_health_check(
    config: &HealthCheckConfig,
) -> Result<String, quick_xml::SeError> {
    let request = UpdateHealthCheck {
        namespace: NAMESPACE,
        ip_address: &config.ip_address,
        port: &config.port,
        resource_path: &config.resource_path,
        fully_qualified_domain_name: &config.fully_qualified_domain_name,
        failure_threshold: &config.failure_threshold,
        inverted: config.inverted.unwrap_or_default(),
        disabled: config.disabled.unwrap_or_default(),
    };
    quick_xml::se::to_string_with_root("UpdateHealthCheckRequest", &request)
}
