//! A saved plan is carried out as it was shown, or not at all.

use super::Test;
use super::fixture::Twins;

pub(crate) const TESTS: &[Test] = &[(
    "a saved plan is refused when what it touches moved and only then",
    a_saved_plan_is_refused_when_what_it_touches_moved_and_only_then,
)];

const PROXY: &str = "/etc/apt/apt.conf.d/90geodeploy-proxy";

fn a_saved_plan_is_refused_when_what_it_touches_moved_and_only_then(twins: &Twins) {
    let _near = twins.near("us");
    let operator = &twins.operator;
    let plan = operator.home.join("plan.json");
    let plan = plan.to_str().unwrap();
    let carry_out = || operator.run(&["provision", "us", "--json", "--plan", plan]);
    let save = || operator.run(&["plan", "us", "--out", plan]).expect(2);

    twins.shell("us", &format!("chmod 600 {PROXY}"));
    save();
    let text = std::fs::read_to_string(plan).unwrap();
    assert!(
        !text.contains("made up for the tests"),
        "a secret is in the plan"
    );
    twins.shell("us", &format!("echo '# mine' >> {PROXY}"));
    let refused = carry_out().expect(5);
    refused.says(&[&format!("file {PROXY}"), "moved since the plan"]);
    let found = twins.shell("us", &format!("stat -c %a {PROXY}; tail -n 1 {PROXY}"));
    assert_eq!(found, "600\n# mine");

    save();
    twins.shell("us", "chmod 777 /opt/geodeploy/releases");
    let done = carry_out().expect(0);
    assert_eq!(done.document("provisioned")[0]["changed"], 1, "{done}");
    assert_eq!(operator.plan("us"), ["directory /opt/geodeploy/releases"]);
    // What is as desired by now has not moved away from the plan.
    carry_out().expect(0);
    assert_eq!(operator.provision("us"), 1);
    assert_eq!(operator.plan("us"), Vec::<String>::new());
}
