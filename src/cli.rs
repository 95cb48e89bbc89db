//! The command line: verbs, options that every verb has, and the environment they fall back to.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, error};

use crate::commands;
use crate::error::{Error, ErrorKind};
use crate::state::State;
use crate::ui::{Look, Terminal, Ui};

const EXIT_CODES: &str = "\
Exit status:
    0  done, or nothing to do
    1  failed
    2  plan, status, dns plan, dns status, dns verify: there are differences; db status: warnings
    3  rolled back, the old state serves
    4  unreachable, nothing changed
    5  stale: the host or the inventory moved since the plan
    6  partial: some regions done, named
   64  bad usage
   65  bad inventory, template, secret or saved plan
   75  somebody else holds the lease
   77  host key or login refused
  130  interrupted";

/// Provision, deploy and watch a service in several regions from one inventory
#[derive(Parser)]
#[command(name = "geodeploy", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb understands.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Options {
    /// Read this inventory [default: geodeploy.toml, here or in the nearest folder above]
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "GEODEPLOY_INVENTORY",
        hide_env_values = true
    )]
    inventory: Option<PathBuf>,
    /// Print results as JSON, one document a line
    #[arg(long, global = true)]
    json: bool,
    /// Agree beforehand to what the plan shows, and to nothing else
    #[arg(long, global = true)]
    yes: bool,
    /// Show new files in full, and each step with its time
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Print without colours; NO_COLOR does the same
    #[arg(long, global = true)]
    no_color: bool,
    /// Wait at most this long for a host to answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// A verb with its own arguments.
#[derive(Subcommand)]
#[expect(
    missing_docs,
    reason = "each variant's help is the comment on the arguments it holds"
)]
pub enum Verb {
    Init(commands::init::Args),
    Check(commands::check::Args),
    Plan(commands::plan::Args),
    Provision(commands::provision::Args),
    Deploy(commands::deploy::Args),
    Rollback(commands::rollback::Args),
    Restart(commands::restart::Args),
    Status(commands::status::Args),
    Verify(commands::verify::Args),
    Logs(commands::logs::Args),
    Ssh(commands::ssh::Args),
    Trust(commands::trust::Args),
    Rehearse(commands::rehearse::Args),
    Serve(commands::serve::Args),
    Token(commands::token::Args),
    Ca(commands::ca::Args),
    Db(commands::db::Args),
    Dns(commands::dns::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
    #[command(hide = true)]
    Backup(commands::host_backup::Args),
    #[command(hide = true)]
    Agent(commands::agent::Args),
    #[command(hide = true)]
    RehearseSwitch(commands::rehearse_switch::Args),
}

/// What a verb is given besides its own arguments.
pub struct Globals {
    /// The inventory as named by `-i` or `GEODEPLOY_INVENTORY`; `None` to look for `geodeploy.toml`.
    pub inventory: Option<PathBuf>,
    /// Consent to what a plan shows.
    pub yes: bool,
    /// How long a host may take to answer.
    pub timeout: Duration,
    /// All output, prompts and progress.
    pub ui: Ui,
    /// `$XDG_STATE_HOME`, or its default in the home folder; `None` where neither is known.
    state_home: Option<PathBuf>,
}

impl Globals {
    /// The same with another inventory, and consent given: for verbs that a rehearsal runs.
    #[must_use]
    pub fn with_inventory(&self, file: &std::path::Path) -> Self {
        Self {
            inventory: Some(file.to_owned()),
            yes: true,
            timeout: self.timeout,
            ui: self.ui.clone(),
            state_home: self.state_home.clone(),
        }
    }

    /// The operator's own state of that project.
    ///
    /// # Errors
    /// When no folder for it is known, or it is not safe.
    pub fn state(&self, project: &str) -> Result<State, Error> {
        let home = self.state_home.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Usage, "no folder is known to keep state in")
                .cause("neither HOME nor XDG_STATE_HOME is set to an absolute path")
                .hint("type `export XDG_STATE_HOME=/some/folder`")
        })?;
        State::open(home, project)
    }
}

