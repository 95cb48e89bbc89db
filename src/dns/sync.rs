//! A zone, looked at and changed.

use std::time::Duration;

use jiff::Timestamp;

use super::lease::{Clock, Lease, Term};
use super::reconcile::{Consent, Goal, Reconciled, reconcile};
use super::snapshot::Snapshot;
use super::{Desired, Handles, Listing, Provider, Step, Wanted};
use crate::error::{Error, ErrorKind};
use crate::plan::Id;

/// Where a run leads.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// To what the inventory wants.
    Inventory,
    /// Back to what there was.
    Snapshot {
        /// Which state.
        to: &'a Snapshot,
        /// What this machine wrote last, to tell what somebody else has changed since.
        newest: &'a Snapshot,
    },
}

/// One provider's zone, and what is to become of it.
pub struct Task<'a, P: Provider> {
    /// The provider.
    pub provider: &'a P,
    /// What the inventory wants.
    pub wanted: &'a Wanted,
    /// Where it leads.
    pub target: Target<'a>,
    /// What the operator agrees to by name.
    pub consent: &'a Consent,
}

/// A zone as it is, beside what it is to be.
pub struct Looked<C> {
    /// What there is.
    pub listing: Listing<C>,
    /// What there is to be.
    pub desired: Desired,
    /// The difference.
    pub reconciled: Reconciled,
}

/// What a run needs of its surroundings.
pub struct Surroundings<'a> {
    /// Whoever runs it, and a token of the run: `ada@laptop 3f2a91c0`.
    pub holder: &'a str,
    /// The time.
    pub clock: Clock<'a>,
    /// How long the zone stays closed where the run is killed; [`super::LIFETIME`].
    pub lifetime: Duration,
    /// Keeps the snapshot, before the first write.
    pub keep: &'a (dyn Fn(&Snapshot) -> Result<(), Error> + Sync),
    /// Told which step begins, counted from 1, of how many.
    pub progress: &'a (dyn Fn(usize, usize, &str) + Sync),
}

