//! What every provider of DNS has to keep to, whatever service is behind it. A target of its own takes this file by
//! `#[path = "../dns/suite/mod.rs"]`, implements [`Backend`] and has all tests by `every_test!(ItsBackend)`.

pub(crate) mod changes;
pub(crate) mod contended;
mod operator;
pub(crate) mod rollback;

use std::future::Future;

use geodeploy::dns::Provider;

pub(crate) use operator::{Operator, us, wanted};

/// A service in a test, and what a test does to it behind the provider's back.
pub(crate) trait Backend: Sized {
    /// What speaks to it.
    type Provider: Provider;

    /// An empty zone `yourapp.com`.
    async fn start() -> Self;

    /// A provider that speaks to it, as one process of the operator's would have it.
    fn provider(&self) -> Self::Provider;

    /// Puts that many foreign objects of several types in the zone, none of them in the way.
    async fn seed_foreign(&self, count: usize);

    /// Puts a foreign A record `us.yourapp.com` with the value 192.0.2.99 in the zone and returns its handle.
    async fn seed_conflict(&self) -> String;

    /// Changes the value of the A record `us.yourapp.com` to 192.0.2.77, as somebody would in the provider's console; whose
    /// it is stays.
    async fn meddle(&self);

    /// What [`Backend::seed_foreign`] put there, as it is now, byte for byte.
    async fn foreign(&self) -> String;

    /// Everything that there is, without what a mere look changes.
    async fn dump(&self) -> String;

    /// How many calls arrived that could have written something.
    fn mutations(&self) -> usize;

    /// Ends when the `call`-th call from now on, reads too, has arrived, counted from 1. That call is carried out or not,
    /// but never answered; those after it are as ever.
    fn death(&self, call: usize, carried_out: bool) -> impl Future<Output = ()>;

    /// What must hold at every moment of a run: no name without an answer, no reference to what is missing.
    async fn assert_invariants(&self) {}

    /// What must be in no plan and no snapshot.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A test for each thing that a provider has to keep to, with that backend.
macro_rules! every_test {
    ($backend:ty) => {
        crate::suite::every_test! { $backend;
            changes::a_plan_sends_no_call_that_could_write,
            changes::a_second_sync_changes_nothing_and_sends_no_call_that_could_write,
            changes::fifty_foreign_objects_stay_byte_for_byte,
            changes::what_is_ours_goes_only_when_it_is_named,
            changes::a_foreign_record_in_the_way_stops_with_its_id_until_it_is_adopted_by_name,
            contended::a_run_killed_at_any_call_is_made_good_by_the_next,
            contended::a_zone_that_somebody_holds_is_refused_with_the_holder_until_the_lock_lapses,
            contended::of_two_syncs_at_once_one_wins,
            changes::a_zone_that_moved_since_the_plan_was_shown_is_left_alone,
            rollback::rollback_restores_what_there_was_and_gives_back_what_was_adopted,
            rollback::rollback_refuses_and_names_what_somebody_else_has_changed,
            changes::a_drift_is_seen_and_mended,
        }
    };
    ($backend:ty; $($module:ident::$test:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                crate::suite::$module::$test::<$backend>().await;
            }
        )*
    };
}

pub(crate) use every_test;
