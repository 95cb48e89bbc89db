//! What a plan may not do without being told.

use std::fmt;

use super::Plan;

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
