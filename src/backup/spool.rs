//! A collection on its way into the archive. A tar names a file's length before its bytes, and nobody knows how long a
//! collection is before it was read: so it is compressed into a file without a name, which ends with the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::manifest::Content;

/// Being written.
pub(super) struct Spool {
    encoder: zstd::Encoder<'static, File>,
    documents: u64,
    bytes: u64,
    digest: Sha256,
}

impl Spool {
    /// In a folder that has space for it.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let path = folder.join("spool.partial");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self {
            encoder: zstd::Encoder::new(file, 1)?,
            documents: 0,
            bytes: 0,
            digest: Sha256::new(),
        })
    }

    /// Appends a document.
    pub(super) fn push(&mut self, document: &[u8]) -> io::Result<()> {
        self.encoder.write_all(document)?;
        self.digest.update(document);
        self.documents += 1;
        self.bytes += document.len() as u64;
        Ok(())
    }

    /// What was written, and a reader of it.
    pub(super) fn finish(self) -> io::Result<(Content, impl Read)> {
        let mut file = self.encoder.finish()?;
        file.rewind()?;
        let content = Content {
            documents: self.documents,
            bytes: self.bytes,
            sha256: crate::digest::hex(&self.digest.finalize()),
        };
        Ok((content, zstd::Decoder::new(file)?))
    }
}
