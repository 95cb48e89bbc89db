//! The verbs: one verb, one file. `Args`, whose comments are the help, then `run`, which reads as the verb's runbook.

pub mod agent;
pub mod check;
pub mod completions;
pub mod deploy;
pub mod init;
pub mod logs;
pub mod man;
pub mod plan;
pub mod provision;
pub mod rehearse;
pub mod rehearse_switch;
pub mod restart;
pub mod rollback;
pub mod serve;
pub mod ssh;
pub mod status;
pub mod token;
pub mod trust;

mod outcome;

pub use outcome::{Outcome, combine};

use crate::cli::{Globals, Verb};
use crate::error::Error;

/// Runs a verb.
///
/// # Errors
/// The verb's failure.
pub fn run(globals: &Globals, verb: Verb) -> Result<Outcome, Error> {
    match verb {
        Verb::Init(args) => init::run(globals, args),
        Verb::Check(args) => check::run(globals, args),
        Verb::Plan(args) => plan::run(globals, args),
        Verb::Provision(args) => provision::run(globals, args),
        Verb::Deploy(args) => deploy::run(globals, args),
        Verb::Rollback(args) => rollback::run(globals, args),
        Verb::Restart(args) => restart::run(globals, args),
        Verb::Status(args) => status::run(globals, args),
        Verb::Logs(args) => logs::run(globals, args),
        Verb::Ssh(args) => ssh::run(globals, args),
        Verb::Trust(args) => trust::run(globals, args),
        Verb::Rehearse(args) => rehearse::run(globals, args),
        Verb::Serve(args) => serve::run(globals, args),
        Verb::Token(args) => token::run(globals, args),
        Verb::Completions(args) => completions::run(globals, args),
        Verb::Man(args) => man::run(globals, args),
        Verb::Agent(args) => agent::run(globals, args),
        Verb::RehearseSwitch(args) => rehearse_switch::run(globals, args),
    }
}

fn unfinished(verb: &str) -> Error {
    Error::new(
        crate::error::ErrorKind::Failed,
        format!("{verb} is not part of this build"),
    )
}
