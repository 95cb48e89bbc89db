//! A backup on the operator's side, where it can be opened: the identity never leaves this machine.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream};

use crate::agent::system::Fault;
use crate::backup::manifest::Manifest;
use crate::backup::{read, seal};
use crate::error::{Error, ErrorContext, ErrorKind};
use crate::fleet::Project;

/// How much is read ahead of the line.
const AHEAD: usize = 256 << 10;

/// An encrypted file and what opens it.
pub(super) struct Sealed {
    path: PathBuf,
    identity: PathBuf,
}

impl Sealed {
    /// A file, and the identity's file; without one that of `[database.tls]`.
    pub(super) fn new(
        project: &Project,
        path: &Path,
        identity: Option<&Path>,
    ) -> Result<Self, Error> {
        let identity = match identity {
            Some(path) => path.to_owned(),
            None => {
                let own = &project.inventory.database.tls.identity;
                crate::secrets::located(own, &project.inventory)
                    .context(ErrorKind::Input, || {
                        format!("cannot find {}", own.display())
                    })?
            }
        };
        Ok(Self {
            path: path.to_owned(),
            identity,
        })
    }

    /// Reads the whole file once and holds it against its manifest, so that nothing damaged is ever sent.
    pub(super) fn verify(&self) -> Result<Manifest, Error> {
        self.open()
            .and_then(|reader| read::verify(reader).map_err(|fault| self.error(fault)))
    }

    /// The decrypted archive as a stream.
    pub(super) fn stream(&self) -> Result<impl AsyncRead + Send + Unpin + 'static, Error> {
        let mut reader = self.open()?;
        let (mut writer, stream): (DuplexStream, DuplexStream) = tokio::io::duplex(AHEAD);
        let runtime = tokio::runtime::Handle::current();
        // It ends with its input, or when nobody reads any more. What cannot be read ends it early, which the other
        // side sees as a damaged archive.
        drop(tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if runtime
                    .block_on(writer.write_all(&buffer[..count]))
                    .is_err()
                {
                    break;
                }
            }
        }));
        Ok(stream)
    }

    fn open(&self) -> Result<impl Read + Send + use<>, Error> {
        let place = self.identity.display();
        let text = std::fs::read(&self.identity).context(ErrorKind::Input, || {
            format!("cannot read the age identity {place}")
        })?;
        let text = zeroize::Zeroizing::new(text);
        let identities = age::IdentityFile::from_buffer(&text[..])
            .map_err(|error| error.to_string())
            .and_then(|file| file.into_identities().map_err(|error| error.to_string()))
            .map_err(|why| {
                let what = format!("{place} is not a file of age identities");
                Error::new(ErrorKind::Input, what)
                    .cause(why)
                    .hint("name the file that `age-keygen -o FILE` wrote, not encrypted itself")
            })?;
        let file = File::open(&self.path).context(ErrorKind::Input, || {
            format!("cannot read {}", self.path.display())
        })?;
        seal::open(&identities, BufReader::new(file)).map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> Error {
        let what = format!("{}: {}", self.path.display(), fault.what);
        let error = Error::new(ErrorKind::Input, what).cause(fault.why);
        fault.hint.into_iter().fold(error, Error::hint)
    }
}

/// A count of each collection, one a line.
pub(super) fn describe(manifest: &Manifest) -> String {
    let lines = manifest
        .collections
        .iter()
        .filter(|one| !one.is_administrative());
    let lines = lines.map(|one| match &one.unexpired {
        Some(unexpired) => format!(
            "  {}: {} documents, {} of them unexpired, {}",
            one.namespace(),
            one.documents,
            unexpired.documents,
            indexes(one.indexes.len())
        ),
        None => format!(
            "  {}: {} documents, {}",
            one.namespace(),
            one.documents,
            indexes(one.indexes.len())
        ),
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "{} of MongoDB {}:\n{}",
        manifest.began,
        manifest.mongod,
        lines.join("\n")
    )
}

fn indexes(count: usize) -> String {
    match count {
        1 => "1 index".to_owned(),
        count => format!("{count} indexes"),
    }
}
