//! Data that is not this project's, as an agent meets it on a real server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use geodeploy::agent::message::{self, Event, MARK, Operation, Outcome, PROTOCOL, Request, Unmet};
use geodeploy::plan::Change;
use geodeploy::resource::{Content, File, OwnData, Ownership, Requirement, Resource};
use geodeploy::secrets::Secret;

use crate::supervised::Host;

/// Asks an agent whose own files lie below `root`.
fn ask(root: &Path, operation: Operation) -> Vec<Event> {
    let request = Request {
        protocol: PROTOCOL,
        key: Secret::new("key".to_owned()),
        operator: "ada@laptop".to_owned(),
        sent: 0,
        operation,
    };
    #[expect(clippy::disallowed_methods, reason = "the test's own program")]
    let mut agent = Command::new(env!("CARGO_BIN_EXE_geodeploy-host"))
        .arg("agent")
        .env("GEODEPLOY_ROOT", root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let frame = message::encode(&request).unwrap();
    agent.stdin.take().unwrap().write_all(&frame).unwrap();
    let output = agent.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, events) = text.split_once(MARK).unwrap();
    let events = events.lines().skip(1);
    events
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn own(host: &Host, set: &str, key: &str) -> Requirement {
    Requirement::OwnData(OwnData {
        path: host.path("data"),
        connection: host.connection(),
        set: set.to_owned(),
        key_file: host.path("key"),
        key: Secret::new(key.to_owned()),
    })
}

fn look(host: &Host, requirements: Vec<Requirement>) -> Vec<Unmet> {
    let operation = Operation::Inspect {
        resources: Vec::new(),
        requirements,
    };
    let events = ask(&host.path("agent"), operation);
    let found = events.into_iter().find_map(|event| match event {
        Event::Inspected { unmet, .. } => Some(unmet),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_servers_own_answer_tells_whose_data_it_is_and_foreign_data_stops_a_run_before_its_first_change()
 {
    let Some(host) = Host::start() else {
        return;
    };
    let key = std::fs::read_to_string(host.path("key")).unwrap();
    assert_eq!(look(&host, vec![own(&host, "rs0", "another key")]), []);
    let [unmet] = &*look(&host, vec![own(&host, "rs1", &key)]) else {
        panic!("not refused")
    };
    assert!(
        unmet.found.contains("the replica set rs0, not rs1"),
        "{unmet:?}"
    );

    // Nobody can be asked: the members' key tells.
    host.systemctl("stop");
    assert_eq!(look(&host, vec![own(&host, "rs0", &key)]), []);
    let foreign = own(&host, "rs0", "another key");
    let unknown = Requirement::NameResolves {
        name: "no-such-host.invalid".to_owned(),
        addresses: vec!["10.0.0.5".parse().unwrap()],
    };
    let both = vec![foreign, unknown];
    assert_eq!(look(&host, both.clone()).len(), 2);

    let file = Resource::File(File {
        path: host.path("managed"),
        content: Some(Content::Plain("text\n".to_owned())),
        ownership: Ownership::root(0o644),
        notifies: Vec::new(),
    });
    let change = Change {
        id: file.id(),
        before: None,
        after: None,
        consequences: Vec::new(),
    };
    let apply = Operation::Apply {
        run: "first".to_owned(),
        resources: vec![file],
        requirements: both,
        changes: vec![change],
        confirm_within: 30,
    };
    let events = ask(&host.path("agent"), apply);
    let Some(Event::Finished {
        outcome: Outcome::Failed { what, why, hint },
    }) = events.last()
    else {
        panic!("{events:?}")
    };
    assert!(
        what.contains("2 requirements; nothing was changed"),
        "{what}"
    );
    assert!(
        why.contains("no server answers") && why.contains("no-such-host"),
        "{why}"
    );
    assert!(hint.as_ref().unwrap().contains("--adopt-data"));
    assert!(!host.path("managed").exists());
}
