//! Host keys: a host that does not prove the pinned one gets nothing, and learning a key sends nothing either.

use geodeploy::error::ErrorKind;
use geodeploy::host::{Destination, OpenSsh, Transport, learn};

use crate::sshd::{Login, Sshd, generate, public_key};

/// What only a login or a command leaves in the server's log.
///
/// Packets of type 5 and 50 are SSH_MSG_SERVICE_REQUEST and SSH_MSG_USERAUTH_REQUEST (RFC 4250 section 4.1.2).
const TRACES: [&str; 5] = [
    "receive packet: type 5 ",
    "receive packet: type 50 ",
    "userauth-request",
    "request exec",
    "Starting session",
];

/// What a client leaves that has gone before it logged in.
const GONE: &str = "[preauth]";

/// The part of the log that an attempt adds; the attempt is known to be over.
async fn refused(sshd: &Sshd, destination: &Destination) -> String {
    let folder = tempfile::tempdir().unwrap();
    let start = sshd.log().len();
    let Err(error) = OpenSsh::connect(destination, folder.path(), true).await else {
        panic!("connected to a host that did not prove its key");
    };
    assert_eq!(error.kind, ErrorKind::LoginRefused, "{error}");
    assert_eq!(error.exit_code(), 77);
    assert!(error.to_string().contains("nothing was sent"), "{error}");
    sshd.log_after(start, GONE)
}

fn assert_nothing_was_sent(log: &str) {
    assert!(log.contains("SSH2_MSG_KEXINIT received"), "{log}");
    for trace in TRACES {
        assert!(!log.contains(trace), "{trace}:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_and_its_command_leave_the_traces_that_a_refusal_must_not() {
    let Some(sshd) = Sshd::start() else { return };
    let transport = crate::openssh(&sshd, Login::Quiet).await;
    let (out, _) = transport
        .exec("echo hello", Vec::new())
        .await
        .unwrap()
        .finish()
        .await
        .unwrap();
    assert_eq!(out, "hello\n");
    let log = sshd.log_after(0, "Starting session");
    for trace in TRACES {
        assert!(log.contains(trace), "{trace}:\n{log}");
    }
    transport.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_host_key_stops_everything_before_a_credential_or_a_command() {
    let Some(sshd) = Sshd::start() else { return };
    generate(&sshd.path("other"));
    let destination = Destination {
        host_keys: vec![public_key(&sshd.path("other"))],
        ..sshd.destination(Login::Quiet)
    };
    assert_nothing_was_sent(&refused(&sshd, &destination).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_of_a_kind_that_is_not_pinned_stops_everything_too() {
    let Some(sshd) = Sshd::start() else { return };
    let pinned = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=";
    let destination = Destination {
        host_keys: vec![pinned.to_owned()],
        ..sshd.destination(Login::Quiet)
    };
    assert_nothing_was_sent(&refused(&sshd, &destination).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_pinned_key_nobody_is_even_called() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let destination = Destination {
        host_keys: Vec::new(),
        ..sshd.destination(Login::Quiet)
    };
    let before = sshd.log().matches("Connection from").count();
    let Err(error) = OpenSsh::connect(&destination, folder.path(), true).await else {
        panic!("connected without a pinned key");
    };
    assert_eq!(error.exit_code(), 77, "{error}");
    assert!(error.hints[0].contains("geodeploy trust test"), "{error:?}");
    assert_eq!(sshd.log().matches("Connection from").count(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_told_apart_from_a_wrong_host_key() {
    let Some(sshd) = Sshd::start() else { return };
    generate(&sshd.path("stranger"));
    let folder = tempfile::tempdir().unwrap();
    let destination = Destination {
        identity: Some(sshd.path("stranger")),
        ..sshd.destination(Login::Quiet)
    };
    let Err(error) = OpenSsh::connect(&destination, folder.path(), true).await else {
        panic!("a stranger was let in");
    };
    assert_eq!(error.exit_code(), 77, "{error}");
    assert!(error.what.contains("cannot log in"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_is_learned_without_any_login() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = tempfile::Builder::new()
        .prefix("a folder with spaces ")
        .tempdir()
        .unwrap();
    let destination = Destination {
        host_keys: Vec::new(),
        ..sshd.destination(Login::Quiet)
    };
    let start = sshd.log().len();
    let learned = learn(&destination, folder.path()).await.unwrap();
    let keys: Vec<&str> = learned.iter().map(|learned| &*learned.key).collect();
    assert_eq!(keys, [sshd.host_key()]);
    assert_nothing_was_sent(&sshd.log_after(start, GONE));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_no_key_is_learned_and_the_host_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let destination = Destination {
        region: "test".to_owned(),
        host: "127.0.0.1".to_owned(),
        user: None,
        port: Some(port),
        identity: None,
        host_keys: Vec::new(),
        jumps: Vec::new(),
        timeout: std::time::Duration::from_secs(5),
    };
    let error = learn(&destination, folder.path()).await.unwrap_err();
    assert_eq!(error.exit_code(), 4, "{error}");
}
