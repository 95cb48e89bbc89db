//! The verbs: one verb, one file. `Args`, whose comments are the help, then `run`, which reads as the verb's runbook.

mod adopt;
pub mod agent;
pub mod ca;
pub mod check;
pub mod completions;
pub mod db;
pub mod deploy;
pub mod dns;
pub mod host_backup;
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
pub mod verify;

mod database_link;
mod outcome;
mod switch;
mod visitor;

pub use outcome::{Outcome, combine};

use crate::cli::{Globals, Verb};
use crate::error::{Error, ErrorKind};

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
        Verb::Verify(args) => verify::run(globals, args),
        Verb::Logs(args) => logs::run(globals, args),
        Verb::Ssh(args) => ssh::run(globals, args),
        Verb::Trust(args) => trust::run(globals, args),
        Verb::Rehearse(args) => rehearse::run(globals, args),
        Verb::Serve(args) => serve::run(globals, args),
        Verb::Token(args) => token::run(globals, args),
        Verb::Ca(args) => ca::run(globals, args),
        Verb::Db(args) => db::run(globals, args),
        Verb::Dns(args) => dns::run(globals, args),
        Verb::Completions(args) => completions::run(globals, args),
        Verb::Man(args) => man::run(globals, args),
        Verb::Backup(args) => host_backup::run(globals, args),
        Verb::Agent(args) => agent::run(globals, args),
        Verb::RehearseSwitch(args) => rehearse_switch::run(globals, args),
    }
}

/// Runs a verb's asynchronous part to its end, or until Ctrl-C. What runs on hosts goes on there.
///
/// # Errors
/// Those of the part; an interrupt.
pub(crate) fn block_on<T>(part: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let interrupted = Error::new(ErrorKind::Interrupted, "interrupted")
        .cause("what was begun on a host goes on there to its end")
        .hint("run the same command again: it follows what is still under way and does the rest");
    block_on_unless(part, interrupted)
}

/// As [`block_on`], for what is not done on hosts.
///
/// # Errors
/// Those of the part; `interrupted` after Ctrl-C.
fn block_on_unless<T>(
    part: impl Future<Output = Result<T, Error>>,
    interrupted: Error,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Failed, "cannot start").cause(error))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = part => result,
            _ = tokio::signal::ctrl_c() => Err(interrupted),
        }
    });
    // A blocked read of a host that does not answer must not hold the operator back.
    runtime.shutdown_background();
    result
}
