//! The lock in the zone: a TXT set that Route 53 creates once.

use super::Context;
use super::apply::write;
use super::batch::text;
use super::client::{Client, Failure};
use super::listing;
use super::names::lock_name;
use super::text::{canonical, quoted, unquoted};
use super::wire::{Action, RecordSet, SetChange};
use crate::dns::{Lock, LockError};
use crate::error::{Error, ErrorKind};

/// In seconds. Part of what is deleted, which must be what is stored.
const TTL: u64 = 60;

/// The lock as a set. Its text is the moment, then the holder.
fn set(lock: &Lock, zone: &str) -> RecordSet {
    let value = quoted(&format!("{} {}", lock.expires, lock.holder));
    text(&lock_name(zone), TTL, vec![value])
}

fn read(set: &RecordSet) -> Option<Lock> {
    let text = unquoted(set.values().first()?)?;
    let (expires, holder) = text.split_once(' ')?;
    Some(Lock {
        holder: holder.to_owned(),
        expires: expires.parse().ok()?,
    })
}

/// The lock that there is.
pub(super) async fn find(client: &Client, context: &Context) -> Result<Option<Lock>, Error> {
    let name = lock_name(&context.zone_name);
    let start = format!("{name}.");
    let query = [("name", start.as_str()), ("type", "TXT"), ("maxitems", "1")];
    let page = listing::sets(client, &context.zone_id, &query).await?;
    let first = page.resource_record_sets.list.into_iter().next();
    let Some(found) = first.filter(|set| canonical(&set.name) == name && set.kind == "TXT") else {
        return Ok(None);
    };
    read(&found).map(Some).ok_or_else(|| {
        let what = format!(
            "{name} TXT is no lock of geodeploy's: {}",
            found.values().join(", ")
        );
        Error::new(ErrorKind::Failed, what).hint("delete this record by hand if nobody is at work")
    })
}

/// Creates `new` and deletes `old`, both or neither.
pub(super) async fn change(
    client: &Client,
    context: &Context,
    old: Option<&Lock>,
    new: Option<&Lock>,
) -> Result<(), LockError> {
    let step = |action, lock: &Lock| SetChange {
        action,
        set: set(lock, &context.zone_name),
    };
    let old = old.map(|lock| step(Action::Delete, lock));
    let batch: Vec<SetChange> = old
        .into_iter()
        .chain(new.map(|lock| step(Action::Create, lock)))
        .collect();
    match write(client, &context.zone_id, &batch).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) if refusal.is_conflict() => Err(LockError::Exists),
        Err(failure) => Err(LockError::Failed(failure.error().at("the lock"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_survives_the_zone() {
        let lock = Lock {
            holder: "anna@laptop \"7f\" \\ 中国".to_owned(),
            expires: "2026-11-24T03:00:00.5Z".parse().unwrap(),
        };
        let set = set(&lock, "yourapp.com");
        assert_eq!(set.name, "_geodeploy-lock.yourapp.com.");
        assert_eq!(read(&set), Some(lock));
    }
}
