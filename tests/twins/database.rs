//! The database in China, from where it may be used and from where not.

use std::net::TcpStream;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::Test;
use super::fixture::{SECRET, Twins};
use super::mongo::{Dial, dial, file};

pub(crate) const TESTS: &[Test] = &[
    (
        "from a third address the database cannot be reached, and from its peer it can",
        from_a_third_address_the_database_cannot_be_reached_and_from_its_peer_it_can,
    ),
    (
        "the peer is refused in plaintext, without a certificate, with a foreign authority and with a wrong password",
        the_peer_is_refused_in_every_way_but_the_right_one,
    ),
    (
        "the application of the us region works on the database in China and on nothing else there",
        the_application_works_on_its_own_database_alone,
    ),
    (
        "users and indexes are made in a constant number of round trips",
        users_and_indexes_are_made_in_a_constant_number_of_round_trips,
    ),
];

/// How a connection differs from the application's own.
#[derive(Clone)]
pub(crate) struct Way {
    user: &'static str,
    source: &'static str,
    password: String,
    options: String,
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => all.push(char::from(byte)),
            _ => all.push_str(&format!("%{byte:02X}")),
        }
        all
    })
}

/// As the application of the us region connects.
pub(crate) fn application(twins: &Twins) -> Way {
    let at = |name: &str| file(twins, "us", &format!("/etc/geodeploy/tls/{name}"));
    Way {
        user: "aiagent_user",
        source: "aiagent",
        password: SECRET.to_owned(),
        options: format!(
            "tls=true&tlsCAFile={}&tlsCertificateKeyFile={}",
            at("ca.pem").display(),
            at("client.pem").display()
        ),
    }
}

pub(crate) fn ask(
    twins: &Twins,
    from: Option<&str>,
    way: &Way,
    database: &str,
    command: Document,
) -> Result<Document, String> {
    let address = twins.twin("cn").endpoint.ipv4;
    let Way {
        user,
        source,
        password,
        options,
    } = way;
    let password = encoded(password);
    let uri = format!(
        "mongodb://{user}:{password}@{address}:27017/?authSource={source}&directConnection=true\
         &serverSelectionTimeoutMS=4000&connectTimeoutMS=3000&{options}"
    );
    let database = database.to_owned();
    let call = Dial {
        uri,
        database,
        command,
    };
    dial(twins, from, &call)
}

fn from_a_third_address_the_database_cannot_be_reached_and_from_its_peer_it_can(twins: &Twins) {
    if !twins.database {
        return;
    }
    for address in twins.addresses("cn", 27017) {
        let dialled = TcpStream::connect_timeout(&address, Duration::from_secs(2));
        assert!(dialled.is_err(), "{address} answers the operator");
        let (host, port) = (address.ip(), address.port());
        twins.shell(
            "us",
            &format!("timeout 3 bash -c '</dev/tcp/{host}/{port}'"),
        );
    }
    // It is the firewall that keeps the operator out, and not an absent listener.
    twins.shell("cn", "ufw --force disable");
    let open = twins
        .addresses("cn", 27017)
        .map(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok());
    twins.operator.run(&["provision", "cn"]).expect(0);
    assert_eq!(open, [true, true]);
    let way = application(twins);
    let ping = doc! { "ping": 1 };
    assert!(ask(twins, None, &way, "aiagent", ping.clone()).is_err());
    ask(twins, Some("us"), &way, "aiagent", ping).unwrap();
}

/// A certificate of somebody else's authority, and that authority's.
fn foreign(folder: &std::path::Path) -> (String, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    let name = "an authority of their own";
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut own = CertificateParams::new(vec!["us-server".to_owned()]).unwrap();
    own.distinguished_name.push(DnType::CommonName, "us-server");
    let certificate = own.signed_by(&key, &issuer).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    std::fs::write(path("ca.pem"), issuer.pem()).unwrap();
    let both = format!("{}{}", certificate.pem(), key.serialize_pem());
    std::fs::write(path("client.pem"), both).unwrap();
    (path("ca.pem"), path("client.pem"))
}

