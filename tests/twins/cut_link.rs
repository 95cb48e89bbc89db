//! A run does not need its operator.

use std::time::Duration;

use super::Test;
use super::fixture::Twins;

pub(crate) const TESTS: &[Test] = &[
    (
        "a link that is cut for three seconds delays a run and changes nothing else",
        |twins| {
            disturbed(
                twins,
                "cn",
                |twins, _| {
                    let link = twins.lab.link("operator", "cn");
                    link.cut().unwrap();
                    std::thread::sleep(Duration::from_secs(3));
                    link.restore().unwrap();
                },
                &[0],
            );
        },
    ),
    (
        "a lost connection is made anew and the run followed to its end",
        |twins| {
            disturbed(
                twins,
                "cn",
                |twins, _| {
                    twins.shell("cn", "pkill -f '^sshd: root'");
                },
                &[0],
            );
        },
    ),
    (
        "an operator who is killed leaves a run that the next call follows to its end",
        |twins| {
            disturbed(twins, "cn", |_, child| child.kill().unwrap(), &[-1]);
        },
    ),
];

/// Disturbs the installation of a package, which is made to take some seconds; then everything must be as desired.
fn disturbed(
    twins: &Twins,
    region: &str,
    disturb: impl Fn(&Twins, &mut std::process::Child),
    codes: &[i32],
) {
    let slow = "/etc/apt/apt.conf.d/99slow";
    twins.shell(
        region,
        &format!("dpkg --purge tree; echo 'DPkg::Pre-Invoke {{ \"sleep 4\"; }};' > {slow}"),
    );
    let mut disturbed = false;
    let ran = twins
        .operator
        .watch(&["provision", region, "--json"], |line, child| {
            if !disturbed && line.contains("apt-get install tree") {
                disturbed = true;
                disturb(twins, child);
            }
        });
    assert!(disturbed, "{ran}");
    assert!(codes.contains(&ran.code), "{ran}");
    if ran.code == 0 {
        assert_eq!(ran.document("provisioned")[0]["changed"], 1, "{ran}");
    }
    let again = twins.operator.run(&["provision", region]).expect(0);
    if ran.code != 0 {
        again.says(&["is still under way; following it"]);
    }
    twins.shell(region, &format!("command -v tree; rm {slow}"));
    assert_eq!(twins.operator.plan(region), Vec::<String>::new());
    assert_eq!(
        twins.operator.status(region)["busy"],
        serde_json::Value::Null
    );
    let left = twins.shell(
        region,
        "systemctl list-units --plain --no-legend 'geodeploy-run-*'",
    );
    assert_eq!(left, "");
}
