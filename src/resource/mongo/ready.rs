//! How far the members of a set have come: whether they serve, and how far they are behind.

use std::time::Duration;

use mongodb::bson::{Bson, DateTime, Document, doc};

use super::{Connection, number};
use crate::agent::system::Fault;
use crate::agent::system::database::Refusal;
use crate::resource::Context;

/// A member that is further behind its primary gets no vote.
pub(super) const LAG: Duration = Duration::from_secs(10);

/// How long a member may take to copy the data before the run leaves it to itself.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How long a member that has just joined may take to be heard of: heartbeats come every 2 s.
const HEARD: Duration = Duration::from_secs(10);

/// From one line of progress to the next.
const TOLD: Duration = Duration::from_secs(30);

/// States in which a member serves reads: PRIMARY and SECONDARY (the manual's "Replica Set Member States").
const SERVING: [f64; 2] = [1.0, 2.0];

/// A member as the one on this host sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) host: String,
    /// `STARTUP2`.
    pub(super) state: String,
    pub(super) serves: bool,
    /// Whether it has answered at all.
    heard: bool,
    /// What it last said of itself, where something is wrong.
    message: String,
    /// The time of the last write that it has; `None` where it is not known.
    pub(super) last_write: Option<DateTime>,
    pub(super) primary: bool,
}

fn seen(status: &Document) -> Vec<Seen> {
    let members = status.get_array("members").into_iter().flatten();
    members
        .filter_map(Bson::as_document)
        .map(|member| {
            let text = |key| member.get_str(key).unwrap_or_default().to_owned();
            let state = number(member.get("state")).unwrap_or_default();
            let message = ["lastHeartbeatMessage", "infoMessage"].map(text);
            Seen {
                host: text("name"),
                state: text("stateStr"),
                serves: SERVING.contains(&state),
                heard: number(member.get("health")).is_some_and(|health| health > 0.0)
                    && state > 0.0,
                message: message
                    .into_iter()
                    .find(|text| !text.is_empty())
                    .unwrap_or_default(),
                last_write: member
                    .get_datetime("optimeDate")
                    .ok()
                    .filter(|date| date.timestamp_millis() > 0)
                    .copied(),
                primary: SERVING[0].total_cmp(&state).is_eq(),
            }
        })
        .collect()
}

/// How far a member is behind the primary.
fn lag(all: &[Seen], member: &Seen) -> Option<Duration> {
    let primary = all.iter().find(|seen| seen.primary)?.last_write?;
    let behind = primary.timestamp_millis() - member.last_write?.timestamp_millis();
    Some(Duration::from_millis(u64::try_from(behind).unwrap_or(0)))
}