/// Reads the command line, the program's own name first.
///
/// # Errors
/// The exit status, after help, the version or the refusal has been printed.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<(Globals, Verb), u8> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Looked for by hand too, so that a refused command line is refused in the form that it asks for.
    let given = |flag: &str| {
        let own = arguments.iter().take_while(|argument| *argument != "--");
        own.skip(1).any(|argument| argument == flag)
    };
    let (json, no_color) = (given("--json"), given("--no-color"));
    let command = if no_color {
        command().color(ColorChoice::Never)
    } else {
        command()
    };
    let parsed = command
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => Ok((globals(cli.options), cli.verb)),
        Err(refusal) => Err(refused(&refusal, json, no_color)),
    }
}

/// The whole command line's definition, for completions and manual pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Prints what clap has to say and gives the exit status: 0 for help and version, 64 in place of clap's own 2.
fn refused(refusal: &clap::Error, json: bool, no_color: bool) -> u8 {
    let asked = matches!(
        refusal.kind(),
        error::ErrorKind::DisplayHelp | error::ErrorKind::DisplayVersion
    );
    if json && !asked {
        let text = refusal.render().to_string();
        let what = text.lines().next().unwrap_or_default();
        let what = what.trim_start_matches("error: ");
        let tips = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("tip: "));
        let error = tips.fold(Error::new(ErrorKind::Usage, what), Error::hint);
        let error = error.hint("see `geodeploy --help`");
        Ui::new(Look::new(terminal(no_color), true, false)).error(&error);
    } else {
        // There is no place left to report that neither stream works.
        drop(refusal.print());
    }
    if asked {
        0
    } else {
        ErrorKind::Usage.exit_code()
    }
}

fn globals(options: Options) -> Globals {
    let look = Look::new(terminal(options.no_color), options.json, options.verbose);
    Globals {
        inventory: options.inventory,
        yes: options.yes,
        timeout: Duration::from_secs(options.timeout),
        ui: Ui::new(look),
        state_home: state_home(variable("XDG_STATE_HOME"), variable("HOME")),
    }
}

fn terminal(no_color: bool) -> Terminal {
    Terminal {
        input: std::io::stdin().is_terminal(),
        out: std::io::stdout().is_terminal(),
        err: std::io::stderr().is_terminal(),
        dumb: variable("TERM").is_some_and(|term| term == "dumb"),
        ci: variable("CI").is_some_and(|ci| ci != "false"),
        no_colour: no_color || variable("NO_COLOR").is_some(),
    }
}

/// A relative path is ignored, as the XDG base directory specification asks.
fn state_home(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    xdg.and_then(absolute)
        .or_else(|| Some(home.and_then(absolute)?.join(".local/state")))
}

/// A variable of the environment; an empty one counts as unset.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_has_no_contradictions() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_and_option_has_help_in_the_imperative_without_a_full_stop() {
        let mut root = command();
        root.build();
        for verb in root.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let about = verb
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                !about.is_empty() && !about.ends_with('.'),
                "{verb}: {about:?}"
            );
            for argument in verb.get_arguments() {
                let help = argument
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let id = argument.get_id();
                assert!(
                    !help.is_empty() && !help.ends_with('.'),
                    "{verb} {id}: {help:?}"
                );
            }
        }
    }

    #[test]
    fn state_is_kept_where_the_specification_says() {
        let path = |text: &str| Some(OsString::from(text));
        let home = |xdg, home| state_home(xdg, home).map(|path| path.display().to_string());
        assert_eq!(home(path("/s"), path("/h")).as_deref(), Some("/s"));
        assert_eq!(
            home(path("s"), path("/h")).as_deref(),
            Some("/h/.local/state")
        );
        assert_eq!(home(None, path("/h")).as_deref(), Some("/h/.local/state"));
        assert_eq!(home(None, None), None);
    }
}
