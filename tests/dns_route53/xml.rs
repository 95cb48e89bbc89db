//! Route 53's words, read for the tests apart from the code under test.

use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Set {
    pub(crate) name: String,
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) set_identifier: Option<String>,
    pub(crate) weight: Option<u64>,
    pub(crate) failover: Option<String>,
    pub(crate) geo_location: Option<Geo>,
    #[serde(rename = "TTL")]
    pub(crate) ttl: Option<u64>,
    pub(crate) resource_records: Option<Values>,
    pub(crate) alias_target: Option<Alias>,
    pub(crate) health_check_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Geo {
    pub(crate) continent_code: Option<String>,
    pub(crate) country_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Values {
    #[serde(rename = "ResourceRecord", default)]
    pub(crate) list: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Value {
    #[serde(rename = "Value")]
    pub(crate) value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Alias {
    #[serde(rename = "DNSName")]
    pub(crate) dns_name: String,
    pub(crate) evaluate_target_health: bool,
}

impl Set {
    /// The name without its final dot, the type, the identifier.
    pub(crate) fn key(&self) -> (String, String, Option<String>) {
        let name = self.name.trim_end_matches('.').to_owned();
        (name, self.kind.clone(), self.set_identifier.clone())
    }

    /// As it is compared: without what an alias does not have and moto gives it.
    pub(crate) fn compared(mut self) -> Self {
        self.name = self.key().0;
        if self.alias_target.is_some() {
            self.ttl = None;
        }
        self.resource_records = self.resource_records.filter(|all| !all.list.is_empty());
        self
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Batch {
    change_batch: Changes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Changes {
    changes: ChangeList,
}

#[derive(Debug, Deserialize)]
struct ChangeList {
    #[serde(rename = "Change", default)]
    list: Vec<Change>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Change {
    pub(crate) action: String,
    #[serde(rename = "ResourceRecordSet")]
    pub(crate) set: Set,
}

impl Batch {
    pub(crate) fn read(body: &str) -> Vec<Change> {
        let batch: Self = quick_xml::de::from_str(body).unwrap();
        batch.change_batch.changes.list
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    resource_record_sets: SetList,
}

#[derive(Debug, Deserialize)]
struct SetList {
    #[serde(rename = "ResourceRecordSet", default)]
    list: Vec<Set>,
}

/// The sets of a listing.
pub(crate) fn sets(body: &str) -> Vec<Set> {
    let listed: Listed = quick_xml::de::from_str(body).unwrap();
    let sets = listed.resource_record_sets.list.into_iter();
    sets.map(Set::compared).collect()
}

/// The parts of a text between two marks.
pub(crate) fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let parts = text.split(open).skip(1);
    parts
        .map(|part| part.split(close).next().unwrap())
        .collect()
}
