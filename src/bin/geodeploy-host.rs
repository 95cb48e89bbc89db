//! `geodeploy-host`: the three verbs that a host needs. What is shipped over a narrow link has no operator's code in it.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use geodeploy::agent::{self, Arguments};
use geodeploy::{backup, serve};

const USAGE: &str = "\
usage: geodeploy agent [--peer ADDRESS | --run RUN | --undo RUN]
       geodeploy serve [--dev] [--port PORT]
       geodeploy backup --config FILE
       geodeploy --version
";

/// The exit status of a command line that cannot be understood.
const BAD_USAGE: u8 = 64;

#[derive(Debug, PartialEq)]
enum Call {
    Agent(Arguments),
    Serve { dev: bool, port: Option<u16> },
    Backup(PathBuf),
    Version,
    Help,
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let (status, error) = match parse(&words) {
        Err(refusal) => (BAD_USAGE, Some(format!("{refusal}\n{USAGE}"))),
        Ok(Call::Help) => (0, say(USAGE)),
        Ok(Call::Version) => (
            0,
            say(&format!("geodeploy-host {}\n", env!("CARGO_PKG_VERSION"))),
        ),
        Ok(Call::Agent(arguments)) => match agent::main(&arguments) {
            Ok(()) => (0, None),
            Err(error) => (1, Some(format!("the agent stopped: {error}"))),
        },
        Ok(Call::Backup(config)) => match backup::main(&config) {
            Ok(()) => (0, None),
            Err(fault) => {
                let hint = fault.hint.iter().map(|hint| format!("; {hint}"));
                (1, Some(format!("{fault}{}", hint.collect::<String>())))
            }
        },
        Ok(Call::Serve { dev, port }) => match serve::main(dev, port) {
            Ok(ended) => (ended.exit_code(), None),
            Err(error) => (error.exit_code(), Some(error.to_string())),
        },
    };
    if let Some(error) = error {
        drop(writeln!(std::io::stderr(), "error: {}", error.trim_end()));
    }
    ExitCode::from(status)
}

fn say(text: &str) -> Option<String> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.err().map(|error| error.to_string())
}

fn parse(words: &[&str]) -> Result<Call, String> {
    match words {
        ["agent", options @ ..] => parse_agent(options).map(Call::Agent),
        ["serve", options @ ..] => parse_serve(options),
        ["backup", "--config", config] => Ok(Call::Backup(PathBuf::from(config))),
        ["backup", ..] => Err("backup needs --config FILE".to_owned()),
        ["--version" | "-V"] => Ok(Call::Version),
        ["--help" | "-h"] => Ok(Call::Help),
        [] => Err("a verb is missing".to_owned()),
        [other, ..] => Err(format!("{other} is no verb of a host")),
    }
}

fn parse_agent(options: &[&str]) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    match options {
        [] => {}
        ["--peer", peer] => arguments.peer = Some((*peer).to_owned()),
        ["--run", run] => arguments.run = Some((*run).to_owned()),
        ["--undo", run] => arguments.undo = Some((*run).to_owned()),
        other => return Err(format!("agent does not understand {}", other.join(" "))),
    }
    Ok(arguments)
}

fn parse_serve(options: &[&str]) -> Result<Call, String> {
    let (mut dev, mut port) = (false, None);
    let mut rest = options;
    loop {
        rest = match rest {
            [] => return Ok(Call::Serve { dev, port }),
            ["--dev", rest @ ..] => {
                dev = true;
                rest
            }
            ["--port", number, rest @ ..] => {
                let number = number.parse().map_err(|_| format!("{number} is no port"))?;
                port = Some(number);
                rest
            }
            [other, ..] => return Err(format!("serve does not understand {other}")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_knows_agent_serve_and_backup() {
        let agent = |words: &[&str]| match parse(words) {
            Ok(Call::Agent(arguments)) => arguments,
            other => panic!("{other:?}"),
        };
        assert_eq!(agent(&["agent"]), Arguments::default());
        let peer = agent(&["agent", "--peer", "192.0.2.1 50000 192.0.2.2 22"]).peer;
        assert_eq!(peer.as_deref(), Some("192.0.2.1 50000 192.0.2.2 22"));
        assert_eq!(agent(&["agent", "--run", "r1"]).run.as_deref(), Some("r1"));
        assert_eq!(
            agent(&["agent", "--undo", "r1"]).undo.as_deref(),
            Some("r1")
        );
        let serve = Call::Serve {
            dev: true,
            port: Some(8001),
        };
        assert_eq!(parse(&["serve", "--port", "8001", "--dev"]), Ok(serve));
        let backup = Call::Backup(PathBuf::from("/etc/x.json"));
        assert_eq!(parse(&["backup", "--config", "/etc/x.json"]), Ok(backup));
        assert_eq!(parse(&["--version"]), Ok(Call::Version));
    }

    #[test]
    fn everything_else_is_refused_with_its_name() {
        for (words, refusal) in [
            (&[][..], "a verb is missing"),
            (&["provision"], "provision is no verb of a host"),
            (&["serve", "--port"], "serve does not understand --port"),
            (&["serve", "--port", "x"], "x is no port"),
            (&["backup"], "backup needs --config FILE"),
            (&["agent", "--run"], "agent does not understand --run"),
        ] {
            assert_eq!(parse(words), Err(refusal.to_owned()));
        }
    }
}
