//! The lines between regions and the operator, as the rehearsal imitates them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::mistake::{Wrong, did_you_mean};
use super::names::RegionName;
use super::reader::Table;
use super::values::Span;

/// One line, the same in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its two ends, never the same.
    pub between: (LinkEnd, LinkEnd),
    /// Time for a packet there and back.
    pub round_trip: Duration,
    /// Bandwidth each way in megabits a second.
    pub megabits: u32,
}

/// An end of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// Where the operator sits.
    Operator,
    /// A region's host.
    Region(RegionName),
}

impl fmt::Display for LinkEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => formatter.write_str("operator"),
            Self::Region(name) => name.fmt(formatter),
        }
    }
}

impl FromStr for LinkEnd {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text == "operator" {
            Ok(Self::Operator)
        } else {
            text.parse().map(Self::Region)
        }
    }
}

impl Link {
    /// Whether the line joins these two, in either order.
    pub fn joins(&self, one: &LinkEnd, other: &LinkEnd) -> bool {
        (&self.between.0 == one && &self.between.1 == other)
            || (&self.between.0 == other && &self.between.1 == one)
    }

    /// Reads all of `[[links]]`.
    pub(super) fn read_all(tables: Vec<Table<'_>>, regions: &[&str]) -> Vec<Self> {
        let mut links: Vec<Self> = Vec::new();
        for table in tables {
            let ends = ends(&table, regions);
            if let Some((one, other)) = &ends
                && links.iter().any(|link| link.joins(one, other))
            {
                let cause = format!("the link between {one} and {other} is described twice");
                table.wrong("between", Wrong::new(cause, "remove one of the two"));
            }
            let round_trip: Option<Span> = table.required("rtt", "180ms");
            if !table.has("mbps") {
                table.missing("mbps", "mbps = 100");
            }
            let megabits = table.whole("mbps", 1..=100_000);
            if round_trip.is_some_and(|time| time.0 > Duration::from_secs(5)) {
                let cause = "a round trip of more than 5s is no link that anything works over";
                table.wrong(
                    "rtt",
                    Wrong::new(cause, "write the time that ping shows, such as 180ms"),
                );
            }
            table.finish();
            if let (Some(between), Some(round_trip), Some(megabits)) = (ends, round_trip, megabits)
            {
                links.push(Self {
                    between,
                    round_trip: round_trip.0,
                    megabits,
                });
            }
        }
        links
    }
}

fn ends(table: &Table<'_>, regions: &[&str]) -> Option<(LinkEnd, LinkEnd)> {
    if !table.has("between") {
        table.missing("between", "between = [\"operator\", \"us\"]");
    }
    let ends: Vec<LinkEnd> = table.texts("between")?;
    for end in &ends {
        if let LinkEnd::Region(name) = end
            && !regions.contains(&name.as_str())
        {
            let known = regions.iter().copied().chain(["operator"]);
            let remedy = match did_you_mean(name.as_str(), known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("write operator or one of {}", regions.join(", ")),
            };
            table.wrong(
                "between",
                Wrong::new(format!("no region is called `{name}`"), remedy),
            );
        }
    }
    match <[LinkEnd; 2]>::try_from(ends) {
        Ok([one, other]) if one != other => Some((one, other)),
        _ => {
            let remedy = "write two different ends, such as between = [\"operator\", \"us\"]";
            table.wrong("between", Wrong::new("a link has two ends", remedy));
            None
        }
    }
}
