//! The lock: a TXT record of constant content, which Cloudflare refuses to hold twice. Who holds it stands in its comment.

use jiff::Timestamp;

use super::Context;
use super::client::Client;
use super::endpoints::Records;
use super::refusal::Failure;
use super::schema::{Batch, ById, Listed, Record};
use crate::dns::{Lock, LockError};
use crate::error::{Error, ErrorKind};

const CONTENT: &str = "\"geodeploy\"";
/// "The record already exists", "an identical record already exists".
const IDENTICAL: [u64; 2] = [81_057, 81_058];
/// Comments hold so many characters on the smallest plan.
const LONGEST_COMMENT: usize = 100;

/// Creates the record.
pub(super) async fn place(
    client: &Client,
    lock: &Lock,
    context: &Context,
) -> Result<(), LockError> {
    let record = record(lock, context);
    let endpoint = context
        .place
        .create::<Records>(&record)
        .map_err(LockError::Failed)?;
    let made: Result<serde_json::Value, Failure> = client.call(&endpoint).await;
    match made {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) if IDENTICAL.iter().any(|code| refusal.has(*code)) => {
            Err(LockError::Exists)
        }
        Err(Failure::Refused(refusal)) => Err(LockError::Failed(refusal.error("place the lock"))),
        // The call may have been carried out: what there is now tells.
        Err(Failure::Silent(error)) => match holding(client, context).await {
            Ok(Some(found)) if found.object.comment == record.comment => Ok(()),
            Ok(Some(_)) => Err(LockError::Exists),
            _ => Err(LockError::Failed(error)),
        },
    }
}

/// The lock that there is.
pub(super) async fn read(client: &Client, context: &Context) -> Result<Option<Lock>, Error> {
    let Some(found) = holding(client, context).await? else {
        return Ok(None);
    };
    parse(&found.object.comment).map(Some).ok_or_else(|| {
        let name = &found.object.name;
        let what = format!("the lock {name} has no holder that can be read");
        Error::new(ErrorKind::LeaseHeld, what)
            .cause(format!("its comment is {:?}", found.object.comment))
            .hint(format!("if no run is under way, delete the TXT record {name} (id {}) in cloudflare's dashboard", found.id))
    })
}

/// Deletes the old record by its id and makes the new one, in one call.
pub(super) async fn replace(
    client: &Client,
    old: &Lock,
    new: Option<&Lock>,
    context: &Context,
) -> Result<(), LockError> {
    let found = holding(client, context).await.map_err(LockError::Failed)?;
    let id = match (found, new) {
        (Some(found), _) if found.object.comment == comment(old) => found.id,
        (Some(_), _) => return Err(LockError::Exists),
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(LockError::Failed(gone(context))),
    };
    let batch = Batch {
        deletes: vec![ById { id }],
        posts: new.map(|lock| record(lock, context)).into_iter().collect(),
        ..Batch::default()
    };
    let endpoint = context.place.batch(&batch).map_err(LockError::Failed)?;
    let made: Result<serde_json::Value, Failure> = client.call(&endpoint).await;
    let Err(failure) = made else {
        return Ok(());
    };
    // Whether by somebody quicker or by this very call, what there is now tells.
    let now = holding(client, context).await.map_err(LockError::Failed)?;
    match (now.map(|found| found.object.comment), new) {
        (None, None) => Ok(()),
        (Some(now), Some(new)) if now == comment(new) => Ok(()),
        (Some(now), _) if now != comment(old) => Err(LockError::Exists),
        _ => Err(LockError::Failed(failure.error("replace the lock"))),
    }
}

fn gone(context: &Context) -> Error {
    let what = format!("the lock {} has gone while it was held", name(context));
    Error::new(ErrorKind::Stale, what)
        .hint("somebody deleted it: run `geodeploy dns plan` to see what there is")
}

fn name(context: &Context) -> String {
    format!("_geodeploy-lock.{}", context.zone)
}

async fn holding(client: &Client, context: &Context) -> Result<Option<Listed<Record>>, Error> {
    let name = name(context);
    let query = [("type", "TXT"), ("name.exact", name.as_str())];
    let endpoint = context.place.list::<Records>(&query);
    let found: Vec<Listed<Record>> = client
        .call(&endpoint)
        .await
        .map_err(|failure| failure.error("read the lock"))?;
    Ok(found
        .into_iter()
        .find(|record| record.object.name == name && record.object.kind == "TXT"))
}

fn record(lock: &Lock, context: &Context) -> Record {
    Record {
        name: name(context),
        kind: "TXT".to_owned(),
        content: CONTENT.to_owned(),
        ttl: 60,
        proxied: false,
        comment: comment(lock),
    }
}

/// `HOLDER EXPIRES`. Of a holder that is too long the end is kept, where the run's token is.
fn comment(lock: &Lock) -> String {
    let expires = lock.expires.to_string();
    let room = LONGEST_COMMENT.saturating_sub(expires.len() + 1);
    let holder: Vec<char> = lock.holder.chars().collect();
    let kept: String = holder[holder.len().saturating_sub(room)..].iter().collect();
    format!("{kept} {expires}")
}

fn parse(comment: &str) -> Option<Lock> {
    let (holder, expires) = comment.rsplit_once(' ')?;
    let expires: Timestamp = expires.parse().ok()?;
    Some(Lock {
        holder: holder.to_owned(),
        expires,
    })
}

#[cfg(test)]
mod tests;
