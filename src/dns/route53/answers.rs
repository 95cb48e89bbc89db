//! The answers of Route 53's calls, as far as they are read; its tags. XML.

use serde::{Deserialize, Serialize};

use super::wire::{HealthCheck, RecordSet};

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Zones {
    #[serde(default)]
    pub(super) hosted_zones: ZoneList,
    #[serde(default)]
    pub(super) is_truncated: bool,
    #[serde(rename = "NextDNSName")]
    pub(super) next_dns_name: Option<String>,
    pub(super) next_hosted_zone_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ZoneList {
    #[serde(rename = "HostedZone", default)]
    pub(super) list: Vec<Zone>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Zone {
    /// `/hostedzone/Z…`.
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) config: ZoneConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ZoneConfig {
    #[serde(default)]
    pub(super) private_zone: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordSets {
    #[serde(default)]
    pub(super) resource_record_sets: SetList,
    #[serde(default)]
    pub(super) is_truncated: bool,
    pub(super) next_record_name: Option<String>,
    pub(super) next_record_type: Option<String>,
    pub(super) next_record_identifier: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SetList {
    #[serde(rename = "ResourceRecordSet", default)]
    pub(super) list: Vec<RecordSet>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HealthChecks {
    #[serde(default)]
    pub(super) health_checks: CheckList,
    #[serde(default)]
    pub(super) is_truncated: bool,
    pub(super) next_marker: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CheckList {
    #[serde(rename = "HealthCheck", default)]
    pub(super) list: Vec<HealthCheck>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreatedHealthCheck {
    pub(super) health_check: HealthCheck,
}

/// The answer of a change, and of the question how far it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Changed {
    pub(super) change_info: ChangeInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeInfo {
    /// `/change/C…`.
    pub(super) id: String,
    /// `PENDING` or `INSYNC`.
    pub(super) status: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagSets {
    #[serde(default)]
    pub(super) resource_tag_sets: TagSetList,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TagSetList {
    #[serde(rename = "ResourceTagSet", default)]
    pub(super) list: Vec<TagSet>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagSet {
    pub(super) resource_id: String,
    #[serde(default)]
    pub(super) tags: Tags,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Tags {
    #[serde(rename = "Tag", default)]
    pub(super) list: Vec<Tag>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags<'c> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    resource_ids: ResourceIds<'c>,
}

#[derive(Serialize)]
struct ResourceIds<'c> {
    #[serde(rename = "ResourceId")]
    list: &'c [&'c str],
}

/// The body of `ListTagsForResources`, which takes at most ten ids.
pub(super) fn list_tags(ids: &[&str]) -> Result<String, quick_xml::SeError> {
    let request = ListTags {
        namespace: NAMESPACE,
        resource_ids: ResourceIds { list: ids },
    };
    quick_xml::se::to_string_with_root("ListTagsForResourcesRequest", &request)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeTags {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    add_tags: Tags,
}

/// The body of `ChangeTagsForResource`.
pub(super) fn add_tags(tags: Vec<Tag>) -> Result<String, quick_xml::SeError> {
    let request = ChangeTags {
        namespace: NAMESPACE,
        add_tags: Tags { list: tags },
    };
    quick_xml::se::to_string_with_root("ChangeTagsForResourceRequest", &request)
}
