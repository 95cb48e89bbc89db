//! A login that is not root.

use super::Test;
use super::fixture::Twins;
use super::operator::copy;

pub(crate) const TESTS: &[Test] = &[(
    "a login with passwordless sudo finds nothing to change and can change",
    a_login_with_passwordless_sudo_finds_nothing_to_change_and_can_change,
)];

fn a_login_with_passwordless_sudo_finds_nothing_to_change_and_can_change(twins: &Twins) {
    let _near = twins.near("cn");
    let inventory = copy(&twins.operator.inventory, "admin.toml", |text| {
        text.replace("user = \"root\"", "user = \"admin\"")
    });
    let operator = twins.operator.with(inventory);
    assert_eq!(operator.provision("cn"), 0);
    twins.shell("cn", "chmod 777 /opt/geodeploy/releases");
    assert_eq!(operator.provision("cn"), 1);
    // A firewall change needs the address that the operator comes from, which sudo would hide.
    let text = std::fs::read_to_string(&operator.inventory).unwrap();
    assert!(text.contains("user = \"admin\""));
    assert_eq!(operator.plan("cn"), Vec::<String>::new());
}
