//! From a bare server to a managed one, in one run and in pieces.

use geodeploy::agent::system::database::Login;
use geodeploy::resource::{Manage as _, Mongod};
use mongodb::bson::doc;

use crate::host::{Run, administrator, converge, differing, everything, provisioned, set};
use crate::server::{Server, certificates};

#[test]
fn a_bare_server_gets_its_set_its_users_and_its_indexes_and_a_second_run_changes_nothing() {
    let Some(mut server) = Server::stopped() else {
        return;
    };
    let connection = server.connection();
    let everything = everything(&connection);
    assert_eq!(differing(&everything).len(), everything.len());
    server.up();
    let run = Run::new();
    for resource in &everything {
        assert!(run.converge(&**resource).unwrap());
    }
    let none: [String; 0] = [];
    assert_eq!(differing(&everything), none);

    // The exception is closed: nobody creates a second first user.
    let create = doc! { "createUser": "x", "pwd": "x", "roles": ["root"] };
    let refused = run.command(&connection, &Login::Nobody, "admin", create);
    assert!(refused.unwrap_err().is(13));
    let users = doc! { "usersInfo": { "forAllDBs": true } };
    let admin = administrator(&connection);
    let login = crate::host::login(&admin);
    let answer = run.command(&connection, &login, "admin", users).unwrap();
    assert_eq!(answer.get_array("users").unwrap().len(), 2);
}

#[test]
fn a_run_that_was_killed_between_any_two_steps_is_completed_by_the_next_one() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let connection = server.connection();
    let everything = everything(&connection);
    for (done, resource) in everything.iter().enumerate() {
        assert_eq!(differing(&everything).len(), everything.len() - done);
        assert!(converge(&**resource));
        server.kill();
        assert_eq!(differing(&everything).len(), everything.len());
        server.up();
    }
    let none: [String; 0] = [];
    assert_eq!(differing(&everything), none);
}

#[test]
fn a_first_user_that_was_left_half_made_gets_the_rest_of_its_roles() {
    let Some(server) = Server::start() else {
        return;
    };
    let connection = server.connection();
    assert!(converge(&set(&connection)));
    let half = doc! {
        "createUser": &connection.admin_user,
        "pwd": connection.admin_password.expose(),
        "roles": ["userAdminAnyDatabase", "clusterManager", "clusterMonitor", "hostManager"],
        "mechanisms": ["SCRAM-SHA-256"],
    };
    let run = Run::new();
    run.command(&connection, &Login::Nobody, "admin", half)
        .unwrap();
    let admin = administrator(&connection);
    let change = run.look(&admin).unwrap().unwrap();
    assert!(change.before.is_some(), "{change:?}");
    // It may not see the application's indexes yet: they count as absent, and no look fails.
    let everything = everything(&connection);
    assert_eq!(differing(&everything).len(), everything.len() - 1);
    assert!(run.converge(&admin).unwrap());
}

#[test]
fn a_connection_that_a_restart_cut_is_made_anew_within_the_same_run() {
    let Some(mut server) = provisioned() else {
        return;
    };
    let run = Run::new();
    let admin = administrator(&server.connection());
    assert_eq!(run.look(&admin).unwrap(), None);
    server.kill();
    server.up();
    assert_eq!(run.look(&admin).unwrap(), None);
}

#[test]
fn a_server_of_another_authority_is_not_spoken_to() {
    let Some(server) = Server::start() else {
        return;
    };
    let connection = server.connection();
    std::fs::remove_file(&connection.ca_file).unwrap();
    certificates(&connection.ca_file, &[server.path("other.pem")]);
    let run = Run::new();
    let change = run.look(&set(&connection)).unwrap().unwrap();
    assert!(
        format!("{change:?}").contains("cannot be spoken to"),
        "{change:?}"
    );
    let fault = run.converge(&set(&connection)).unwrap_err();
    assert!(fault.hint.unwrap().contains("systemctl restart mongod"));
}

#[test]
fn a_set_of_another_name_or_with_another_member_is_shown_and_not_taken_over() {
    let Some(server) = provisioned() else {
        return;
    };
    let mut other = set(&server.connection());
    other.members[0].host = "elsewhere.example:27017".to_owned();
    let fault = Run::new().converge(&other).unwrap_err();
    assert!(fault.why.contains("rs0 of 127.0.0.1"), "{fault}");
    let mut priority = set(&server.connection());
    priority.members[0].priority = 5.0;
    assert!(converge(&priority));
}

#[test]
fn a_running_configuration_other_than_wanted_is_seen_until_the_server_is_restarted() {
    let Some(mut server) = provisioned() else {
        return;
    };
    let path = |name| server.path(name).to_string_lossy().into_owned();
    let settings = [
        ("storage.dbPath", path("data")),
        (
            "storage.wiredTiger.engineConfig.cacheSizeGB",
            "0.50".to_owned(),
        ),
        ("systemLog.destination", "file".to_owned()),
        ("systemLog.path", path("log")),
        ("systemLog.logAppend", "true".to_owned()),
        ("net.bindIp", "127.0.0.1".to_owned()),
        ("net.port", server.port.to_string()),
        ("net.tls.mode", "requireTLS".to_owned()),
        ("net.tls.certificateKeyFile", path("server.pem")),
        ("net.tls.CAFile", path("ca.pem")),
        ("security.authorization", "enabled".to_owned()),
        ("security.keyFile", path("key")),
        ("replication.replSet", "rs0".to_owned()),
        ("replication.oplogSizeMB", "990".to_owned()),
        ("processManagement.fork", "unset".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    let mongod = Mongod {
        connection: server.connection(),
        settings: settings.into(),
        version: Some("6.0.5".to_owned()),
    };
    let change = Run::new().look(&mongod).unwrap().unwrap();
    let (before, after) = (change.before.unwrap(), change.after.unwrap());
    let names = after.iter().map(|(name, _)| name);
    let names: Vec<_> = names
        .filter(|name| before.get(name) != after.get(name))
        .collect();
    assert_eq!(names, ["storage.wiredTiger.engineConfig.cacheSizeGB"]);
    server.kill();
    server.up_with("0.5");
    assert_eq!(Run::new().look(&mongod).unwrap(), None);
    assert!(mongod.id().to_string().starts_with("mongod 127.0.0.1:"));
}
