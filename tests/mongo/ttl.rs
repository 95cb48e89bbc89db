//! A life that ends: serve's own documents deleted by a real server's TTL monitor.

use std::time::{Duration, Instant};

use geodeploy::serve::store::mongo::MongoSettings;
use geodeploy::serve::store::record::now;
use geodeploy::serve::store::{AgentSession, MongoStore, Store as _, Write};
use jiff::SignedDuration;
use mongodb::bson::{Document, doc};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::host::{Run, application, index, login, provisioned, provisioned_with, uri};
use crate::server::Server;

/// Serve's store as the application opens it.
fn open(server: &Server, runtime: &Runtime) -> MongoStore {
    let user = application(&server.connection());
    let settings = MongoSettings::new(&uri(server), Some((&user.name, &user.password))).unwrap();
    runtime.block_on(MongoStore::open(&settings)).unwrap()
}

fn save(store: &MongoStore, runtime: &Runtime, session: &str, lives: i64) {
    let at = now();
    let state = AgentSession {
        user: "ann".to_owned(),
        session: session.to_owned(),
        rev: 1,
        state: json!({"step": 1}),
        expires_at: at + SignedDuration::from_secs(lives),
    };
    let write = Write::AgentSession(state, at);
    runtime
        .block_on(async { store.write(vec![write]).await })
        .unwrap();
}

fn read(store: &MongoStore, runtime: &Runtime, session: &str) -> Option<AgentSession> {
    runtime
        .block_on(async { store.agent_session("ann", session, now()).await })
        .unwrap()
}

fn run(server: &Server, command: Document) -> Document {
    let connection = server.connection();
    let user = application(&connection);
    let answer = Run::new().command(&connection, &login(&user), "aiagent", command);
    answer.unwrap()
}

fn count(server: &Server) -> i32 {
    let answer = run(server, doc! { "count": "multi_agent_sessions" });
    answer.get_i32("n").unwrap()
}

#[test]
fn a_session_that_serve_wrote_is_deleted_when_its_time_has_come_and_no_other() {
    let Some(server) = provisioned_with(&["ttlMonitorSleepSecs=1"]) else {
        return;
    };
    let runtime = Runtime::new().unwrap();
    let store = open(&server, &runtime);
    save(&store, &runtime, "short", 2);
    save(&store, &runtime, "long", 3600);
    assert_eq!(count(&server), 2);
    assert!(read(&store, &runtime, "short").is_some());
    let begun = Instant::now();
    while count(&server) > 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "not deleted");
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("deleted after {:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(1), "deleted too soon");
    assert!(read(&store, &runtime, "long").is_some());
}

#[test]
fn a_session_that_has_expired_is_not_read_before_the_monitor_comes() {
    let Some(server) = provisioned_with(&["ttlMonitorEnabled=false"]) else {
        return;
    };
    let runtime = Runtime::new().unwrap();
    let store = open(&server, &runtime);
    save(&store, &runtime, "short", 1);
    assert!(read(&store, &runtime, "short").is_some());
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(read(&store, &runtime, "short"), None);
    assert_eq!(count(&server), 1, "the document is there still");
}

#[test]
fn a_time_that_is_no_date_is_warned_of_and_is_no_difference() {
    let Some(server) = provisioned() else {
        return;
    };
    let runtime = Runtime::new().unwrap();
    save(&open(&server, &runtime), &runtime, "good", 60);
    let wanted = index(&server.connection(), &["expiresAt"], Some(0));
    let before = Run::new();
    assert_eq!(before.look(&wanted).unwrap(), None);
    assert_eq!(before.said(), [""; 0]);
    let bad = [
        doc! { "expiresAt": "2026-01-01T00:00:00Z" },
        doc! { "expiresAt": 1_767_225_600_000_i64 },
    ];
    run(
        &server,
        doc! { "insert": "multi_agent_sessions", "documents": bad.to_vec() },
    );
    let after = Run::new();
    assert_eq!(after.look(&wanted).unwrap(), None);
    let warning = "warning: in 2 documents of aiagent.multi_agent_sessions `expiresAt` is not a date: they never expire";
    assert_eq!(after.said(), [warning]);
}
