//! A rehearsal on twins: up, the chain, down.

use std::path::Path;

use super::{LAB, chain};
use crate::cli::Globals;
use crate::commands::Outcome;
use crate::error::{Error, ErrorKind};
use crate::inventory::{Inventory, LinkEnd};
use crate::rehearse::substitute::{Stand, Surroundings, substitute};
use crate::rehearse::{Lab, LabSpec, LinkSpec, SwitchProgram, TwinSpec};
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
    let file = write_inventory(&lab, text)?;
    let substituted = globals.with_inventory(&file);
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
    Ok(spec)
}

/// Writes the inventory for the twins beside their state, so that it goes with them and can be used by hand until then.
fn write_inventory(lab: &Lab, text: &str) -> Result<std::path::PathBuf, Error> {
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
