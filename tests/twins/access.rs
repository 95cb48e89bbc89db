//! A host that cannot prove who it is gets nothing.

use std::path::PathBuf;

use geodeploy::inventory::HostKey;

use super::Test;
use super::fixture::Twins;
use super::operator::{Operator, copy};

pub(crate) const TESTS: &[Test] = &[
    (
        "a changed host key stops everything until it is pinned",
        a_changed_host_key_stops_everything_until_it_is_pinned,
    ),
    (
        "an unpinned host is not connected to until its key is pinned",
        an_unpinned_host_is_not_connected_to_until_its_key_is_pinned,
    ),
];

/// How many logins sshd has let in.
fn logins(twins: &Twins) -> usize {
    let log = twins.shell(
        "us",
        "journalctl --no-pager --output=cat --unit=ssh.service",
    );
    log.lines()
        .filter(|line| line.starts_with("Accepted") || line.contains("session opened"))
        .count()
}

fn fingerprint(twins: &Twins) -> String {
    let key: HostKey = twins.twin("us").host_key().unwrap().parse().unwrap();
    key.fingerprint().to_string()
}

fn copied(twins: &Twins, name: &str, from: &str, to: &str) -> (Operator, PathBuf) {
    let path = copy(&twins.operator.inventory, name, |text| {
        text.replace(from, to)
    });
    (twins.operator.with(path.clone()), path)
}

/// Nothing reaches the host; then the right fingerprint, and no other, is pinned and it works again.
fn refused_until_trusted(twins: &Twins, operator: &Operator, inventory: &PathBuf, says: &str) {
    operator.hang_up();
    let before = logins(twins);
    for verb in ["plan", "provision", "deploy", "status"] {
        let ran = operator.run(&[verb, "us"]).expect(77);
        ran.says(&[says, "geodeploy trust us"]);
    }
    assert_eq!(logins(twins), before);
    let text = std::fs::read_to_string(inventory).unwrap();

    operator.run(&["trust", "us"]).expect(64);
    let other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    operator
        .run(&["trust", "us", "--fingerprint", other])
        .expect(77);
    assert_eq!(logins(twins), before);
    assert_eq!(std::fs::read_to_string(inventory).unwrap(), text);

    operator
        .run(&["trust", "us", "--fingerprint", &fingerprint(twins)])
        .expect(0);
    let pinned = std::fs::read_to_string(inventory).unwrap();
    assert!(
        pinned.contains(&twins.twin("us").host_key().unwrap()),
        "{pinned}"
    );
    assert_eq!(operator.plan("us"), Vec::<String>::new());
    assert!(logins(twins) > before);
}

const KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// Another host key, until it goes.
struct OtherKey<'t>(&'t Twins);

impl<'t> OtherKey<'t> {
    fn of(twins: &'t Twins) -> Self {
        let script = format!(
            "cp -p {KEY} /root/key; cp -p {KEY}.pub /root/key.pub; rm {KEY}; \
             ssh-keygen -q -t ed25519 -N '' -f {KEY}; systemctl restart ssh"
        );
        twins.shell("us", &script);
        Self(twins)
    }
}

impl Drop for OtherKey<'_> {
    fn drop(&mut self) {
        let script =
            format!("mv /root/key {KEY}; mv /root/key.pub {KEY}.pub; systemctl restart ssh");
        self.0.shell("us", &script);
        self.0.operator.hang_up();
    }
}

fn a_changed_host_key_stops_everything_until_it_is_pinned(twins: &Twins) {
    let _near = twins.near("us");
    let (operator, inventory) = copied(
        twins,
        "changed-key.toml",
        "version = 1\n",
        "version = 1\n\n",
    );
    let other = OtherKey::of(twins);
    refused_until_trusted(twins, &operator, &inventory, "is not the pinned one");
    drop(other);
    assert_eq!(twins.operator.plan("us"), Vec::<String>::new());
}

fn an_unpinned_host_is_not_connected_to_until_its_key_is_pinned(twins: &Twins) {
    let _near = twins.near("us");
    let pin = format!("host_key = \"{}\"\n", twins.twin("us").host_key().unwrap());
    let (operator, inventory) = copied(twins, "unpinned.toml", &pin, "");
    refused_until_trusted(twins, &operator, &inventory, "no host key is pinned");
}
