//! What is sent to DNSPod and what comes back: API 3.0 of 2021-03-23, the parts that are used.

use serde::{Deserialize, Serialize};

/// Names the zone: `DescribeDomain`, `DescribeRecordLineCategoryList`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainQuery<'a> {
    pub(super) domain: &'a str,
}

/// Asks for nothing in particular: `DescribePackageDetail`.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Nothing {}

/// `DescribeRecordList`: one page of the zone, or of one name.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordsQuery<'a> {
    pub(super) domain: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subdomain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record_type: Option<&'a str>,
    pub(super) offset: u64,
    pub(super) limit: u64,
    /// `no`: an empty zone is an empty list and not an error.
    pub(super) error_on_empty: &'a str,
}

/// A record as it is to be: `CreateRecord`, and with an id `ModifyRecord`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordBody {
    pub(super) domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record_id: Option<u64>,
    pub(super) sub_domain: String,
    pub(super) record_type: String,
    pub(super) record_line: String,
    /// Wins over the name of the line.
    pub(super) record_line_id: String,
    pub(super) value: String,
    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<u64>,
    pub(super) status: &'static str,
    pub(super) remark: String,
}

/// `DeleteRecord`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteBody<'a> {
    pub(super) domain: &'a str,
    pub(super) record_id: u64,
}

/// `DescribeDomainList`: which zones there are.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainsQuery {
    pub(super) limit: u64,
}

/// The answer of `CreateRecord`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    pub(super) record_id: u64,
}

/// An answer of which nothing is needed.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Done {}

/// The answer of `DescribeDomain`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainAnswer {
    pub(super) domain_info: DomainInfo,
}

/// A zone.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainInfo {
    /// `ENABLE`, `PAUSE` or `SPAM`.
    pub(super) status: Option<String>,
    /// The plan's code: `DP_FREE`.
    pub(super) grade: String,
    #[serde(rename = "TTL")]
    pub(super) ttl: Option<u64>,
    /// `dnserror` where the parent zone does not name DNSPod's servers.
    pub(super) dns_status: Option<String>,
    pub(super) dnspod_ns_list: Option<Vec<String>>,
}

/// The answer of `DescribePackageDetail`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PackagesAnswer {
    #[serde(default)]
    pub(super) info: Vec<Package>,
}

/// A plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Package {
    pub(super) domain_grade: Option<String>,
    pub(super) min_ttl: Option<u64>,
}

/// The answer of `DescribeRecordLineCategoryList`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LinesAnswer {
    pub(super) line_list: Vec<LineItem>,
}

/// A line, and those below it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LineItem {
    pub(super) line_name: String,
    /// Groupings have none.
    pub(super) line_id: Option<String>,
    #[serde(default)]
    pub(super) useful: bool,
    /// The least plan that has it.
    pub(super) grade: Option<String>,
    pub(super) sub_group: Option<Vec<Self>>,
}

/// The answer of `DescribeRecordList`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordsAnswer {
    pub(super) record_count_info: RecordCount,
    #[serde(default)]
    pub(super) record_list: Option<Vec<RecordItem>>,
}

/// How many records match.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordCount {
    pub(super) total_count: u64,
}

/// A record as it is listed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordItem {
    pub(super) record_id: u64,
    pub(super) name: String,
    #[serde(rename = "Type")]
    pub(super) kind: String,
    pub(super) line_id: String,
    pub(super) value: String,
    /// `ENABLE` or `DISABLE`.
    pub(super) status: String,
    #[serde(rename = "TTL")]
    pub(super) ttl: u64,
    pub(super) weight: Option<u64>,
    #[serde(default)]
    pub(super) remark: Option<String>,
}

/// The answer of `DescribeDomainList`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainsAnswer {
    #[serde(default)]
    pub(super) domain_list: Vec<DomainName>,
}

/// A zone's name.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainName {
    pub(super) name: String,
}
