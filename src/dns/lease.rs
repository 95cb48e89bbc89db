//! One run at a time on a zone, by a record in the zone itself, which every operator's machine sees.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::{Lock, LockError, Provider};
use crate::error::{Error, ErrorKind};

/// How long a lock lives without renewal: so long a zone is closed by a run that was killed.
pub const LIFETIME: Duration = Duration::from_secs(60);
/// How often a lock is tried that cannot be placed and is not there either.
const TRIES: u32 = 5;

/// Tells the time.
pub type Clock<'a> = &'a (dyn Fn() -> Timestamp + Sync);

/// Who holds a zone, and for how long at a time.
#[derive(Clone, Copy)]
pub struct Term<'a> {
    /// Whoever it is, and a token of the run.
    pub holder: &'a str,
    /// The time.
    pub clock: Clock<'a>,
    /// How long a lock lives without renewal.
    pub lifetime: Duration,
}

impl Term<'_> {
    fn lock(&self) -> Lock {
        let lifetime = SignedDuration::try_from(self.lifetime).unwrap_or_default();
        // Whole seconds: a provider keeps it as text.
        let now = Timestamp::from_second((self.clock)().as_second()).unwrap_or_default();
        Lock {
            holder: self.holder.to_owned(),
            expires: now.saturating_add(lifetime).unwrap_or(now),
        }
    }
}

/// A zone that is ours for now.
pub struct Lease<'a, P: Provider> {
    provider: &'a P,
    context: &'a P::Context,
    term: Term<'a>,
    state: Mutex<State>,
}

struct State {
    lock: Lock,
    lost: Option<Error>,
}

impl<'a, P: Provider> Lease<'a, P> {
    /// Takes the zone. A lock that has lapsed is replaced.
    ///
    /// # Errors
    /// Somebody else holds it (exit 75), or the provider refuses.
    pub async fn take(
        provider: &'a P,
        context: &'a P::Context,
        term: Term<'a>,
    ) -> Result<Self, Error> {
        let clock = term.clock;
        let mut held = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                sleep(Duration::from_secs(1)).await;
            }
            let lock = term.lock();
            let placed = match provider.place_lock(&lock, context).await {
                Err(LockError::Exists) => match provider.read_lock(context).await? {
                    // Given back in between, or not to be read yet.
                    None => continue,
                    Some(found) if found.expires > clock() => return Err(refused(&found, clock())),
                    Some(found) => {
                        let taken = provider.replace_lock(&found, Some(&lock), context).await;
                        held = Some(found);
                        taken
                    }
                },
                placed => placed,
            };
            match placed {
                Ok(()) => {}
                Err(LockError::Exists) => continue,
                // It may have been written all the same.
                Err(LockError::Failed(error)) => match provider.read_lock(context).await {
                    Ok(Some(found)) if found == lock => {}
                    _ => return Err(error),
                },
            }
            let state = Mutex::new(State { lock, lost: None });
            return Ok(Self {
                provider,
                context,
                term,
                state,
            });
        }
        Err(match held {
            Some(found) => refused(&found, clock()),
            None => Error::new(
                ErrorKind::LeaseHeld,
                "somebody else holds the zone; who, cannot be read yet",
            )
            .hint(format!("try again in {} s", term.lifetime.as_secs())),
        })
    }

    /// Whether the zone is still ours; to be asked before each write.
    ///
    /// # Errors
    /// Somebody took it over, or it could not be renewed in time.
    pub fn check(&self) -> Result<(), Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lost) = &state.lost {
            return Err(lost.clone());
        }
        if state.lock.expires <= (self.term.clock)() {
            return Err(lapsed(&state.lock));
        }
        Ok(())
    }

    /// Does the work while it renews the lock, then gives the zone back. The work is not cut short where the zone is lost:
    /// it asks [`Lease::check`].
    pub async fn hold<T>(self, work: impl AsyncFnOnce(&Self) -> T) -> T {
        let done = {
            let renewal = async {
                self.renew().await;
                std::future::pending().await
            };
            tokio::select! {
                done = work(&self) => done,
                done = renewal => done,
            }
        };
        self.give_back().await;
        done
    }

    /// Renews for as long as it is polled; ends where the zone is lost.
    async fn renew(&self) {
        loop {
            sleep(self.term.lifetime / 3).await;
            let old = self.current();
            let new = self.term.lock();
            let renewed = self.provider.replace_lock(&old, Some(&new), self.context);
            let known = match renewed.await {
                Ok(()) => {
                    self.set(new, None);
                    continue;
                }
                Err(LockError::Exists) => true,
                // Tried anew until it lapses; it may have been written all the same.
                Err(LockError::Failed(_)) => false,
            };
            let lost = match self.provider.read_lock(self.context).await {
                Ok(Some(found)) if found.holder == old.holder => {
                    self.set(found, None);
                    continue;
                }
                Ok(Some(found)) => refused(&found, (self.term.clock)()),
                Ok(None) if known => lapsed(&old),
                Ok(None) | Err(_) => continue,
            };
            self.set(old, Some(lost));
            return;
        }
    }

    async fn give_back(&self) {
        let lock = self.current();
        let given = self.provider.replace_lock(&lock, None, self.context).await;
        if given.is_ok() {
            return;
        }
        // A renewal that was under way may have been the last word; whatever is left lapses by itself.
        if let Ok(Some(found)) = self.provider.read_lock(self.context).await
            && found.holder == lock.holder
        {
            drop(self.provider.replace_lock(&found, None, self.context).await);
        }
    }

    fn current(&self) -> Lock {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lock.clone()
    }

    fn set(&self, lock: Lock, lost: Option<Error>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State { lock, lost };
    }
}

/// The seconds that a lock has left, 0 where it has lapsed.
pub fn seconds_left(lock: &Lock, now: Timestamp) -> i64 {
    lock.expires.duration_since(now).as_secs().max(0)
}

fn refused(found: &Lock, now: Timestamp) -> Error {
    let left = seconds_left(found, now).max(1);
    Error::new(
        ErrorKind::LeaseHeld,
        format!("{} changes the zone's records now", found.holder),
    )
    .cause(format!(
        "the record _geodeploy-lock holds until {} unless it is renewed",
        found.expires
    ))
    .hint(format!(
        "wait for that run; what a killed one left lapses in {left} s"
    ))
}

fn lapsed(lock: &Lock) -> Error {
    Error::new(
        ErrorKind::LeaseHeld,
        "the zone is no longer held by this run: somebody may change its records",
    )
    .cause(format!("the lock lapsed at {}", lock.expires))
    .hint("run the same command again: it does the rest")
}
