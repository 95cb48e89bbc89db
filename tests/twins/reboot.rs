//! A host that lost its power comes back without anybody's help.

use std::time::Duration;

use super::Test;
use super::fixture::Twins;
use super::probe::wait_healthy;

pub(crate) const TESTS: &[Test] = &[(
    "a host that lost its power serves again by itself",
    a_host_that_lost_its_power_serves_again_by_itself,
)];

fn a_host_that_lost_its_power_serves_again_by_itself(twins: &Twins) {
    for region in ["us", "cn"] {
        let twin = twins.twin(region);
        let serving = twins.operator.status(region)["current"].clone();
        twin.power_off().unwrap();
        twin.boot().unwrap();
        for address in twins.addresses(region, 80) {
            let took = wait_healthy(address, region, Duration::from_secs(60));
            eprintln!(
                "{region}: healthy {:.1} s after its power came back",
                took.as_secs_f64()
            );
        }
        assert_eq!(twins.operator.status(region)["current"], serving);
        assert_eq!(twins.operator.plan(region), Vec::<String>::new());
    }
}
