//! `geodeploy check`.

use super::Outcome;
use crate::blueprint;
use crate::cli::Globals;
use crate::error::Error;
use crate::fleet::{Project, mistakes};
use crate::secrets::{Secret, Secrets};
use crate::text::count;

/// Check inventory, secrets and templates: everything that needs no network
#[derive(clap::Args)]
pub struct Args {}

/// Checks all of it and reports all mistakes at once.
///
/// # Errors
/// Every mistake in the inventory; or else every secret that cannot be had and every template that does not render.
pub fn run(globals: &Globals, _args: Args) -> Result<Outcome, Error> {
    let project = Project::open(globals)?;
    let inventory = &project.inventory;
    let (secrets, mut found) = match Secrets::resolve(inventory) {
        Ok(secrets) => (secrets, None),
        // Templates are rendered all the same, so that their mistakes are told in the same breath.
        Err(found) => {
            let made_up = Secrets::made_up(inventory, |_| Secret::new("0".repeat(64)));
            let what = format!("{} cannot be used", count(found.len(), "secret"));
            let error = Error {
                what,
                ..mistakes(&found)
            };
            (made_up, Some(error))
        }
    };
    for warning in secrets.warnings() {
        globals.ui.warn(&warning.to_string());
    }
    if let Some(weakness) = inventory.database.version.weakness() {
        globals.ui.warn(&weakness);
    }
    if inventory.tls.is_none() {
        globals.ui.warn(super::verify::PLAIN);
    }
    let mut resources = 0;
    for region in &inventory.regions {
        for error in blueprint::mistakes(inventory, region, &secrets) {
            found = Some(merged(found, error));
        }
        match blueprint::region(inventory, &region.name, &secrets) {
            Ok(blueprint) => resources += blueprint.resources.len(),
            Err(error) => found = Some(merged(found, error)),
        }
    }
    if let Some(error) = found {
        return Err(error);
    }
    let names: Vec<&str> = inventory.regions.iter().map(|r| r.name.as_str()).collect();
    let document = serde_json::json!({
        "file": project.file,
        "regions": names,
        "resources": resources,
    });
    globals.ui.report("check", &document, |_| {
        format!(
            "{}: {} ({}), {}, no mistakes",
            project.file.display(),
            count(names.len(), "region"),
            names.join(", "),
            count(resources, "resource")
        )
    });
    Ok(Outcome::Done)
}

/// One error that tells of both. Two regions that share a template share its mistake, which is told once.
fn merged(first: Option<Error>, second: Error) -> Error {
    let Some(mut first) = first else {
        return second;
    };
    let told = std::iter::once(second.what).chain(second.causes);
    for cause in told {
        if cause != first.what && !first.causes.contains(&cause) {
            first.causes.push(cause);
        }
    }
    for hint in second.hints {
        if !first.hints.contains(&hint) {
            first.hints.push(hint);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn mistakes_of_secrets_and_templates_are_told_together_and_each_once() {
        let secrets = Error::new(ErrorKind::Input, "1 secret cannot be used").cause("JWT_SECRET");
        let template = || {
            Error::new(ErrorKind::Input, "site.conf.j2:2 does not render")
                .cause("nonsense is not defined")
                .hint("see the table of names")
        };
        let once = merged(Some(secrets), template());
        let twice = merged(Some(once.clone()), template());
        assert_eq!(twice, once);
        assert_eq!(
            once.causes,
            [
                "JWT_SECRET",
                "site.conf.j2:2 does not render",
                "nonsense is not defined"
            ]
        );
        assert_eq!(once.hints, ["see the table of names"]);
        assert_eq!(merged(None, template()), template());
    }
}
