//! Files of networks: the registries' statistics (<https://github.com/RIPE-NCC/nro-delegated-stats/wiki>), and lines of
//! `NETWORK,COUNTRY`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::space::{self, Run};
use super::{Networks, Place};
use crate::digest::sha256;
use crate::error::{Error, ErrorKind};
use crate::geography::{Continent, Country};

/// The line that a table's digest is on.
const DIGEST: &str = "# sha256 ";

/// What was read from files of networks.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    ipv4: Vec<Run>,
    ipv6: Vec<Run>,
    /// The day until which each registry's file tells, `apnic` to `20261123`.
    pub days: BTreeMap<String, String>,
    /// Lines of a registry whose country has no code of ISO 3166: left out.
    pub unknown: usize,
}

impl Reading {
    /// Reads a file's text; `name` is what errors call it.
    ///
    /// # Errors
    /// A line that is neither a registry's nor a network with its country, or a table that was changed since it was made.
    pub fn of(text: &str, name: &str) -> Result<Self, Error> {
        Self::read(text, name, place)
    }

    /// The same for lines whose codes are those of continents.
    pub(super) fn continents(text: &str, name: &str) -> Result<Self, Error> {
        Self::read(text, name, |code| code.parse().ok().map(Place::Continent))
    }

    fn read(text: &str, name: &str, place: fn(&str) -> Option<Place>) -> Result<Self, Error> {
        whole(text, name)?;
        let mut reading = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = match line.contains('|') {
                true => reading.registry(line),
                false => reading.network(line, place),
            };
            read.map_err(|(cause, hint)| {
                let what = format!("{name}:{}: this is no network with its country", number + 1);
                let shown: String = line.chars().take(80).collect();
                Error::new(ErrorKind::Input, what)
                    .cause(format!("{cause}, in `{shown}`"))
                    .hint(hint)
            })?;
        }
        Ok(reading)
    }

    /// This and another file's, whose networks win over equal ones of this.
    pub fn add(&mut self, other: Self) {
        self.ipv4.extend(other.ipv4);
        self.ipv6.extend(other.ipv6);
        self.days.extend(other.days);
        self.unknown += other.unknown;
    }

    /// The networks, none within another: the smaller one wins, and of equal ones the later.
    pub fn networks(&self) -> Networks {
        Networks {
            ipv4: space::disjoint(self.ipv4.clone()),
            ipv6: space::disjoint(self.ipv6.clone()),
        }
    }

    /// A line `registry|CC|type|start|value|date|status...`.
    fn registry(&mut self, line: &str) -> Result<(), Wrong> {
        let fields: Vec<&str> = line.split('|').collect();
        if fields[0].starts_with(|sign: char| sign.is_ascii_digit()) {
            // version|registry|serial|records|from|until|offset
            if let [_, registry, _, _, _, until, ..] = fields[..] {
                self.days.insert(registry.to_owned(), until.to_owned());
            }
            return Ok(());
        }
        if fields.last() == Some(&"summary") {
            return Ok(());
        }
        let [_, code, kind, start, value, _, status, ..] = fields[..] else {
            return Err(wrong("a registry's line has at least seven fields"));
        };
        let given = matches!(status, "allocated" | "assigned");
        let width = match kind {
            "ipv4" => 32,
            "ipv6" => 128,
            "asn" => return Ok(()),
            _ => return Err(wrong(format!("`{kind}` is neither ipv4, ipv6 nor asn"))),
        };
        if !given {
            return Ok(());
        }
        let (first, last) = range(width, start, value)?;
        let Some(place) = place(code) else {
            self.unknown += 1;
            return Ok(());
        };
        // An IPv4 delegation may be any number of addresses: as networks they nest with others.
        for (first, length) in space::networks(first, last, width) {
            let last = first | space_of(width - length);
            self.push(width, Run { first, last, place });
        }
        Ok(())
    }

    fn network(&mut self, line: &str, place: fn(&str) -> Option<Place>) -> Result<(), Wrong> {
        let Some((network, code)) = line.split_once(',') else {
            return Err(wrong("it has no comma"));
        };
        let (network, code) = (network.trim(), code.trim());
        let Ok(network) = network.parse::<IpNet>() else {
            return Err(wrong(format!("`{network}` is no network")));
        };
        if network.addr() != network.network() {
            let cause = format!("{network} is an address inside of a network");
            return Err((cause, format!("write {}", network.trunc())));
        }
        let Some(place) = place(code) else {
            let cause = format!("`{code}` is not the code of a country");
            return Err((
                cause,
                "write a code of ISO 3166, such as JP or GB".to_owned(),
            ));
        };
        let width = u32::from(network.max_prefix_len());
        let first = number(network.addr());
        let last = first | space_of(width - u32::from(network.prefix_len()));
        self.push(width, Run { first, last, place });
        Ok(())
    }

    fn push(&mut self, width: u32, run: Run) {
        match width {
            32 => self.ipv4.push(run),
            _ => self.ipv6.push(run),
        }
    }
}

