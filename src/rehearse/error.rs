//! What went wrong in the lab, and what to do.

use std::fmt::Display;

/// A failure of the lab: what was tried, why it failed, what to type next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}\n  {remedy}")]
pub struct Error {
    /// What was being done: `cannot boot the twin cn`.
    pub what: String,
    /// The cause, as the machine gave it.
    pub why: String,
    /// What to do next.
    pub remedy: String,
}

/// A result of the lab.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure with its cause and its remedy.
    pub fn new(what: impl Into<String>, why: impl Display, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.to_string(),
            remedy: remedy.into(),
        }
    }

    /// A file or folder that could not be used.
    pub(crate) fn file(path: &std::path::Path, why: impl Display) -> Self {
        Self::new(
            format!("cannot use {}", path.display()),
            why,
            "make sure that you are root and that the disk is writable and not full",
        )
    }

    /// The same failure, said of something larger.
    #[must_use]
    pub(crate) fn within(mut self, what: impl Into<String>) -> Self {
        self.why = format!("{}: {}", self.what, self.why);
        self.what = what.into();
        self
    }

    /// The same failure with better advice.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        let failure = Self::new(crate::error::ErrorKind::Failed, error.what);
        let lines = error
            .why
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        lines.fold(failure, Self::cause).hint(error.remedy)
    }
}
