//! The agent over every transport: sent once, then found; a change made and seen; nothing stored that did not arrive whole.

use std::path::{Path, PathBuf};

use geodeploy::agent::message::{Event, Operation, Outcome};
use geodeploy::error::ErrorKind;
use geodeploy::host::{Caller, HostBinary, Reply, Session, Transports};
use geodeploy::plan::Change;
use geodeploy::resource::{Content, File, Ownership, Resource};
use geodeploy::secrets::Secret;

use crate::sshd::{Login, Sshd, group, user};
use crate::{local, openssh};

pub(crate) fn caller(binary: HostBinary) -> Caller {
    Caller {
        operator: "ada@laptop".to_owned(),
        key: Secret::new("the project's key".to_owned()),
        binary,
    }
}

pub(crate) fn host_binary(cache: &Path) -> HostBinary {
    let path = Path::new(env!("CARGO_BIN_EXE_geodeploy-host"));
    HostBinary::find(Some(path), cache).unwrap()
}

fn file(path: PathBuf) -> Resource {
    Resource::File(File {
        path,
        content: Some(Content::Plain("hello\n".to_owned())),
        ownership: Ownership {
            mode: 0o640,
            owner: user(),
            group: group(),
        },
        notifies: Vec::new(),
    })
}

/// Sends an operation and gives its events, the outcome apart.
pub(crate) async fn request(session: &Session, operation: Operation) -> (Vec<Event>, Outcome) {
    let mut events = Vec::new();
    let reply = session
        .request(operation, &[], |event| events.push(event))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    match reply {
        Reply::Finished(outcome) => (events, outcome),
        Reply::Lost(seen) => panic!("lost after {seen} events"),
    }
}

fn sent(events: &[Event]) -> bool {
    let is = |event: &Event| matches!(event, Event::Note { text } if text == "sending the agent");
    events.iter().any(is)
}

async fn inspect(session: &Session, resource: &Resource) -> (bool, Vec<Change>) {
    let resources = vec![resource.clone()];
    let (mut events, outcome) = request(
        session,
        Operation::Inspect {
            resources,
            requirements: Vec::new(),
        },
    )
    .await;
    assert!(matches!(outcome, Outcome::Converged { .. }), "{outcome:?}");
    let sent = sent(&events);
    match events.pop() {
        Some(Event::Inspected { changes, .. }) => (sent, changes),
        other => panic!("{other:?}"),
    }
}

async fn apply(session: &Session, run: &str, resource: &Resource, changes: &[Change]) -> Outcome {
    let operation = Operation::Apply {
        run: run.to_owned(),
        resources: vec![resource.clone()],
        requirements: Vec::new(),
        changes: changes.to_vec(),
        confirm_within: 30,
    };
    request(session, operation).await.1
}

/// The whole of a run, from a host without an agent; `root` is what the host takes for `/`.
async fn sends_the_agent_once_and_makes_a_change(transport: Transports, root: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let binary = host_binary(folder.path());
    let agent = root.join(format!("opt/geodeploy/agents/{}", binary.digest));
    let session = Session::new("test", transport, caller(binary));
    let resource = file(folder.path().join("managed"));
    assert!(!agent.exists());
    let (sent, changes) = inspect(&session, &resource).await;
    assert!(sent && changes.len() == 1, "{changes:?}");
    let skew = session.skew().unwrap();
    assert!(skew.within(60_000) && !skew.exceeds(0), "{skew:?}");
    let names: Vec<_> = std::fs::read_dir(&agent).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");

    let outcome = apply(&session, "first", &resource, &changes).await;
    assert!(
        matches!(outcome, Outcome::Converged { changed: 1, .. }),
        "{outcome:?}"
    );
    let text = std::fs::read_to_string(folder.path().join("managed")).unwrap();
    assert_eq!(text, "hello\n");
    assert_eq!(inspect(&session, &resource).await, (false, Vec::new()));

    // The same consent again: what it was given for is not there any more.
    std::fs::write(folder.path().join("managed"), "foreign\n").unwrap();
    let outcome = apply(&session, "second", &resource, &changes).await;
    assert!(matches!(outcome, Outcome::Stale { .. }), "{outcome:?}");

    let state = root.join("var/lib/geodeploy/runs");
    assert!(state.join("first/journal.jsonl").exists());
    assert!(state.join("second/journal.jsonl").exists());
    let requests = std::fs::read_dir(root.join("run/geodeploy/runs")).unwrap();
    assert_eq!(
        requests.count(),
        0,
        "requests hold secrets and end with their run"
    );
    session.close().await;
}

/// A digest that the bytes do not have is refused, and nothing of them stays.
async fn refuses_an_agent_with_another_digest(transport: Transports, root: &Path) {
    let digest = "0".repeat(64);
    let binary = HostBinary {
        path: std::fs::canonicalize("/bin/sh").unwrap(),
        digest: digest.clone(),
    };
    let session = Session::new("test", transport, caller(binary));
    let operation = Operation::Inspect {
        resources: Vec::new(),
        requirements: Vec::new(),
    };
    let error = session.request(operation, &[], drop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(
        error.to_string().contains("did not arrive whole"),
        "{error}"
    );
    let folder = root.join("opt/geodeploy/agents").join(digest);
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn local_sends_the_agent_once_and_makes_a_change() {
    let root = tempfile::tempdir().unwrap();
    sends_the_agent_once_and_makes_a_change(local(root.path()), root.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_sends_the_agent_once_and_makes_a_change() {
    let Some(sshd) = Sshd::start() else { return };
    let transport = openssh(&sshd, Login::Quiet).await;
    sends_the_agent_once_and_makes_a_change(transport, &sshd.root()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_that_greets_changes_nothing_of_it() {
    let Some(sshd) = Sshd::start() else { return };
    let transport = openssh(&sshd, Login::Noisy).await;
    sends_the_agent_once_and_makes_a_change(transport, &sshd.root()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn local_refuses_an_agent_with_another_digest() {
    let root = tempfile::tempdir().unwrap();
    refuses_an_agent_with_another_digest(local(root.path()), root.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_refuses_an_agent_with_another_digest() {
    let Some(sshd) = Sshd::start() else { return };
    let transport = openssh(&sshd, Login::Quiet).await;
    refuses_an_agent_with_another_digest(transport, &sshd.root()).await;
}