/// Why a line is wrong, and what to do.
type Wrong = (String, String);

fn wrong(cause: impl Into<String>) -> Wrong {
    let hint = "write lines such as `192.0.2.0/24,JP`, or name a registry's file delegated-*-extended-latest";
    (cause.into(), hint.to_owned())
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The last of 2^bits addresses, counted from 0.
fn space_of(bits: u32) -> u128 {
    1_u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1)
}

fn range(width: u32, start: &str, value: &str) -> Result<(u128, u128), Wrong> {
    let count = |largest: u128| {
        let count = value.parse::<u128>().ok();
        count.filter(|count| (1..=largest).contains(count))
    };
    if width == 32 {
        let Ok(start) = start.parse::<Ipv4Addr>() else {
            return Err(wrong(format!("`{start}` is no IPv4 address")));
        };
        let first = number(start.into());
        let Some(count) = count((1 << 32) - first) else {
            return Err(wrong(format!(
                "`{value}` is no number of addresses from {start} on"
            )));
        };
        return Ok((first, first + count - 1));
    }
    let network: Result<IpNet, _> = format!("{start}/{value}").parse();
    match network {
        Ok(IpNet::V6(network)) if network.addr() == network.network() => {
            let first = u128::from(network.addr());
            let bits = 128 - u32::from(network.prefix_len());
            Ok((first, first | space_of(bits)))
        }
        _ => Err(wrong(format!("`{start}/{value}` is no IPv6 network"))),
    }
}

/// A code of ISO 3166, or one of the two that registries use for more than one country.
fn place(code: &str) -> Option<Place> {
    match code {
        "EU" => Some(Place::Continent(Continent::EU)),
        "AP" => Some(Place::Continent(Continent::AS)),
        _ => code.parse::<Country>().ok().map(Place::Country),
    }
}

/// Whether a table is as it was made.
fn whole(text: &str, name: &str) -> Result<(), Error> {
    let Some((_, rest)) = text.split_once(DIGEST) else {
        return Ok(());
    };
    let (wanted, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let found = sha256(body.as_bytes());
    if found == wanted.trim() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Input,
        format!("{name} is not as `geodeploy dns networks` made it"),
    )
    .cause(format!(
        "its lines have the SHA-256 {found}, and it says {wanted}"
    ))
    .hint("make it anew; or, where it was edited on purpose, remove its line `# sha256`"))
}

impl Networks {
    /// All networks with their countries as a table: dated, checked when it is read, the same for the same files.
    pub fn table(&self, days: &BTreeMap<String, String>) -> String {
        let mut body = String::new();
        for (runs, width) in [(&self.ipv4, 32), (&self.ipv6, 128)] {
            for run in runs {
                let code = match run.place {
                    Place::Country(country) => country.code(),
                    Place::Continent(Continent::AS) => "AP",
                    Place::Continent(continent) => continent.code(),
                };
                for (first, length) in space::networks(run.first, run.last, width) {
                    body.push_str(&super::compile::written(first, length, width));
                    body.push_str(&format!(",{code}\n"));
                }
            }
        }
        let dated: Vec<String> = days
            .iter()
            .map(|(registry, day)| format!("{registry} {day}"))
            .collect();
        let dated = match dated.is_empty() {
            true => "files without a date".to_owned(),
            false => dated.join(", "),
        };
        format!(
            "# Networks by country, made by `geodeploy dns networks` from {dated}\n{DIGEST}{}\n{body}",
            sha256(body.as_bytes())
        )
    }
}
