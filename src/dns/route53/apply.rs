//! The calls that write.

use reqwest::Method;

use super::answers::{self, Changed, CreatedHealthCheck};
use super::client::{Call, Client, Failure, unwritable};
use super::wire::{self, SetChange};
use super::{Context, Route53, batch, checks, listing, names, validate};
use crate::dns::{Handles, Step};
use crate::error::{Error, ErrorKind};
use crate::plan::{Change, Verb};

impl Route53 {
    /// Makes the changes of one name with one batch.
    pub(super) async fn records(
        &self,
        step: &Step,
        handles: &Handles,
        context: &Context,
    ) -> Result<(), Error> {
        let batch = {
            let world = context.world();
            let ground = context.ground(&world);
            let batch = batch::build(ground, &step.changes, handles)?;
            validate::check(&world, &batch, &ground.zone)?;
            batch
        };
        if batch.is_empty() {
            return Ok(());
        }
        let change = write(&self.client, &context.zone_id, &batch)
            .await
            .map_err(Failure::error)?;
        context.pending().push(change);
        let after = context.world().after(&batch);
        *context.world() = after;
        Ok(())
    }

    /// Makes, changes or deletes a health check.
    pub(super) async fn health_check(
        &self,
        change: &Change,
        handles: &mut Handles,
        context: &Context,
    ) -> Result<(), Error> {
        let known = handles.get(&change.id).cloned();
        let missing = || {
            let what = format!("{} is not there any more", change.id);
            Error::new(ErrorKind::Stale, what).hint("run `geodeploy dns plan` again")
        };
        let Some(after) = &change.after else {
            let call = Call {
                method: Method::DELETE,
                ..Call::read(
                    "DeleteHealthCheck",
                    format!("healthcheck/{}", known.ok_or_else(missing)?),
                    &[],
                )
            };
            self.client.call(&call).await.map_err(Failure::error)?;
            return Ok(());
        };
        let (config, tags) = checks::read(&change.id, after)?;
        let id = if change.verb() == Verb::Create {
            let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
            let reference = names::caller_reference(&context.owner, &change.id.name, now);
            let body = wire::create_health_check(&reference, &config);
            let body = body.map_err(|error| unwritable(&error))?;
            // The reference makes it the same check however often it is sent.
            let call = Call::send("CreateHealthCheck", "healthcheck", body).harmless();
            let made: CreatedHealthCheck = self.client.ask(&call).await.map_err(Failure::error)?;
            handles.insert(change.id.clone(), made.health_check.id.clone());
            made.health_check.id
        } else {
            let id = known.ok_or_else(missing)?;
            let body = wire::update_health_check(&config).map_err(|error| unwritable(&error))?;
            let call = Call::send("UpdateHealthCheck", format!("healthcheck/{id}"), body);
            self.client
                .call(&call.harmless())
                .await
                .map_err(Failure::error)?;
            id
        };
        let body = answers::add_tags(tags).map_err(|error| unwritable(&error))?;
        let call = Call::send(
            "ChangeTagsForResource",
            format!("tags/healthcheck/{id}"),
            body,
        );
        self.client
            .call(&call.harmless())
            .await
            .map_err(Failure::error)?;
        Ok(())
    }
}

/// Sends a batch; the id of the change.
pub(super) async fn write(
    client: &Client,
    zone: &str,
    batch: &[SetChange],
) -> Result<String, Failure> {
    let body = wire::change_request(batch).map_err(|error| Failure::Lost(unwritable(&error)))?;
    let path = format!("hostedzone/{zone}/rrset");
    let call = Call::send("ChangeResourceRecordSets", path, body);
    let changed: Changed = client.ask(&call).await?;
    Ok(listing::bare(&changed.change_info.id).to_owned())
}
