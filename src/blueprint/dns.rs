//! The embedded provider: gdnsd on every region's host, authoritative for the one name that answers by geography.

use std::net::IpAddr;
use std::path::PathBuf;

use minijinja::{Value, context};

use super::{Blueprint, Build, Templates, firewall, service};
use crate::digest::sha256;
use crate::dns::networks::{Networks, nets, preference};
use crate::error::{Error, ErrorKind};
use crate::inventory::{Dns, DnsProvider, Inventory, Region, RegionName};
use crate::resource::{Content, File, Gdnsd, Notify, Ownership, Package, Resource};
use crate::secrets::Secrets;

/// The unit that answers.
const UNIT: &str = "gdnsd.service";

/// `[dns]`, where the regions' own hosts answer.
pub fn embedded(inventory: &Inventory) -> Option<&Dns> {
    let dns = inventory.dns.as_ref()?;
    (dns.provider == DnsProvider::Embedded && dns.geo).then_some(dns)
}

/// The part of a region's blueprint that answers for the geo name: package, configuration, service and the firewall, all as
/// [`super::region`] has them.
///
/// # Errors
/// The inventory's provider is another one, there is no such region, or the networks or a template are wrong.
pub fn only_dns(
    inventory: &Inventory,
    name: &RegionName,
    secrets: &Secrets,
) -> Result<Blueprint, Error> {
    let region = inventory
        .region(name.as_str())
        .map_err(|wrong| Error::new(ErrorKind::Usage, wrong.cause).hint(wrong.remedy))?;
    if embedded(inventory).is_none() {
        return Err(Error::new(
            ErrorKind::Usage,
            "the regions' hosts do not answer for a name of this inventory",
        )
        .hint("write provider = \"embedded\" below [dns]"));
    }
    let build = Build {
        inventory,
        region,
        secrets,
        templates: &Templates::load(inventory)?,
    };
    let mut resources: Vec<Resource> = PACKAGES.map(package).to_vec();
    resources.extend(build.dns()?);
    resources.push(firewall::rules(inventory, region));
    Ok(Blueprint {
        region: region.name.clone(),
        requirements: Vec::new(),
        resources,
    })
}

/// What answering needs.
const PACKAGES: [&str; 2] = ["ufw", "gdnsd"];

fn package(name: &str) -> Resource {
    Resource::Package(Package {
        name: name.to_owned(),
        version: None,
        installed: true,
        held: false,
    })
}

impl Build<'_> {
    /// gdnsd's files and its service; nothing for another provider.
    pub(super) fn dns(&self) -> Result<Vec<Resource>, Error> {
        let Some(dns) = embedded(self.inventory) else {
            return Ok(Vec::new());
        };
        let networks = compiled(self.inventory, dns)?;
        let context = context! {
            dns => answers(self.inventory, self.region, dns.geo_name.as_str(), dns.ttl.as_secs(), &networks),
            ..self.context()
        };
        let render = |name| self.templates.render(name, &context);
        Ok(vec![
            Resource::Gdnsd(Gdnsd {
                zone: dns.geo_name.to_string(),
                config: render("gdnsd.conf.j2")?.text,
                records: render("gdnsd.zone.j2")?.text,
                networks,
                addresses: addresses(self.region),
            }),
            Resource::File(File {
                path: PathBuf::from("/etc/systemd/system/gdnsd.service.d/60-geodeploy.conf"),
                content: Some(Content::Plain(render("gdnsd.service.j2")?.text)),
                ownership: Ownership::root(0o644),
                notifies: Vec::<Notify>::new(),
            }),
            service(UNIT, Some(true)),
        ])
    }
}

fn compiled(inventory: &Inventory, dns: &Dns) -> Result<String, Error> {
    let networks = Networks::load(inventory)?;
    Ok(nets(&networks, &dns.routing, &names(inventory)))
}

fn names(inventory: &Inventory) -> Vec<RegionName> {
    let regions = inventory.regions.iter();
    regions.map(|region| region.name.clone()).collect()
}

fn addresses(region: &Region) -> Vec<IpAddr> {
    let six = region.addresses.ipv6.map(IpAddr::V6);
    std::iter::once(IpAddr::V4(region.addresses.ipv4))
        .chain(six)
        .collect()
}

/// What templates see of the geo name, whoever answers for it.
pub(super) fn context(inventory: &Inventory, region: &Region) -> Value {
    let (name, ttl) = match &inventory.dns {
        Some(dns) => (dns.geo_name.to_string(), dns.ttl.as_secs()),
        None => (format!("api.{}", inventory.app.domain), 60),
    };
    answers(inventory, region, &name, ttl, "")
}

fn answers(inventory: &Inventory, region: &Region, name: &str, ttl: u64, networks: &str) -> Value {
    let names = names(inventory);
    let default = inventory.dns.as_ref().map(|dns| &dns.routing.default);
    let first = default.or(names.first());
    let order: Vec<String> = first.map_or_else(Vec::new, |first| {
        let order = preference(first, first, &names);
        order.into_iter().map(str::to_owned).collect()
    });
    let regions: Vec<Value> = inventory
        .regions
        .iter()
        .map(|one| {
            context! {
                name => one.name.as_str(),
                domain => one.domain.as_str(),
                ipv4 => one.addresses.ipv4.to_string(),
                ipv6 => one.addresses.ipv6.map(|address| address.to_string()),
            }
        })
        .collect();
    let listen: Vec<String> = addresses(region).iter().map(ToString::to_string).collect();
    // Hosts differ in what they listen on, and in nothing that they answer.
    let answered = format!("{name} {ttl} {order:?} {regions:?} {networks}");
    context! {
        name => name,
        ttl => ttl,
        serial => serial(&answered),
        order => order,
        regions => regions,
        listen => listen,
    }
}

/// A zone's serial from what it answers. It may go down: nobody transfers the zone.
fn serial(answered: &str) -> u32 {
    let digest = sha256(answered.as_bytes());
    u32::from_str_radix(&digest[..8], 16).map_or(1, |number| number.max(1))
}
