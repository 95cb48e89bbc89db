//! A region: one host, and everything that is said about it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use super::app::{App, Variables, variables};
use super::firewall::Firewall;
use super::host_settings::{HostSystem, Limits, Mirrors, Packages};
use super::mistake::{Wrong, did_you_mean};
use super::model::Model;
use super::names::{DomainName, HostName, RegionName, ServerName};
use super::reader::Table;
use super::ssh::{Ssh, SshDefaults};
use super::values::{Cidr, Span};

/// One region with all defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The name it is called by on the command line.
    pub name: RegionName,
    /// The host's short name.
    pub server_name: ServerName,
    /// Where users of this region go.
    pub domain: DomainName,
    /// The host's public addresses.
    pub addresses: Addresses,
    /// How the host is reached.
    pub ssh: Ssh,
    /// Where the host gets its packages.
    pub mirrors: Mirrors,
    /// Variables of the application that follow from no other key.
    pub env: Variables,
    /// What answers chats.
    pub model: Model,
    /// The web server.
    pub nginx: Nginx,
    /// Who may reach the host.
    pub firewall: Firewall,
    /// How many streams it holds.
    pub limits: Limits,
    /// What is installed on it.
    pub packages: Packages,
    /// Swap, logs, time.
    pub system: HostSystem,
}

/// A host's public addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Every host has one.
    pub ipv4: Ipv4Addr,
    /// Rules and records cover it where it is there.
    pub ipv6: Option<Ipv6Addr>,
}

impl Addresses {
    /// All of them as networks of one.
    pub fn networks(self) -> Vec<Cidr> {
        let six = self.ipv6.map(IpAddr::V6);
        std::iter::once(IpAddr::V4(self.ipv4))
            .chain(six)
            .map(Cidr::from)
            .collect()
    }
}

/// The web server of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nginx {
    /// Names that it answers to: the region's domain and `api.` below the application's, unless said otherwise.
    pub server_names: Vec<DomainName>,
    /// How long a silent stream is kept open.
    pub sse_read_timeout: Duration,
    /// The region that takes over when the application here does not answer.
    pub backup: Option<RegionName>,
}

/// What regions begin with: the sections at the top of the file.
pub(super) struct Defaults<'d> {
    pub(super) app: Option<&'d App>,
    pub(super) ssh: Option<&'d SshDefaults>,
    pub(super) env: &'d Variables,
    pub(super) model: Option<&'d Model>,
    pub(super) sse_read_timeout: Duration,
    pub(super) firewall: &'d Firewall,
    pub(super) limits: &'d Limits,
    pub(super) packages: &'d Packages,
    pub(super) system: &'d HostSystem,
    /// Names of all regions, those with mistakes too.
    pub(super) regions: &'d [&'d str],
}

impl Region {
    /// Reads `[regions.NAME]`.
    pub(super) fn read(
        name: Option<RegionName>,
        table: Table<'_>,
        defaults: &Defaults<'_>,
    ) -> Option<Self> {
        let server_name = table.required("server_name", "us-server");
        let domain: Option<DomainName> = table.required("domain", "us.yourapp.com");
        let ipv4 = table
            .required::<PublicIpv4>("ipv4", "203.0.113.10")
            .map(|address| address.0);
        let ipv6 = table.text::<PublicIpv6>("ipv6").map(|address| address.0);
        let address = ipv4.map(|address| HostName::from(IpAddr::V4(address)));
        let ssh = Ssh::read(table.section("ssh"), defaults.ssh, address);
        let mirrors = Mirrors::read(table.section("mirrors"), &Mirrors::none());
        let env = variables(table.section("env"), defaults.env);
        let model = match table.section("model") {
            absent if absent.is_absent() => defaults.model.cloned(),
            section => Model::read(section, defaults.model),
        };
        let nginx = Nginx::read(
            table.section("nginx"),
            name.as_ref(),
            domain.as_ref(),
            defaults,
        );
        let firewall = Firewall::read(
            table.section("firewall"),
            Some(defaults.firewall),
            defaults.regions,
        );
        let limits = Limits::read(table.section("limits"), defaults.limits);
        let packages = Packages::read(table.section("packages"), defaults.packages);
        let system = HostSystem::read(table.section("system"), defaults.system);
        table.finish();
        Some(Self {
            name: name?,
            server_name: server_name?,
            domain: domain?,
            addresses: Addresses { ipv4: ipv4?, ipv6 },
            ssh: ssh?,
            mirrors,
            env,
            model: model?,
            nginx: nginx?,
            firewall,
            limits,
            packages,
            system,
        })
    }
}

