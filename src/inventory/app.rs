//! The application: its name, its variables, its users.

use std::collections::BTreeMap;

use super::mistake::{Wrong, names_a_secret};
use super::names::{AppName, DomainName, VariableName};
use super::reader::Table;
use super::secret_reference::{SecretReference, Setting, literal, read_value, secret, setting};
use super::values::Port;

/// Variables that follow from other keys, or that systemd sets, with what to write instead.
const DERIVED: [(&str, &str); 17] = [
    ("PORT", "port in [app]"),
    ("SERVER_NAME", "server_name in the region"),
    ("MAX_SSE_CONNECTIONS", "max_sse in [limits]"),
    (
        "MAX_SSE_CONNECTIONS_PER_USER",
        "max_sse_per_user in [limits]",
    ),
    ("VOLCENGINE_API_URL", "api_url in [model]"),
    ("VOLCENGINE_API_KEY", "api_key in [model]"),
    ("VOLCENGINE_ENDPOINT_ID", "endpoint_id in [model]"),
    ("MONGODB_URI", "[database]"),
    ("MONGODB_USER", "user in [database]"),
    ("MONGODB_PASSWORD", "password in [database]"),
    ("JWT_SECRET", "jwt_secret in [login]"),
    ("JWT_PUBLIC_KEY", "jwt_public_key in [login]"),
    ("MODEL", "kind in [model]"),
    ("DRAIN_TIMEOUT", "drain in [release]"),
    ("RUNTIME_DIRECTORY", "nothing: the unit sets it"),
    ("STATE_DIRECTORY", "nothing: the unit sets it"),
    ("GENERATION", "nothing: the unit sets it"),
];

/// What is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Names the unit, the system user and the folders.
    pub name: AppName,
    /// The domain below which the regions and `api.` live.
    pub domain: DomainName,
    /// Port on the loopback address of every host.
    pub port: Port,
}

impl App {
    /// Reads `[app]`, and the variables that all regions begin with.
    pub(super) fn read(table: Table<'_>) -> (Option<Self>, Variables) {
        let name = table.required("name", "yourapp");
        let domain = table.required("domain", "yourapp.com");
        let port = match table.value("port") {
            Some(_) => table.whole("port", 1024..=65535),
            None => Some(8000),
        };
        let env = variables(table.section("env"), &BTreeMap::new());
        table.finish();
        let port = port
            .and_then(|port| u16::try_from(port).ok())
            .and_then(Port::new);
        let app = match (name, domain, port) {
            (Some(name), Some(domain), Some(port)) => Some(Self { name, domain, port }),
            _ => None,
        };
        (app, env)
    }
}

/// Variables of the application's environment file.
pub type Variables = BTreeMap<VariableName, Setting>;

/// Reads `[app.env]` or a region's `env`, which wins over `base`.
pub(super) fn variables(table: Table<'_>, base: &Variables) -> Variables {
    let mut variables = base.clone();
    for (key, span, value) in table.entries() {
        let name = match key.parse::<VariableName>() {
            Ok(name) => name,
            Err(wrong) => {
                table.note(span, wrong);
                continue;
            }
        };
        if let Some((_, instead)) = DERIVED.iter().find(|(derived, _)| *derived == key) {
            let cause = format!("`{key}` follows from another key and is not set here");
            table.note(
                span,
                Wrong::new(cause, format!("remove it and write {instead}")),
            );
            continue;
        }
        match read_value(&table, key, span.clone(), value) {
            Some(Setting::Plain(_)) if names_a_secret(key) => table.note(span, literal(key)),
            Some(setting) => {
                variables.insert(name, setting);
            }
            None => {}
        }
    }
    variables
}

/// How users prove who they are: a bearer JWT, its `sub` the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// HS256: whoever checks tokens can also mint them.
    Secret(SecretReference),
    /// EdDSA: hosts hold the public key only, PEM text.
    PublicKey(Setting),
}

impl Login {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let shared = secret(&table, "jwt_secret").map(Self::Secret);
        let public = setting(&table, "jwt_public_key").map(Self::PublicKey);
        let written = [table.has("jwt_secret"), table.has("jwt_public_key")];
        if written == [false, false] {
            table.missing("jwt_secret", "jwt_secret = { env = \"JWT_SECRET\" }");
        }
        if written == [true, true] {
            let cause = "users log in by a shared secret or by a public key, not by both";
            table.wrong(
                "jwt_public_key",
                Wrong::new(cause, "remove one of jwt_secret and jwt_public_key"),
            );
        }
        table.finish();
        shared.or(public)
    }
}
