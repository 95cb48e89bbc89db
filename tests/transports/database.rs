//! The link to the database, tried by the host's own program with the environment that lies there.

use geodeploy::agent::message::{Event, Operation, Outcome};
use geodeploy::host::Session;

use crate::agents::{caller, host_binary, request};
use crate::local;

const PASSWORD: &str = "hunter2-of-the-test";

async fn tried(session: &Session) -> (Vec<Event>, Outcome) {
    let app = "yourapp".to_owned();
    request(session, Operation::DatabaseLink { app }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_tries_its_own_environment_and_no_secret_comes_back() {
    let (root, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = Session::new("cn", local(root.path()), caller(host_binary(cache.path())));

    let (_, outcome) = tried(&session).await;
    let Outcome::Failed { what, hint, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(what.ends_with("etc/yourapp/env"), "{what}");
    assert!(hint.unwrap().contains("geodeploy provision"));

    let folder = root.path().join("etc/yourapp");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("env"), "REGION=CN\n").unwrap();
    let (events, outcome) = tried(&session).await;
    assert!(matches!(outcome, Outcome::Converged { .. }), "{outcome:?}");
    let none = Event::Report {
        value: serde_json::Value::Null,
    };
    assert!(events.contains(&none), "{events:?}");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let text = format!(
        "MONGODB_URI=\"mongodb://127.0.0.1:{port}/aiagent?directConnection=true\"\nMONGODB_USER=ann\nMONGODB_PASSWORD={PASSWORD}\n"
    );
    std::fs::write(folder.join("env"), text).unwrap();
    let (events, outcome) = tried(&session).await;
    let said = format!("{events:?}{outcome:?}");
    assert!(said.contains("nothing listens there"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    session.close().await;
}