impl Connection {
    /// The set's configuration.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn set_configuration(&self, context: &Context<'_>) -> Result<Document, Fault> {
        let answer = self
            .ask(context, "admin", doc! { "replSetGetConfig": 1 })
            .map_err(|refusal| refusal.during("cannot read the replica set's configuration"))?;
        Ok(answer.get_document("config").cloned().unwrap_or_default())
    }

    /// The members as the one on this host sees them.
    ///
    /// # Errors
    /// When the set's status cannot be read.
    pub(super) fn members_seen(&self, context: &Context<'_>) -> Result<Vec<Seen>, Fault> {
        let status = self
            .ask(context, "admin", doc! { "replSetGetStatus": 1 })
            .map_err(|refusal| refusal.during("cannot read the replica set's status"))?;
        Ok(seen(&status))
    }

    /// Waits until something was heard of a member that has just joined.
    ///
    /// # Errors
    /// When it belongs to another set.
    pub(super) fn wait_until_heard(&self, context: &Context<'_>, host: &str) -> Result<(), Fault> {
        let ended = self.wait_for(context, host, HEARD, |seen| {
            let member = seen.iter().find(|seen| seen.host == host);
            match member.is_some_and(|member| member.heard) {
                true => None,
                false => Some("nothing was heard of it yet".to_owned()),
            }
        });
        match ended {
            Err(fault) if fault.pending => Ok(()),
            ended => ended,
        }
    }

    /// Waits until the member serves and is hardly behind.
    ///
    /// # Errors
    /// What is left to wait for, as pending; that it belongs to another set.
    pub(super) fn wait_until_copied(&self, context: &Context<'_>, host: &str) -> Result<(), Fault> {
        self.wait_for(context, host, PATIENCE, |seen| left(seen, host))
    }

    fn wait_for(
        &self,
        context: &Context<'_>,
        host: &str,
        patience: Duration,
        left: impl Fn(&[Seen]) -> Option<String>,
    ) -> Result<(), Fault> {
        let pause = Duration::from_millis(500);
        let mut waited = Duration::ZERO;
        let mut told = None;
        loop {
            let why = match self.ask(context, "admin", doc! { "replSetGetStatus": 1 }) {
                Ok(status) => {
                    let seen = seen(&status);
                    refuse_foreign(&seen, host)?;
                    match left(&seen) {
                        None => return Ok(()),
                        Some(why) => why,
                    }
                }
                Err(Refusal::Lost(why)) => why,
                Err(refusal) => return Err(refusal.during("cannot read the replica set's status")),
            };
            if waited >= patience {
                let what = format!(
                    "{host} is not a full copy yet after {} s",
                    patience.as_secs()
                );
                return Err(Fault::pending(what, why).hint(
                    "it goes on by itself: run the same command again later, which does the rest",
                ));
            }
            if told.is_none_or(|told| waited - told >= TOLD) {
                told = Some(waited);
                (context.progress)(&format!("waiting for {host} to copy the data: {why}"));
            }
            context.system.sleep(pause);
            waited += pause;
        }
    }
}

fn refuse_foreign(seen: &[Seen], host: &str) -> Result<(), Fault> {
    let Some(why) = foreign(seen, host) else {
        return Ok(());
    };
    let what = format!("{host} has data of another replica set");
    Err(Fault::new(what, why).hint(
        "it is never taken over: look at its dbPath and move it away, or take its region out of `members`",
    ))
}

/// Why a member refuses this set, where it does: it has a set's data already. The server accepts it into the configuration
/// nevertheless where it has no vote (tried on 6.0.5).
fn foreign(all: &[Seen], host: &str) -> Option<String> {
    let member = all.iter().find(|seen| seen.host == host)?;
    let refusals = [
        "replica set IDs do not match",
        "with the same member ID",
        "replica set name",
    ];
    let refused = refusals.iter().any(|text| member.message.contains(text));
    refused.then(|| member.message.clone())
}

/// What a member lacks before it may vote; `None` when nothing.
fn left(all: &[Seen], host: &str) -> Option<String> {
    let Some(member) = all.iter().find(|seen| seen.host == host) else {
        return Some("the set does not know it yet".to_owned());
    };
    if !member.serves {
        let message = match member.message.is_empty() {
            true => String::new(),
            false => format!(" ({})", member.message),
        };
        return Some(format!("its state is {}{message}", member.state));
    }
    match lag(all, member) {
        Some(lag) if lag < LAG => None,
        Some(lag) => Some(format!("it is {} s behind", lag.as_secs())),
        None => Some("how far it is behind is not known yet".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: f64, name: &str, seconds: i64) -> Document {
        let date = |seconds: i64| DateTime::from_millis(seconds * 1000);
        doc! { "members": [
            { "name": "cn:1", "state": 1, "stateStr": "PRIMARY", "optimeDate": date(100) },
            { "name": "us:1", "state": state, "stateStr": name, "optimeDate": date(seconds),
              "lastHeartbeatMessage": "" },
        ] }
    }

    #[test]
    fn a_member_gets_its_vote_as_a_secondary_less_than_ten_seconds_behind() {
        let left = |status: &Document| left(&seen(status), "us:1");
        assert_eq!(left(&status(2.0, "SECONDARY", 95)), None);
        assert_eq!(
            left(&status(2.0, "SECONDARY", 90)),
            Some("it is 10 s behind".to_owned())
        );
        assert_eq!(
            left(&status(5.0, "STARTUP2", 0)),
            Some("its state is STARTUP2".to_owned())
        );
        assert!(
            left(&status(2.0, "SECONDARY", 0))
                .unwrap()
                .contains("not known")
        );
    }
}
