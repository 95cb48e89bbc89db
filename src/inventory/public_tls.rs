//! `[tls]`: certificates that browsers trust, for the names that the web servers answer to.

use std::str::FromStr;
use std::time::Duration;

use super::mistake::Wrong;
use super::reader::Table;
use super::secret_reference::{FilePath, SecretReference, SecretSource};
use super::values::{HttpUrl, Span};

/// Let's Encrypt's directory (letsencrypt.org, "ACME protocol updates").
const PRODUCTION: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// The same for trials: generous limits, and certificates that nobody trusts.
const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// How each region gets its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicTls {
    /// Whom the certificate authority writes to.
    pub email: EmailAddress,
    /// Address of the authority's ACME directory.
    pub directory: HttpUrl,
    /// Root certificate of a private authority, PEM; it is also what the directory's own certificate is checked with.
    pub root: Option<SecretReference>,
    /// How long browsers shall refuse plain HTTP, where they are told so.
    pub hsts: Option<Duration>,
}

impl PublicTls {
    /// Reads `[tls]`; `None` where there is none, or where it is wrong.
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        if table.is_absent() {
            return None;
        }
        let email = table.required("email", "admin@yourapp.com");
        let staging = table.flag("staging");
        let directory = directory(&table, staging);
        let root = table.text::<FilePath>("root").map(|path| SecretReference {
            source: SecretSource::Public(path.0),
            key: "tls.root".to_owned(),
            line: table.line(),
        });
        if table.has("root") && !table.has("directory") {
            let cause = "a root certificate is of a private authority, and none is named";
            let remedy =
                "write directory = \"https://acme.example.com/directory\" too, or remove root";
            table.wrong("root", Wrong::new(cause, remedy));
        }
        table.text::<Challenge>("challenge");
        let hsts: Option<Span> = table.text("hsts");
        if hsts.is_some_and(|hsts| hsts.0.as_secs() < 300) {
            let cause = "browsers that remember for less than five minutes are told nothing";
            let remedy = "write a time of at least 5m, such as 180d, or remove the key";
            table.wrong("hsts", Wrong::new(cause, remedy));
        }
        table.finish();
        Some(Self {
            email: email?,
            directory: directory?,
            root,
            hsts: hsts.map(|hsts| hsts.0),
        })
    }
}

fn directory(table: &Table<'_>, staging: bool) -> Option<HttpUrl> {
    let Some(_) = table.value("directory") else {
        return if staging { STAGING } else { PRODUCTION }.parse().ok();
    };
    let directory: HttpUrl = table.text("directory")?;
    if staging {
        let cause = "staging stands for Let's Encrypt's trial directory, and another one is named";
        table.wrong("staging", Wrong::new(cause, "remove one of the two"));
    }
    if !directory.as_str().starts_with("https://") {
        let cause = "an ACME directory is reached over HTTPS alone";
        table.wrong(
            "directory",
            Wrong::new(cause, "write an address that begins with https://"),
        );
    }
    Some(directory)
}

/// An e-mail address, as far as an ACME account needs one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['-', '.'])
                && part
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "._%+-".contains(letter))
        };
        match text.split_once('@') {
            Some((user, host)) if plain(user) && plain(host) && host.contains('.') => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Wrong::new(
                format!("`{text}` is not an e-mail address"),
                "write one that is read, such as admin@yourapp.com",
            )),
        }
    }
}

/// How the authority is shown that the names are ours.
struct Challenge;

impl FromStr for Challenge {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "http-01" => Ok(Self),
            "dns-01" => Err(Wrong::new(
                "this version of geodeploy does not prove names by DNS records",
                "write challenge = \"http-01\", or remove the key: any region answers for all of them",
            )),
            _ => Err(Wrong::new(
                format!("`{text}` is not a challenge"),
                "write challenge = \"http-01\", or remove the key",
            )),
        }
    }
}
