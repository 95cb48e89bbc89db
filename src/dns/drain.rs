//! Regions that gdnsd is told to hold for down, as its file `admin_state` has them (gdnsd(8), "admin_state"). Pure.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};
use crate::inventory::RegionName;

/// Where gdnsd reads what it is told; it looks every few seconds, and again when it starts.
pub const FILE: &str = "/var/lib/gdnsd/admin_state";

const MARK: &str = "# Regions that `geodeploy dns drain` took out of the answers.";
const BEFORE: &str = "geoip/regions/";
const AFTER: &str = " => DOWN";

/// One host's file: our regions, and what somebody else wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Names of the regions that are drained.
    pub regions: BTreeSet<String>,
    /// Other lines, which stay.
    others: Vec<String>,
}

impl Drained {
    /// Reads the file's text; an absent file is empty.
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines().map(str::trim) {
            let region = line
                .strip_prefix(BEFORE)
                .and_then(|rest| rest.strip_suffix(AFTER));
            match region {
                Some(region) => drop(found.regions.insert(region.to_owned())),
                None if line.is_empty() || line == MARK => {}
                None => found.others.push(line.to_owned()),
            }
        }
        found
    }

    /// The file's text; nothing where there must be no file.
    pub fn text(&self) -> Option<String> {
        let mut lines = self.others.clone();
        if !self.regions.is_empty() {
            lines.push(MARK.to_owned());
        }
        let ours = self.regions.iter();
        lines.extend(ours.map(|region| format!("{BEFORE}{region}{AFTER}")));
        (!lines.is_empty()).then(|| format!("{}\n", lines.join("\n")))
    }

    /// The same host with these regions drained.
    #[must_use]
    pub fn with(&self, regions: &BTreeSet<String>) -> Self {
        Self {
            regions: regions.clone(),
            others: self.others.clone(),
        }
    }
}

/// Which regions are drained after one more was, or was taken back; hosts that disagree are brought together.
///
/// # Errors
/// No region would be left that answers anybody.
pub fn after(
    hosts: &[Drained],
    region: &RegionName,
    undo: bool,
    all: &[RegionName],
) -> Result<BTreeSet<String>, Error> {
    let known = |name: &&String| all.iter().any(|known| known.as_str() == name.as_str());
    let drained = hosts.iter().flat_map(|host| &host.regions);
    let mut drained: BTreeSet<String> = drained.filter(known).cloned().collect();
    if undo {
        drained.remove(region.as_str());
        return Ok(drained);
    }
    drained.insert(region.as_str().to_owned());
    if drained.len() < all.len() {
        return Ok(drained);
    }
    let others: Vec<&str> = drained
        .iter()
        .map(String::as_str)
        .filter(|name| *name != region.as_str())
        .collect();
    let what = format!("{region} is the last of {} regions that answers", all.len());
    Err(match others.as_slice() {
        [] => Error::new(ErrorKind::Usage, what).hint("a single region cannot be drained"),
        others => Error::new(ErrorKind::Usage, what)
            .cause(format!("drained already: {}", others.join(", ")))
            .hint(format!("first `geodeploy dns drain {} --undo`", others[0])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<RegionName> {
        ["us", "cn"].map(|name| name.parse().unwrap()).to_vec()
    }

    #[test]
    fn what_somebody_else_wrote_stays_and_our_regions_come_and_go() {
        let found = Drained::parse("# mine\ngeoip/other/x => DOWN\ngeoip/regions/us => DOWN\n");
        assert_eq!(found.regions, BTreeSet::from(["us".to_owned()]));
        let text = found
            .with(&BTreeSet::from(["cn".to_owned()]))
            .text()
            .unwrap();
        let mark = MARK;
        assert_eq!(
            text,
            format!("# mine\ngeoip/other/x => DOWN\n{mark}\ngeoip/regions/cn => DOWN\n")
        );
        assert_eq!(
            Drained::parse(&text).with(&BTreeSet::new()).text().unwrap(),
            "# mine\ngeoip/other/x => DOWN\n"
        );
        let ours = Drained::default().with(&found.regions);
        assert_eq!(Drained::parse(&ours.text().unwrap()), ours);
        assert_eq!(ours.with(&BTreeSet::new()).text(), None);
    }

    #[test]
    fn the_last_region_is_not_drained_even_where_hosts_disagree() {
        let us = Drained::parse("geoip/regions/us => DOWN\n");
        let [name_us, name_cn] = [&names()[0], &names()[1]].map(Clone::clone);
        let hosts = [us, Drained::default()];
        let error = after(&hosts, &name_cn, false, &names()).unwrap_err();
        assert!(
            error.what.contains("cn is the last of 2 regions"),
            "{}",
            error.what
        );
        assert_eq!(error.hints, ["first `geodeploy dns drain us --undo`"]);
        let both = after(&hosts, &name_us, false, &names()).unwrap();
        assert_eq!(both, BTreeSet::from(["us".to_owned()]));
        assert!(after(&hosts, &name_us, true, &names()).unwrap().is_empty());
        assert!(after(&[], &name_us, false, &names()[..1]).is_err());
    }

    #[test]
    fn a_region_that_is_no_longer_in_the_inventory_is_forgotten() {
        let old = Drained::parse("geoip/regions/eu => DOWN\n");
        let drained = after(&[old], &names()[0], false, &names()).unwrap();
        assert_eq!(drained, BTreeSet::from(["us".to_owned()]));
    }
}
