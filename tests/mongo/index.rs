//! Indexes: created, given another life, and never dropped.

use std::time::{Duration, Instant, SystemTime};

use geodeploy::resource::{Manage as _, MongoIndex};
use mongodb::bson::{DateTime, Document, doc};

use crate::host::{Run, administrator, application, converge, index, login, provisioned};
use crate::server::Server;

fn insert(server: &Server, expires: SystemTime) {
    let connection = server.connection();
    let document = doc! { "expiresAt": DateTime::from_system_time(expires) };
    let command = doc! { "insert": "multi_agent_sessions", "documents": [document] };
    let user = application(&connection);
    let run = Run::new();
    run.command(&connection, &login(&user), "aiagent", command)
        .unwrap();
}

fn indexes(server: &Server) -> Vec<Document> {
    let connection = server.connection();
    let admin = administrator(&connection);
    let command = doc! { "listIndexes": "multi_agent_sessions" };
    let run = Run::new();
    let answer = run
        .command(&connection, &login(&admin), "aiagent", command)
        .unwrap();
    let batch = answer
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap();
    batch
        .iter()
        .map(|index| index.as_document().unwrap().clone())
        .collect()
}

#[test]
fn a_longer_life_is_given_by_coll_mod_and_a_shorter_one_only_with_its_victims_counted_and_consent()
{
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    insert(&server, SystemTime::now() + Duration::from_secs(3600));
    assert!(converge(&index(&connection, &["expiresAt"], Some(7200))));

    let shorter = index(&connection, &["expiresAt"], Some(60));
    let run = Run::new();
    let change = run.look(&shorter).unwrap().unwrap();
    assert!(format!("{:?}", change.before).contains("up to 10 documents"));
    let before = indexes(&server);
    let fault = run.converge(&shorter).unwrap_err();
    assert!(fault.why.contains("up to 10 would be deleted"), "{fault}");
    let consent = "--shorten-ttl multi_agent_sessions.expiresAt_1";
    assert!(fault.hint.unwrap().contains(consent));
    assert_eq!(indexes(&server), before);
    assert!(converge(&MongoIndex {
        shorten: true,
        ..shorter
    }));
    assert_eq!(indexes(&server).len(), before.len());
}

#[test]
fn a_plain_index_becomes_a_ttl_index_in_place() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    assert!(converge(&index(&connection, &["startedAt"], None)));
    let before = indexes(&server).len();
    assert!(converge(&index(&connection, &["startedAt"], Some(60))));
    assert_eq!(indexes(&server).len(), before);
}

#[test]
fn a_conflicting_index_is_an_error_that_shows_the_difference_and_nothing_is_dropped() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let before = indexes(&server);
    let unique = MongoIndex {
        unique: true,
        ..index(&connection, &["sessionId", "userId"], None)
    };
    let same_name = MongoIndex {
        name: "expiresAt_1".to_owned(),
        ..index(&connection, &["other"], None)
    };
    let no_life = index(&connection, &["expiresAt"], None);
    for conflicting in [unique, same_name, no_life] {
        let run = Run::new();
        let change = run.look(&conflicting).unwrap().unwrap();
        assert!(change.before.is_some(), "{change:?}");
        let fault = run.converge(&conflicting).unwrap_err();
        assert!(fault.why.contains("is in its place"), "{fault}");
        assert!(fault.hint.unwrap().contains("never dropped"));
        assert_eq!(indexes(&server), before, "{}", conflicting.id());
    }
}

#[test]
fn an_index_with_the_same_keys_and_another_name_is_as_good() {
    let Some(server) = provisioned() else {
        return;
    };
    let other = MongoIndex {
        name: "ours".to_owned(),
        ..index(&server.connection(), &["sessionId", "userId"], None)
    };
    assert_eq!(Run::new().look(&other).unwrap(), None);
}

#[test]
fn forty_indexes_are_looked_at_over_the_same_two_connections() {
    let Some(server) = provisioned() else {
        return;
    };
    let connection = server.connection();
    let admin = administrator(&connection);
    let run = Run::new();
    let made = || {
        let status = doc! { "serverStatus": 1 };
        let status = run
            .command(&connection, &login(&admin), "admin", status)
            .unwrap();
        status
            .get_document("connections")
            .unwrap()
            .get_i32("totalCreated")
            .unwrap()
    };
    let look = |from: usize, to: usize| {
        for number in from..to {
            let field = format!("field{number}");
            assert!(
                run.look(&index(&connection, &[&field], None))
                    .unwrap()
                    .is_some()
            );
        }
    };
    look(0, 1);
    let before = made();
    let begun = Instant::now();
    look(1, 41);
    println!("40 looks: {:?}", begun.elapsed());
    let opened = made() - before;
    println!("{opened} connections");
    // The driver's monitors may make one of their own now and then.
    assert!(opened <= 4, "{opened}");
}

#[test]
fn a_ttl_index_of_two_fields_is_refused_before_the_server_is_asked() {
    let Some(server) = provisioned() else {
        return;
    };
    let before = indexes(&server);
    let two = index(&server.connection(), &["expiresAt", "userId"], Some(60));
    let fault = Run::new().converge(&two).unwrap_err();
    assert!(
        fault.why.contains("documents expire by one field"),
        "{fault}"
    );
    assert_eq!(indexes(&server), before);
}
