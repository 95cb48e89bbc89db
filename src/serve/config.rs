//! The server's configuration, read from the variables of the env file.
//!
//! An empty variable counts as absent, because env files often carry `NAME=` lines.

mod database;
mod reader;
#[cfg(test)]
mod tests;
mod timings;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::store::mongo::MongoSettings;
use crate::secrets::Secret;
use reader::Reader;
pub use timings::Timings;

/// Ark's public address, as the deployment guide gives it.
pub const DEFAULT_API_URL: &str = "https://ark.cn-beijing.volces.com/api/v3";
const MAXIMUM_STREAMS: u32 = 100_000;
const MAXIMUM_STREAMS_PER_USER: u32 = 1_000;
/// RFC 7518 section 3.2: an HS256 key has at least as many bits as its hash.
const SHORTEST_JWT_SECRET: usize = 32;

/// Everything that `run` needs to know, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The region's name as the health answer shows it.
    pub region: String,
    /// The server's name as the log shows it.
    pub server_name: String,
    /// Where to listen when systemd hands over no socket; always loopback.
    pub listen: SocketAddr,
    /// True for `--dev`: sockets from systemd are not taken.
    pub dev: bool,
    /// The folder that generations share (`RUNTIME_DIRECTORY`).
    pub runtime_directory: Option<PathBuf>,
    /// The folder of the embedded store (`STATE_DIRECTORY`).
    pub state_directory: Option<PathBuf>,
    /// This process's name among the generations of a switch (`GENERATION`).
    pub generation: Option<String>,
    /// How many streams may be open at once.
    pub limits: Limits,
    /// Where conversations live; without it, in the embedded store.
    pub database: Option<MongoSettings>,
    /// Who answers chats.
    pub model: ModelConfig,
    /// How users prove who they are.
    pub login: Login,
    /// How long things may take.
    pub timings: Timings,
    /// What the log shows, and how.
    pub logging: Logging,
}

/// The guide's two limits. Zero admits none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open streams of all users together (`MAX_SSE_CONNECTIONS`).
    pub streams: u32,
    /// Open streams of one user (`MAX_SSE_CONNECTIONS_PER_USER`).
    pub streams_per_user: u32,
}

/// Who answers chats (`MODEL`).
#[derive(Debug, Clone)]
pub enum ModelConfig {
    /// Volcengine Ark, or anything that speaks its OpenAI-compatible API.
    Ark {
        /// The API's address without a trailing slash.
        url: String,
        /// The bearer key.
        key: Secret,
        /// What Ark calls the model.
        endpoint_id: String,
    },
    /// The built-in model that says back what it was told.
    Echo,
}

/// How users prove who they are.
#[derive(Debug, Clone)]
pub enum Login {
    /// Everyone is the user `dev`; only for `--dev`.
    None,
    /// JSON web tokens signed with a shared secret.
    Hs256(Secret),
    /// JSON web tokens signed with an Ed25519 key, of which this is the public half in PEM.
    EdDsa(String),
}

/// What the log shows, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// `error`, `warn`, `info`, `debug` or `trace` (`LOG_LEVEL`).
    pub level: String,
    /// The region as each line names it (`LOG_REGION`).
    pub region: String,
    /// JSON lines instead of text; true when `NODE_ENV` is `production`.
    pub json: bool,
}

/// One variable that is missing or wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong with it. Never holds a secret's text.
    pub problem: String,
    /// What to write.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {}; {}",
            self.variable, self.problem, self.remedy
        )
    }
}

