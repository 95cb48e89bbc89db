//! The names of what is made at Route 53, and whose is what. Pure.

use super::text::{canonical, quoted, unquoted};
use super::wire::RecordSet;
use crate::dns::{Mark, Wanted};
use crate::inventory::RegionName;

/// What every project's mark begins with.
const PROJECTS: &str = "geodeploy:";

/// The hidden name whose pair of sets answers for one region while it is well, and by the next one while it is not.
pub(super) fn pair_name(region: &RegionName, geo_name: &str) -> String {
    format!("_gd-{region}.{geo_name}")
}

/// Whether it is such a name.
pub(super) fn is_pair_name(name: &str) -> bool {
    name.starts_with("_gd-")
}

/// Where the marks of a name's simple sets rest.
pub(super) fn mark_name(name: &str) -> String {
    format!("_geodeploy.{name}")
}

/// A mark's value: who owns the simple set of one type.
pub(super) fn mark_value(owner: &str, kind: &str) -> String {
    quoted(&format!("{owner} {kind}"))
}

/// The owner's mark, and the type of the set that is the owner's.
pub(super) fn mark_of(value: &str) -> Option<(String, String)> {
    let text = unquoted(value)?;
    let (owner, kind) = text.split_once(' ')?;
    owner
        .starts_with(PROJECTS)
        .then(|| (owner.to_owned(), kind.to_owned()))
}

/// The lock's name.
pub(super) fn lock_name(zone: &str) -> String {
    format!("_geodeploy-lock.{zone}")
}

/// The identifier of a set of a project's: no application's name holds a colon, so that one project's prefix is not the
/// beginning of another's.
pub(super) fn set_identifier(owner: &str, parts: &[&str]) -> String {
    format!("{owner}:{}", parts.join(":"))
}

/// Whose a set with an identifier is.
fn owner_of_identifier(identifier: &str) -> Option<&str> {
    let rest = identifier.strip_prefix(PROJECTS)?;
    let app = rest.split_once(':')?.0;
    Some(&identifier[..PROJECTS.len() + app.len()])
}

/// Whose the sets of one name and type are; `marks` are the owners that the name's marks have for that type.
pub(super) fn mark(owner: &str, sets: &[&RecordSet], marks: &[&str]) -> Mark {
    let owners: Vec<Option<&str>> = sets
        .iter()
        .map(|set| match &set.set_identifier {
            Some(identifier) => owner_of_identifier(identifier),
            None if marks.contains(&owner) => Some(owner),
            None => marks.first().copied(),
        })
        .collect();
    let other = owners.iter().flatten().find(|found| **found != owner);
    match other {
        Some(other) => Mark::OtherProject((*other).to_owned()),
        None if owners.iter().all(Option::is_some) => Mark::Ours,
        None => Mark::Foreign,
    }
}

/// The names at which anybody's records are of interest.
pub(super) fn wanted_names(wanted: &Wanted) -> Vec<String> {
    let hosts = wanted.hosts.iter().map(|host| host.name.as_str());
    let mut names: Vec<String> = hosts.map(canonical).collect();
    if let Some(geo) = &wanted.geo {
        let name = canonical(geo.name.as_str());
        let pairs = geo.answers.iter();
        names.extend(pairs.map(|answer| pair_name(&answer.region, &name)));
        names.push(name);
    }
    names
}

/// The reference of a health check that is to be made: its owner, and what makes it unlike any other. At most 64 letters.
pub(super) fn caller_reference(owner: &str, check: &str, milliseconds: u64) -> String {
    let digest = crate::digest::sha256(check.as_bytes());
    format!("{owner}:{}{milliseconds:012x}", &digest[..8])
}

/// Whose a health check is.
pub(super) fn owner_of_reference(reference: &str) -> Option<&str> {
    owner_of_identifier(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(identifier: Option<&str>) -> RecordSet {
        RecordSet {
            set_identifier: identifier.map(str::to_owned),
            ..RecordSet::default()
        }
    }

    #[test]
    fn one_projects_prefix_is_not_the_beginning_of_anothers() {
        let ours = set(Some("geodeploy:app:NA:A"));
        let theirs = set(Some("geodeploy:app-eu:NA:A"));
        assert_eq!(mark("geodeploy:app", &[&ours], &[]), Mark::Ours);
        assert_eq!(
            mark("geodeploy:app", &[&ours, &theirs], &[]),
            Mark::OtherProject("geodeploy:app-eu".to_owned())
        );
    }

    #[test]
    fn a_set_without_a_mark_among_ours_makes_all_of_them_foreign() {
        let ours = set(Some("geodeploy:app:NA:A"));
        let foreign = set(Some("by hand"));
        assert_eq!(
            mark("geodeploy:app", &[&ours, &foreign], &[]),
            Mark::Foreign
        );
        assert_eq!(mark("geodeploy:app", &[&set(None)], &[]), Mark::Foreign);
        let marks = ["geodeploy:app"];
        assert_eq!(mark("geodeploy:app", &[&set(None)], &marks), Mark::Ours);
        assert_eq!(
            mark("geodeploy:app", &[&foreign], &marks),
            Mark::Foreign,
            "a mark beside the name is one of the simple set alone"
        );
    }

    #[test]
    fn a_reference_fits_whatever_the_names_are() {
        let owner = format!("geodeploy:{}", "a".repeat(31));
        let reference = caller_reference(&owner, "us.yourapp.com IPv4", 1 << 47);
        assert!(reference.len() <= 64, "{}", reference.len());
        assert_eq!(owner_of_reference(&reference), Some(owner.as_str()));
    }
}
