//! The half that runs on a host: one request in, events out.
//!
//! `agent --peer ADDRESS` answers a request from standard input; `--run RUN` carries a stored request out, detached;
//! `--undo RUN` is called by the timer of an armed firewall change.

mod answer;
mod apply;
mod archive;
mod backup;
mod census;
pub mod database;
pub mod database_link;
pub mod database_status;
mod deploy;
mod detached;
pub mod environment;
#[cfg(test)]
pub mod fixture;
mod generation;
mod handshake;
mod http;
mod inspect;
pub mod journal;
pub mod machine;
pub mod message;
pub mod paths;
mod preflight;
mod prune;
mod run;
mod scratch;
mod status;
pub mod system;
mod undo;
mod units;

use std::io::{self, Write};

use machine::Machine;
use message::{Event, MARK, Outcome};
use system::Fault;

/// How an agent was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// `SSH_CONNECTION` of the login, its first word the operator's address.
    pub peer: Option<String>,
    /// Carry out this stored run.
    pub run: Option<String>,
    /// Undo the firewall change of this run.
    pub undo: Option<String>,
}

/// Runs the agent. Problems are events, so that the operator sees them; only a lost standard output is an error.
///
/// # Errors
/// When standard output or the journal cannot be written, or standard input is not a request.
pub fn main(arguments: &Arguments) -> io::Result<()> {
    let machine = Machine;
    if let Some(run) = &arguments.undo {
        return undo::undo(run, &machine).map_err(|fault| io::Error::other(fault.to_string()));
    }
    if let Some(run) = &arguments.run {
        return detached::carry_out(run, &machine);
    }
    let mut stdin = io::stdin().lock();
    let mut stdout = io::stdout().lock();
    // What a login shell printed before may have ended without a line break.
    let clock = jiff::Timestamp::now().as_millisecond();
    writeln!(stdout, "\n{MARK} {clock}")?;
    stdout.flush()?;
    let peer = arguments
        .peer
        .as_deref()
        .and_then(|peer| peer.split_whitespace().next());
    let events = match message::decode(&mut stdin) {
        Ok(request) => answer::answer(&request, peer, &mut stdin, &mut stdout, &machine)?,
        Err(error) => Some(failed(&Fault::new(
            "the agent cannot read the request",
            error,
        ))),
    };
    events.map_or(Ok(()), |outcome| {
        message::write_event(&mut stdout, &Event::Finished { outcome })
    })
}

fn converged(changed: usize) -> Outcome {
    Outcome::Converged {
        changed,
        restarted: Vec::new(),
    }
}

fn failed(fault: &Fault) -> Outcome {
    Outcome::Failed {
        what: fault.what.clone(),
        why: fault.why.clone(),
        hint: fault.hint.clone(),
    }
}