impl Config {
    /// Checks the variables and returns the configuration, or everything that is wrong at once.
    ///
    /// With `dev` the model is `echo`, the store is embedded, nobody logs in, and no variable is
    /// required.
    ///
    /// # Errors
    ///
    /// One [`ConfigError`] for each variable that is missing or invalid.
    pub fn from_variables(
        variables: &BTreeMap<String, String>,
        dev: bool,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader::new(variables);
        let region = reader.name(
            "REGION",
            dev.then_some("dev"),
            "the region, for example REGION=US",
        );
        let server_name = reader.name(
            "SERVER_NAME",
            dev.then_some("localhost"),
            "the host, for example SERVER_NAME=us-server",
        );
        let port = reader.number("PORT", 8000, 0, u32::from(u16::MAX));
        let limits = Limits {
            streams: reader.number("MAX_SSE_CONNECTIONS", 200, 0, MAXIMUM_STREAMS),
            streams_per_user: reader.number(
                "MAX_SSE_CONNECTIONS_PER_USER",
                1,
                0,
                MAXIMUM_STREAMS_PER_USER,
            ),
        };
        let defaults = Timings::default();
        let timings = Timings {
            heartbeat: reader.duration("HEARTBEAT_INTERVAL", defaults.heartbeat, 1, 300),
            drain: reader.duration("DRAIN_TIMEOUT", defaults.drain, 0, 3600),
            ..defaults
        };
        let logging = read_logging(&mut reader, &region, dev);
        let (database, model, login) = if dev {
            (None, ModelConfig::Echo, Login::None)
        } else {
            let database = reader.database();
            (database, read_model(&mut reader), read_login(&mut reader))
        };
        let config = Self {
            region,
            server_name,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap_or(0))),
            dev,
            runtime_directory: reader.directory("RUNTIME_DIRECTORY"),
            state_directory: reader.directory("STATE_DIRECTORY"),
            generation: reader.generation("GENERATION"),
            limits,
            database,
            model,
            login,
            timings,
            logging,
        };
        reader.finish(config)
    }
}

/// The variables of this process. Values that are not UTF-8 are passed with their bad bytes
/// replaced, so that the check of the value names them.
#[must_use]
pub fn process_variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect()
}

fn read_logging(reader: &mut Reader<'_>, region: &str, dev: bool) -> Logging {
    let levels = ["error", "warn", "info", "debug", "trace"];
    let node_env = reader
        .get("NODE_ENV")
        .unwrap_or(if dev { "development" } else { "production" });
    Logging {
        level: reader.one_of("LOG_LEVEL", "info", &levels),
        region: reader.get("LOG_REGION").unwrap_or(region).to_owned(),
        json: node_env == "production",
    }
}

fn read_model(reader: &mut Reader<'_>) -> ModelConfig {
    if reader.one_of("MODEL", "ark", &["ark", "echo"]) == "echo" {
        return ModelConfig::Echo;
    }
    ModelConfig::Ark {
        url: reader.url("VOLCENGINE_API_URL", DEFAULT_API_URL),
        key: reader.key("VOLCENGINE_API_KEY", "the key of Volcengine Ark, or choose MODEL=echo to run without a model"),
        endpoint_id: reader.name(
            "VOLCENGINE_ENDPOINT_ID",
            None,
            "the id of the inference endpoint, for example VOLCENGINE_ENDPOINT_ID=ep-20241201-abcde",
        ),
    }
}

fn read_login(reader: &mut Reader<'_>) -> Login {
    match (reader.get("JWT_SECRET"), reader.get("JWT_PUBLIC_KEY")) {
        (Some(_), Some(_)) => {
            reader.refuse(
                "JWT_SECRET",
                "JWT_PUBLIC_KEY is set too",
                "leave one of them unset: JWT_SECRET for HS256 tokens, JWT_PUBLIC_KEY for EdDSA tokens",
            );
            Login::None
        }
        (Some(secret), None) => {
            if secret.len() < SHORTEST_JWT_SECRET {
                reader.refuse(
                    "JWT_SECRET",
                    format!(
                        "is {} bytes long and HS256 needs {SHORTEST_JWT_SECRET}",
                        secret.len()
                    ),
                    "write the output of `openssl rand -hex 32`",
                );
            }
            Login::Hs256(Secret::new(secret.to_owned()))
        }
        (None, Some(pem)) => reader.public_key("JWT_PUBLIC_KEY", pem),
        (None, None) => {
            reader.refuse(
                "JWT_SECRET",
                "is missing, and so is JWT_PUBLIC_KEY",
                "write a secret of 32 bytes or more (`openssl rand -hex 32`) for HS256 tokens, or set JWT_PUBLIC_KEY to a PEM key for EdDSA tokens",
            );
            Login::None
        }
    }
}
