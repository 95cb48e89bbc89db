//! Users who wrote lately. A member of the set that is near may not have their writes yet, so they read from the primary
//! for a while: everybody sees what they wrote themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A member that is further behind is not read from: the smallest `maxStalenessSeconds` that drivers take.
const STALE: Duration = Duration::from_secs(90);

/// So many users are remembered before those who wrote long ago are forgotten.
const CROWD: usize = 4096;

/// When each user last wrote through this server.
#[derive(Debug, Default)]
pub(super) struct Writers {
    last: Mutex<HashMap<String, Instant>>,
}

impl Writers {
    /// These users write now.
    pub(super) fn wrote<'u>(&self, users: impl Iterator<Item = &'u str>, now: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= CROWD {
            last.retain(|_, time| now.saturating_duration_since(*time) <= STALE);
        }
        for user in users {
            last.insert(user.to_owned(), now);
        }
    }

    /// Whether a copy may lack what that user wrote.
    pub(super) fn lately(&self, user: &str, now: Instant) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(user)
            .is_some_and(|time| now.saturating_duration_since(*time) <= STALE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wrote_reads_from_the_primary_for_as_long_as_a_copy_may_be_behind() {
        let writers = Writers::default();
        let now = Instant::now();
        writers.wrote(["ann"].into_iter(), now);
        assert!(writers.lately("ann", now + STALE));
        assert!(!writers.lately("ann", now + STALE + Duration::from_secs(1)));
        assert!(!writers.lately("bob", now));
    }

    #[test]
    fn who_wrote_long_ago_is_forgotten_when_many_write() {
        let writers = Writers::default();
        let now = Instant::now();
        let names: Vec<String> = (0..CROWD).map(|number| number.to_string()).collect();
        writers.wrote(names.iter().map(String::as_str), now);
        let later = now + STALE * 2;
        writers.wrote(["ann"].into_iter(), later);
        assert_eq!(writers.last.lock().unwrap().len(), 1);
    }
}
