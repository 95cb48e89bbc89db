//! The host's program as an operator asks it: a request and an archive on its standard input.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use geodeploy::agent::message::{
    BackupOrder, Event, MongoLogin, Operation, Outcome, PROTOCOL, Request, encode,
};
use geodeploy::backup::folder::Folder;
use geodeploy::backup::manifest::Manifest;
use geodeploy::host::{Caller, HostBinary, Local, Reply, Session, Transports};
use geodeploy::secrets::Secret;
use mongodb::bson::doc;

use crate::server::binary;
use crate::site::{Site, count};

/// The report, or why there is none.
#[expect(clippy::disallowed_methods, reason = "the test's own program")]
fn ask(site: &Site, order: BackupOrder, mut body: impl Read) -> Result<serde_json::Value, String> {
    let root = site.server.path("root");
    let request = Request {
        protocol: PROTOCOL,
        key: Secret::new("key".to_owned()),
        operator: "ada@laptop".to_owned(),
        sent: 0,
        operation: Operation::Backup(order),
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_geodeploy-host"))
        .arg("agent")
        .env("GEODEPLOY_ROOT", &root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&encode(&request).unwrap()).unwrap();
    // A request that is refused at once is not read to its end.
    drop(std::io::copy(&mut body, &mut stdin));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Event>(line).ok());
    let mut report = None;
    for event in events {
        match event {
            Event::Report { value } => report = Some(value),
            Event::Finished {
                outcome: Outcome::Failed { what, why, .. },
            } => {
                return Err(format!("{what}: {why}"));
            }
            _ => {}
        }
    }
    report.ok_or(text)
}

/// A root in which the agent finds the backups and a mongod.
fn rooted(site: &mut Site) {
    let root = site.server.path("root");
    let backups = root.join("var/lib/geodeploy/backup");
    std::fs::create_dir_all(&backups).unwrap();
    std::fs::create_dir_all(root.join("usr/bin")).unwrap();
    std::os::unix::fs::symlink(binary().unwrap(), root.join("usr/bin/mongod")).unwrap();
    site.config.folder = backups;
}

fn drill(file: &str, manifest: &Manifest, password: &str) -> BackupOrder {
    BackupOrder::Drill {
        file: file.to_owned(),
        manifest: Box::new(manifest.clone()),
        user: Box::new(MongoLogin {
            database: "aiagent".to_owned(),
            name: "app".to_owned(),
            password: Secret::new(password.to_owned()),
        }),
    }
}

#[test]
fn a_drill_compares_counts_unexpired_sessions_indexes_and_the_apps_login_and_is_written_down() {
    let Some(mut site) = Site::new() else { return };
    rooted(&mut site);
    site.fill(3_000, 500);
    let summary = site.back_up();
    let manifest = site.manifest(&summary);
    let scratch = site.server.path("root/var/lib/geodeploy/drill");

    let report = ask(
        &site,
        drill(&summary.file, &manifest, "app-password"),
        site.opened(&summary),
    );
    let report = report.unwrap();
    assert_eq!(report["differences"], serde_json::json!([]));
    println!("restored in {} s", report["rto_seconds"]);
    let folder = Folder::new(&site.config.folder);
    let verified = folder.verified().unwrap().unwrap();
    assert_eq!(verified.file, summary.file);
    verified.verified_at.parse::<jiff::Timestamp>().unwrap();
    assert!(!scratch.exists());
    let list = ask(&site, BackupOrder::List, std::io::empty()).unwrap();
    assert_eq!(list["verified"]["file"], summary.file);
    assert_eq!(list["backups"][0]["documents"], summary.documents);

    // Everything that could be wrong with it is told, and none of it counts as proven.
    std::fs::remove_file(site.config.folder.join("state.json")).unwrap();
    let mut other = manifest.clone();
    for collection in &mut other.collections {
        if let Some(unexpired) = &mut collection.unexpired {
            assert_eq!(unexpired.documents, 2_500);
            unexpired.documents += 1;
            collection.documents -= 1;
            collection.indexes[1] = collection.indexes[1].replace("expiresAt_1", "other");
        }
    }
    let report = ask(
        &site,
        drill(&summary.file, &other, "wrong"),
        site.opened(&summary),
    )
    .unwrap();
    let differences = report["differences"].as_array().unwrap();
    let said = format!("{differences:?}");
    for part in [
        "2999 documents in the backup, 3000 now",
        "2501 unexpired documents in the backup, 2500 now",
        "app@aiagent cannot log in",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(folder.verified().unwrap(), None);
    assert!(!scratch.exists());
}

#[test]
fn a_restore_over_the_agent_fills_the_wiped_database_and_refuses_the_second_time() {
    let Some(mut site) = Site::new() else { return };
    rooted(&mut site);
    site.fill(400, 0);
    let summary = site.back_up();
    let manifest = site.manifest(&summary);
    let mut connection = site.server.connection();
    connection.admin_password = Secret::new("admin".to_owned());
    let order = || BackupOrder::Restore {
        connection: Box::new(connection.clone()),
        manifest: Box::new(manifest.clone()),
    };
    let refused = ask(&site, order(), site.opened(&summary)).unwrap_err();
    assert!(
        refused.contains("aiagent.users has 400 documents"),
        "{refused}"
    );
    site.wipe();
    let report = ask(&site, order(), site.opened(&summary)).unwrap();
    assert_eq!(report["differences"], serde_json::json!([]));
    assert_eq!(count(&site.root(), "users", doc! {}), 400);
    // A connection that is cut in the middle restores a part, says so, and leaves no user behind.
    site.wipe();
    let cut = site.opened(&summary).take(summary.bytes / 3);
    let refused = ask(&site, order(), cut).unwrap_err();
    assert!(refused.contains("damaged"), "{refused}");
    let left = doc! { "usersInfo": geodeploy::backup::restore::user::NAME };
    let left = site.root().run("admin", left).unwrap();
    assert!(left.get_array("users").unwrap().is_empty());
    assert!(Path::new(&site.config.folder).exists());
}

#[test]
fn an_archive_is_streamed_through_a_session_into_a_drill() {
    let Some(mut site) = Site::new() else { return };
    rooted(&mut site);
    site.fill(300, 0);
    let summary = site.back_up();
    let manifest = site.manifest(&summary);
    let mut archive = Vec::new();
    site.opened(&summary).read_to_end(&mut archive).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_geodeploy-host"));
    let releases = site.server.path("releases");
    std::fs::create_dir(&releases).unwrap();
    let caller = Caller {
        operator: "ada@laptop".to_owned(),
        key: Secret::new("key".to_owned()),
        binary: HostBinary::find(Some(program), &releases).unwrap(),
    };
    let root = site.server.path("root");
    let agent = root
        .join("opt/geodeploy/agents")
        .join(&caller.binary.digest);
    std::fs::create_dir_all(&agent).unwrap();
    std::os::unix::fs::symlink(program, agent.join("geodeploy")).unwrap();
    let local = Local { root: Some(root) };
    let session = Session::new("cn", Transports::Local(local), caller);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut report = None;
    let order = Operation::Backup(drill(&summary.file, &manifest, "app-password"));
    let body = std::io::Cursor::new(archive);
    let reply = runtime.block_on(session.stream(order, body, |event| {
        if let Event::Report { value } = event {
            report = Some(value);
        }
    }));
    assert!(
        matches!(reply, Ok(Reply::Finished(Outcome::Converged { .. }))),
        "{reply:?}"
    );
    assert_eq!(report.unwrap()["differences"], serde_json::json!([]));
}
