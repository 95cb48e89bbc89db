//! A second run changes nothing.

use serde_json::json;

use super::Test;
use super::fixture::Twins;
use super::units::starts;

pub(crate) const TESTS: &[Test] = &[(
    "a second provision of both changes and restarts nothing",
    a_second_provision_of_both_changes_and_restarts_nothing,
)];

fn a_second_provision_of_both_changes_and_restarts_nothing(twins: &Twins) {
    let regions = ["us", "cn"];
    let before = regions.map(|region| starts(twins, region));
    let ran = twins.operator.run(&["provision", "--json"]).expect(0);
    let nothing = |region| json!({ "region": region, "changed": 0, "restarted": [] });
    assert_eq!(
        ran.document("provisioned"),
        json!(regions.map(nothing)),
        "{ran}"
    );
    let ran = twins.operator.run(&["plan", "--json"]).expect(0);
    for (plan, region) in ran
        .document("plans")
        .as_array()
        .unwrap()
        .iter()
        .zip(regions)
    {
        assert_eq!(plan["target"], region, "{ran}");
        assert_eq!(plan["changes"], json!([]), "{ran}");
        assert!(plan["resources"].as_u64().unwrap() > 25, "{ran}");
    }
    assert_eq!(before, regions.map(|region| starts(twins, region)));
}
