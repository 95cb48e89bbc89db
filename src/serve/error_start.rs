//! Why a server did not start, and how a server ended.

use std::io;

use super::config::ConfigError;
use super::store::StoreError;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Variables are missing or wrong; all of them are listed.
    #[error("the server's configuration is not complete:\n{}", list(.0))]
    Config(Vec<ConfigError>),
    /// A socket could not be had.
    #[error("cannot listen on {place}: {source}; choose another PORT or stop who holds it")]
    Listen {
        /// The address or path.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// The files of the stream limits could not be made.
    #[error("cannot keep the stream limits in {folder}: {source}; make RUNTIME_DIRECTORY writable")]
    Slots {
        /// Where they were to be.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
    /// The key for tokens cannot be used.
    #[error("the key for tokens cannot be used: {0}; check JWT_PUBLIC_KEY")]
    Login(#[from] jsonwebtoken::errors::Error),
    /// The database's settings cannot be used.
    #[error("the database's client cannot be built: {0}; check MONGODB_URI and the files it names")]
    Database(#[from] StoreError),
    /// The client for the model service cannot be built.
    #[error(
        "the client for the model service cannot be built: {0}; check the system's proxy settings"
    )]
    Upstream(#[from] reqwest::Error),
    /// The system refused threads or signal handlers.
    #[error("the server cannot start: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// 65 for a bad configuration, 1 for everything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Config(_)) {
            65
        } else {
            1
        }
    }
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Asked once: every stream finished or was told.
    Drained,
    /// Asked twice: streams were cut.
    Cut,
}

impl Ended {
    /// 0 when drained, 130 when cut.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Drained => 0,
            Self::Cut => 130,
        }
    }
}

fn list(errors: &[ConfigError]) -> String {
    errors
        .iter()
        .map(|error| format!("  {error}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::StartError;
    use crate::serve::config::Config;

    #[test]
    fn a_bad_configuration_is_shown_whole_and_exits_with_65() {
        let variables = [("PORT".to_owned(), "x".to_owned())].into_iter().collect();
        let errors = Config::from_variables(&variables, false).unwrap_err();
        let error = StartError::Config(errors);
        assert_eq!(error.exit_code(), 65);
        let text = error.to_string();
        for name in [
            "PORT",
            "REGION",
            "SERVER_NAME",
            "VOLCENGINE_API_KEY",
            "JWT_SECRET",
        ] {
            assert!(text.contains(&format!("\n  {name}: ")), "{text}");
        }
    }

    #[test]
    fn everything_else_that_keeps_a_server_from_starting_exits_with_1() {
        assert_eq!(
            StartError::System(std::io::Error::other("x")).exit_code(),
            1
        );
    }
}
