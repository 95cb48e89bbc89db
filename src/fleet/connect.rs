//! Connections to several hosts at once.

use futures_util::future::join_all;

use super::Project;
use crate::error::{Error, ErrorKind};
use crate::host::{Caller, Destination, OpenSsh, Session, Transports};
use crate::inventory::Region;
use crate::ui::Lane;

/// One host of a run.
pub struct Member {
    /// The connection.
    pub session: Session,
    /// How to connect afresh.
    pub destination: Destination,
    /// Who calls.
    pub caller: Caller,
    /// Where its progress is shown.
    pub lane: Lane,
}

impl Member {
    /// A connection that shares nothing with the one before.
    ///
    /// # Errors
    /// As [`OpenSsh::connect`].
    pub async fn reconnect(&self, project: &Project) -> Result<Session, Error> {
        open(project, &self.destination, &self.caller, true).await
    }

    /// Leaves the connection for the next run.
    pub async fn close(self) {
        self.session.close().await;
    }
}

async fn open(
    project: &Project,
    destination: &Destination,
    caller: &Caller,
    fresh: bool,
) -> Result<Session, Error> {
    let folder = project.state.control_folder()?;
    let transport = OpenSsh::connect(destination, &folder, fresh).await?;
    Ok(Session::new(
        &destination.region,
        Transports::OpenSsh(transport),
        caller.clone(),
    ))
}

/// Connects to all of them in parallel. Those that cannot be reached are named; the others are there nevertheless.
pub async fn connect(
    project: &Project,
    regions: &[&Region],
    caller: &Caller,
) -> Vec<Result<Member, Error>> {
    let names: Vec<&str> = regions.iter().map(|region| region.name.as_str()).collect();
    let lanes = project.ui.lanes(&names);
    let all = regions.iter().zip(lanes).map(|(region, lane)| async move {
        let destination = project.destination(region);
        match open(project, &destination, caller, false).await {
            Ok(session) => Ok(Member {
                session,
                destination,
                caller: caller.clone(),
                lane,
            }),
            Err(error) => {
                lane.fail(match error.kind {
                    ErrorKind::LoginRefused => "not connected",
                    _ => "unreachable",
                });
                Err(error)
            }
        }
    });
    join_all(all).await
}
