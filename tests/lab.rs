//! Twins boot, are reached over their links, keep what they should and leave nothing behind.

#[path = "common/lab.rs"]
mod common;

use common::{spec, ssh, up};

#[test]
fn two_twins_boot_and_take_the_operators_key() {
    let Some(held) = up("two_twins_boot", || spec("boot", 0, None)) else { return };
    let lab = &held.lab;
    for twin in lab.twins() {
        assert_eq!(twin.system_state().unwrap(), "running");
        let output = ssh(lab, twin, "root", "hostname");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), twin.name, "{output:?}");
        let output = ssh(lab, twin, "admin", "sudo -n id -u");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0", "{output:?}");
    }
    assert_ne!(lab.twin("us").unwrap().host_key().unwrap(), lab.twin("cn").unwrap().host_key().unwrap());
}
