//! Runs the real binary in a home of its own.

use std::path::PathBuf;
use std::process::Output;

use tempfile::TempDir;

/// An empty home folder, in which the tool runs with nothing of this machine's environment.
pub(crate) struct Sandbox {
    home: TempDir,
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// All secrets that the example inventory refers to.
    pub(crate) fn secrets(self) -> Self {
        self.variable("VOLCENGINE_API_KEY", "ark-key-of-the-test")
            .variable("VOLCENGINE_ENDPOINT_ID", "ep-20240101000000-abcde")
            .variable("JWT_SECRET", "jwt-secret-of-the-test-0123456789abcdef")
            .variable("MONGODB_PASSWORD", "password-of-the-application")
            .variable("MONGODB_ADMIN_PASSWORD", "password-of-the-administrator")
            .variable("MONGODB_MONITOR_PASSWORD", "password-of-the-monitor")
            .variable("MONGODB_BACKUP_PASSWORD", "password-of-the-backup")
    }

    /// An inventory as `init` writes it, with everything made and fetched that `check` asks for. MongoDB's key is one of
    /// our own.
    pub(crate) fn project(self) -> Self {
        let sandbox = self.secrets();
        assert_eq!(sandbox.run(&["init"]).status(), 0);
        sandbox.prepare();
        sandbox
    }

    /// Makes the certificates and puts a key of our own in the place of MongoDB's.
    pub(crate) fn prepare(&self) {
        let key = include_str!("../../src/secrets/openpgp/test-key.asc");
        let fingerprint = include_str!("../../src/secrets/openpgp/test-key.fingerprint").trim();
        std::fs::write(self.path("mongodb-8.0.asc"), key).unwrap();
        let inventory = std::fs::read_to_string(self.path("geodeploy.toml")).unwrap();
        let (before, after) = inventory.split_once("# fingerprint = \"").unwrap();
        let (_, after) = after.split_once('"').unwrap();
        let inventory = format!("{before}fingerprint = \"{fingerprint}\"{after}");
        std::fs::write(self.path("geodeploy.toml"), inventory).unwrap();
        for action in ["init", "issue"] {
            let run = self.run(&["ca", action]);
            assert_eq!(run.status(), 0, "{}", run.err());
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_geodeploy"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("COLUMNS", "100")
            .envs(self.variables.iter().copied())
            .current_dir(self.home.path())
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run(self.command(arguments).output().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

pub(crate) struct Run(Output);

impl Run {
    pub(crate) fn status(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// Every line of standard output as a document, each with its schema.
    pub(crate) fn documents(&self) -> Vec<serde_json::Value> {
        let text = self.out();
        let documents = text.lines().map(|line| {
            let document: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(document["schema"], 1, "{line}");
            document
        });
        documents.collect()
    }
}
