//! `geodeploy ca issue`: what is due, or all of it.

use jiff::Timestamp;

use super::{AUTHORITY, authority, due, sealed, vault};
use crate::ca::describe;
use crate::commands::Outcome;
use crate::error::{Error, ErrorKind};
use crate::fleet::Project;

pub(super) fn run(project: &Project, region: Option<&str>, rotate: bool) -> Result<Outcome, Error> {
    let inventory = &project.inventory;
    if let Some(name) = region {
        inventory
            .region(name)
            .map_err(|wrong| Error::new(ErrorKind::Usage, wrong.cause).hint(wrong.remedy))?;
    }
    let vault = vault(inventory)?;
    let authority = authority(inventory, &vault)?;
    let own = describe(authority.pem())?;
    let now = Timestamp::now();
    let mut issued = Vec::new();
    for wanted in due::wanted(inventory) {
        if region.is_some_and(|name| name != wanted.region.as_str()) {
            continue;
        }
        let holder = &wanted.holder;
        let key = sealed(inventory, &holder.name)?;
        let found = vault
            .read(&holder.name)?
            .and_then(|certificate| describe(&certificate).ok());
        let due = due::reason(found.as_ref(), key.exists(), &own, holder, now);
        let Some(reason) = due.or_else(|| rotate.then(|| "rotated".to_owned())) else {
            continue;
        };
        let made = authority.issue(holder, now)?;
        // The key first: between the two files the old certificate says that something is still to be done.
        vault.seal(&key, &made.sealed)?;
        vault.write(&holder.name, &made.certificate)?;
        let file = vault.certificate(&holder.name).display().to_string();
        issued.push(serde_json::json!({
            "certificate": file,
            "region": wanted.region.as_str(),
            "reason": reason,
            "authority": AUTHORITY,
        }));
    }
    let document = serde_json::json!({ "issued": issued });
    project.ui.report("ca-issue", &document, |_| {
        if issued.is_empty() {
            return "every certificate is good, none was issued".to_owned();
        }
        let line = |one: &serde_json::Value| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            format!("issued {} ({})", text("certificate"), text("reason"))
        };
        let mut lines: Vec<String> = issued.iter().map(line).collect();
        lines.push("now type `geodeploy provision`, which brings them to the hosts".to_owned());
        lines.join("\n")
    });
    Ok(Outcome::Done)
}
