//! What a real server does not show at will: no server, one that cannot be spoken to, a refused password.

use mongodb::bson::{Document, doc};

use super::*;
use crate::agent::fixture::{Bench, Fixture};
use crate::plan::{Attributes, Change, Value};
use crate::resource::Manage;

const CA: &str = "/etc/geodeploy/tls/ca.pem";

fn connection() -> Connection {
    Connection {
        port: 27017,
        ca_file: CA.into(),
        certificate_file: None,
        admin_user: "admin".to_owned(),
        admin_password: Secret::new("hunter2".to_owned()),
    }
}

fn kinds() -> Vec<Box<dyn Manage>> {
    let connection = connection();
    let member = Member {
        host: "cn.db:27017".to_owned(),
        priority: 10.0,
        votes: 1,
        hidden: false,
    };
    vec![
        Box::new(ReplicaSet {
            connection: connection.clone(),
            name: "rs0".to_owned(),
            members: vec![member],
            begins: false,
        }),
        Box::new(MongoUser {
            connection: connection.clone(),
            database: "admin".to_owned(),
            name: "admin".to_owned(),
            password: connection.admin_password.clone(),
            roles: vec![Role::new("userAdminAnyDatabase", "admin")],
            first: true,
        }),
        Box::new(MongoIndex {
            connection: connection.clone(),
            database: "aiagent".to_owned(),
            collection: "sessions".to_owned(),
            keys: vec![("expiresAt".to_owned(), 1)],
            expire_after_seconds: Some(0),
            unique: false,
            name: "expiresAt_1".to_owned(),
            shorten: false,
            reader: None,
        }),
        Box::new(mongod()),
    ]
}

