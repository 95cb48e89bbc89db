//! A connection that is cut.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use geodeploy::agent::message::{Event, MARK, Operation};
use geodeploy::error::{Error, ErrorKind};
use geodeploy::host::{HostBinary, OpenSsh, Reply, Session, Transport, Transports};
use geodeploy::rehearse::Shape;
use geodeploy::rehearse::relay::Relay;

use crate::agents::caller;
use crate::local;
use crate::sshd::{Login, Sshd};

/// Puts a program in the agent's place and gives the binary under whose digest it is found.
fn stand_in(root: &Path, script: &str) -> HostBinary {
    let digest = "1".repeat(64);
    let folder = root.join("opt/geodeploy/agents").join(&digest);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("geodeploy");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    HostBinary { path, digest }
}

fn says_one_thing_and_then(end: &str) -> String {
    format!("echo '{MARK}'; echo '{{\"event\":\"note\",\"text\":\"begun\"}}'; {end}")
}

async fn request(session: &Session, on_event: impl FnMut(Event)) -> Result<Reply, Error> {
    let operation = Operation::Attach {
        run: "any".to_owned(),
        seen: 0,
    };
    let request = session.request(operation, &[], on_event);
    let ended = tokio::time::timeout(Duration::from_secs(20), request).await;
    ended.expect("a lost connection is noticed")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_in_the_middle_is_told_apart_from_an_end() {
    let root = tempfile::tempdir().unwrap();
    let binary = stand_in(root.path(), &says_one_thing_and_then("kill -9 $$"));
    let session = Session::new("test", local(root.path()), caller(binary));
    assert_eq!(request(&session, drop).await.unwrap(), Reply::Lost(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_before_its_first_word_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let binary = stand_in(root.path(), "kill -9 $$");
    let session = Session::new("test", local(root.path()), caller(binary));
    let error = request(&session, drop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.what.contains("exit status 137"), "{error}");
}

/// A session through a relay that can be cut; the agent waits after its first event.
async fn through_a_relay(sshd: &Sshd) -> (Session, Relay) {
    let relay = Relay::start(sshd.address, Shape::default()).await.unwrap();
    let mut destination = sshd.destination(Login::Quiet);
    destination.port = Some(relay.address().port());
    let folder = sshd.path("c");
    std::fs::create_dir_all(&folder).unwrap();
    let connected = OpenSsh::connect(&destination, &folder, true).await.unwrap();
    let binary = stand_in(&sshd.root(), &says_one_thing_and_then("sleep 5"));
    let session = Session::new("test", Transports::OpenSsh(connected), caller(binary));
    (session, relay)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_during_a_request_loses_the_reply_and_says_how_much_was_seen() {
    let Some(sshd) = Sshd::start() else { return };
    let (session, relay) = through_a_relay(&sshd).await;
    let mut events = Vec::new();
    let reply = request(&session, |event| {
        events.push(event);
        relay.cut();
    })
    .await;
    assert_eq!(reply.unwrap(), Reply::Lost(1));
    assert_eq!(events.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_a_line_that_is_cut_already_is_a_clear_error() {
    let Some(sshd) = Sshd::start() else { return };
    let (session, relay) = through_a_relay(&sshd).await;
    relay.cut();
    // The master notices the end of its connection in a moment of its own.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let error = request(&session, drop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.what.contains("the connection was lost"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_line_is_cut_has_no_status() {
    let Some(sshd) = Sshd::start() else { return };
    let relay = Relay::start(sshd.address, Shape::default()).await.unwrap();
    let mut destination = sshd.destination(Login::Quiet);
    destination.port = Some(relay.address().port());
    let connected = OpenSsh::connect(&destination, sshd.root().as_path(), true)
        .await
        .unwrap();
    let channel = connected.exec("sleep 5", Vec::new()).await.unwrap();
    relay.cut();
    let (_, end) = channel.finish().await.unwrap();
    assert_eq!(end.status, None);
}
