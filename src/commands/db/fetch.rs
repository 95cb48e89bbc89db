//! Brings a backup to the operator: slowly enough for the streams beside it, and from where the last attempt ended.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::backup::folder::beside;
use crate::backup::manifest::Summary;
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::fleet::Member;

/// Where backups are on a host.
const FOLDER: &str = "/var/lib/geodeploy/backup";

/// Fetches a backup into a folder, and gives its path. One that is there already and whole is not fetched again.
pub(super) async fn fetch(
    member: &Member,
    summary: &Summary,
    folder: &Path,
    rate: u64,
) -> Result<PathBuf, Error> {
    let region = member.session.region();
    let name = checked(summary)?;
    let path = folder.join(name);
    let failed = || format!("cannot write {}", path.display());
    fs::create_dir_all(folder).context(ErrorKind::Failed, failed)?;
    if path.exists() && digest(&path)? == summary.sha256 {
        return Ok(path);
    }
    let arriving = Arriving {
        region,
        name,
        summary,
        folder,
        rate,
    };
    let begun = arriving.here()?;
    // tail counts bytes from 1.
    let from = format!("+{}", begun.saturating_add(1));
    let place = format!("{FOLDER}/{name}");
    let words = ["tail", "--bytes", &from, &place];
    let mut channel = member.session.as_root(&words).await?;
    arriving
        .receive(&mut channel.stdout, begun, |done| {
            member.lane.bytes(done, summary.bytes);
        })
        .await?;
    Ok(path)
}

/// A backup on its way.
struct Arriving<'a> {
    region: &'a str,
    name: &'a str,
    summary: &'a Summary,
    folder: &'a Path,
    rate: u64,
}

impl Arriving<'_> {
    fn partial(&self) -> PathBuf {
        self.folder.join(format!("{}.partial", self.name))
    }

    fn failed(&self) -> String {
        format!("cannot write {}", self.partial().display())
    }

    fn file(&self) -> Result<File, Error> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(self.partial())
            .context(ErrorKind::Failed, || self.failed())
    }

    /// How many bytes an earlier attempt brought.
    fn here(&self) -> Result<u64, Error> {
        let found = self.file()?.metadata();
        Ok(found.context(ErrorKind::Failed, || self.failed())?.len())
    }

    /// Takes the rest, and gives the file its name when it is whole.
    async fn receive(
        &self,
        reader: &mut (impl AsyncRead + Unpin),
        begun: u64,
        progress: impl Fn(u64),
    ) -> Result<(), Error> {
        let mut file = self.file()?;
        let clock = Instant::now();
        let mut buffer = vec![0; 16 << 10];
        let mut came = 0;
        loop {
            // A cut connection is an early end.
            let count = reader.read(&mut buffer).await.unwrap_or_default();
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count])
                .context(ErrorKind::Failed, || self.failed())?;
            came += count as u64;
            progress(begun + came);
            tokio::time::sleep(pause(came, self.rate, clock.elapsed())).await;
        }
        file.sync_all()
            .context(ErrorKind::Failed, || self.failed())?;
        self.settle(begun + came)
    }

    fn settle(&self, here: u64) -> Result<(), Error> {
        let Self { region, name, .. } = self;
        if here < self.summary.bytes {
            let what = format!("{region}: the backup did not come whole");
            return Err(Error::new(ErrorKind::Unreachable, what)
                .cause(format!("{here} of {} bytes are here", self.summary.bytes))
                .hint("run the same command again: it fetches the rest"));
        }
        let partial = self.partial();
        let found = digest(&partial)?;
        let failed = || self.failed();
        if found != self.summary.sha256 {
            fs::remove_file(&partial).context(ErrorKind::Failed, failed)?;
            let wanted = &self.summary.sha256;
            return Err(Error::new(ErrorKind::Failed, format!("{region}: {name} is damaged"))
                .cause(format!("its SHA-256 is {found} and was {wanted} when it was made"))
                .hint("run the same command again; if it stays so, make another: `geodeploy db backup`"));
        }
        let line = format!("{found}  {name}\n");
        fs::write(self.folder.join(beside(name, "sha256")), line)
            .and_then(|()| fs::rename(&partial, self.folder.join(name)))
            .context(ErrorKind::Failed, failed)
    }
}

