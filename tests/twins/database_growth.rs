//! The life of a database: backed up, wiped, restored, tried out, and grown to a replica set while it is written to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mongodb::bson::{Document, doc};

use super::Test;
use super::database::{application, ask};
use super::fixture::Twins;
use super::operator::{Operator, copy};

/// The first of all tests of the database: others take it away.
pub(crate) const FIRST: &[Test] = &[(
    "a second server is set up while the first is written to with nothing lost",
    a_second_server_is_set_up_while_the_first_is_written_to_with_nothing_lost,
)];

/// The last of all tests: afterwards there are two members.
pub(crate) const TESTS: &[Test] = &[
    (
        "what was backed up, wiped and restored is equal, and a drill proves the backup",
        what_was_backed_up_wiped_and_restored_is_equal_and_a_drill_proves_the_backup,
    ),
    (
        "one server grows to a replica set under writes with nothing lost and reads of the us region on its own host",
        one_server_grows_to_a_replica_set_under_writes_with_nothing_lost,
    ),
];

/// The operator with nightly backups, and with these changes to the inventory.
fn operator(twins: &Twins, name: &str, changes: &[(&str, &str)]) -> Operator {
    let identity = std::fs::read_to_string(twins.operator.home.join("tls/identity.txt")).unwrap();
    let recipient = identity
        .split_whitespace()
        .find(|word| word.starts_with("age1"));
    let backup = format!(
        "\n[database.backup]\nrecipients = [\"{}\"]\nrate = \"1MiB/s\"\n",
        recipient.unwrap()
    );
    let inventory = copy(&twins.operator.inventory, name, |mut text| {
        for (before, after) in changes {
            assert!(text.contains(before), "no {before} in {text}");
            text = text.replace(before, after);
        }
        text + &backup
    });
    twins.operator.with(inventory)
}

/// A chat of one message; whether it was answered to its end.
fn say(address: SocketAddr, region: &str, token: &str, session: &str) -> bool {
    let body =
        r#"{"model":"echo","stream":true,"messages":[{"role":"user","content":"hello there"}]}"#;
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: {region}.yourapp.com\r\nAuthorization: Bearer {token}\r\n\
             X-Session-Id: {session}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().is_ok_and(|text| text.starts_with("HTTP/1.1 200") && text.contains("[DONE]"))
}

fn run(twins: &Twins, command: Document) -> Document {
    ask(twins, Some("us"), &application(twins), "aiagent", command).unwrap()
}

/// How many messages there are of sessions whose names begin so.
fn messages(twins: &Twins, sessions: &str) -> i32 {
    let query = doc! { "sessionId": { "$regex": format!("^{sessions}") } };
    let answer = run(twins, doc! { "count": "messages", "query": query });
    answer.get_i32("n").unwrap()
}

fn a_second_server_is_set_up_while_the_first_is_written_to_with_nothing_lost(twins: &Twins) {
    if !twins.database {
        return;
    }
    let kept = messages(twins, "f-");
    eprintln!(
        "{} chats were answered meanwhile, {kept} messages kept",
        twins.first_chats
    );
    assert!(twins.first_chats > 20);
    assert_eq!(usize::try_from(kept).unwrap(), 2 * twins.first_chats);
}

