//! The archive: tar, then zstd, then age, then a file whose bytes are hashed on their way.

use std::fs::File;
use std::io::{self, Read};

use super::seal::{self, Hashing};
use crate::agent::system::Fault;

type Sealed = age::stream::StreamWriter<Hashing<File>>;

/// Being written.
pub(super) struct Archive {
    tar: tar::Builder<zstd::Encoder<'static, Sealed>>,
    modified: u64,
}

/// Level 3 keeps up with the disk and packs conversations to about a fifth.
const LEVEL: i32 = 3;

const WHAT: &str = "cannot write the backup";

impl Archive {
    /// Into a file; `modified` is what the files in it say of themselves, seconds since 1970.
    pub(super) fn new(
        file: File,
        recipients: &[age::x25519::Recipient],
        modified: u64,
    ) -> Result<Self, Fault> {
        let sealed = seal::seal(recipients, Hashing::new(file))?;
        let packed = zstd::Encoder::new(sealed, LEVEL).map_err(|error| Fault::new(WHAT, error))?;
        Ok(Self {
            tar: tar::Builder::new(packed),
            modified,
        })
    }

    /// Appends a file of that many bytes.
    pub(super) fn append(
        &mut self,
        path: &str,
        bytes: u64,
        content: impl Read,
    ) -> Result<(), Fault> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(self.modified);
        header.set_entry_type(tar::EntryType::Regular);
        self.tar
            .append_data(&mut header, path, content)
            .map_err(|error| Fault::new(WHAT, error))
    }

    /// Ends it durably: its size and its SHA-256.
    pub(super) fn finish(self) -> Result<(u64, String), Fault> {
        let ended = || -> io::Result<(u64, String)> {
            let hashed = self.tar.into_inner()?.finish()?.finish()?;
            let (file, bytes, digest) = hashed.finish();
            file.sync_all()?;
            Ok((bytes, digest))
        };
        ended().map_err(|error| Fault::new(WHAT, error))
    }
}
