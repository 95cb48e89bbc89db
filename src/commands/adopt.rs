//! Consent to take over data that is not this project's.

use std::path::Path;

use crate::blueprint::Blueprint;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::fleet::Project;
use crate::resource::Requirement;

/// Drops the requirement that the data of that region be this project's, where a backup of it is named.
///
/// # Errors
/// When there is no such backup, or the region of the run has no database.
pub(super) fn consent(
    project: &Project,
    blueprints: &mut [Blueprint],
    region: &str,
    backup: &Path,
) -> Result<(), Error> {
    let shown = backup.display();
    let found = std::fs::metadata(backup).context(ErrorKind::Usage, || {
        format!("there is no backup {shown} of the data on {region}")
    })?;
    let empty = match found.is_dir() {
        true => std::fs::read_dir(backup).is_ok_and(|mut entries| entries.next().is_none()),
        false => found.len() == 0,
    };
    if empty {
        let what = format!("the backup {shown} of the data on {region} is empty");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("make it with the tools of the server that the data belongs to"));
    }
    let holds = |requirement: &Requirement| matches!(requirement, Requirement::OwnData(_));
    let blueprint = blueprints.iter_mut().find(|blueprint| {
        blueprint.region.as_str() == region && blueprint.requirements.iter().any(holds)
    });
    let Some(blueprint) = blueprint else {
        let what = format!("the database is not on {region}, or this run leaves it out");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("name the region of [database] in `--adopt-data`"));
    };
    blueprint
        .requirements
        .retain(|requirement| !holds(requirement));
    project.ui.note(&format!(
        "{region}: the data that is there is taken over; its backup is {shown}"
    ));
    Ok(())
}
