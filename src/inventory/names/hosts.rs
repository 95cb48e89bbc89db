//! Names of hosts and domains.

use std::fmt;
use std::str::FromStr;

use super::is_label;
use crate::inventory::mistake::Wrong;

name! {
    /// A fully qualified domain name in lower case, without the final dot.
    DomainName
}

name! {
    /// What a connection goes to: a domain name, a host's short name, an IPv4 or an IPv6 address.
    HostName
}

name! {
    /// A host's short name, one DNS label: `us-server`.
    ServerName
}

impl FromStr for DomainName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let lower = text.to_ascii_lowercase();
        let labels: Vec<&str> = lower.split('.').collect();
        let top_is_a_word = labels
            .last()
            .is_some_and(|top| top.starts_with(|first: char| first.is_ascii_lowercase()));
        if labels.len() >= 2
            && lower.len() <= 253
            && top_is_a_word
            && labels.iter().all(|label| is_label(label))
        {
            return Ok(Self(lower));
        }
        Err(Wrong::new(
            format!("`{text}` is not a domain name"),
            "write the bare name, such as us.yourapp.com: no scheme, port, path, wildcard or final dot",
        ))
    }
}

impl DomainName {
    /// Whether it is the zone's own name or lies below it.
    pub fn is_in(&self, zone: &Self) -> bool {
        let rest = self.0.strip_suffix(&zone.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl FromStr for HostName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let is_address = text.parse::<std::net::IpAddr>().is_ok();
        if is_address
            || (text.len() <= 253
                && text
                    .split('.')
                    .all(|label| is_label(&label.to_ascii_lowercase())))
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` is not a host's name or address"),
            "write a name of letters, digits, dots and hyphens that begins with a letter or digit, or an IP address",
        ))
    }
}

impl From<std::net::IpAddr> for HostName {
    fn from(address: std::net::IpAddr) -> Self {
        Self(address.to_string())
    }
}

impl FromStr for ServerName {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if is_label(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` is not a host's short name"),
            "write lower-case letters, digits and inner hyphens, at most 63, such as us-server",
        ))
    }
}
