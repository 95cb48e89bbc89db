//! Whose data is in the database's folder.

use std::path::Path;

use super::Verdict;
use crate::agent::system::Fault;
use crate::resource::mongo::Standing;
use crate::resource::{Context, OwnData};

/// What is in a folder, but for what a file system puts at its top.
pub(super) fn entries(folder: &Path, context: &Context<'_>) -> Result<Vec<String>, Fault> {
    let names = context.system.list(folder);
    let names = names
        .map_err(|error| Fault::new(format!("cannot look into {}", folder.display()), error))?;
    let mut names = names.unwrap_or_default();
    names.retain(|name| name != "lost+found");
    Ok(names)
}

/// The server itself is asked whose data it is. Where it cannot be asked, because it does not run or still has a
/// certificate of another authority, the members' key tells, which nobody has but this project.
pub(super) fn look(own: &OwnData, context: &Context<'_>) -> Result<Verdict, Fault> {
    let found = entries(&own.path, context)?;
    if found.is_empty() {
        return Ok(Verdict::Met);
    }
    let set = |hello: &mongodb::bson::Document| hello.get_str("setName").ok().map(str::to_owned);
    let why = match own.connection.standing(context) {
        // The inspection ends with the same fault: it has users, and refuses the administrator's password.
        Err(_) => return Ok(Verdict::Met),
        Ok(Standing::Managed(hello) | Standing::Open(hello))
            if set(&hello).is_some_and(|name| name != own.set) =>
        {
            format!(
                "its server belongs to the replica set {}, not {}",
                set(&hello).unwrap_or_default(),
                own.set
            )
        }
        Ok(Standing::Managed(_)) => return Ok(Verdict::Met),
        // A set that was begun is ours by its certificate, which was verified, and its name.
        Ok(Standing::Open(hello)) if set(&hello).is_some() => return Ok(Verdict::Met),
        Ok(Standing::Open(_)) => {
            return by_key(own, "its server is in no replica set", context, &found);
        }
        Ok(Standing::Absent) => return by_key(own, "no server answers for it", context, &found),
        Ok(Standing::Unreached(why)) => {
            let why = format!("its server cannot be spoken to: {why}");
            return by_key(own, &why, context, &found);
        }
    };
    Ok(foreign(own, &why, &found))
}

fn by_key(
    own: &OwnData,
    why: &str,
    context: &Context<'_>,
    found: &[String],
) -> Result<Verdict, Fault> {
    let path = &own.key_file;
    let key = context.system.read(path);
    let key = key.map_err(|error| Fault::new(format!("cannot read {}", path.display()), error))?;
    let ours = own.key.expose().trim().as_bytes();
    if key.is_some_and(|key| key.trim_ascii() == ours) {
        return Ok(Verdict::Met);
    }
    Ok(foreign(own, why, found))
}

fn foreign(own: &OwnData, why: &str, found: &[String]) -> Verdict {
    let folder = own.path.display();
    Verdict::unmet(
        format!("{folder} holds data that is not this project's"),
        format!(
            "{}, such as {}; {why}",
            crate::text::count(found.len(), "file"),
            found[0]
        ),
        format!(
            "move it away (`mv {folder} {folder}.before` on the host); if it is to become this project's, back it up \
             and type `geodeploy provision REGION --adopt-data REGION --data-backup FILE`"
        ),
    )
}
