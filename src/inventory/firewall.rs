//! Who may reach what.

use std::str::FromStr;
use std::time::Duration;

use super::mistake::{Wrong, did_you_mean};
use super::names::RegionName;
use super::reader::Table;
use super::values::{Cidr, Span};

/// Who may reach a region's host beside the public at ports 80 and 443.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall {
    /// Networks that may use SSH; never empty.
    pub administrators: Vec<Cidr>,
    /// Whether the whole internet may be among them.
    pub allow_any_administrator: bool,
    /// Who may reach the database on this host.
    pub database_peers: Vec<Peer>,
    /// How long a fresh connection may take to confirm a change of the rules before it is undone; 2 s to an hour.
    pub confirm_within: Duration,
}

/// Enough for a login over a slow link with a hop and a touched hardware key.
const CONFIRM_WITHIN: Duration = Duration::from_secs(60);

impl Default for Firewall {
    fn default() -> Self {
        Self {
            administrators: Vec::new(),
            allow_any_administrator: false,
            database_peers: Vec::new(),
            confirm_within: CONFIRM_WITHIN,
        }
    }
}

/// A peer by region, or by network where it is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// All addresses of that region.
    Region(RegionName),
    /// A network outside the inventory.
    Network(Cidr),
}

impl FromStr for Peer {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if let Ok(region) = text.parse() {
            return Ok(Self::Region(region));
        }
        text.parse().map(Self::Network).map_err(|wrong: Wrong| {
            Wrong::new(
                format!("`{text}` is neither a region nor a network"),
                format!("name a region of this inventory, or {}", wrong.remedy),
            )
        })
    }
}

impl Firewall {
    /// Reads `[firewall]` or a region's `firewall`; what is left out is as in `base`. `regions` are the names in use.
    pub(super) fn read(table: Table<'_>, base: Option<&Self>, regions: &[&str]) -> Self {
        let administrators: Option<Vec<Cidr>> = table.texts("administrators");
        let any = table.flag("allow_any_administrator")
            || base.is_some_and(|base| base.allow_any_administrator);
        let peers: Option<Vec<Peer>> = table.texts("database_peers");
        if administrators.as_ref().is_some_and(Vec::is_empty) {
            let cause = "nobody could log in any more: the list of administrators is empty";
            let remedy = "write the networks that you come from: administrators = [\"192.0.2.7\", \"198.51.100.0/24\"]";
            table.wrong("administrators", Wrong::new(cause, remedy));
        }
        let everyone = administrators
            .iter()
            .flatten()
            .find(|network| network.is_everyone());
        if let (Some(network), false) = (everyone, any) {
            table.wrong(
                "administrators",
                Wrong::new(
                    format!("`{network}` lets the whole internet try to log in"),
                    "write the networks that you come from, or, if you mean it, allow_any_administrator = true beside it",
                ),
            );
        }
        for peer in peers.iter().flatten() {
            check_peer(&table, peer, regions);
        }
        let confirm_within = confirm_within(&table);
        table.finish();
        Self {
            administrators: administrators
                .or_else(|| Some(base?.administrators.clone()))
                .unwrap_or_default(),
            allow_any_administrator: any,
            database_peers: peers
                .or_else(|| Some(base?.database_peers.clone()))
                .unwrap_or_default(),
            confirm_within: confirm_within
                .or_else(|| Some(base?.confirm_within))
                .unwrap_or(CONFIRM_WITHIN),
        }
    }
}

fn confirm_within(table: &Table<'_>) -> Option<Duration> {
    let span: Span = table.text("confirm_within")?;
    if !(2..=3600).contains(&span.0.as_secs()) {
        let cause = "a change of the rules waits 2 seconds to one hour for a fresh login";
        table.wrong(
            "confirm_within",
            Wrong::new(cause, "write a time from 2s to 1h, such as 60s"),
        );
    }
    Some(span.0)
}

fn check_peer(table: &Table<'_>, peer: &Peer, regions: &[&str]) {
    match peer {
        Peer::Region(name) if !regions.contains(&name.as_str()) => {
            let remedy = match did_you_mean(name.as_str(), regions.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("write one of {} or a network", regions.join(", ")),
            };
            table.wrong(
                "database_peers",
                Wrong::new(format!("no region is called `{name}`"), remedy),
            );
        }
        Peer::Network(network) if network.is_everyone() => {
            let cause = format!("`{network}` opens the database to the whole internet");
            table.wrong(
                "database_peers",
                Wrong::new(cause, "name the regions or the addresses that need it"),
            );
        }
        Peer::Region(_) | Peer::Network(_) => {}
    }
}
