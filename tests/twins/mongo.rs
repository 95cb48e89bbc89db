//! A MongoDB client at a place of the test's choice: this program, run once more inside a twin's network.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mongodb::Client;
use mongodb::bson::Document;
use mongodb::options::ClientOptions;
use serde::{Deserialize, Serialize};

use super::fixture::Twins;

/// The argument with which this program is a client and no test.
pub(crate) const WORD: &str = "--mongodb-client";

/// A connection as it is tried.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dial {
    /// Whole, with user and password.
    pub(crate) uri: String,
    /// The database of the command.
    pub(crate) database: String,
    /// The command.
    pub(crate) command: Document,
}

/// Reads a [`Dial`] and prints the server's answer, or why there is none.
pub(crate) fn client() -> std::process::ExitCode {
    let dial: Dial = serde_json::from_reader(std::io::stdin().lock()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(async {
        let options = ClientOptions::parse(&dial.uri).await?;
        let database = Client::with_options(options)?.database(&dial.database);
        database.run_command(dial.command).await
    });
    let answer = answer.map_err(|error| error.to_string());
    println!("{}", serde_json::to_string(&answer).unwrap());
    std::process::ExitCode::SUCCESS
}

/// The server's answer to a client in the network of that twin; `None` is the operator's side of the links.
pub(crate) fn dial(twins: &Twins, from: Option<&str>, dial: &Dial) -> Result<Document, String> {
    let program = std::env::current_exe().unwrap().display().to_string();
    let mut argv: Vec<String> = Vec::new();
    if let Some(from) = from {
        let leader = twins.twin(from).leader().unwrap().to_string();
        argv.extend(["nsenter", "--net", "--target", &leader].map(str::to_owned));
    }
    argv.extend([program, WORD.to_owned()]);
    #[expect(clippy::disallowed_methods, reason = "a client in another network")]
    let mut child = Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_vec(dial).unwrap();
    child.stdin.take().unwrap().write_all(&text).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A file of a twin's as this machine sees it.
pub(crate) fn file(twins: &Twins, region: &str, path: &str) -> PathBuf {
    twins.twin(region).root().join(path.trim_start_matches('/'))
}
