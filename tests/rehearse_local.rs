//! A rehearsal without twins, as a user without privileges: files rendered, servers checked behind their links, nothing left.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test's helper fails as its test does, and starts programs of its own"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The user and group `nobody`.
const NOBODY: &str = "65534";

/// A home in which the tool runs as a user without privileges.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
        let home = Self(home);
        // The build's folder may be below a home that nobody else may enter.
        let built = env!("CARGO_BIN_EXE_geodeploy");
        if fs::hard_link(built, home.path("geodeploy")).is_err() {
            fs::copy(built, home.path("geodeploy")).unwrap();
        }
        fs::create_dir(home.path("tmp")).unwrap();
        fs::set_permissions(home.path("tmp"), Permissions::from_mode(0o777)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn inventory(&self, text: &str) -> &Self {
        fs::write(self.path("geodeploy.toml"), text).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let root = rustix::process::geteuid().is_root();
        let program = self.path("geodeploy");
        let mut command = if root {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={NOBODY}"))
                .arg(format!("--regid={NOBODY}"))
                .arg("--clear-groups")
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.0.path())
            .env("TMPDIR", self.path("tmp"))
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(self.left(), Vec::<PathBuf>::new());
        Run(output)
    }

    /// What is left in the folder for temporary files.
    fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

struct Run(Output);

impl Run {
    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    fn status(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    /// Name, result and seconds of every step of the report.
    fn steps(&self) -> Vec<(String, String, f64)> {
        let document: Value = serde_json::from_str(self.out().lines().next().unwrap()).unwrap();
        let steps = document["rehearsal"]["steps"].as_array().unwrap();
        let text = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
        steps
            .iter()
            .map(|step| {
                let seconds = step["seconds"].as_f64().unwrap();
                (text(step, "step"), text(step, "result"), seconds)
            })
            .collect()
    }
}

fn step<'s>(steps: &'s [(String, String, f64)], name: &str) -> (&'s str, f64) {
    let found = steps.iter().find(|(step, _, _)| step == name).unwrap();
    (&found.1, found.2)
}

const INVENTORY: &str = r#"
version = 1
[app]
name = "shop"
domain = "example.com"
[app.env]
NODE_ENV = "production"
GREETING = "say \"hello\" to $USER"
[model]
kind = "ark"
api_url = "https://ark.example.com/api/v3"
api_key = { command = ["touch", "asked-for-the-key"] }
endpoint_id = { command = ["touch", "asked-for-the-endpoint"] }
[login]
jwt_public_key = { command = ["touch", "asked-for-the-login"] }
[database]
mode = "embedded"
[ssh]
user = "root"
[firewall]
administrators = ["192.0.2.0/24"]
[limits]
max_sse_per_user = 3
[regions.far]
server_name = "far-server"
domain = "far.example.com"
ipv4 = "203.0.113.10"
[regions.near]
server_name = "near-server"
domain = "near.example.com"
ipv4 = "198.51.100.20"
[regions.near.env]
REGION = "Next Door"
[[links]]
between = ["operator", "far"]
rtt = "400ms"
mbps = 10
"#;

#[test]
fn the_example_is_rehearsed_by_a_user_without_privileges() {
    let run = Home::new().run(&["rehearse", "--local"]);
    assert_eq!(run.status(), 0, "{}\n{}", run.out(), run.err());
    let out = run.out();
    for line in [
        "ok  render us",
        "ok  serve cn",
        "200 OK: healthy, region US, database ok",
        "200 OK: healthy, region CN, database ok",
        "stream 2 of one user: 429",
        "ok  end us",
        "exit status 0",
        "rehearsed in",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let err = run.err();
    for file in ["/etc/nginx/nginx.conf", "/etc/yourapp/env"] {
        let line = err.lines().find(|line| line.contains(file)).unwrap();
        assert!(line.contains(" B ") || line.contains(" kB "), "{line}");
    }
}

#[test]
fn where_twins_cannot_boot_it_says_what_is_missing_and_goes_on_without_them() {
    let run = Home::new().run(&["rehearse"]);
    assert_eq!(run.status(), 0, "{}\n{}", run.out(), run.err());
    let err = run.err();
    assert!(err.contains("this machine cannot boot twins"), "{err}");
    let what = if cfg!(target_os = "linux") {
        "root is missing"
    } else {
        "Linux is missing"
    };
    let line = err.lines().find(|line| line.contains(what)).unwrap();
    assert!(
        line.contains("; run it with sudo") || line.contains("--local"),
        "{line}"
    );
    assert!(run.out().contains("ok  chat cn"), "{}", run.out());
}

#[test]
fn an_own_inventory_keeps_its_links_limits_and_names_and_no_secret_is_asked_for() {
    let home = Home::new();
    let run = home
        .inventory(INVENTORY)
        .run(&["rehearse", "--local", "--json"]);
    assert_eq!(run.status(), 0, "{}\n{}", run.out(), run.err());
    let steps = run.steps();
    let (health, seconds) = step(&steps, "health far");
    assert!(health.starts_with("200 OK: healthy, region FAR, database ok, 0 of 200"));
    // The handshake and the request: two round trips of 400 ms.
    assert!((0.8..2.0).contains(&seconds), "{seconds} s");
    let (health, seconds) = step(&steps, "health near");
    assert!(health.starts_with("200 OK: healthy, region Next Door, database ok, 0 of"));
    assert!(seconds < 0.4, "{seconds} s");
    let (chat, _) = step(&steps, "chat far");
    let first = chat.split(' ').nth_back(1).unwrap();
    let first: u64 = first.parse().unwrap_or_else(|_| panic!("{chat}"));
    assert!((400..1200).contains(&first), "{chat}");
    assert!(
        step(&steps, "limit near")
            .0
            .starts_with("stream 4 of one user: 429")
    );
    for source in ["key", "endpoint", "login"] {
        assert!(!home.path(&format!("asked-for-the-{source}")).exists());
    }
}

#[test]
fn a_broken_template_is_named_with_its_line_and_no_server_is_started() {
    let home = Home::new();
    fs::create_dir(home.path("mine")).unwrap();
    fs::write(
        home.path("mine/site.conf.j2"),
        "server {\n{{ nonsense }}\n}\n",
    )
    .unwrap();
    let inventory = format!("templates = \"mine\"\n{INVENTORY}");
    let run = home.inventory(&inventory).run(&["rehearse", "--local"]);
    assert_eq!(run.status(), 65, "{}", run.err());
    assert!(run.err().contains("site.conf.j2:2"), "{}", run.err());
    assert!(run.out().contains("!!  render far"), "{}", run.out());
    assert!(!run.out().contains("serve"), "{}", run.out());
}

#[test]
fn a_server_that_refuses_its_variables_ends_the_rehearsal_with_its_words() {
    let home = Home::new();
    let inventory = INVENTORY.replace("GREETING = ", "HEARTBEAT_INTERVAL = \"soon\"\nGREETING = ");
    let run = home.inventory(&inventory).run(&["rehearse", "--local"]);
    assert_eq!(run.status(), 1, "{}", run.err());
    assert!(
        run.err().contains("cannot start the server"),
        "{}",
        run.err()
    );
    assert!(run.err().contains("HEARTBEAT_INTERVAL"), "{}", run.err());
}

/// Programs whose file is in that home.
fn programs(home: &Home) -> usize {
    let own = home.path("geodeploy");
    let entries = fs::read_dir("/proc").unwrap();
    let links = entries.filter_map(|entry| fs::read_link(entry.unwrap().path().join("exe")).ok());
    links.filter(|link| *link == own).count()
}

#[test]
fn an_interrupt_ends_the_servers_and_leaves_nothing() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let home = Home::new();
    let inventory = INVENTORY.replace("400ms", "4s");
    let mut child = home
        .inventory(&inventory)
        .command(&["rehearse", "--local"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while programs(&home) < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(home.left(), Vec::<PathBuf>::new());
    while programs(&home) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
}
