//! Restarts of the server, and the way back where it does not come up.

use std::time::Duration;

use mongodb::bson::{Document, doc};

use super::{Connection, UNIT};
use crate::agent::system::database::Refusal;
use crate::agent::system::{Fault, Invocation};
use crate::resource::Context;
use crate::resource::previous::{self, Previous};

/// How long the server may take to stop and start: it replays its journal.
const RESTART: Duration = Duration::from_secs(180);

/// How long a server that runs may take to answer and to be elected.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server that listens and is not trusted is asked again.
const WITHOUT_TRUST: Duration = Duration::from_secs(10);

/// Restarts the server, so that it runs with what is on disk. Where it does not come up with a configuration that it never
/// ran with, it gets back the one before.
///
/// # Errors
/// When it does not come up, with the log's last complaints, and whether it runs as before.
pub(super) fn restart(
    connection: &Connection,
    log: Option<&str>,
    context: &Context<'_>,
) -> Result<(), Fault> {
    let before = previous::unproven(context, UNIT)?;
    let Err(fault) = attempt(connection, context) else {
        return previous::forget(context, UNIT);
    };
    let complaints = complaints(log, context);
    let why = match complaints.is_empty() {
        true => fault.why,
        false => format!("{}\n{complaints}", fault.why),
    };
    let Some(before) = before else {
        let hint = "on the host: `journalctl -u mongod` and /var/log/mongodb/mongod.log";
        return Err(Fault::new(fault.what, why).hint(hint));
    };
    Err(back(&before, connection, why, context))
}

fn back(before: &Previous, connection: &Connection, why: String, context: &Context<'_>) -> Fault {
    let path = before.path.display();
    let what = format!("{UNIT} did not start with the new {path}");
    let tried = before
        .put_back(context)
        .and_then(|()| attempt(connection, context))
        .and_then(|()| previous::forget(context, UNIT));
    match tried {
        Ok(()) => Fault::new(what, format!("the old {path} is back, and the database runs with it\n{why}"))
            .hint("mend what the log names, in the inventory or in the template mongod.conf.j2, and run it again"),
        Err(second) => Fault::new(
            what,
            format!("{why}\nwith the old {path} it does not start either: {}", second.why),
        )
        .hint("on the host: `journalctl -u mongod` and /var/log/mongodb/mongod.log"),
    }
}

fn attempt(connection: &Connection, context: &Context<'_>) -> Result<(), Fault> {
    let what = format!("cannot restart {UNIT}");
    let argv = ["systemctl", "restart", "--", UNIT];
    let output = context
        .system
        .run(&Invocation::new(&argv).deadline(RESTART));
    context.facts.forget();
    output
        .map_err(|error| Fault::new(&what, error))?
        .checked(&what)?;
    come_up(connection, context)
}

/// Waits until a server that was started answers, and is elected where it is in a set.
///
/// # Errors
/// When it ends, or does not answer in time.
pub(super) fn come_up(connection: &Connection, context: &Context<'_>) -> Result<(), Fault> {
    let pause = Duration::from_millis(200);
    let begun = context.system.now();
    (context.progress)("waiting for the database to answer");
    loop {
        context.facts.forget();
        let state = context.facts.unit(context.system, UNIT)?;
        let ended = matches!(&*state.active, "failed" | "inactive") || state.sub == "auto-restart";
        if ended {
            let why = format!("it is {} ({})", state.active, state.sub);
            return Err(Fault::new(format!("{UNIT} did not start"), why));
        }
        let waited = context
            .system
            .now()
            .duration_since(begun)
            .unwrap_or_default();
        let (patience, why) = match connection.ask_as_nobody(context, doc! { "hello": 1 }) {
            Ok(hello) if serves(&hello) => return Ok(()),
            Ok(_) => (
                PATIENCE,
                "it is neither primary nor secondary of its set".to_owned(),
            ),
            Err(Refusal::Absent) => (PATIENCE, "nobody listens on its port".to_owned()),
            Err(refusal) => (WITHOUT_TRUST, refusal.to_string()),
        };
        if waited >= patience {
            let what = format!("the database does not answer after {} s", waited.as_secs());
            return Err(Fault::new(what, why));
        }
        context.system.sleep(pause);
    }
}

/// A member that is elected or follows one that is; or a server that is in no set yet.
fn serves(hello: &Document) -> bool {
    let is = |name| hello.get_bool(name).unwrap_or(false);
    is("isWritablePrimary") || is("secondary") || hello.get_str("setName").is_err()
}

/// The last errors of the server's log, which has one JSON object a line (severities: MongoDB's manual, Log Messages), and
/// of what it printed before it had a log.
fn complaints(log: Option<&str>, context: &Context<'_>) -> String {
    const MOST: usize = 6;
    let read = |argv: &[&str]| match context.system.run(&Invocation::new(argv)) {
        Ok(output) if output.success() => output.stdout,
        // What led here is the failure to tell.
        Ok(_) | Err(_) => String::new(),
    };
    let unit = [
        "journalctl",
        "--no-pager",
        "--quiet",
        "--lines=10",
        "--output=cat",
        "--unit",
        UNIT,
    ];
    let mut lines: Vec<String> = read(&unit)
        .lines()
        .filter(|line| line.contains("rror") || line.contains("nrecognized"))
        .map(str::to_owned)
        .collect();
    if let Some(log) = log {
        lines.extend(
            read(&["tail", "-n", "60", "--", log])
                .lines()
                .filter_map(complaint),
        );
    }
    lines[lines.len().saturating_sub(MOST)..].join("\n")
}

fn complaint(line: &str) -> Option<String> {
    const LONGEST: usize = 300;
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    if !matches!(entry["s"].as_str()?, "E" | "F") || entry["ctx"] == "BACKTRACE" {
        return None;
    }
    let text = format!("{} {}", entry["msg"].as_str()?, entry["attr"]);
    Some(text.chars().take(LONGEST).collect())
}
