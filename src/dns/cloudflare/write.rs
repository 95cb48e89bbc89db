//! Makes one change, or one batch of records.

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::endpoints::{Balancers, Collection, Monitors, Pools};
use super::refusal::{Failure, no_load_balancing};
use super::schema::Created;
use super::{Context, balancer, monitor, pool, records};
use crate::dns::{Handles, Step};
use crate::error::{Error, ErrorKind};
use crate::plan::{Change, Kind, Verb};

/// The code of a pool that a load balancer refers to, or a monitor that a pool refers to.
const REFERRED_TO: u64 = 1005;

/// The ids of what a batch made, in the order of the request.
#[derive(Deserialize)]
struct BatchAnswer {
    #[serde(default)]
    posts: Option<Vec<Created>>,
}

/// What a change does, as an imperative.
pub(super) fn verb(change: &Change) -> &'static str {
    match change.verb() {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
    }
}

pub(super) async fn apply(
    client: &Client,
    step: &Step,
    handles: &mut Handles,
    context: &Context,
) -> Result<(), Error> {
    let change = match step.changes.as_slice() {
        [change] if change.id.kind != Kind::Record => change,
        _ => return batch(client, step, handles, context).await,
    };
    let Some(after) = &change.after else {
        return delete(client, change, handles, context).await;
    };
    let zone = context.zone.as_str();
    match change.id.kind {
        Kind::HealthCheck => {
            let body = monitor::body(&change.id, after, zone)?;
            put::<Monitors>(client, change, &body, handles, context).await
        }
        Kind::Pool => {
            let body = pool::body(&change.id, after, handles, zone)?;
            put::<Pools>(client, change, &body, handles, context).await
        }
        Kind::LoadBalancer => {
            let body = balancer::body(&change.id, after, handles)?;
            put::<Balancers>(client, change, &body, handles, context).await
        }
        _ => Err(not_ours(change)),
    }
}

/// Creates the object, or gives it all its settings.
async fn put<C: Collection>(
    client: &Client,
    change: &Change,
    body: &(impl Serialize + Sync),
    handles: &mut Handles,
    context: &Context,
) -> Result<(), Error> {
    let endpoint = match handles.get(&change.id).filter(|_| change.before.is_some()) {
        Some(id) => context.place.replace::<C>(id, body)?,
        None => context.place.create::<C>(body)?,
    };
    let made: Created = client.call(&endpoint).await.map_err(|failure| {
        let lacking =
            matches!(&failure, Failure::Refused(refusal) if refusal.lacks_load_balancing());
        let error = failure.error(format!("{} {}", verb(change), change.id));
        if lacking {
            no_load_balancing(&error)
        } else {
            error
        }
    })?;
    handles.insert(change.id.clone(), made.id);
    Ok(())
}

async fn delete(
    client: &Client,
    change: &Change,
    handles: &mut Handles,
    context: &Context,
) -> Result<(), Error> {
    let Some(id) = handles.get(&change.id) else {
        return Ok(());
    };
    let place = &context.place;
    let endpoint = match change.id.kind {
        Kind::HealthCheck => client.call(&place.delete::<Monitors>(id)).await,
        Kind::Pool => client.call(&place.delete::<Pools>(id)).await,
        Kind::LoadBalancer => client.call(&place.delete::<Balancers>(id)).await,
        _ => return Err(not_ours(change)),
    };
    match endpoint {
        Ok(serde_json::Value::Null | _) => {}
        // A delete whose answer was lost is sent again.
        Err(Failure::Refused(refusal)) if refusal.status == 404 => {}
        Err(Failure::Refused(refusal)) if refusal.has(REFERRED_TO) => {
            return Err(refusal.error(format!("delete {}", change.id)).hint(
                "something that is not geodeploy's refers to it: look in the dashboard under Traffic, Load Balancing, and take it out there",
            ));
        }
        Err(failure) => return Err(failure.error(format!("delete {}", change.id))),
    }
    handles.remove(&change.id);
    Ok(())
}

async fn batch(
    client: &Client,
    step: &Step,
    handles: &mut Handles,
    context: &Context,
) -> Result<(), Error> {
    let body = records::batch(&step.changes, handles, context)?;
    let endpoint = context.place.batch(&body)?;
    let answer: BatchAnswer = client
        .call(&endpoint)
        .await
        .map_err(|failure| failure.error(&step.what))?;
    let mut made = answer.posts.unwrap_or_default().into_iter();
    for change in &step.changes {
        let id = &change.id;
        let name = |record: &super::schema::Record| records::id(&record.name, &record.kind) == *id;
        match change.after {
            None => {
                handles.remove(id);
            }
            Some(_) => {
                let count = body.posts.iter().filter(|record| name(record)).count();
                let mut ids: Vec<String> = made.by_ref().take(count).map(|made| made.id).collect();
                let kept = body.puts.iter().filter(|put| name(&put.record));
                ids.extend(kept.map(|put| put.id.clone()));
                handles.insert(id.clone(), ids.join(records::BETWEEN));
            }
        }
    }
    Ok(())
}

fn not_ours(change: &Change) -> Error {
    let what = format!("cloudflare has nothing of the kind {}", change.id.kind);
    Error::new(ErrorKind::Failed, what)
}
