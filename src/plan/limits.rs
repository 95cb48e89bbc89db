//! What a plan may not do without being told.

use std::fmt;

use super::{Kind, Plan, Value};

/// The attribute of a found index whose documents would live shorter: `up to 20 documents`.
pub const MAY_BE_DELETED: &str = "may be deleted";

/// A plan that is not carried out, with its numbers and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is refused, with numbers.
    pub what: String,
    /// What to type or change instead.
    pub remedy: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.what, self.remedy)
    }
}

/// How much a plan may take away.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// At most this share of the compared resources may be deleted, in percent.
    pub delete_percent: usize,
    /// Up to this many deletions are never refused.
    pub free_deletions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            delete_percent: 30,
            free_deletions: 3,
        }
    }
}

impl Limits {
    /// Nothing, or why the plan is not carried out.
    ///
    /// # Errors
    /// The refusal, with the count, the share and the limit.
    pub fn check(&self, plan: &Plan) -> Result<(), Refusal> {
        let (_, _, deletions) = plan.counts();
        let share = deletions * 100 / plan.resources.max(1);
        if deletions <= self.free_deletions || share <= self.delete_percent {
            return Ok(());
        }
        Err(Refusal {
            what: format!(
                "{}: the plan deletes {deletions} of {} resources ({share} %, the limit is {} %)",
                plan.target, plan.resources, self.delete_percent
            ),
            remedy: "look at the plan; delete in smaller steps if it is right".to_owned(),
        })
    }
}

/// Whether nothing in the plan deletes documents but what `consents` name as `COLLECTION.INDEX`. An index that would
/// delete nothing, because its collection is empty, needs no consent.
///
/// # Errors
/// The refusal, with every index that lacks consent, its bound, and the options that give it.
pub fn check_consent(plan: &Plan, consents: &[String]) -> Result<(), Refusal> {
    let found = plan.changes.iter().filter_map(|change| {
        let bound = change.before.as_ref()?.get(MAY_BE_DELETED)?;
        let (Kind::MongoIndex, Value::Text(bound)) = (change.id.kind, bound) else {
            return None;
        };
        let (_, index) = change.id.name.split_once('.')?;
        Some((index, bound.as_str()))
    });
    let lacking: Vec<(&str, &str)> = found
        .filter(|(index, bound)| {
            *bound != NOTHING && !consents.iter().any(|consent| consent == index)
        })
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let list = |texts: Vec<String>, between: &str| texts.join(between);
    let what = |(index, bound): &(&str, &str)| format!("{index} ({bound})");
    let option = |(index, _): &(&str, &str)| format!("--shorten-ttl {index}");
    Err(Refusal {
        what: format!(
            "{}: documents would live shorter, and some may be deleted within a minute: {}",
            plan.target,
            list(lacking.iter().map(what).collect(), ", ")
        ),
        remedy: format!(
            "back up the database; if that is what you want: `geodeploy provision {} {}`, which --yes does not stand for",
            plan.target,
            list(lacking.iter().map(option).collect(), " ")
        ),
    })
}

/// The bound of an empty collection.
const NOTHING: &str = "up to 0 documents";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Attributes, Change, Id};

    fn plan(bound: &str) -> Plan {
        let before = Attributes::new()
            .text("expires", "after 7200 s")
            .text(MAY_BE_DELETED, bound);
        let after = Attributes::new().text("expires", "after 60 s");
        let id = Id::new(Kind::MongoIndex, "aiagent.multi_agent_sessions.expiresAt_1");
        Plan {
            target: "cn".to_owned(),
            resources: 10,
            changes: Change::between(id, Some(before), Some(after))
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn a_shorter_life_needs_consent_by_the_indexs_own_name() {
        let own = "multi_agent_sessions.expiresAt_1".to_owned();
        let refusal = check_consent(&plan("up to 20 documents"), &[]).unwrap_err();
        assert!(refusal.what.contains("up to 20 documents"), "{refusal}");
        assert!(
            refusal.remedy.contains(&format!("--shorten-ttl {own}")),
            "{refusal}"
        );
        let other = ["other.expiresAt_1".to_owned()];
        assert!(check_consent(&plan("up to 20 documents"), &other).is_err());
        assert_eq!(check_consent(&plan("up to 20 documents"), &[own]), Ok(()));
    }

    #[test]
    fn a_shorter_life_of_nothing_needs_no_consent() {
        assert_eq!(check_consent(&plan(NOTHING), &[]), Ok(()));
    }
}
