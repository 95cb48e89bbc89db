//! Takes variables one by one and collects what is wrong with them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, Login};
use crate::secrets::Secret;

const LONGEST_GENERATION: usize = 64;

pub(super) struct Reader<'a> {
    variables: &'a BTreeMap<String, String>,
    errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a BTreeMap<String, String>) -> Self {
        Self {
            variables,
            errors: Vec::new(),
        }
    }

    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<ConfigError>> {
        if self.errors.is_empty() {
            Ok(value)
        } else {
            Err(self.errors)
        }
    }

    pub(super) fn refuse(
        &mut self,
        variable: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.errors.push(ConfigError {
            variable,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    pub(super) fn get(&self, variable: &str) -> Option<&'a str> {
        self.variables
            .get(variable)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn name(
        &mut self,
        variable: &'static str,
        default: Option<&str>,
        write: &str,
    ) -> String {
        match self.get(variable).or(default) {
            Some(value) if value.chars().any(char::is_control) => {
                self.refuse(
                    variable,
                    "contains a control character",
                    format!("write {write}"),
                );
                String::new()
            }
            Some(value) => value.to_owned(),
            None => {
                self.refuse(variable, "is missing", format!("write {write}"));
                String::new()
            }
        }
    }

    pub(super) fn key(&mut self, variable: &'static str, write: &str) -> Secret {
        let value = self.get(variable).unwrap_or_default();
        if value.is_empty() {
            self.refuse(variable, "is missing", format!("write {write}"));
        } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.refuse(
                variable,
                "contains a space or a character outside ASCII",
                "write the key as it was issued, without quotes or line breaks",
            );
        }
        Secret::new(value.to_owned())
    }

    pub(super) fn number(
        &mut self,
        variable: &'static str,
        default: u32,
        low: u32,
        high: u32,
    ) -> u32 {
        let Some(text) = self.get(variable) else {
            return default;
        };
        match text.parse::<u32>() {
            Ok(number) if (low..=high).contains(&number) => number,
            _ => {
                self.refuse(
                    variable,
                    format!("`{text}` is not a whole number from {low} to {high}"),
                    format!("write for example {variable}={default}"),
                );
                default
            }
        }
    }

    pub(super) fn duration(
        &mut self,
        variable: &'static str,
        default: Duration,
        low: u64,
        high: u64,
    ) -> Duration {
        let Some(text) = self.get(variable) else {
            return default;
        };
        let digits = text.strip_suffix('s').unwrap_or(text).trim_end();
        match digits.parse::<u64>() {
            Ok(seconds) if (low..=high).contains(&seconds) => Duration::from_secs(seconds),
            _ => {
                self.refuse(
                    variable,
                    format!("`{text}` is not a number of seconds from {low} to {high}"),
                    format!("write for example {variable}={}", default.as_secs()),
                );
                default
            }
        }
    }

    pub(super) fn one_of(
        &mut self,
        variable: &'static str,
        default: &str,
        choices: &[&str],
    ) -> String {
        let text = self.get(variable).unwrap_or(default);
        if !choices.contains(&text) {
            self.refuse(
                variable,
                format!("`{text}` is not known"),
                format!("write one of {}", choices.join(", ")),
            );
            return default.to_owned();
        }
        text.to_owned()
    }

    pub(super) fn url(&mut self, variable: &'static str, default: &str) -> String {
        let text = self.get(variable).unwrap_or(default);
        let valid = reqwest::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !valid {
            self.refuse(
                variable,
                "is not a plain http or https address",
                format!("write for example {variable}={default}"),
            );
        }
        text.trim_end_matches('/').to_owned()
    }

    pub(super) fn public_key(&mut self, variable: &'static str, text: &str) -> Login {
        // Env files hold one line a variable, so a PEM key arrives with its line breaks written as \n.
        let pem = text.replace("\\n", "\n");
        if jsonwebtoken::DecodingKey::from_ed_pem(pem.as_bytes()).is_err() {
            self.refuse(
                variable,
                "is not an Ed25519 public key in PEM",
                "write the output of `openssl pkey -in KEY -pubout` with its line breaks as \\n",
            );
        }
        Login::EdDsa(pem)
    }

    pub(super) fn directory(&mut self, variable: &'static str) -> Option<PathBuf> {
        // systemd joins several directories with colons; the first is the unit's own.
        let first = self.get(variable)?.split(':').next()?;
        if !first.starts_with('/') {
            self.refuse(
                variable,
                format!("`{first}` is not an absolute path"),
                format!("write for example {variable}=/run/geodeploy"),
            );
        }
        Some(PathBuf::from(first))
    }

    pub(super) fn generation(&mut self, variable: &'static str) -> Option<String> {
        let text = self.get(variable)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() > LONGEST_GENERATION || !text.bytes().all(plain) {
            self.refuse(
                variable,
                format!("`{text}` cannot name a socket"),
                format!("write letters, digits, `-` and `_`, at most {LONGEST_GENERATION}"),
            );
        }
        Some(text.to_owned())
    }
}
