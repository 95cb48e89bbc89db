//! The database's certificates and configuration, from an inventory through the real verbs to a real mongod on loopback.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

#[path = "common/ports.rs"]
mod ports;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use geodeploy::blueprint::{self, Contents};
use geodeploy::inventory::{EXAMPLE, Inventory};
use geodeploy::rehearse::archive;
use geodeploy::resource::{Content, Resource};
use geodeploy::secrets::{Secret, Secrets};
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, Tls, TlsOptions};

/// The example with a MongoDB in China, its certificates made by the verbs.
fn project(folder: &Path) -> Inventory {
    let text = EXAMPLE
        .replace(
            "# [database.tls]\n",
            "[database.tls]\nidentity = \"identity.txt\"\n",
        )
        .replace("ipv6 =", "# ipv6 =")
        .replace("198.51.100.20", "127.0.0.2");
    let file = folder.join("geodeploy.toml");
    std::fs::write(&file, text).unwrap();
    for action in [&["init"][..], &["issue"], &["issue", "--rotate", "cn"]] {
        let output = assert_cmd::Command::cargo_bin("geodeploy")
            .unwrap()
            .env("XDG_STATE_HOME", folder.join("state"))
            .arg("-i")
            .arg(&file)
            .arg("ca")
            .args(action)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{action:?}: {said}");
    }
    Inventory::load(&file).unwrap()
}

/// What was made for this project, and made-up passwords.
fn secrets(inventory: &Inventory) -> Secrets {
    Secrets::made_up(inventory, |reference| {
        Secrets::resolve_one(inventory, reference)
            .unwrap_or_else(|_| Secret::new("made up".to_owned()))
    })
}

/// mongod with the blueprint's files below `folder`; ended with the value.
struct Running {
    child: Child,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test starts the program that reads the files"
)]
fn start(program: &Path, folder: &Path, resources: &[Resource]) -> Running {
    use std::os::unix::fs::PermissionsExt;
    let port = ports::free();
    let place = folder.display().to_string();
    for resource in resources {
        let (path, mode, text) = match resource {
            Resource::File(file) => {
                let text = match &file.content {
                    Some(Content::Plain(text)) => text.clone(),
                    Some(Content::Secret(text)) => text.expose().to_owned(),
                    None => continue,
                };
                (&file.path, file.ownership.mode, text)
            }
            Resource::MongodConfiguration(file) => (&file.path, 0o644, file.content.clone()),
            _ => continue,
        };
        let name = path.file_name().unwrap();
        let text = text
            .replace("/etc/geodeploy/tls", &place)
            .replace("/var/lib/mongodb", &format!("{place}/data"))
            .replace("/var/log/mongodb", &place)
            .replace("port: 27017", &format!("port: {port}"));
        std::fs::write(folder.join(name), text).unwrap();
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.join(name), mode).unwrap();
    }
    std::fs::create_dir(folder.join("data")).unwrap();
    let child = std::process::Command::new(program)
        .arg("--config")
        .arg(folder.join("mongod.conf"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Running { child, port }
}

async fn ask(address: &str, tls: TlsOptions, command: Document) -> Result<Document, String> {
    let mut options = ClientOptions::parse(format!("mongodb://{address}/?directConnection=true"))
        .await
        .unwrap();
    options.tls = Some(Tls::Enabled(tls));
    options.server_selection_timeout = Some(Duration::from_secs(3));
    let client = mongodb::Client::with_options(options).unwrap();
    let answer = client.database("admin").run_command(command).await;
    answer.map_err(|error| error.to_string())
}

fn tls(ca: &Path, certificate: Option<&Path>) -> TlsOptions {
    let mut options = TlsOptions::default();
    options.ca_file_path = Some(ca.to_owned());
    options.cert_key_file_path = certificate.map(Path::to_owned);
    options
}

async fn checked(running: &Running, folder: &Path, foreign: &Path, contents: &Contents) {
    let address = format!("127.0.0.1:{}", running.port);
    let ca = folder.join("ca.pem");
    let own = folder.join("client.pem");
    let hello = || doc! { "hello": 1 };
    let mut up = Err(String::new());
    for _ in 0..20 {
        up = ask(&address, tls(&ca, Some(&own)), hello()).await;
        if up.is_ok() {
            break;
        }
    }
    up.unwrap();
    let other_address = format!("127.0.0.2:{}", running.port);
    assert!(
        ask(&other_address, tls(&ca, Some(&own)), hello())
            .await
            .is_ok()
    );
    assert!(
        ask(&address, tls(&ca, None), hello()).await.is_err(),
        "without a certificate"
    );
    let stranger = foreign.join("client.pem");
    assert!(
        ask(&address, tls(&ca, Some(&stranger)), hello())
            .await
            .is_err(),
        "a foreign certificate"
    );
    let refused = ask(&address, tls(&foreign.join("ca.pem"), Some(&own)), hello()).await;
    assert!(refused.is_err(), "an authority that is not the server's");
    let member = format!("localhost:{}", running.port);
    let set = doc! { "_id": &contents.set.name, "members": [{ "_id": 0, "host": member }] };
    ask(
        &address,
        tls(&ca, Some(&own)),
        doc! { "replSetInitiate": set },
    )
    .await
    .unwrap();
    let options = ask(&address, tls(&ca, Some(&own)), doc! { "getCmdLineOpts": 1 }).await;
    let denied = options.unwrap_err();
    assert!(denied.contains("Error code 13 (Unauthorized)"), "{denied}");
}

#[test]
fn mongod_runs_with_the_blueprints_files_and_talks_to_certificates_of_the_project_only() {
    let program = match archive::mongod(&archive::default_cache()) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("SKIPPED: there is no mongod to be had: {error}");
            return;
        }
    };
    let [one, other, running] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let inventory = project(one.path());
    let stranger = project(other.path());
    let cn = inventory.region("cn").unwrap();
    let secrets_of_one = secrets(&inventory);
    let contents = blueprint::contents(&inventory, cn, &secrets_of_one)
        .unwrap()
        .unwrap();
    let made = blueprint::region(&inventory, &cn.name, &secrets_of_one).unwrap();
    let foreign = blueprint::region(&stranger, &cn.name, &secrets(&stranger)).unwrap();
    for resource in &foreign.resources {
        if let Resource::File(file) = resource
            && file.path.starts_with("/etc/geodeploy/tls")
        {
            let text = match &file.content {
                Some(Content::Plain(text)) => text.clone(),
                Some(Content::Secret(text)) => text.expose().to_owned(),
                None => continue,
            };
            std::fs::write(other.path().join(file.path.file_name().unwrap()), text).unwrap();
        }
    }
    let mongod = start(&program, running.path(), &made.resources);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(checked(&mongod, running.path(), other.path(), &contents));
}
