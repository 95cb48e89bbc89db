//! A rehearsal on twins: up, the chain, down.

use std::path::Path;

use super::{LAB, chain};
use crate::cli::Globals;
use crate::commands::{Outcome, ca};
use crate::error::{Error, ErrorKind};
use crate::inventory::{Inventory, LinkEnd};
use crate::rehearse::authority::Authority;
use crate::rehearse::substitute::{Mongodb, Stand, Surroundings, substitute, with_authority};
use crate::rehearse::{Lab, LabSpec, LinkSpec, SwitchProgram, TwinSpec, archive};
use crate::state::write_private;

/// Where twins' file systems are.
pub(super) const STORAGE: &str = "/var/lib/geodeploy/rehearsal";

/// Boots a twin for each region and runs the chain against them.
pub(super) fn rehearse(globals: &Globals, text: &str, keep: bool) -> Result<Outcome, Error> {
    let inventory =
        Inventory::parse(text, "inventory").map_err(|found| crate::fleet::mistakes(&found))?;
    let mut report = chain::Report::default();
    let lab = report.step("twins", || {
        let lab = Lab::up(&spec(&inventory)?, &|event| {
            globals.ui.note(&event.to_string());
        })?;
        let twins = crate::text::count(lab.twins().len(), "twin");
        Ok((lab, format!("{twins} behind the links of the inventory")))
    })?;
    let on_hosts = inventory.database.mode.on_hosts();
    let mongodb = match on_hosts {
        true => Some(report.step("database archive", || mongodb(globals, &lab))?),
        false => None,
    };
    let file = write_inventory(&lab, text, mongodb.as_ref())?;
    if inventory.tls.is_some() {
        report.step("certificate authority", || {
            authority(&lab, &inventory, &file)
        })?;
    }
    let substituted = globals.with_inventory(&file);
    if on_hosts {
        report.step("database's certificates", || certificates(&substituted))?;
    }
    let ended = chain::run(&substituted, &lab, &mut report);
    report.show(&globals.ui, ended.is_ok());
    if keep {
        lab.keep()?;
        globals.ui.note(&format!(
            "the twins stay: try `geodeploy -i {} status`, end them with `geodeploy rehearse down`",
            file.display()
        ));
    } else {
        lab.down()?;
    }
    ended.map(|()| Outcome::Done)
}

fn spec(inventory: &Inventory) -> Result<LabSpec, Error> {
    let regions = || inventory.regions.iter();
    let twins = regions()
        .map(|region| TwinSpec::new(region.name.as_str()))
        .collect();
    let mut spec = LabSpec::new(LAB, twins, SwitchProgram::own()?);
    let name = |end: &LinkEnd| match end {
        LinkEnd::Operator => "operator".to_owned(),
        LinkEnd::Region(region) => region.as_str().to_owned(),
    };
    spec.links = inventory
        .links
        .iter()
        .map(|link| {
            let (a, b) = &link.between;
            LinkSpec::new(
                name(a),
                name(b),
                link.round_trip,
                Some(f64::from(link.megabits)),
            )
        })
        .collect();
    spec.hosts = regions()
        .map(|region| {
            (
                region.domain.as_str().to_owned(),
                region.name.as_str().to_owned(),
            )
        })
        .collect();
    let names = shared(inventory).into_iter();
    spec.hosts
        .extend(names.map(|(name, region)| (name, region.to_owned())));
    // Names that public DNS will know, and that the database's peers and itself dial.
    let holders = inventory.database_regions();
    spec.hosts.extend(holders.into_iter().map(|holder| {
        let host = inventory.database_host(holder);
        (host, holder.name.as_str().to_owned())
    }));
    Ok(spec)
}

/// Names that web servers answer to beside their regions' own, and the first region that does.
fn shared(inventory: &Inventory) -> std::collections::BTreeMap<String, &str> {
    let regions = inventory.regions.iter().rev();
    let names = regions.flat_map(|region| {
        let others = region.nginx.server_names.iter();
        let others = others.filter(|name| **name != region.domain);
        others.map(|name| (name.to_string(), region.name.as_str()))
    });
    names.collect()
}

/// An authority beside the twins in place of the inventory's, which could not look at them.
fn authority(lab: &Lab, inventory: &Inventory, file: &Path) -> Result<((), String), Error> {
    // As Pebble does by itself: a nonce in twenty.
    let authority = Authority::start(lab, &archive::default_cache(), 5)?;
    let own = inventory.regions.iter();
    let own = own.map(|region| (region.domain.to_string(), region.name.as_str()));
    for (name, region) in own.chain(shared(inventory)) {
        let endpoint = &lab.twin(region)?.endpoint;
        authority.resolve(&name, &[endpoint.ipv4.into(), endpoint.ipv6.into()])?;
    }
    let unreadable = |error| {
        let what = format!("cannot read {}", file.display());
        Error::new(ErrorKind::Failed, what).cause(error)
    };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let text = with_authority(&text, &authority.directory(), authority.root())?;
    write_private(file, text.as_bytes())?;
    Ok(((), format!("Pebble at {}", authority.directory())))
}

/// An archive with a MongoDB that twins reach, and its key beside the lab's state.
fn mongodb(globals: &Globals, lab: &Lab) -> Result<(Mongodb, String), Error> {
    let archive = archive::prepare(&archive::default_cache(), &|line| globals.ui.note(line))?;
    let told = format!("MongoDB {} from {}", archive.version, archive.origin);
    Ok((archive.offer(lab)?, told))
}

/// The rehearsal's own authority and certificates.
fn certificates(globals: &Globals) -> Result<((), String), Error> {
    let init = ca::Action::Init;
    let issue = ca::Action::Issue {
        region: None,
        rotate: false,
    };
    for action in [init, issue] {
        ca::run(globals, ca::Args { action })?;
    }
    Ok((
        (),
        "an authority, the database's and the applications'".to_owned(),
    ))
}

/// Writes the inventory for the twins beside their state, so that it goes with them and can be used by hand until then.
fn write_inventory(
    lab: &Lab,
    text: &str,
    mongodb: Option<&Mongodb>,
) -> Result<std::path::PathBuf, Error> {
    let stands = lab
        .twins()
        .iter()
        .map(|twin| {
            Ok(Stand {
                region: twin.name.clone(),
                endpoint: twin.endpoint.clone(),
                host_key: twin.host_key()?,
            })
        })
        .collect::<Result<Vec<_>, crate::rehearse::Error>>()?;
    let folder = lab.folder();
    let secret = folder.join("made-up-secret");
    write_private(&secret, made_up()?.as_bytes())?;
    let around = Surroundings {
        operator: &lab.operator(),
        key: &lab.operator_key(),
        mirror: &lab.mirror_url(),
        secret: &secret,
        certificates: &folder.join("tls"),
        mongodb,
    };
    let file = folder.join("geodeploy.toml");
    write_private(&file, substitute(text, &stands, &around)?.as_bytes())?;
    Ok(file)
}

/// A secret of 32 random bytes in hex.
pub(super) fn made_up() -> Result<String, Error> {
    let mut bytes = [0; 32];
    std::fs::File::open(Path::new("/dev/urandom"))
        .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut bytes))
        .map_err(|error| Error::new(ErrorKind::Failed, "cannot make up a secret").cause(error))?;
    Ok(crate::digest::hex(&bytes))
}