impl Nginx {
    fn read(
        table: Table<'_>,
        region: Option<&RegionName>,
        domain: Option<&DomainName>,
        defaults: &Defaults<'_>,
    ) -> Option<Self> {
        let server_names = match table.value("server_name") {
            Some(_) => table.texts("server_name"),
            None => Some(usual_names(domain?, defaults.app?)),
        };
        if server_names.as_ref().is_some_and(Vec::is_empty) {
            let cause = "the web server would answer to no name";
            table.wrong(
                "server_name",
                Wrong::new(
                    cause,
                    "write server_name = [\"us.yourapp.com\"], or remove the key",
                ),
            );
        }
        let timeout = sse_read_timeout(&table);
        let backup: Option<RegionName> = table.text("backup");
        if let Some(backup) = &backup {
            check_backup(&table, backup, region, defaults.regions);
        }
        table.finish();
        Some(Self {
            server_names: server_names?,
            sse_read_timeout: timeout.unwrap_or(defaults.sse_read_timeout),
            backup,
        })
    }
}

/// Reads `sse_read_timeout` of `[nginx]` or of a region's.
pub(super) fn sse_read_timeout(table: &Table<'_>) -> Option<Duration> {
    let timeout: Span = table.text("sse_read_timeout")?;
    if !(30..=86_400).contains(&timeout.0.as_secs()) {
        let cause = "a silent stream is kept from 30 seconds, two heartbeats, to one day";
        table.wrong(
            "sse_read_timeout",
            Wrong::new(cause, "write a time from 30s to 24h, such as 3600s"),
        );
    }
    Some(timeout.0)
}

fn usual_names(domain: &DomainName, app: &App) -> Vec<DomainName> {
    let api = format!("api.{}", app.domain).parse().ok();
    std::iter::once(domain.clone())
        .chain(api.filter(|api| api != domain))
        .collect()
}

fn other_backup(others: &[&str]) -> String {
    match others {
        [] => "remove the key: there is no other region".to_owned(),
        others => format!(
            "name another region ({}), or remove the key",
            others.join(", ")
        ),
    }
}

fn check_backup(
    table: &Table<'_>,
    backup: &RegionName,
    region: Option<&RegionName>,
    regions: &[&str],
) {
    let others: Vec<&str> = regions
        .iter()
        .copied()
        .filter(|name| region.is_none_or(|own| own.as_str() != *name))
        .collect();
    if region == Some(backup) {
        let cause = format!("`{backup}` cannot be its own backup");
        table.wrong("backup", Wrong::new(cause, other_backup(&others)));
    } else if !regions.contains(&backup.as_str()) {
        let remedy = match did_you_mean(backup.as_str(), others.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => other_backup(&others),
        };
        table.wrong(
            "backup",
            Wrong::new(format!("no region is called `{backup}`"), remedy),
        );
    }
}

struct PublicIpv4(Ipv4Addr);

impl FromStr for PublicIpv4 {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text.parse::<Ipv4Addr>() {
            Ok(address)
                if !address.is_unspecified()
                    && !address.is_multicast()
                    && !address.is_broadcast() =>
            {
                Ok(Self(address))
            }
            _ => Err(Wrong::new(
                format!("`{text}` is not a host's IPv4 address"),
                "write the host's address, such as 203.0.113.10: no name, no port",
            )),
        }
    }
}

struct PublicIpv6(Ipv6Addr);

impl FromStr for PublicIpv6 {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text.parse::<Ipv6Addr>() {
            Ok(address)
                if !address.is_unspecified()
                    && !address.is_multicast()
                    && !address.is_unicast_link_local() =>
            {
                Ok(Self(address))
            }
            _ => Err(Wrong::new(
                format!("`{text}` is not a host's IPv6 address"),
                "write the host's address, such as 2001:db8::10: no brackets, no prefix length",
            )),
        }
    }
}
