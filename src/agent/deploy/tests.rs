use std::cell::RefCell;

use super::*;
use crate::agent::fixture::Fixture;
use crate::agent::message::Choice;

/// A host on which the application is provisioned, its environment in a folder of the test's own.
fn host(environment: &str) -> (tempfile::TempDir, Fixture, Target) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("env"), environment).unwrap();
    // An absolute path in place of the name leads every path of the application there.
    let app = folder.path().to_str().unwrap().to_owned();
    let system = Fixture::new();
    system.put(format!("/etc/systemd/system/{app}@.service"), "[Service]");
    system.script("systemctl list-units *", "");
    let target = Target {
        app,
        choice: Choice::Release("ab".repeat(32)),
        healthy_within: 1,
        keep: 3,
        public_name: None,
    };
    (folder, system, target)
}

#[test]
fn without_the_database_nothing_is_started_and_nothing_is_switched() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let uri = format!("mongodb://127.0.0.1:{port}/aiagent?directConnection=true");
    let (_folder, system, target) = host(&format!("MONGODB_URI=\"{uri}\"\n"));
    let events = RefCell::new(Vec::new());
    let outcome = run(&target, &system, &|event| events.borrow_mut().push(event));
    let Outcome::Failed { what, why, hint } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(what.starts_with("nothing was switched: "), "{what}");
    assert!(why.contains("nothing listens there"), "{why}");
    assert!(hint.is_some());
    assert!(events.into_inner().is_empty(), "no step was begun");
    let ran = system.ran();
    assert!(
        ran.iter()
            .all(|line| line.starts_with("systemctl list-units")),
        "{ran:?}"
    );
}

#[test]
fn without_an_address_of_a_database_there_is_no_link_to_wait_for() {
    let (_folder, system, target) = host("REGION=US\n");
    let events = RefCell::new(Vec::new());
    run(&target, &system, &|event| events.borrow_mut().push(event));
    let events = events.into_inner();
    let first = Event::Started {
        number: 1,
        of: 5,
        step: "prepare the generation".to_owned(),
    };
    assert_eq!(events.first(), Some(&first), "{events:?}");
}
