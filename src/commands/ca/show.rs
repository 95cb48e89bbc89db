//! `geodeploy ca show`.

use jiff::Timestamp;

use super::{AUTHORITY, due, vault};
use crate::ca::{Described, RENEWAL_DAYS, describe};
use crate::commands::Outcome;
use crate::error::Error;
use crate::fleet::Project;

pub(super) fn run(project: &Project) -> Result<Outcome, Error> {
    let vault = vault(&project.inventory)?;
    let now = Timestamp::now();
    let mut names = vec![AUTHORITY.to_owned()];
    names.extend(
        due::wanted(&project.inventory)
            .into_iter()
            .map(|wanted| wanted.holder.name),
    );
    let mut rows: Vec<(String, Option<Described>)> = Vec::new();
    for name in names {
        let found = vault.read(&name)?;
        let described = found.as_deref().map(describe).transpose()?;
        rows.push((name, described));
    }
    let document: Vec<serde_json::Value> = rows
        .iter()
        .map(|(file, found)| {
            serde_json::json!({
                "file": file,
                "certificate": found,
                "days_left": found.as_ref().map(|found| found.days_left(now)),
            })
        })
        .collect();
    project.ui.report("ca", &document, |_| {
        let lines: Vec<String> = rows.iter().map(|row| line(row, now)).collect();
        lines.join("\n")
    });
    Ok(Outcome::Done)
}

/// `cn-server: until 2027-12-25 (397 days), for 127.0.0.1, localhost`.
fn line((name, found): &(String, Option<Described>), now: Timestamp) -> String {
    let Some(found) = found else {
        let verb = if name == AUTHORITY { "init" } else { "issue" };
        return format!("{name}: missing; type `geodeploy ca {verb}`");
    };
    let days = found.days_left(now);
    let until = found.expires.strftime("%Y-%m-%d");
    let names = match found.names.is_empty() {
        true => String::new(),
        false => format!(", for {}", found.names.join(", ")),
    };
    let soon = match days < RENEWAL_DAYS {
        true => "; type `geodeploy ca issue`",
        false => "",
    };
    format!("{name}: until {until} ({days} days){names}{soon}")
}
