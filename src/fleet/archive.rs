//! MongoDB out of a file of the operator's: checked here, then sent to the hosts that lack it.

use std::time::Duration;

use super::{Looked, Member, Project};
use crate::agent::message::{Operation, Outcome};
use crate::digest::sha256;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::host::Reply;
use crate::inventory::{Offline, OfflineSource};
use crate::resource::{OfflineMongod, Resource};

/// How long a download may take: some 100 MB.
const DOWNLOAD: Duration = Duration::from_secs(1_800);

/// Sends the file to every host whose plan installs from it. It is read, and held against its digest, before that.
///
/// # Errors
/// When it cannot be read, has another digest, or does not arrive.
pub async fn send_mongodb(project: &Project, looked: &[Looked<'_>]) -> Result<(), Error> {
    let Some(offline) = &project.inventory.database.archive.offline else {
        return Ok(());
    };
    let lacking: Vec<&Member> = looked.iter().filter_map(lacking).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let bytes = read(project, offline).await?;
    for member in lacking {
        send(member, offline, &bytes).await?;
    }
    Ok(())
}

/// The host, where its plan installs from the file.
fn lacking<'l>(looked: &'l Looked<'_>) -> Option<&'l Member> {
    let (member, inspected) = looked.answer.as_ref().ok()?;
    let is =
        |resource: &&Resource| matches!(resource, Resource::OfflineMongod(OfflineMongod { .. }));
    let id = looked.blueprint.resources.iter().find(is)?.id();
    inspected
        .plan
        .changes
        .iter()
        .any(|change| change.id == id)
        .then_some(member)
}

async fn read(project: &Project, offline: &Offline) -> Result<Vec<u8>, Error> {
    let (name, bytes) = match &offline.source {
        OfflineSource::File(path) => {
            let path = project.inventory.resolve(path);
            let what = || format!("cannot read {}", path.display());
            let bytes = std::fs::read(&path).context(ErrorKind::Input, what)?;
            (path.display().to_string(), bytes)
        }
        OfflineSource::Url(url) => {
            project.ui.note(&format!("fetching {url}"));
            (url.clone(), download(url).await?)
        }
    };
    checked(&name, bytes, &offline.sha256)
}

async fn download(url: &str) -> Result<Vec<u8>, Error> {
    let what = || format!("cannot fetch {url}");
    let client = reqwest::Client::builder()
        .timeout(DOWNLOAD)
        .https_only(true)
        .build();
    let client = client.context(ErrorKind::Failed, what)?;
    let answer = client
        .get(url)
        .send()
        .await
        .context(ErrorKind::Failed, what)?;
    let answer = answer.error_for_status().context(ErrorKind::Failed, what)?;
    let bytes = answer.bytes().await.context(ErrorKind::Failed, what)?;
    Ok(bytes.to_vec())
}

fn checked(name: &str, bytes: Vec<u8>, wanted: &str) -> Result<Vec<u8>, Error> {
    let found = sha256(&bytes);
    if found == wanted {
        return Ok(bytes);
    }
    let what = format!("{name} is not the file that the inventory names; nothing was sent");
    Err(Error::new(ErrorKind::Input, what)
        .cause(format!("its SHA-256 is {found}"))
        .cause(format!("`sha256` of [database.archive] is {wanted}"))
        .hint("compare both with what MongoDB publishes beside the file"))
}

async fn send(member: &Member, offline: &Offline, bytes: &[u8]) -> Result<(), Error> {
    let region = member.session.region();
    let size = crate::text::bytes(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    member.lane.note(&format!("sending MongoDB, {size}"));
    let operation = Operation::ReceiveArchive {
        digest: offline.sha256.clone(),
    };
    let failed = |why: String| {
        Error::new(
            ErrorKind::Failed,
            format!("{region}: MongoDB did not arrive"),
        )
        .cause(why)
        .hint("nothing was changed; run it again")
    };
    match member.session.request(operation, bytes, |_| {}).await? {
        Reply::Finished(Outcome::Converged { .. }) => Ok(()),
        Reply::Finished(Outcome::Failed { what, why, .. }) => Err(failed(format!("{what}: {why}"))),
        Reply::Finished(_) | Reply::Lost(_) => Err(failed("the connection was lost".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_digest_is_refused_with_both() {
        let wanted = "f".repeat(64);
        let error = checked("mongodb.tgz", b"bytes".to_vec(), &wanted).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input);
        let told = format!("{:?}", error.causes);
        assert!(
            told.contains(&wanted) && told.contains(&sha256(b"bytes")),
            "{told}"
        );
        assert!(checked("mongodb.tgz", b"bytes".to_vec(), &sha256(b"bytes")).is_ok());
    }
}
