//! Sends a release and switches hosts to it, one after the other: a failure leaves the rest untouched.

use std::path::Path;

use super::run::{follow, settle};
use super::{Member, Project, apply};
use crate::agent::message::{Choice, Operation, Outcome, Target};
use crate::error::{Error, ErrorKind};
use crate::host::{HostBinary, Reply};
use crate::inventory::Region;

/// Level 12 packs the binary in a fraction of a second and within a tenth of the size of level 19.
const LEVEL: i32 = 12;
/// Seconds that a new generation has to become healthy.
const HEALTHY_WITHIN: u64 = 30;

/// What is wanted of all hosts of a run.
pub struct Order {
    /// Which generation.
    pub choice: Choice,
    /// The release's binary, where one may have to be sent.
    pub binary: Option<HostBinary>,
}

impl Order {
    /// A release from a binary of the operator's.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn release(project: &Project, binary: &Path) -> Result<Self, Error> {
        let binary = HostBinary::find(Some(binary), &project.state.releases()?)?;
        Ok(Self {
            choice: Choice::Release(binary.digest.clone()),
            binary: Some(binary),
        })
    }

    /// What one region's host is asked for.
    pub fn target(&self, project: &Project, region: &Region) -> Target {
        Target {
            app: project.inventory.app.name.as_str().to_owned(),
            choice: self.choice.clone(),
            healthy_within: HEALTHY_WITHIN,
            keep: usize::try_from(project.inventory.release.keep).unwrap_or(usize::MAX),
            public_name: Some(region.domain.as_str().to_owned()),
        }
    }
}

/// Sends the release where it is missing, then switches.
///
/// # Errors
/// When the release does not arrive whole, or the host goes back to what it had.
pub async fn deploy(
    project: &Project,
    member: &Member,
    target: &Target,
    send: Option<&HostBinary>,
) -> Result<(), Error> {
    let region = member.session.region();
    let ended = async {
        if let Some(binary) = send {
            upload(member, binary).await?;
        }
        let run = apply::name("deploy");
        let operation = Operation::Deploy {
            run: run.clone(),
            target: target.clone(),
        };
        settle(region, follow(project, member, &run, operation).await?)
    }
    .await;
    match ended {
        Ok((_, units)) => {
            member.lane.done(&format!("{} serves", units.join(", ")));
            Ok(())
        }
        Err(error) => {
            member.lane.fail(apply::short(&error));
            Err(error)
        }
    }
}

async fn upload(member: &Member, binary: &HostBinary) -> Result<(), Error> {
    let region = member.session.region();
    let bytes = binary.read()?;
    let packed = tokio::task::spawn_blocking(move || zstd::bulk::compress(&bytes, LEVEL))
        .await
        .map_err(std::io::Error::other)
        .and_then(|packed| packed)
        .map_err(|error| {
            Error::new(ErrorKind::Failed, "cannot compress the release").cause(error)
        })?;
    let size = crate::text::bytes(u64::try_from(packed.len()).unwrap_or(u64::MAX));
    member
        .lane
        .note(&format!("sending release {}, {size}", &binary.digest[..12]));
    let operation = Operation::Receive {
        digest: binary.digest.clone(),
    };
    let failed = |why: String| {
        Error::new(
            ErrorKind::Failed,
            format!("{region}: the release did not arrive"),
        )
        .cause(why)
        .hint("nothing was switched; run it again")
    };
    match member.session.request(operation, &packed, |_| {}).await? {
        Reply::Finished(Outcome::Converged { .. }) => Ok(()),
        Reply::Finished(Outcome::Failed { what, why, .. }) => Err(failed(format!("{what}: {why}"))),
        Reply::Finished(_) | Reply::Lost(_) => Err(failed("the connection was lost".to_owned())),
    }
}
