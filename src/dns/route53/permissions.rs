//! Whether the access key may write, asked before the first write with calls that cannot do anything.

use reqwest::Method;

use super::Context;
use super::answers::{Tag, add_tags};
use super::batch::text;
use super::client::{Call, Client, Failure, unwritable};
use super::names::lock_name;
use super::refusal::Refusal;
use super::wire::{Action, HealthCheckConfig, SetChange, change_request, update_health_check};
use crate::error::{Error, ErrorKind};

/// An id that Route 53 has given to no health check.
const NO_CHECK: &str = "00000000-0000-4000-8000-000000000000";

/// Asks for each call that a run may make. `CreateHealthCheck` has no form that cannot do anything: it is the first call
/// of a run that needs it, before any record is written.
///
/// # Errors
/// The actions that IAM denies, all of them.
pub(super) async fn check(client: &Client, context: &Context) -> Result<(), Error> {
    let mut denied: Vec<Refusal> = Vec::new();
    for call in calls(context).map_err(|error| unwritable(&error))? {
        match client.call(&call).await {
            Err(Failure::Refused(refusal)) if refusal.is_denied() => denied.push(refusal),
            // Whatever else it says to a call that cannot be, the right to make it was there.
            Ok(_) | Err(Failure::Refused(_)) => {}
            Err(Failure::Lost(error)) => return Err(error),
        }
    }
    let Some(first) = denied.first() else {
        return Ok(());
    };
    let actions: Vec<String> = denied
        .iter()
        .map(|refusal| format!("route53:{}", refusal.action))
        .collect();
    let what = format!("the access key lacks {}", actions.join(", "));
    let mut error = Error::new(ErrorKind::Failed, what);
    for message in first.messages.iter() {
        error = error.cause(message);
    }
    if let Some(id) = &first.request_id {
        error = error.cause(format!("request id {id}"));
    }
    Err(error.hint("allow these actions to the key's user in IAM; nothing was written"))
}

fn calls(context: &Context) -> Result<Vec<Call<'static>>, quick_xml::SeError> {
    let nothing = SetChange {
        action: Action::Delete,
        set: text(&lock_name(&context.zone_name), 1, vec!["\"\"".to_owned()]),
    };
    let zone = &context.zone_id;
    let mut calls = vec![
        Call::send(
            "ChangeResourceRecordSets",
            format!("hostedzone/{zone}/rrset"),
            change_request(&[nothing])?,
        ),
        Call::read("GetChange", "change/C00000000000000000000", &[]),
    ];
    if context.health {
        let check = format!("healthcheck/{NO_CHECK}");
        let tag = Tag {
            key: "geodeploy".to_owned(),
            value: String::new(),
        };
        let update = update_health_check(&HealthCheckConfig::default())?;
        let tags = format!("tags/{check}");
        calls.push(Call::send("UpdateHealthCheck", check.clone(), update));
        calls.push(Call::send(
            "ChangeTagsForResource",
            tags,
            add_tags(vec![tag])?,
        ));
        calls.push(Call {
            method: Method::DELETE,
            ..Call::read("DeleteHealthCheck", check, &[])
        });
    }
    Ok(calls.into_iter().map(Call::harmless).collect())
}
