//! A database's figures, as the monitoring user of a real server sees them.

use geodeploy::agent::database::Driver;
use geodeploy::agent::database_status::{self, Watch};
use geodeploy::agent::machine::Machine;
use geodeploy::monitor::clock::Asked;
use geodeploy::monitor::database::{Word, judge};
use geodeploy::resource::MongoUser;
use geodeploy::resource::mongo::{Connection, Role};
use geodeploy::secrets::Secret;
use jiff::Timestamp;

use crate::host::{converge, provisioned};

fn monitor(connection: &Connection) -> MongoUser {
    MongoUser {
        connection: connection.clone(),
        database: "admin".to_owned(),
        name: "geodeploy_monitor".to_owned(),
        password: Secret::new("monitors-secret".to_owned()),
        roles: vec![Role::new("clusterMonitor", "admin")],
        first: false,
    }
}

fn watch(user: &MongoUser) -> Watch {
    Watch {
        port: user.connection.port,
        ca_file: user.connection.ca_file.clone(),
        certificate_file: user.connection.certificate_file.clone(),
        user: user.name.clone(),
        password: user.password.clone(),
    }
}

#[test]
fn the_monitoring_user_sees_every_figure_of_the_database_with_the_role_that_it_has() {
    let Some(mut server) = provisioned() else {
        return;
    };
    let user = monitor(&server.connection());
    assert!(converge(&user));
    let before = Timestamp::now();
    let report = database_status::report(&watch(&user), &Machine, &Driver::default()).unwrap();
    let after = Timestamp::now();
    println!("{report:#?}");
    assert_eq!(
        (report.version.as_str(), report.set.as_str()),
        ("6.0.5", "rs0")
    );
    assert_eq!(report.role, "PRIMARY");
    let [member] = report.members.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((member.state.as_str(), member.lag), ("PRIMARY", Some(0.0)));
    let oplog = report.oplog.unwrap();
    assert!((0.0..1.0).contains(&oplog.hours), "{oplog:?}");
    assert!(oplog.used > 0 && oplog.maximum >= 990 << 20, "{oplog:?}");
    let year = report.certificate_expires.unwrap();
    assert!(year > after, "{year}");
    assert!(report.disk_used > 0 && report.disk_total > report.disk_used);
    assert!(report.connections > 0 && report.connections_available > 0);
    assert!(report.cache_used > 0 && report.cache_maximum == 256 << 20);
    assert!(
        before <= report.clock.0 && report.clock.0 <= report.clock.1 && report.clock.1 <= after
    );

    let findings = judge(&report, Asked { before, after });
    let of = |name: &str| {
        let finding = findings.iter().find(|finding| finding.name == name);
        finding.unwrap_or_else(|| panic!("{name}")).word
    };
    assert_eq!(of("version"), Word::Warn);
    for name in [
        "role",
        "oplog",
        "certificate",
        "clock",
        "connections",
        "cache",
        "ttl",
    ] {
        assert_eq!(of(name), Word::Ok, "{name}");
    }

    let mut wrong = watch(&user);
    wrong.password = Secret::new("another-secret".to_owned());
    let refused = database_status::report(&wrong, &Machine, &Driver::default()).unwrap_err();
    assert!(refused.hint.unwrap().contains("rotate-password monitor"));
    server.kill();
    let down = database_status::report(&watch(&user), &Machine, &Driver::default()).unwrap_err();
    assert!(down.why.contains("nothing listens"), "{down}");
}
