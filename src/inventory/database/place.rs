//! Where the database of one region is: its name and its addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::values::BindAddress;
use crate::inventory::mistake::Wrong;
use crate::inventory::names::{HostName, RegionName};
use crate::inventory::reader::Table;

/// Name and addresses of the database on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The name that other regions dial; without it the host's short name below the application's domain.
    pub host: Option<HostName>,
    /// Addresses of the host's own interfaces that it listens on beside loopback; empty for the region's.
    pub bind: Vec<IpAddr>,
}

impl Place {
    /// Reads `host` and `bind` of a table.
    pub(super) fn read(table: &Table<'_>) -> Self {
        let bind: Option<Vec<BindAddress>> = table.texts("bind");
        Self {
            host: table.text("host"),
            bind: bind
                .into_iter()
                .flatten()
                .map(|address| address.0)
                .collect(),
        }
    }

    /// Reads `[database.hosts.REGION]`.
    pub(super) fn read_all(table: Table<'_>, regions: &[&str]) -> BTreeMap<RegionName, Self> {
        let mut places = BTreeMap::new();
        for (key, span, value) in table.entries() {
            let inner = table.inner(key, span.clone(), value);
            let place = Self::read(&inner);
            inner.finish();
            match key.parse::<RegionName>() {
                Ok(name) if regions.contains(&key) => {
                    places.insert(name, place);
                }
                _ => table.note(
                    span,
                    Wrong::new(
                        format!("no region is called `{key}`"),
                        format!("write one of {}", regions.join(", ")),
                    ),
                ),
            }
        }
        places
    }
}