fn mongod() -> Mongod {
    Mongod {
        connection: connection(),
        settings: [("storage.wiredTiger.engineConfig.cacheSizeGB", "1.0")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        version: None,
    }
}

fn bench() -> Bench {
    let system = Fixture::new();
    system.put(CA, "certificate");
    Bench::new(system)
}

fn hello(primary: bool) -> Document {
    doc! { "setName": "rs0", "me": "cn.db:27017", "isWritablePrimary": primary }
}

#[test]
fn a_host_without_a_server_or_without_the_authority_is_absent() {
    let without = Bench::new(Fixture::new());
    without.database.answer("nobody hello", Ok(hello(true)));
    for kind in kinds() {
        assert_eq!(kind.inspect(&without.context()).unwrap(), None);
        assert_eq!(kind.inspect(&bench().context()).unwrap(), None);
    }
}

#[test]
fn a_server_that_cannot_be_spoken_to_is_a_difference_and_no_error() {
    let bench = bench();
    let why = Refusal::Lost("invalid peer certificate".to_owned());
    bench.database.answer("nobody hello", Err(why));
    for kind in kinds() {
        let found = kind.inspect(&bench.context()).unwrap().unwrap();
        let shown = "cannot be spoken to: invalid peer certificate".to_owned();
        assert_eq!(found.get("server"), Some(&Value::Text(shown)));
        assert_ne!(Some(found), kind.desired(bench.context().key));
    }
    assert!(bench.database.told().is_empty());
}

#[test]
fn a_wrong_password_of_the_administrator_stops_everything_and_changes_nothing() {
    let bench = bench();
    let unauthorized = Refusal::Command {
        code: 13,
        message: "requires authentication".to_owned(),
    };
    bench.database.answer("nobody hello", Ok(hello(true)));
    bench.database.answer("admin ping", Err(Refusal::Login));
    bench
        .database
        .answer("nobody replSetGetStatus", Err(unauthorized));
    for kind in kinds() {
        let fault = kind.inspect(&bench.context()).unwrap_err();
        assert!(fault.why.contains("refuses the password"), "{fault}");
        let change = Change {
            id: kind.id(),
            before: None,
            after: Some(Attributes::new()),
            consequences: Vec::new(),
        };
        assert!(kind.apply(&change, &bench.context()).is_err());
    }
    assert!(bench.database.told().is_empty());
}

#[test]
fn a_running_configuration_that_is_older_than_its_file_is_mended_by_a_restart() {
    let bench = bench();
    bench
        .system
        .script("systemctl restart -- mongod.service", "");
    bench
        .system
        .script("systemctl show *", "ActiveState=active\n");
    bench.database.answer("nobody hello", Ok(hello(true)));
    bench.database.answer("admin ping", Ok(doc! { "ok": 1 }));
    bench
        .database
        .answer("admin buildInfo", Ok(doc! { "version": "8.0.21" }));
    let running = |gigabytes: f64| {
        let engine = doc! { "wiredTiger": { "engineConfig": { "cacheSizeGB": gigabytes } } };
        let answer = doc! { "parsed": { "storage": engine } };
        bench.database.answer("admin getCmdLineOpts", Ok(answer));
    };
    running(0.5);
    let mongod = mongod();
    let context = bench.context();
    let found = mongod.inspect(&context).unwrap();
    let change = Change::between(mongod.id(), found, mongod.desired(context.key)).unwrap();
    mongod.apply(&change, &context).unwrap();
    assert_eq!(bench.system.ran()[0], "systemctl restart -- mongod.service");
    running(1.0);
    assert_eq!(
        mongod.inspect(&context).unwrap(),
        mongod.desired(context.key)
    );
}

#[test]
fn a_member_that_copies_the_data_is_a_difference_and_is_not_restarted() {
    let bench = bench();
    let copying = doc! {
        "setName": "rs0",
        "hosts": ["cn.db:27017"],
        "passives": ["us.db:27017"],
        "isWritablePrimary": false,
        "secondary": false,
    };
    bench.database.answer("nobody hello", Ok(copying));
    bench.database.answer("admin ping", Err(Refusal::Login));
    let mongod = mongod();
    let context = bench.context();
    let found = mongod.inspect(&context).unwrap();
    let change = Change::between(mongod.id(), found, mongod.desired(context.key)).unwrap();
    assert!(
        format!("{:?}", change.before).contains("copies the data"),
        "{change:?}"
    );
    let fault = mongod.apply(&change, &context).unwrap_err();
    assert!(fault.pending, "{fault}");
    assert!(bench.system.ran().is_empty());
}

#[test]
fn a_member_is_not_waited_for_when_nothing_listens_on_its_host() {
    let bench = bench();
    let members = SetMembers {
        connection: connection(),
        name: "rs0".to_owned(),
        members: vec![
            Member::voter("cn.db:27017", 10.0),
            Member::copy("us.db:27017"),
        ],
        force: false,
    };
    let alone = doc! { "_id": 0, "host": "cn.db:27017", "priority": 10.0, "votes": 1 };
    let configuration = doc! { "_id": "rs0", "version": 1, "members": [alone] };
    let mut hello = hello(true);
    hello.insert("primary", "cn.db:27017");
    bench.database.answer("nobody hello", Ok(hello));
    bench.database.answer("admin ping", Ok(doc! { "ok": 1 }));
    bench.database.answer(
        "admin replSetGetConfig",
        Ok(doc! { "config": configuration }),
    );
    let why = Refusal::Lost("us.db: the name has no address".to_owned());
    bench.database.answer("nobody us.db:27017", Err(why));
    let context = bench.context();
    let found = members.inspect(&context).unwrap();
    let change = Change::between(members.id(), found, members.desired(context.key)).unwrap();
    let fault = members.apply(&change, &context).unwrap_err();
    assert!(fault.pending && fault.why.contains("no address"), "{fault}");
    assert!(bench.database.told().is_empty());
}

#[test]
fn a_database_that_takes_no_writes_is_waited_for_and_then_said() {
    let bench = bench();
    bench.database.answer("nobody hello", Ok(hello(false)));
    let fault = connection()
        .wait_until_writable(&bench.context())
        .unwrap_err();
    assert!(fault.what.contains("takes no writes after 60 s"), "{fault}");
}

#[test]
fn no_secret_is_shown_by_a_resource_or_its_attributes() {
    let bench = bench();
    for kind in kinds() {
        let shown = format!("{:?}", kind.desired(bench.context().key));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert!(!format!("{:?}", connection()).contains("hunter2"));
}