fn the_peer_is_refused_in_every_way_but_the_right_one(twins: &Twins) {
    if !twins.database {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (foreign_ca, foreign_certificate) = foreign(folder.path());
    let right = application(twins);
    let ca = file(twins, "us", "/etc/geodeploy/tls/ca.pem");
    let with = |options: String| Way {
        options,
        ..right.clone()
    };
    let ca = ca.display();
    let ways = [
        ("in plaintext", with("tls=false".to_owned())),
        (
            "without a certificate",
            with(format!("tls=true&tlsCAFile={ca}")),
        ),
        (
            "with a foreign certificate",
            with(format!(
                "tls=true&tlsCAFile={ca}&tlsCertificateKeyFile={foreign_certificate}"
            )),
        ),
        (
            "with a foreign authority",
            with(right.options.replace(&ca.to_string(), &foreign_ca)),
        ),
        (
            "with a wrong password",
            Way {
                password: "wrong".to_owned(),
                ..right.clone()
            },
        ),
    ];
    let ping = doc! { "ping": 1 };
    ask(twins, Some("us"), &right, "aiagent", ping.clone()).unwrap();
    for (what, way) in ways {
        let refused = ask(twins, Some("us"), &way, "aiagent", ping.clone());
        let why = refused.expect_err(what);
        eprintln!("{what}: {}", why.chars().take(160).collect::<String>());
        if what == "with a wrong password" {
            assert!(why.contains("Authentication failed"), "{why}");
        }
    }
}

fn the_application_works_on_its_own_database_alone(twins: &Twins) {
    if !twins.database {
        return;
    }
    let way = application(twins);
    let insert = doc! { "insert": "messages", "documents": [{ "_id": "of the test" }] };
    let count = doc! { "count": "messages", "query": { "_id": "of the test" } };
    let delete =
        doc! { "delete": "messages", "deletes": [{ "q": { "_id": "of the test" }, "limit": 1 }] };
    let run = |database: &str, command| ask(twins, Some("us"), &way, database, command);
    run("aiagent", insert).unwrap();
    assert_eq!(run("aiagent", count).unwrap().get_i32("n").unwrap(), 1);
    run("aiagent", delete).unwrap();
    for (database, command) in [
        ("admin", doc! { "usersInfo": 1 }),
        ("admin", doc! { "find": "system.users" }),
        (
            "aiagent",
            doc! { "createUser": "x", "pwd": "x", "roles": [] },
        ),
        ("other", doc! { "insert": "x", "documents": [{ "a": 1 }] }),
    ] {
        let why = run(database, command.clone()).unwrap_err();
        assert!(why.contains("not authorized"), "{command}: {why}");
    }
}

/// A command of the administrator's, who may log in from loopback alone.
pub(crate) fn administer(twins: &Twins, command: Document) -> Document {
    let at = |name: &str| file(twins, "cn", &format!("/etc/geodeploy/tls/{name}"));
    let call = Dial {
        uri: format!(
            "mongodb://geodeploy_admin:{}@127.0.0.1:27017/?authSource=admin&directConnection=true&tls=true\
             &tlsCAFile={}&tlsCertificateKeyFile={}",
            encoded(SECRET),
            at("ca.pem").display(),
            at("client.pem").display()
        ),
        database: "aiagent".to_owned(),
        command,
    };
    dial(twins, Some("cn"), &call).unwrap()
}

fn users_and_indexes_are_made_in_a_constant_number_of_round_trips(twins: &Twins) {
    if !twins.database {
        return;
    }
    // One index is missing, then all of them, and then the application's user as well.
    let missing: [&[Document]; 2] = [
        &[doc! { "dropIndexes": "multi_agent_sessions", "index": "expiresAt_1" }],
        &[
            doc! { "dropIndexes": "multi_agent_sessions", "index": "*" },
            doc! { "dropIndexes": "conversations", "index": "*" },
            doc! { "dropIndexes": "messages", "index": "*" },
            doc! { "dropUser": "aiagent_user" },
        ],
    ];
    let [(few, few_changes), (many, many_changes)] = missing.map(|commands| {
        for command in commands {
            administer(twins, command.clone());
        }
        twins.operator.run(&["status", "cn"]);
        std::thread::sleep(Duration::from_millis(700));
        twins.lab.reset_counters().unwrap();
        let changes = twins.operator.provision("cn");
        (twins.round_trips(), changes)
    });
    eprintln!("{few_changes} change: {few} round trips; {many_changes} changes: {many}");
    assert!(few_changes == 1 && many_changes > 4);
    assert!(many <= few + 2.0, "{many} instead of {few}");
}
