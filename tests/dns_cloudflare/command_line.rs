//! The real binary against the fake: exit statuses, and what is shown and kept.

use std::path::Path;
use std::process::Output;

use geodeploy::inventory::EXAMPLE;
use tempfile::TempDir;

use crate::fake::{Server, TOKEN};

/// An operator's machine: a home with an inventory, and a token in the environment.
struct Desk {
    home: TempDir,
    token: &'static str,
}

impl Desk {
    fn new(endpoint: &str, token: &'static str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let dns = format!(
            "[dns]\nprovider = \"cloudflare\"\ntoken = {{ env = \"CLOUDFLARE_API_TOKEN\" }}\nendpoint = \"{endpoint}\"\n[dns.routing]\ndefault = \"us\"\ncontinents = {{ NA = \"us\", AS = \"cn\" }}\n"
        );
        std::fs::write(
            home.path().join("geodeploy.toml"),
            format!("{EXAMPLE}\n{dns}"),
        )
        .unwrap();
        Self { home, token }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_geodeploy"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("CLOUDFLARE_API_TOKEN", self.token)
            .current_dir(self.home.path())
            .args(arguments);
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        run.await.unwrap()
    }
}

/// Standard output and error, after a look for the token in both.
fn text(output: &Output, token: &str) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let text = text.concat();
    assert!(!text.contains(token), "{text}");
    text
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[tokio::test]
async fn plan_shows_and_writes_nothing_sync_writes_and_a_second_one_does_not() {
    let server = Server::start().await;
    let desk = Desk::new(server.endpoint().as_str(), TOKEN);
    let plan = desk.run(&["dns", "plan"]).await;
    let shown = text(&plan, TOKEN);
    assert_eq!(plan.status.code(), Some(2), "{shown}");
    for name in [
        "api.yourapp.com",
        "us.yourapp.com A",
        "geodeploy-cn_yourapp_com",
        "paid add-on",
    ] {
        assert!(shown.contains(name), "{name} in {shown}");
    }
    assert_eq!(server.writes().len(), 0);
    let sync = desk.run(&["--yes", "dns", "sync"]).await;
    assert_eq!(sync.status.code(), Some(0), "{}", text(&sync, TOKEN));
    let writes = server.writes().len();
    let again = desk.run(&["--yes", "--json", "dns", "sync"]).await;
    assert_eq!(again.status.code(), Some(0), "{}", text(&again, TOKEN));
    assert_eq!(server.writes().len(), writes);
    assert_eq!(desk.run(&["dns", "plan"]).await.status.code(), Some(0));
    let kept = files(desk.home.path());
    assert!(kept.len() > 1);
    for file in kept {
        let bytes = std::fs::read(&file).unwrap();
        assert!(
            !String::from_utf8_lossy(&bytes).contains(TOKEN),
            "{}",
            file.display()
        );
    }
}

#[tokio::test]
async fn each_failure_has_its_exit_status_and_says_what_to_do() {
    let server = Server::start().await;
    let endpoint = server.endpoint();
    let failed = async |desk: Desk, status: i32, words: &[&str]| {
        let plan = desk.run(&["dns", "plan"]).await;
        let said = text(&plan, desk.token);
        assert_eq!(plan.status.code(), Some(status), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    let desk = |token| Desk::new(endpoint.as_str(), token);
    failed(
        desk("hunter2-of-somebody"),
        77,
        &["refuses the token", "dns.token"],
    )
    .await;
    server.store().missing.insert("DNS Write");
    failed(desk(TOKEN), 65, &["DNS Write (zone)", "API Tokens"]).await;
    server.store().missing.clear();
    server.store().entitlement = crate::fake::Entitlement::NotListed;
    failed(desk(TOKEN), 65, &["embedded", "route53", "manual"]).await;
    server.store().zones.clear();
    failed(desk(TOKEN), 65, &["no zone yourapp.com"]).await;
    assert_eq!(server.writes().len(), 0);
}
