//! Deploying, going back and starting anew, with somebody watching.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::Test;
use super::fixture::Twins;
use super::probe::Probe;
use super::stream::Chat;

pub(crate) const TESTS: &[Test] = &[
    (
        "a deploy cuts no stream and fails no request and rollback and restart need no version",
        a_deploy_cuts_no_stream_and_fails_no_request_and_rollback_and_restart_need_no_version,
    ),
    (
        "a server that dies at start is told with its last lines and the old one serves",
        a_server_that_dies_at_start_is_told_with_its_last_lines_and_the_old_one_serves,
    ),
];

/// A program that is another release: what follows an ELF file's sections is not read.
fn one_line_changed(twins: &Twins) -> PathBuf {
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_geodeploy-host")).unwrap();
    bytes.extend_from_slice(b"\none line changed\n");
    program(twins, "changed", &bytes)
}

fn program(twins: &Twins, name: &str, bytes: &[u8]) -> PathBuf {
    let path = twins.operator.home.join(name);
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The generation that serves: its number and its release.
fn serving(twins: &Twins, region: &str) -> (u64, String) {
    let current = twins.operator.status(region)["current"]
        .as_str()
        .unwrap()
        .to_owned();
    let (number, release) = current.split_once('-').unwrap();
    (number.parse().unwrap(), release.to_owned())
}

fn a_deploy_cuts_no_stream_and_fails_no_request_and_rollback_and_restart_need_no_version(
    twins: &Twins,
) {
    let address = twins.addresses("us", 80)[0];
    let token = twins.operator.token("watcher");
    let (number, old) = serving(twins, "us");
    let probe = Probe::start(address, "us");
    let chat = Chat::start(address, "us", &token, 150, Duration::from_millis(200));
    let binary = one_line_changed(twins);
    let ran = twins
        .operator
        .run(&[
            "deploy",
            "us",
            "--json",
            "--binary",
            binary.to_str().unwrap(),
        ])
        .expect(0);
    assert_eq!(ran.document("switched")[0]["switched"], true, "{ran}");
    assert!(
        !chat.is_over(),
        "the chat was too short to be there at the switch"
    );
    let (next, new) = serving(twins, "us");
    assert_eq!(next, number + 1);
    assert_ne!(new, old);
    chat.whole();

    let again = twins
        .operator
        .run(&[
            "deploy",
            "us",
            "--json",
            "--binary",
            binary.to_str().unwrap(),
        ])
        .expect(0);
    assert_eq!(again.document("switched")[0]["switched"], false, "{again}");

    twins.operator.run(&["rollback", "us"]).expect(0);
    assert_eq!(serving(twins, "us"), (next + 1, old.clone()));

    let chat = Chat::start(address, "us", &token, 100, Duration::from_millis(200));
    twins.operator.run(&["restart", "us"]).expect(0);
    assert_eq!(serving(twins, "us"), (next + 2, old));
    assert!(
        !chat.is_over(),
        "the chat was too short to be there at the restart"
    );
    chat.whole();
    probe.never_failed(30);
    assert_eq!(twins.operator.plan("us"), Vec::<String>::new());
}

fn a_server_that_dies_at_start_is_told_with_its_last_lines_and_the_old_one_serves(twins: &Twins) {
    let binary = program(
        twins,
        "dying",
        b"#!/bin/sh\necho 'cannot find the moon' >&2\nexit 1\n",
    );
    let before = serving(twins, "us");
    let probe = Probe::start(twins.addresses("us", 80)[0], "us");
    let ran = twins
        .operator
        .run(&["deploy", "us", "--binary", binary.to_str().unwrap()])
        .expect(3);
    ran.says(&[
        "rolled back",
        "cannot find the moon",
        "the old release serves as before",
    ]);
    probe.never_failed(3);
    assert_eq!(serving(twins, "us"), before);
    let left = twins.shell(
        "us",
        "systemctl list-units --all --plain --no-legend 'yourapp@*'",
    );
    assert_eq!(left.lines().count(), 1, "{left}");
    // A failure in the first region leaves the second alone.
    let cn = serving(twins, "cn");
    let ran = twins
        .operator
        .run(&["deploy", "--binary", binary.to_str().unwrap()]);
    assert!([1, 3].contains(&ran.code), "{ran}");
    ran.says(&["cn: untouched"]);
    assert_eq!((serving(twins, "us"), serving(twins, "cn")), (before, cn));
}
