//! How often the link is crossed. Counted by the switch, frame by frame, not timed: a busy machine changes nothing.

use std::time::Duration;

use super::Test;
use super::fixture::Twins;
use super::looks::Looks;

pub(crate) const TESTS: &[Test] = &[
    (
        "a provision that changes nothing over a live connection takes at most four round trips",
        a_provision_that_changes_nothing_over_a_live_connection_takes_at_most_four_round_trips,
    ),
    (
        "forty resources cost at most one round trip more than four",
        forty_resources_cost_at_most_one_round_trip_more_than_four,
    ),
];

/// The fewest round trips of a few attempts: what else crosses the link, as ssh's signs of life, only adds to them.
fn fewest(twins: &Twins, attempt: impl Fn()) -> f64 {
    let one = || {
        // What an earlier attempt left in flight arrives first.
        std::thread::sleep(Duration::from_millis(700));
        twins.lab.reset_counters().unwrap();
        attempt();
        twins.round_trips()
    };
    (0..4).map(|_| one()).fold(f64::INFINITY, f64::min)
}

fn a_provision_that_changes_nothing_over_a_live_connection_takes_at_most_four_round_trips(
    twins: &Twins,
) {
    let provision = || {
        twins
            .operator
            .run(&["provision"])
            .expect(0)
            .prints(&["us: nothing to change", "cn: nothing to change"]);
    };
    provision();
    let live = fewest(twins, provision);
    eprintln!("a provision that changes nothing: {live} round trips");
    assert!((1.0..=4.0).contains(&live), "{live}");
}

fn forty_resources_cost_at_most_one_round_trip_more_than_four(twins: &Twins) {
    let looks = Looks::connect(twins, "us", 40);
    looks.look(40);
    let [four, forty] = [4, 40].map(|count| {
        fewest(twins, || {
            looks.look(count);
        })
    });
    looks.close();
    eprintln!("4 resources: {four} round trips, 40 resources: {forty}");
    assert!(four >= 1.0, "{four}");
    assert!(forty <= four + 1.0, "{forty} instead of {four}");
}
