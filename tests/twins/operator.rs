//! The operator: the program itself, with a home and a state of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Whoever types the commands.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// `HOME` and `XDG_STATE_HOME`.
    pub(crate) home: PathBuf,
    /// What `-i` names.
    pub(crate) inventory: PathBuf,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) words: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Operator {
    /// The same operator with another inventory.
    pub(crate) fn with(&self, inventory: PathBuf) -> Self {
        Self {
            inventory,
            home: self.home.clone(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_geodeploy"));
        command
            .args(["--no-color", "--yes", "-i"])
            .arg(&self.inventory)
            .args(arguments)
            .env("HOME", &self.home)
            .env("XDG_STATE_HOME", &self.home)
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("GEODEPLOY_INVENTORY")
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.watch(arguments, |_, _| {})
    }

    /// Runs a command and hands over each line of its standard error when it comes, with the process.
    pub(crate) fn watch(&self, arguments: &[&str], mut see: impl FnMut(&str, &mut Child)) -> Ran {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let err = child.stderr.take().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        let mut stderr = String::new();
        for line in BufReader::new(err).lines() {
            let line = line.unwrap();
            see(&line, &mut child);
            stderr.push_str(&line);
            stderr.push('\n');
        }
        Ran {
            words: arguments.join(" "),
            code: child.wait().unwrap().code().unwrap_or(-1),
            stdout: reading.join().unwrap(),
            stderr,
        }
    }

    /// Ends the connections that earlier commands left for later ones.
    pub(crate) fn hang_up(&self) {
        let folder = self.home.join("geodeploy/yourapp/control");
        let Ok(entries) = std::fs::read_dir(&folder) else {
            return;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path
                .extension()
                .is_none_or(|extension| extension != "master")
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let socket = text.lines().nth(1).unwrap_or_default();
            #[expect(clippy::disallowed_methods, reason = "the tests' door to ssh")]
            Command::new("ssh")
                .args(["-F", "none", "-O", "exit", "-S", socket, "master"])
                .output()
                .unwrap();
            std::fs::remove_file(path).unwrap();
        }
    }

    /// What `plan REGION` finds: `kind name` of everything that differs. Its exit status must agree.
    pub(crate) fn plan(&self, region: &str) -> Vec<String> {
        let ran = self.run(&["plan", region, "--json"]);
        let plans = ran.document("plans");
        assert_eq!(plans[0]["target"], region, "{ran:?}");
        let changes = plans[0]["changes"].as_array().unwrap().iter();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let ids: Vec<String> = changes
            .map(|change| {
                format!(
                    "{} {}",
                    word(&change["id"]["kind"]),
                    word(&change["id"]["name"])
                )
            })
            .collect();
        ran.expect(if ids.is_empty() { 0 } else { 2 });
        ids
    }

    /// What `provision REGION` says that it changed.
    pub(crate) fn provision(&self, region: &str) -> u64 {
        let ran = self.run(&["provision", region, "--json"]).expect(0);
        ran.document("provisioned")[0]["changed"].as_u64().unwrap()
    }

    /// What `status REGION` reports; healthy or not.
    pub(crate) fn status(&self, region: &str) -> Value {
        let ran = self.run(&["status", region, "--json"]);
        ran.document("status")[0].clone()
    }

    /// A token for a user.
    pub(crate) fn token(&self, user: &str) -> String {
        let ran = self.run(&["token", "--user", user, "--json"]).expect(0);
        ran.document("token")["token"].as_str().unwrap().to_owned()
    }
}

impl Ran {
    /// Itself, where it ended with that status.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Asserts that standard error has all these words.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self}");
        }
    }

    /// Asserts that standard output has all these words.
    #[track_caller]
    pub(crate) fn prints(&self, words: &[&str]) {
        for word in words {
            assert!(self.stdout.contains(word), "no {word:?} in {self}");
        }
    }

    /// The JSON document of that name.
    #[track_caller]
    pub(crate) fn document(&self, name: &str) -> Value {
        for line in self.stdout.lines() {
            let document: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self}"));
            assert_eq!(document["schema"], 1, "{self}");
            if let Some(found) = document.get(name) {
                return found.clone();
            }
        }
        panic!("no document {name:?}: {self}");
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            words,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            formatter,
            "`geodeploy {words}` ended with {code}\n{stdout}{stderr}"
        )
    }
}

/// Writes a changed copy of an inventory beside it.
pub(crate) fn copy(inventory: &Path, name: &str, change: impl FnOnce(String) -> String) -> PathBuf {
    let text = std::fs::read_to_string(inventory).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "the copy {name} is the same");
    let path = inventory.with_file_name(name);
    std::fs::write(&path, changed).unwrap();
    path
}