/// A name from a host becomes a path here and a word of a command line there.
fn checked(summary: &Summary) -> Result<&str, Error> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    match summary.file.chars().all(plain) && !summary.file.starts_with(['.', '-']) {
        true => Ok(&summary.file),
        false => Err(Error::new(
            ErrorKind::Failed,
            "the host names a backup that cannot be one",
        )),
    }
}

/// How long to wait so that `came` bytes in that time are no more than `rate` a second.
fn pause(came: u64, rate: u64, elapsed: Duration) -> Duration {
    let due = Duration::from_secs_f64(came as f64 / rate.max(1) as f64);
    due.saturating_sub(elapsed)
}

/// SHA-256 of a file, hex.
pub(super) fn digest(path: &Path) -> Result<String, Error> {
    use sha2::Digest as _;
    let mut digest = sha2::Sha256::new();
    File::open(path)
        .and_then(|mut file| {
            let mut buffer = vec![0; 1 << 16];
            loop {
                match std::io::Read::read(&mut file, &mut buffer)? {
                    0 => return Ok(()),
                    count => digest.update(&buffer[..count]),
                }
            }
        })
        .context(ErrorKind::Failed, || {
            format!("cannot read {}", path.display())
        })?;
    Ok(crate::digest::hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_line_is_waited_for_and_a_slow_one_is_not() {
        assert_eq!(
            pause(1000, 500, Duration::from_millis(500)),
            Duration::from_millis(1500)
        );
        assert_eq!(pause(1000, 500, Duration::from_secs(3)), Duration::ZERO);
    }

    fn summary(file: &str, content: &[u8]) -> Summary {
        Summary {
            file: file.to_owned(),
            bytes: content.len() as u64,
            sha256: crate::digest::sha256(content),
            began: String::new(),
            seconds: 0,
            mongod: String::new(),
            tool: String::new(),
            documents: 0,
            oplog_entries: 0,
            collections: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        for file in ["../x", "a b", "$(x)", "-n", ".x"] {
            assert!(checked(&summary(file, b"")).is_err(), "{file}");
        }
        assert!(checked(&summary("app-20260101T000000Z.tar.zst.age", b"")).is_ok());
    }

    #[tokio::test]
    async fn what_was_cut_goes_on_where_it_ended_and_what_is_damaged_is_thrown_away() {
        let place = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let summary = summary("b.tar.zst.age", &content);
        let arriving = Arriving {
            region: "cn",
            name: &summary.file,
            summary: &summary,
            folder: place.path(),
            rate: u64::MAX,
        };
        let cut = arriving.receive(&mut &content[..150_000], 0, |_| {}).await;
        assert_eq!(cut.unwrap_err().kind, ErrorKind::Unreachable);
        assert_eq!(arriving.here().unwrap(), 150_000);
        let rest = &mut &content[150_000..];
        arriving.receive(rest, 150_000, |_| {}).await.unwrap();
        assert_eq!(fs::read(place.path().join(&summary.file)).unwrap(), content);
        assert!(!arriving.partial().exists());

        let mut damaged = content.clone();
        damaged[77] ^= 1;
        let refused = arriving.receive(&mut &damaged[..], 0, |_| {}).await;
        assert!(format!("{refused:?}").contains(&summary.sha256));
        assert!(!arriving.partial().exists());
    }

    #[tokio::test]
    async fn a_fetch_takes_as_long_as_its_rate_asks_for() {
        let place = tempfile::tempdir().unwrap();
        let content = vec![7; 100_000];
        let summary = summary("b.tar.zst.age", &content);
        let arriving = Arriving {
            region: "cn",
            name: &summary.file,
            summary: &summary,
            folder: place.path(),
            rate: 250_000,
        };
        let began = Instant::now();
        arriving
            .receive(&mut &content[..], 0, |_| {})
            .await
            .unwrap();
        assert!(began.elapsed() >= Duration::from_millis(400));
    }
}
