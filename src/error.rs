//! What went wrong: what, why, what next, and the exit code that follows from its kind.

use std::fmt;

use serde::Serialize;

use crate::text::{Palette, Tone, printable};

/// What sort of failure it is; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// It did not work, and so does a mistake of our own: a message that cannot be decoded, say.
    Failed,
    /// It did not work, and the old state serves again.
    RolledBack,
    /// The host could not be reached; nothing was changed.
    Unreachable,
    /// The host, or the inventory, moved since the plan was made.
    Stale,
    /// Some regions are done and some are not; the error names them.
    Partial,
    /// The command line asks for something that cannot be.
    Usage,
    /// The inventory, a template, a secret or a saved plan is wrong.
    Input,
    /// Somebody else holds the lease on a host.
    LeaseHeld,
    /// The host's key is unknown or changed, or the host refused the login.
    LoginRefused,
    /// The operator interrupted the run.
    Interrupted,
}

impl ErrorKind {
    /// The process's exit status. From 64 on the numbers are those of BSD's sysexits; 130 is the shell's for Ctrl-C.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::RolledBack => 3,
            Self::Unreachable => 4,
            Self::Stale => 5,
            Self::Partial => 6,
            Self::Usage => 64,
            Self::Input => 65,
            Self::LeaseHeld => 75,
            Self::LoginRefused => 77,
            Self::Interrupted => 130,
        }
    }

    /// In a few words, for the end of a progress lane.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
            Self::Unreachable => "unreachable",
            Self::Stale => "stale",
            Self::Partial => "partly done",
            Self::Usage => "bad usage",
            Self::Input => "bad input",
            Self::LeaseHeld => "lease held by somebody else",
            Self::LoginRefused => "login refused",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A failure as the operator sees it. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// What did not work, and where: `cn: cannot write /etc/nginx/nginx.conf`.
    pub what: String,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// What to type or change next.
    pub hints: Vec<String>,
}

impl Error {
    /// A failure without causes and hints yet.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// The same failure with one more cause, further away than those before it.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The same failure with an error and what it stems from as causes.
    #[must_use]
    pub fn source(mut self, source: &dyn std::error::Error) -> Self {
        let mut next = Some(source);
        while let Some(error) = next {
            let text = error.to_string();
            // Many errors repeat their source's text in their own.
            if !self.causes.last().is_some_and(|last| last.ends_with(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// The same failure with one more piece of advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same failure with its place put in front: `cn: …`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }

    /// The process's exit status.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// As printed: one line `error:`, one `caused by:` for each cause, one `hint:` for each hint; further lines of one
    /// text are indented. Ends with a line break.
    pub fn render(&self, palette: Palette) -> String {
        let mut text = String::new();
        let mut add = |tone, label: &str, body: &str| {
            text.push_str(&palette.paint(tone, label));
            text.push(' ');
            text.push_str(&printable(body.trim_end()).replace('\n', "\n  "));
            text.push('\n');
        };
        add(Tone::Removed, "error:", &self.what);
        for cause in &self.causes {
            add(Tone::Removed, "caused by:", cause);
        }
        for hint in &self.hints {
            add(Tone::Hint, "hint:", hint);
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        self.causes
            .iter()
            .try_for_each(|cause| write!(formatter, ": {cause}"))
    }
}

impl std::error::Error for Error {}

/// Turns a library's error into ours, where it happened.
pub trait ErrorContext<T> {
    /// The value, or an [`Error`] of that kind that says `what` was tried and has the library's error as its cause.
    ///
    /// # Errors
    /// When `self` is one.
    fn context(self, kind: ErrorKind, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: std::error::Error + 'static> ErrorContext<T> for Result<T, E> {
    fn context(self, kind: ErrorKind, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::new(kind, what()).source(&source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_documented_exit_code() {
        let codes = [
            (ErrorKind::Failed, 1),
            (ErrorKind::RolledBack, 3),
            (ErrorKind::Unreachable, 4),
            (ErrorKind::Stale, 5),
            (ErrorKind::Partial, 6),
            (ErrorKind::Usage, 64),
            (ErrorKind::Input, 65),
            (ErrorKind::LeaseHeld, 75),
            (ErrorKind::LoginRefused, 77),
            (ErrorKind::Interrupted, 130),
        ];
        for (kind, code) in codes {
            assert_eq!(kind.exit_code(), code, "{kind:?}");
        }
    }

    #[test]
    fn an_error_prints_what_why_and_what_next() {
        let error = Error::new(ErrorKind::Failed, "cannot write /etc/x")
            .at("cn")
            .cause("No space left on device")
            .hint("free space, then repeat `geodeploy provision cn`");
        assert_eq!(
            error.render(Palette::PLAIN),
            "error: cn: cannot write /etc/x\n\
             caused by: No space left on device\n\
             hint: free space, then repeat `geodeploy provision cn`\n"
        );
    }

    #[test]
    fn lines_of_a_host_are_indented_and_cannot_steer_the_terminal() {
        let error = Error::new(ErrorKind::Failed, "x").cause("one\ntwo\u{1b}[2J\n");
        assert_eq!(
            error.render(Palette::PLAIN),
            "error: x\ncaused by: one\n  two\\u{1b}[2J\n"
        );
    }

    #[test]
    fn a_librarys_error_becomes_the_cause() {
        let missing = std::fs::read("/nonexistent/file");
        let error = missing
            .context(ErrorKind::Input, || "cannot read x".to_owned())
            .unwrap_err();
        assert_eq!(error.what, "cannot read x");
        assert_eq!(error.causes, ["No such file or directory (os error 2)"]);
        assert_eq!(error.exit_code(), 65);
    }
}
