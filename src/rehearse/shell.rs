//! The lab's only door to programs and to the environment.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{Error, Result};

/// Folders that hold the tools; a root shell made by `su` lacks the `sbin` ones.
const FOLDERS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a program left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; 128 and more if a signal ended it.
    pub status: i32,
    /// Its standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

/// A program to run. No shell takes its arguments apart.
#[derive(Debug)]
pub(crate) struct Call {
    argv: Vec<OsString>,
    variables: Vec<(String, String)>,
    stdin: Option<Vec<u8>>,
    clean: bool,
}

impl Call {
    /// A program with its arguments, no input, this process's environment.
    pub(crate) fn new<I>(argv: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        Self {
            argv: argv
                .into_iter()
                .map(|word| word.as_ref().to_owned())
                .collect(),
            variables: Vec::new(),
            stdin: None,
            clean: false,
        }
    }

    /// With a variable in its environment.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// With an environment of nothing but `PATH`, `HOME` and the variables given: what runs inside a twin or a base
    /// must not see this machine's proxies, locale or tools.
    pub(crate) fn clean(mut self) -> Self {
        self.clean = true;
        self
    }

    /// With these bytes on its standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Its words, for messages.
    fn words(&self) -> String {
        let words: Vec<_> = self
            .argv
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        words.join(" ")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the lab's door")]
    fn command(&self) -> Command {
        let mut words = self.argv.iter();
        let mut command =
            Command::new(words.next().map_or(OsStr::new("true"), OsString::as_os_str));
        command.args(words);
        if self.clean {
            command.env_clear().env("HOME", "/root");
            command.env("PATH", FOLDERS);
        } else {
            let own = variable("PATH").unwrap_or_default();
            command.env("PATH", format!("{own}:{FOLDERS}"));
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn fault(&self, why: impl std::fmt::Display) -> Error {
        Error::new(
            format!("`{}` failed", self.words()),
            why,
            "run it by hand as root to see what it needs",
        )
    }

    /// Runs it to its end, whatever its exit status.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run(self) -> Result<Output> {
        let mut command = self.command();
        let stdin = if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|why| self.fault(why))?;
        let feeder = child
            .stdin
            .take()
            .zip(self.stdin.clone())
            .map(|(mut pipe, bytes)| {
                // A program that does not read its input to the end is not at fault: its exit status says.
                std::thread::spawn(move || pipe.write_all(&bytes).ok())
            });
        let output = child.wait_with_output().map_err(|why| self.fault(why))?;
        if let Some(feeder) = feeder {
            feeder.join().ok();
        }
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        Ok(Output {
            status: output
                .status
                .code()
                .or(signal.map(|number| 128 + number))
                .unwrap_or(1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it to its end; any exit status but 0 is an error with the last lines that it wrote.
    ///
    /// # Errors
    /// When it cannot be started or does not exit with 0.
    pub(crate) fn check(self) -> Result<Output> {
        let fault = self.fault("");
        let output = self.run()?;
        if output.success() {
            return Ok(output);
        }
        let text = if output.stderr.trim().is_empty() {
            &output.stdout
        } else {
            &output.stderr
        };
        Err(Error {
            why: format!("exit status {}: {}", output.status, tail(text, 5)),
            ..fault
        })
    }

    /// Starts it in a session of its own, with both outputs appended to `log`, and leaves it alone: it outlives
    /// this process, and PID 1 reaps it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn detach(self, log: &Path) -> Result<()> {
        let open = || File::options().create(true).append(true).open(log);
        let (out, errors) = open()
            .and_then(|file| Ok((file, open()?)))
            .map_err(|why| Error::file(log, why))?;
        let mut argv = vec![OsString::from("setsid"), OsString::from("--fork")];
        argv.extend(self.argv.iter().cloned());
        let detached = Self { argv, ..self };
        let status = detached
            .command()
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .status()
            .map_err(|why| detached.fault(why))?;
        if status.success() {
            Ok(())
        } else {
            Err(detached.fault(status))
        }
    }
}

/// Runs a program to its end; see [`Call::check`].
pub(crate) fn check<const N: usize>(argv: [&str; N]) -> Result<Output> {
    Call::new(argv).check()
}

/// A variable of this process's environment, if it is set and not empty.
#[expect(clippy::disallowed_methods, reason = "this is the lab's door")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where a program is, looked for in `PATH` and in the usual folders.
pub(crate) fn which(program: &str) -> Option<std::path::PathBuf> {
    let own = variable("PATH").unwrap_or_default();
    format!("{own}:{FOLDERS}")
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.is_file())
}

/// The last lines of a text, without blank ones.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    all[all.len().saturating_sub(lines)..].join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_with_its_last_words() {
        let error = Call::new(["sh", "-c", "echo first; echo broken pipe >&2; exit 3"])
            .check()
            .unwrap_err();
        assert!(error.why.contains("exit status 3"), "{error}");
        assert!(error.why.contains("broken pipe"), "{error}");
    }

    #[test]
    fn input_reaches_the_program_and_a_clean_environment_holds_nothing_of_ours() {
        let output = Call::new(["sh", "-c", "cat; env"])
            .clean()
            .stdin("fed\n")
            .check()
            .unwrap();
        assert!(output.stdout.starts_with("fed\n"));
        assert!(!output.stdout.contains("CARGO"), "{}", output.stdout);
    }

    #[test]
    fn a_program_ended_by_a_signal_has_a_status_above_128() {
        let output = Call::new(["sh", "-c", "kill -9 $$"]).run().unwrap();
        assert_eq!(output.status, 137);
    }

    #[test]
    fn the_tail_leaves_blank_lines_out() {
        assert_eq!(tail("a\n\nb\n \nc\n", 2), "b\n  c");
    }
}
