//! Backups of a MongoDB: the layout of the vendor's dump tools in a tar, compressed with zstd, encrypted with age.
//!
//! `DB/COLLECTION.bson` and `DB/COLLECTION.metadata.json`, at the top `oplog.bson` with what was written while the
//! dump was made, and a manifest that a restore is compared with. A host holds recipients only: what it has written it
//! cannot read.

pub mod compare;
pub mod config;
pub mod dump;
pub mod folder;
mod json;
pub mod manifest;
mod metadata;
mod oplog;
pub mod read;
pub mod restore;
pub mod seal;
pub mod server;
mod source;
mod spool;
mod write;

use std::io::Write as _;
use std::path::Path;

use crate::agent::system::Fault;

/// Makes the backup that a configuration file describes, and says so on standard error, which is the unit's journal.
///
/// # Errors
/// When there is no backup afterwards; earlier ones are untouched.
pub fn main(config: &Path) -> Result<(), Fault> {
    let config = config::Config::read(config)?;
    let progress = |text: &str| drop(writeln!(std::io::stderr(), "{text}"));
    let summary = dump::run(&config, &progress)?;
    progress(&format!(
        "{}: {} documents, {} bytes, {} s",
        summary.file, summary.documents, summary.bytes, summary.seconds
    ));
    Ok(())
}
