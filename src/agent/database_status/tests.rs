use mongodb::bson::{DateTime, doc};

use super::*;
use crate::agent::fixture::{Bench, Fixture};

fn watch() -> Watch {
    Watch {
        port: 27017,
        ca_file: "/etc/geodeploy/tls/ca.pem".into(),
        certificate_file: None,
        user: "watcher".to_owned(),
        password: Secret::new("hunter2".to_owned()),
    }
}

fn look(bench: &Bench) -> Result<DatabaseReport, Fault> {
    report(&watch(), &bench.system, &bench.database)
}

/// A server that answers; the other member is 42 s behind.
fn answering() -> Bench {
    let bench = Bench::new(Fixture::new());
    let at = |seconds: i64| DateTime::from_millis(seconds * 1000);
    let member = |name: &str, state: &str, seconds| doc! { "name": name, "stateStr": state, "optimeDate": at(seconds) };
    let set = doc! {
        "set": "rs0",
        "myState": 2,
        "members": [member("cn:27017", "PRIMARY", 1_000_042), member("us:27017", "SECONDARY", 1_000_000)],
    };
    let answers = [
        (
            "serverStatus",
            doc! { "version": "8.0.21", "metrics": { "ttl": { "deletedDocuments": 7_i64 } } },
        ),
        ("replSetGetStatus", set),
        ("dbStats", doc! { "fsUsedSize": 30.0, "fsTotalSize": 40.0 }),
    ];
    for (command, answer) in answers {
        bench
            .database
            .answer(&format!("watcher {command}"), Ok(answer));
    }
    bench
}

#[test]
fn how_far_members_are_behind_is_reckoned_from_the_primary() {
    let found = look(&answering()).unwrap();
    let lags: Vec<Option<f64>> = found.members.iter().map(|member| member.lag).collect();
    assert_eq!(lags, [Some(0.0), Some(42.0)]);
    assert_eq!((found.role.as_str(), found.ttl_deleted), ("SECONDARY", 7));
    assert_eq!((found.disk_used, found.disk_total), (30, 40));
    // Figures that this server does not tell.
    assert_eq!((found.oplog, found.certificate_expires), (None, None));
}

#[test]
fn the_newest_backup_and_the_last_one_that_was_tried_are_found() {
    let bench = answering();
    assert_eq!(look(&bench).unwrap().backup, BackupReport::default());
    let folder = "/var/lib/geodeploy/backup";
    bench
        .system
        .put(format!("{folder}/2026-01-01.tar.zst.age"), "x");
    let state = r#"{"verified_at":"2026-01-02T03:04:05Z","file":"2026-01-01.tar.zst.age"}"#;
    bench.system.put(format!("{folder}/state.json"), state);
    let backup = look(&bench).unwrap().backup;
    assert_eq!(backup.verified, "2026-01-02T03:04:05Z".parse().ok());
    assert!(backup.newest.is_some());
}

#[test]
fn a_server_that_is_away_and_one_that_refuses_are_told_apart_without_the_password() {
    let bench = Bench::new(Fixture::new());
    let away = look(&bench).unwrap_err();
    assert!(away.hint.unwrap().contains("systemctl status mongod"));
    let status = "watcher serverStatus";
    bench.database.answer(status, Err(Refusal::Login));
    let refused = look(&bench).unwrap_err();
    assert!(!format!("{refused:?}{:?}", watch()).contains("hunter2"));
    assert!(refused.hint.unwrap().contains("rotate-password monitor"));
}
