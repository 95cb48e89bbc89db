//! Names that end up in command lines, units, paths and configuration files.
//!
//! A name is checked where it is read, so that none can be an option or a shell word later: OpenSSH
//! before 9.6 ran what it found in host and user names (CVE-2023-51385).

use std::fmt;
use std::str::FromStr;

use super::mistake::Wrong;

macro_rules! name {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

mod hosts;

pub use hosts::{DomainName, HostName, ServerName};

name! {
    /// A region's name: `us`, `cn`, `eu-west`. Lower-case letters, digits and hyphens, at most 31.
    RegionName
}
name! {
    /// The application's name: its unit, its system user and its folders are called so.
    AppName
}
name! {
    /// A user's login name on a host, as useradd accepts it.
    UserName
}
name! {
    /// The name of an environment variable: capitals, digits and underscores.
    VariableName
}
name! {
    /// The name of a Debian package (Debian policy 5.6.7).
    PackageName
}
name! {
    /// The name of a MongoDB database.
    DatabaseName
}

impl RegionName {
    /// The region as the application's `REGION` variable has it: `US` for `us`.
    pub fn upper_case(&self) -> String {
        self.0.to_ascii_uppercase()
    }
}

/// Words that stand for something else where a region is named.
const RESERVED_REGIONS: [&str; 2] = ["operator", "all"];

/// Users that exist on Debian and Ubuntu hosts or come with what is installed there.
const RESERVED_USERS: [&str; 16] = [
    "root",
    "daemon",
    "bin",
    "sys",
    "sync",
    "mail",
    "proxy",
    "www-data",
    "backup",
    "nobody",
    "sshd",
    "nginx",
    "mongodb",
    "systemd",
    "messagebus",
    "geodeploy",
];

impl FromStr for RegionName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if RESERVED_REGIONS.contains(&text) {
            return Err(Wrong::new(
                format!("`{text}` means something else and cannot name a region"),
                "call the region by its place: us, cn, eu-west",
            ));
        }
        simple_name(text, "a region's name", "us or eu-west").map(Self)
    }
}

impl FromStr for AppName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if RESERVED_USERS.contains(&text) {
            return Err(Wrong::new(
                format!("`{text}` is a user that hosts have already, or the tool's own name"),
                "choose a name of your own, such as yourapp",
            ));
        }
        simple_name(text, "the application's name", "yourapp").map(Self)
    }
}

impl FromStr for UserName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let begins = text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        let holds = text.chars().all(|letter| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' || letter == '-'
        });
        if begins && holds && text.len() <= 32 {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` cannot be a user's name"),
            "write a letter or underscore, then lower-case letters, digits, - or _ (at most 32), such as root or deploy",
        ))
    }
}

impl FromStr for VariableName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let begins = text.starts_with(|first: char| first.is_ascii_uppercase() || first == '_');
        let holds = text
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
        if begins && holds {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` is not the name of an environment variable"),
            "write capitals, digits and underscores, such as LOG_LEVEL",
        ))
    }
}

impl FromStr for PackageName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let begins =
            text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
        let holds = text.chars().all(|letter| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "+-.".contains(letter)
        });
        if begins && holds && text.len() >= 2 {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` is not the name of a package"),
            "write the name that apt knows, such as htop, one package an entry",
        ))
    }
}

impl FromStr for DatabaseName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let holds = text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
        if holds
            && !text.is_empty()
            && text.len() < 64
            && !["admin", "local", "config"].contains(&text)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` cannot be the application's database"),
            "write letters, digits, - or _ (at most 63), such as aiagent; admin, local and config belong to MongoDB",
        ))
    }
}

fn simple_name(text: &str, what: &str, example: &str) -> Result<String, Wrong> {
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if begins && is_label(text) && text.len() <= 31 {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("`{text}` cannot be {what}"),
        format!(
            "write a lower-case letter, then letters, digits and inner hyphens (at most 31), such as {example}"
        ),
    ))
}

/// A DNS label in lower case (RFC 1123 2.1).
fn is_label(text: &str) -> bool {
    let holds = text
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    (1..=63).contains(&text.len()) && holds && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_ssh_or_a_shell_would_act_on_are_refused() {
        for text in [
            "-oProxyCommand=id",
            "host;id",
            "$(id)",
            "`id`",
            "a b",
            "a\nb",
            "",
            "a/b",
            "a@b",
            "..",
            "%h",
        ] {
            assert!(text.parse::<HostName>().is_err(), "host {text:?}");
            assert!(text.parse::<UserName>().is_err(), "user {text:?}");
            assert!(text.parse::<DomainName>().is_err(), "domain {text:?}");
            assert!(text.parse::<AppName>().is_err(), "app {text:?}");
            assert!(text.parse::<RegionName>().is_err(), "region {text:?}");
            assert!(text.parse::<PackageName>().is_err(), "package {text:?}");
        }
    }

    #[test]
    fn usual_names_are_taken() {
        assert!("2001:db8::1".parse::<HostName>().is_ok());
        assert!("cn-server".parse::<HostName>().is_ok());
        assert_eq!(
            "US.YourApp.com".parse::<DomainName>().unwrap().as_str(),
            "us.yourapp.com"
        );
        assert_eq!(
            "eu-west".parse::<RegionName>().unwrap().upper_case(),
            "EU-WEST"
        );
        assert!("libstdc++6".parse::<PackageName>().is_ok());
    }

    #[test]
    fn an_address_is_not_a_domain_name() {
        assert!("203.0.113.10".parse::<DomainName>().is_err());
    }
}
