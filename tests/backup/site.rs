//! A server with users, data, a folder for its backups, and the identity that opens them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use age::secrecy::ExposeSecret as _;
use geodeploy::backup::config::Config;
use geodeploy::backup::dump;
use geodeploy::backup::manifest::{Manifest, Summary};
use geodeploy::backup::server::{Address, Login, Server as Connection};
use geodeploy::backup::{read, seal};
use geodeploy::secrets::Secret;
use mongodb::bson::{DateTime, Document, doc, rawdoc};

use crate::server::Server;

/// What must be seen nowhere.
pub(crate) const SENTINEL: &str = "sentinel-of-the-backup-user";

/// A database with its backups.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) config: Config,
    pub(crate) identity: age::x25519::Identity,
}

impl Site {
    /// A set of one member with its users; `None` where there is no mongod to test with.
    pub(crate) fn new() -> Option<Self> {
        let server = Server::start()?;
        let identity = age::x25519::Identity::generate();
        let folder = server.path("backup");
        std::fs::create_dir(&folder).unwrap();
        let password_file = server.path("password");
        std::fs::write(&password_file, format!("{SENTINEL}\n")).unwrap();
        let config = Config {
            name: "app".to_owned(),
            port: server.port,
            ca_file: server.path("ca.pem"),
            certificate_file: server.path("server.pem"),
            user: "geodeploy_backup".to_owned(),
            password_file,
            folder,
            keep: 14,
            recipients: vec![identity.to_public().to_string()],
        };
        let site = Self {
            server,
            config,
            identity,
        };
        site.initiate();
        Some(site)
    }

    fn address(&self) -> Address {
        Address::Loopback {
            port: self.server.port,
            ca_file: self.server.path("ca.pem"),
            certificate_file: Some(self.server.path("server.pem")),
        }
    }

