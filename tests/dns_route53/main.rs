//! Route 53: what every provider keeps to, and what is its own, on moto behind a service that is as strict as Route 53.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

mod backend;
mod moto;
mod refused;
mod service;
mod signed;
mod strict;
#[path = "../dns/suite/mod.rs"]
#[expect(
    unused_macros,
    unused_imports,
    reason = "each test is skipped loudly where there is no moto"
)]
mod suite;
mod written;
mod xml;

use backend::Moto;

/// Every test of the suite, skipped loudly where there is no moto.
macro_rules! suite_tests {
    ($($module:ident::$test:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                if !moto::is_missing(stringify!($test)) {
                    suite::$module::$test::<Moto>().await;
                }
            }
        )*
    };
}

suite_tests! {
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
