//! Whether a region's application reaches its database.

use super::Outcome;
use crate::agent::database_link::Link;
use crate::agent::message::Operation;
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Looked, Member, Project};
use crate::inventory::DatabaseMode;

/// Lets the region's host try; `None` where its environment names no database.
///
/// # Errors
/// Why the application would not reach its database.
pub(super) async fn ask(project: &Project, member: &Member) -> Result<Option<Link>, Error> {
    let operation = Operation::DatabaseLink {
        app: project.inventory.app.name.as_str().to_owned(),
    };
    let report = fleet::report(member, operation, Some(fleet::UNCHANGED)).await?;
    serde_json::from_value(report).map_err(|error| {
        let what = format!(
            "{}: the agent's report cannot be read",
            member.session.region()
        );
        Error::new(ErrorKind::Failed, what).cause(error)
    })
}

/// Says of regions that were provisioned without the database's own whether the database is there for them. It is no
/// failure: the database may come later, and nothing is deployed without it.
pub(super) async fn tell(
    project: &Project,
    looked: &[Looked<'_>],
    ends: &[(String, Result<Outcome, Error>)],
) {
    let database = &project.inventory.database;
    let here = |looked: &Looked<'_>| Some(&looked.region.name) == database.region.as_ref();
    if database.mode == DatabaseMode::Embedded || looked.iter().any(here) {
        return;
    }
    for looked in looked {
        let name = looked.name();
        let done = ends
            .iter()
            .any(|(region, end)| *region == name && end.is_ok());
        let Ok((member, _)) = &looked.answer else {
            continue;
        };
        if !done {
            continue;
        }
        match ask(project, member).await {
            Ok(Some(link)) => project.ui.note(&format!("{name}: {}", link.describe())),
            Ok(None) => {}
            Err(error) => {
                let told = error.hints.join("; ");
                project.ui.warn(&format!(
                    "{error}; until it can, nothing is deployed there; {told}"
                ));
            }
        }
    }
}
