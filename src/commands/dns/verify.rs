//! `geodeploy dns verify`, and its part of `geodeploy verify`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

use super::Zone;
use crate::commands::Outcome;
use crate::dns::Wanted;
use crate::dns::query::Resolver;
use crate::dns::verify::{
    Expected, Finding, PUBLIC, Way, Word, end, judge, look, public, render, worst,
};
use crate::error::Error;
use crate::fleet::Project;
use crate::inventory::RegionName;

const EXIT_CODES: &str = "\
Exit status:
    0  every answer is as the inventory says; there may be warnings
    2  an answer, a delegation or a TTL differs
    4  a server could not be asked, whatever the others say

It asks every server that the zones are delegated to, by all of its addresses, over UDP and TCP, for
30 simulated clients in 20 countries (EDNS client subnet, /24 and /56).";

/// Ask every name server, for clients in many countries, whether the answers are the inventory's
#[derive(clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    #[command(flatten)]
    servers: Servers,
    /// Ask Google's public resolver too, which learns the names and the simulated clients
    #[arg(long)]
    public: bool,
    /// Where that resolver's JSON interface is
    #[arg(long, value_name = "URL", hide = true, default_value = PUBLIC)]
    public_endpoint: String,
}

/// How the name servers are found.
#[derive(clap::Args, Clone, Debug)]
pub struct Servers {
    /// Ask this resolver for the zones' name servers; may be repeated [default: this machine's own]
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = place)]
    resolver: Vec<Place>,
    /// Ask this name server, whoever the names are delegated to; may be repeated
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = place)]
    name_server: Vec<Place>,
    /// Ask name servers at this port
    #[arg(long, value_name = "PORT", default_value_t = 53)]
    dns_port: u16,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            resolver: Vec::new(),
            name_server: Vec::new(),
            dns_port: 53,
        }
    }
}

/// An address, and a port where it is written.
type Place = (IpAddr, Option<u16>);

fn place(text: &str) -> Result<Place, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok((address.ip(), Some(address.port())));
    }
    match text.parse() {
        Ok(address) => Ok((address, None)),
        Err(_) => Err("write an address, such as 9.9.9.9, 127.0.0.1:5353 or [::1]:5353".to_owned()),
    }
}

/// For one answer. Two thirds of it are left for a second try over UDP.
const LIMIT: Duration = Duration::from_secs(5);

impl Servers {
    fn way(&self, timeout: Duration) -> Result<Way, Error> {
        let limit = LIMIT.min(timeout);
        let at = |places: &[Place], default: u16| -> Vec<SocketAddr> {
            let places = places.iter();
            let places = places.map(|(address, port)| (*address, port.unwrap_or(default)).into());
            places.collect()
        };
        let resolver = match self.resolver.as_slice() {
            _ if !self.name_server.is_empty() => None,
            [] => Some(Resolver::system(limit)?),
            named => Some(Resolver::new(at(named, 53), limit)),
        };
        Ok(Way {
            resolver,
            port: self.dns_port,
            servers: at(&self.name_server, self.dns_port),
            limit,
        })
    }
}

/// The result as JSON.
#[derive(Serialize)]
struct Verified<'f> {
    word: Word,
    findings: &'f [Finding],
}

/// Runs the action.
///
/// # Errors
/// The way to the name servers cannot be found, or one of them cannot be asked.
pub(super) async fn run(zone: &Zone<'_>, args: &Args) -> Result<Outcome, Error> {
    let expected = Expected::new(zone.wanted.clone(), &zone.dns.provider);
    let way = args.servers.way(zone.project.timeout)?;
    let mut seen = look(&expected, &way).await?;
    if args.public {
        seen.public = public(&expected, &args.public_endpoint, way.limit).await?;
    }
    let mut findings = judge(&expected, &seen);
    let verified = Verified {
        word: worst(&findings),
        findings: &findings,
    };
    let ui = &zone.project.ui;
    ui.report("names", &verified, |palette| render(&findings, palette));
    match worst(&findings) {
        Word::Ok | Word::Warning => Ok(Outcome::Done),
        Word::Differs => Ok(Outcome::Differences),
        Word::Unreachable => {
            // The table has shown the rest.
            findings.retain(|finding| finding.word == Word::Unreachable);
            end(&findings).map(|()| Outcome::Done)
        }
    }
}

/// The short form: what the names' servers answer for clients of one region, or of all, in a sentence; nothing where the
/// inventory has no `[dns]`.
///
/// # Errors
/// What is not as the inventory says, or cannot be asked.
pub(in crate::commands) async fn short(
    project: &Project,
    only: Option<&RegionName>,
    servers: &Servers,
) -> Option<Result<String, Error>> {
    let dns = project.inventory.dns.as_ref()?;
    let mut wanted = Wanted::of(&project.inventory)?.wanted;
    wanted
        .hosts
        .retain(|host| only.is_none_or(|region| host.region == *region));
    let mut expected = Expected::new(wanted, &dns.provider);
    expected.only = only.cloned().into_iter().collect();
    Some(asked(&expected, servers, project.timeout).await)
}

async fn asked(expected: &Expected, servers: &Servers, timeout: Duration) -> Result<String, Error> {
    let seen = look(expected, &servers.way(timeout)?).await?;
    let findings = judge(expected, &seen);
    let all = "see `geodeploy dns verify`";
    end(&findings).map_err(|error| error.hint(all))?;
    let well = findings.iter().filter(|finding| finding.word == Word::Ok);
    let well = well.filter(|finding| finding.check.is_answer());
    let told: Vec<&str> = well.map(|finding| finding.told.as_str()).collect();
    let warnings = findings.iter().any(|finding| finding.word == Word::Warning);
    let more = if warnings { "; warnings: " } else { "" };
    Ok(format!(
        "{}{more}{}",
        told.join("; "),
        if warnings { all } else { "" }
    ))
}
