//! Servers that run with the password until now are started anew.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::agent::message::{Choice, Operation};
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Looked, Member, Order, Project};

/// How much longer than the drain an end may take: systemd ends a server that hangs.
const MARGIN: Duration = Duration::from_secs(60);
/// How often it is asked whether a server has ended.
const POLL: Duration = Duration::from_secs(2);

/// The server of one region.
pub(super) struct Server {
    region: String,
    /// Its release; `None` where none was deployed yet.
    release: Option<String>,
    /// Whether it runs with another environment than the host's.
    stale: bool,
}

impl Server {
    /// Whether it runs with another environment than the host's.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Its region, where one runs.
    pub(super) fn running(&self) -> Option<&str> {
        self.release.as_ref().map(|_| self.region.as_str())
    }
}

/// The servers of those regions, in their order.
///
/// # Errors
/// When a host cannot be asked.
pub(super) async fn servers(
    project: &Project,
    looked: &[Looked<'_>],
) -> Result<Vec<Server>, Error> {
    let asked = looked.iter().map(|looked| async {
        let (member, _) = looked.answer.as_ref().map_err(Clone::clone)?;
        let release = release(project, member).await?;
        let stale = match &release {
            Some(release) => {
                let target = order(release).target(project, looked.region);
                !fleet::inspect_release(member, target)
                    .await?
                    .plan
                    .is_empty()
            }
            None => false,
        };
        Ok(Server {
            region: looked.name(),
            release,
            stale,
        })
    });
    join_all(asked).await.into_iter().collect()
}

fn order(release: &str) -> Order {
    Order {
        choice: Choice::Release(release.to_owned()),
        binary: None,
    }
}

/// The release that serves.
async fn release(project: &Project, member: &Member) -> Result<Option<String>, Error> {
    let report = status(project, member).await?;
    let mut generations = report["generations"].as_array().into_iter().flatten();
    let current = generations.find(|generation| generation["id"] == report["current"]);
    let release = current.and_then(|generation| generation["release"].as_str());
    Ok(release.map(str::to_owned))
}

/// Starts the server's own release with the host's environment, where it runs with another; whether it did.
///
/// # Errors
/// When the new one does not become healthy; the old one then goes on.
pub(super) async fn renew(
    project: &Project,
    looked: &Looked<'_>,
    server: &Server,
) -> Result<bool, Error> {
    let (member, _) = looked.answer.as_ref().map_err(Clone::clone)?;
    let Some(release) = &server.release else {
        return Ok(false);
    };
    let target = order(release).target(project, looked.region);
    let inspected = fleet::inspect_release(member, target.clone()).await?;
    if inspected.plan.is_empty() {
        return Ok(false);
    }
    let ended = fleet::deploy(project, member, &target, None).await;
    ended.map(|()| true)
}

/// Waits until no older server drains any more: until then it needs the login that it began with.
///
/// # Errors
/// When one drains for longer than it may.
pub(super) async fn drained(project: &Project, looked: &Looked<'_>) -> Result<(), Error> {
    let (member, _) = looked.answer.as_ref().map_err(Clone::clone)?;
    let patience = project.inventory.release.drain + MARGIN;
    let begun = Instant::now();
    let mut told = false;
    while drains(&status(project, member).await?) {
        if begun.elapsed() > patience {
            let what = format!("{}: an older server still drains", looked.name());
            return Err(Error::new(ErrorKind::Failed, what)
                .cause("its login to the database stays valid until it has ended")
                .hint("run the same command again later: it does what is left"));
        }
        if !told {
            member.lane.note("waiting for the older server to drain");
            told = true;
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Whether a generation other than the current one has not ended.
fn drains(status: &Value) -> bool {
    let mut generations = status["generations"].as_array().into_iter().flatten();
    generations
        .any(|generation| generation["id"] != status["current"] && generation["state"] != "stopped")
}

async fn status(project: &Project, member: &Member) -> Result<Value, Error> {
    let operation = Operation::Status {
        app: project.inventory.app.name.as_str().to_owned(),
    };
    fleet::report(member, operation, Some(fleet::UNCHANGED)).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_drains_as_long_as_another_than_the_current_one_has_not_ended() {
        let of = |state: &str| {
            drains(&json!({
                "current": "2-ab",
                "generations": [{ "id": "1-ab", "state": state }, { "id": "2-ab", "state": "active" }],
            }))
        };
        assert!(of("deactivating") && of("active"));
        assert!(!of("stopped"));
        assert!(!drains(&json!({ "current": null, "generations": [] })));
    }
}
