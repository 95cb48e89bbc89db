//! `geodeploy`: parse, run, report, exit code.

use std::process::ExitCode;

use geodeploy::{cli, commands};

fn main() -> ExitCode {
    let (globals, verb) = match cli::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(status) => return ExitCode::from(status),
    };
    let outcome =
        commands::run(&globals, verb).and_then(|outcome| globals.ui.finish().map(|()| outcome));
    ExitCode::from(match outcome {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            globals.ui.error(&error);
            error.exit_code()
        }
    })
}