impl<P: Provider> Task<'_, P> {
    /// Lists what there is and compares. Only reads.
    ///
    /// # Errors
    /// Those of the provider.
    pub async fn look(&self) -> Result<Looked<P::Context>, Error> {
        let listing = self.provider.list(self.wanted).await?;
        let (desired, released) = match self.target {
            Target::Inventory => {
                let desired = self.provider.desired(self.wanted, &listing.context)?;
                (desired, Vec::new())
            }
            Target::Snapshot { to, .. } => {
                let objects = to.wanted_objects();
                let desired = Desired {
                    objects,
                    ..Desired::default()
                };
                (desired, to.released())
            }
        };
        let goal = Goal {
            objects: &desired.objects,
            released: &released,
        };
        let zone = self.wanted.zone.as_str();
        let reconciled = reconcile(zone, goal, &listing, self.consent);
        Ok(Looked {
            listing,
            desired,
            reconciled,
        })
    }

    /// Makes what was shown so, and looks at it again. Returns how many changes were made.
    ///
    /// # Errors
    /// What was shown lacks consent; somebody else holds the zone (exit 75); it has moved since it was shown (exit 5); the
    /// provider refuses a call, and the steps before it are done (exit 6).
    pub async fn carry_out(
        &self,
        shown: &Looked<P::Context>,
        around: &Surroundings<'_>,
    ) -> Result<usize, Error> {
        self.refuse(shown)?;
        if shown.reconciled.plan.is_empty() {
            return Ok(0);
        }
        let context = &shown.listing.context;
        let term = Term {
            holder: around.holder,
            clock: around.clock,
            lifetime: around.lifetime,
        };
        let lease = Lease::take(self.provider, context, term).await?;
        lease
            .hold(async |lease| self.change(&shown.reconciled, around, lease).await)
            .await
    }

    /// Nothing, or why what was looked at is not carried out by consent to the plan alone.
    ///
    /// # Errors
    /// Objects in the way, deletions, and answers other than the inventory's, each with the flag that agrees to it. On the
    /// way back, what somebody else has changed since (exit 5).
    pub fn refuse(&self, looked: &Looked<P::Context>) -> Result<(), Error> {
        if let Target::Snapshot { newest, .. } = self.target {
            newest.unmoved(&looked.listing, &looked.reconciled)?;
        }
        looked.reconciled.refuse()?;
        let degraded = &looked.desired.degraded;
        if degraded.is_empty() || self.consent.degraded || looked.reconciled.plan.is_empty() {
            return Ok(());
        }
        let what = format!(
            "{}: {} cannot answer as the inventory asks; nothing was changed",
            self.wanted.zone,
            self.provider.name()
        );
        let error = degraded
            .iter()
            .fold(Error::new(ErrorKind::Failed, what), |error, sentence| {
                error.cause(sentence)
            });
        Err(error.hint("if that will do: --accept-degraded, which --yes does not stand for"))
    }

    async fn change(
        &self,
        shown: &Reconciled,
        around: &Surroundings<'_>,
        lease: &Lease<'_, P>,
    ) -> Result<usize, Error> {
        let looked = self.look().await?;
        if looked.reconciled != *shown {
            return Err(moved(self.wanted, shown, &looked.reconciled));
        }
        let context = &looked.listing.context;
        let changes = &shown.plan.changes;
        let steps = self.provider.steps(changes, context);
        let now: Timestamp = (around.clock)();
        (around.keep)(&Snapshot::of(
            self.provider.name(),
            self.wanted,
            now,
            &looked.listing,
            shown,
        ))?;
        let objects = looked.listing.objects.iter();
        let mut handles: Handles = objects
            .map(|found| (found.object.id.clone(), found.handle.clone()))
            .collect();
        for (at, step) in steps.iter().enumerate() {
            (around.progress)(at + 1, steps.len() + 1, &step.what);
            let applied = match lease.check() {
                Ok(()) => self.provider.apply(step, &mut handles, context).await,
                Err(lost) => Err(lost),
            };
            applied.map_err(|error| partly(&steps, at, error))?;
        }
        let last = steps.len() + 1;
        (around.progress)(last, last, "look at it again");
        self.provider.settle(context).await?;
        self.confirm(shown).await?;
        Ok(changes.len())
    }

    /// What was planned must not differ any more.
    async fn confirm(&self, shown: &Reconciled) -> Result<(), Error> {
        let looked = self.look().await?;
        let planned = |id: &Id| shown.plan.changes.iter().any(|change| change.id == *id);
        let left = looked.reconciled.plan.changes.iter();
        let left = left.map(|change| &change.id);
        let left = left.chain(looked.reconciled.conflicts.iter().map(|found| &found.id));
        let left: Vec<String> = left
            .filter(|id| planned(id))
            .map(ToString::to_string)
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Failed,
            format!(
                "{}: the calls succeeded, and {} is still not as wanted",
                self.wanted.zone,
                left.join(", ")
            ),
        )
        .hint("see what differs with `geodeploy dns plan`"))
    }
}

fn moved(wanted: &Wanted, shown: &Reconciled, found: &Reconciled) -> Error {
    let ids = |one: &Reconciled, other: &Reconciled| {
        let changes = one.plan.changes.iter();
        let new = changes.filter(|change| !other.plan.changes.contains(change));
        let new: Vec<String> = new.map(|change| change.id.to_string()).collect();
        new
    };
    let mut names = ids(found, shown);
    names.extend(ids(shown, found));
    names.extend(
        found
            .conflicts
            .iter()
            .map(|conflict| conflict.id.to_string()),
    );
    names.sort();
    names.dedup();
    Error::new(
        ErrorKind::Stale,
        format!(
            "{}: the zone has moved since the plan was shown; nothing was changed",
            wanted.zone
        ),
    )
    .cause(format!("it is another one for {}", names.join(", ")))
    .hint("look at the new plan and run it again")
}

fn partly(steps: &[Step], failed: usize, error: Error) -> Error {
    let what = |steps: &[Step]| {
        let what: Vec<&str> = steps.iter().map(|step| &*step.what).collect();
        what.join(", ")
    };
    let (done, rest) = steps.split_at(failed);
    if done.is_empty() {
        return error.at(what(&rest[..1.min(rest.len())]));
    }
    let kind = match error.kind {
        ErrorKind::LeaseHeld => ErrorKind::LeaseHeld,
        _ => ErrorKind::Partial,
    };
    let mut told = Error::new(
        kind,
        format!("done: {}; not done: {}", what(done), what(rest)),
    );
    told = told.cause(&error);
    told.hints = error.hints;
    told.hint("run the same command again: it does the rest; `geodeploy dns rollback` leads back")
}