    fn initiate(&self) {
        let nobody = Connection::connect(&self.address(), None).unwrap();
        let member = format!("127.0.0.1:{}", self.server.port);
        let set = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": member }] };
        nobody
            .run("admin", doc! { "replSetInitiate": set })
            .unwrap();
        let begun = Instant::now();
        let writable = || {
            let hello = nobody.run("admin", doc! { "hello": 1 }).unwrap();
            hello.get_bool("isWritablePrimary").unwrap()
        };
        while !writable() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no primary");
            std::thread::sleep(Duration::from_millis(50));
        }
        user(&nobody, "admin", "root", "root", &[("root", "admin")]);
        drop(nobody);
        let root = self.root();
        // As the blueprint makes them.
        let roles = [
            ("userAdminAnyDatabase", "admin"),
            ("clusterManager", "admin"),
            ("clusterMonitor", "admin"),
            ("dbAdmin", "aiagent"),
        ];
        user(&root, "admin", "geodeploy_admin", "admin", &roles);
        user(
            &root,
            "admin",
            "geodeploy_backup",
            SENTINEL,
            &[("backup", "admin")],
        );
        user(
            &root,
            "aiagent",
            "app",
            "app-password",
            &[("readWrite", "aiagent")],
        );
    }

    pub(crate) fn login(&self, login: &Login) -> Connection {
        Connection::connect(&self.address(), Some(login)).unwrap()
    }

    /// The address for a client of the test's own.
    pub(crate) fn uri(&self) -> String {
        let connection = self.server.connection();
        format!(
            "mongodb://root:root@127.0.0.1:{}/?directConnection=true&tls=true&tlsCAFile={}&tlsCertificateKeyFile={}",
            connection.port,
            connection.ca_file.display(),
            connection.certificate_file.unwrap().display(),
        )
    }

    pub(crate) fn root(&self) -> Connection {
        self.login(&login("admin", "root", "root"))
    }

    pub(crate) fn administrator(&self) -> Connection {
        self.login(&login("admin", "geodeploy_admin", "admin"))
    }

    /// Users, conversations and sessions: of the sessions `expired` are over and stay only because nobody sweeps yet.
    pub(crate) fn fill(&self, documents: i32, expired: i32) {
        let root = self.root();
        let off = doc! { "setParameter": 1, "ttlMonitorEnabled": false };
        root.run("admin", off).unwrap();
        let mut users = root.inserter("aiagent", "users");
        for number in 0..documents {
            let text = format!("user {number} ").repeat(20);
            users
                .push(rawdoc! { "_id": number, "text": text, "visits": 0 })
                .unwrap();
        }
        users.flush().unwrap();
        let mut sessions = root.inserter("aiagent", "multi_agent_sessions");
        let now = DateTime::now().timestamp_millis();
        for number in 0..documents {
            let later = if number < expired {
                -3_600_000
            } else {
                3_600_000
            };
            let at = DateTime::from_millis(now + later);
            let id = number.to_string();
            sessions
                .push(rawdoc! { "_id": number, "sessionId": id, "userId": 1, "expiresAt": at })
                .unwrap();
        }
        sessions.flush().unwrap();
        let indexes = [
            doc! { "key": { "expiresAt": 1 }, "name": "expiresAt_1", "expireAfterSeconds": 0 },
            doc! { "key": { "sessionId": 1, "userId": 1 }, "name": "sessionId_1_userId_1" },
        ];
        let create = doc! { "createIndexes": "multi_agent_sessions", "indexes": indexes.to_vec() };
        root.run("aiagent", create).unwrap();
        let view = doc! { "create": "visible", "viewOn": "users", "pipeline": [{ "$project": { "text": 1 } }] };
        root.run("aiagent", view).unwrap();
    }

    pub(crate) fn back_up(&self) -> Summary {
        dump::run(&self.config, &|text| println!("{text}")).unwrap()
    }

    /// A backup's file, encrypted.
    pub(crate) fn sealed(&self, summary: &Summary) -> PathBuf {
        self.config.folder.join(&summary.file)
    }

    /// A backup, decrypted as a stream.
    pub(crate) fn opened(&self, summary: &Summary) -> impl std::io::Read {
        let file = std::fs::File::open(self.sealed(summary)).unwrap();
        seal::open(&self.identities(), file).unwrap()
    }

    pub(crate) fn identities(&self) -> Vec<Box<dyn age::Identity>> {
        let text = self.identity.to_string();
        let copy: age::x25519::Identity = text.expose_secret().parse().unwrap();
        vec![Box::new(copy)]
    }

    pub(crate) fn manifest(&self, summary: &Summary) -> Manifest {
        read::verify(self.opened(summary)).unwrap()
    }

    pub(crate) fn wipe(&self) {
        self.root()
            .run("aiagent", doc! { "dropDatabase": 1 })
            .unwrap();
    }
}

pub(crate) fn login(database: &str, name: &str, password: &str) -> Login {
    Login {
        database: database.to_owned(),
        name: name.to_owned(),
        password: Secret::new(password.to_owned()),
    }
}

pub(crate) fn user(
    on: &Connection,
    database: &str,
    name: &str,
    password: &str,
    roles: &[(&str, &str)],
) {
    let roles: Vec<Document> = roles
        .iter()
        .map(|(role, database)| doc! { "role": *role, "db": *database })
        .collect();
    let create = doc! { "createUser": name, "pwd": password, "roles": roles };
    on.run(database, create).unwrap();
}

pub(crate) fn count(on: &Connection, collection: &str, filter: Document) -> i64 {
    let pipeline = [doc! { "$match": filter }, doc! { "$count": "n" }];
    let command = doc! { "aggregate": collection, "pipeline": pipeline.to_vec(), "cursor": {} };
    let answer = on.run("aiagent", command).unwrap();
    let batch = answer
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap();
    batch.first().map_or(0, |first| {
        i64::from(first.as_document().unwrap().get_i32("n").unwrap())
    })
}