fn what_was_backed_up_wiped_and_restored_is_equal_and_a_drill_proves_the_backup(twins: &Twins) {
    if !twins.database {
        return;
    }
    let operator = operator(twins, "backup.toml", &[]);
    operator.run(&["provision", "cn"]).expect(0);
    let (address, token) = (twins.addresses("us", 80)[0], operator.token("keeper"));
    for number in 0..5 {
        assert!(say(address, "us", &token, &format!("b-{number}")));
    }
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(messages(twins, "b-"), 10);
    let folder = operator.home.join("backups");
    let place = folder.to_str().unwrap();
    let made = operator
        .run(&["db", "backup", "--fetch", place, "--json"])
        .expect(0);
    let counts = made.document("db-backup")["backup"]["collections"].clone();
    let file = made.document("db-backup")["fetched"].clone();
    let file = file.as_str().unwrap();
    assert!(counts["aiagent.messages"].as_u64().unwrap() >= 10, "{made}");

    let refused = operator.run(&["db", "restore", file, "--into", "aiagent"]);
    assert_eq!(refused.code, 1, "{refused}");
    refused.says(&["a restore overwrites nothing", "aiagent.messages has"]);
    for collection in ["messages", "conversations", "users", "multi_agent_sessions"] {
        // The application's user may drop its own collections; one that never was is no matter.
        let command = doc! { "drop": collection };
        drop(ask(
            twins,
            Some("us"),
            &application(twins),
            "aiagent",
            command,
        ));
    }
    assert_eq!(messages(twins, "b-"), 0);
    operator
        .run(&["db", "restore", file, "--into", "aiagent"])
        .expect(0);
    assert_eq!(messages(twins, "b-"), 10);
    // Indexes are as the blueprint wants them.
    assert_eq!(operator.plan("cn"), Vec::<String>::new());
    operator
        .run(&["db", "drill"])
        .expect(0)
        .says(&["tried out"]);
}

/// Chats in one region, one after the other, until it is stopped; gives how many were answered to their end.
pub(crate) struct Writer {
    stop: Arc<AtomicBool>,
    writing: JoinHandle<usize>,
}

impl Writer {
    /// The sessions are called `PREFIX-REGION-NUMBER`.
    pub(crate) fn start(
        address: SocketAddr,
        region: &'static str,
        token: String,
        prefix: &'static str,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let writing = std::thread::spawn(move || {
            let mut answered = 0;
            while !stopped.load(Ordering::Relaxed) {
                let session = format!("{prefix}-{region}-{answered}");
                answered += usize::from(say(address, region, &token, &session));
                std::thread::sleep(Duration::from_millis(100));
            }
            answered
        });
        Self { stop, writing }
    }

    pub(crate) fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.writing.join().unwrap()
    }
}

fn one_server_grows_to_a_replica_set_under_writes_with_nothing_lost(twins: &Twins) {
    if !twins.database {
        return;
    }
    let single = operator(twins, "backup.toml", &[]);
    single.run(&["provision", "cn"]).expect(0);
    single.run(&["db", "backup"]).expect(0);
    single.run(&["db", "drill"]).expect(0);
    let set = operator(
        twins,
        "set.toml",
        &[
            ("mode = \"single\"", "mode = \"replica-set\""),
            ("# members = [\"us\"]", "members = [\"us\"]"),
        ],
    );
    set.run(&["ca", "issue"]).expect(0);
    let writers = ["us", "cn"].map(|region| {
        Writer::start(
            twins.addresses(region, 80)[0],
            region,
            set.token("grower"),
            "g",
        )
    });
    let grown = set.run(&["db", "grow"]).expect(0);
    // The new environment, with both members in it, is taken by the next generation.
    set.run(&["deploy"]).expect(0);
    let answered: usize = writers.into_iter().map(Writer::stop).sum();
    let read = |after: &str| -> f64 {
        let rest = grown.stdout.split(after).nth(1).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (before, now) = (read("a round trip of "), read("now one of "));
    std::thread::sleep(Duration::from_secs(2));
    let kept = messages(twins, "g-");
    eprintln!(
        "{answered} chats were answered during the growth, {kept} messages kept; a read in us: {before} ms before, {now} ms now"
    );
    assert!(answered > 20, "{answered}");
    assert_eq!(usize::try_from(kept).unwrap(), 2 * answered);
    assert!(before > 150.0 && now < 50.0, "{before} ms, {now} ms");
    assert_eq!(set.run(&["plan"]).code, 0);
    set.run(&["verify"]).expect(0);
    // Two members: the truth about failover.
    set.run(&["db", "status", "cn"])
        .prints(&["us-server.yourapp.com:27017  secondary"]);
}
