//! Reads an archive that was decrypted: zstd, then tar, then documents.

use std::io::{self, Read};

use mongodb::bson::RawDocumentBuf;
use sha2::{Digest as _, Sha256};

use super::manifest::{Content, FORMAT, Manifest, NAME, OPLOG};
use super::metadata;
use crate::agent::system::Fault;

const WHAT: &str = "the backup is damaged";

/// The server's largest document with room for what the oplog adds (16 MB, 16 KB).
const MAXIMUM_DOCUMENT: usize = (16 << 20) + (16 << 10);

/// A file in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Documents of the collection with this number in the manifest.
    Collection(usize),
    /// The oplog's part.
    Oplog,
    /// The manifest.
    Manifest,
    /// Everything else: metadata, which the manifest holds too.
    Other,
}

/// Hands over every file of an archive whose manifest is known.
///
/// # Errors
/// When the archive is damaged or ends early; what `each` refuses.
pub fn walk(
    input: impl Read,
    manifest: &Manifest,
    mut each: impl FnMut(Place, &mut dyn Read) -> Result<(), Fault>,
) -> Result<(), Fault> {
    files(input, |path, reader| {
        let place = match path {
            NAME => Place::Manifest,
            OPLOG => Place::Oplog,
            path => manifest
                .collections
                .iter()
                .position(|one| path.strip_suffix(".bson") == Some(&metadata::place(one)))
                .map_or(Place::Other, Place::Collection),
        };
        each(place, reader)
    })
}

fn files(
    input: impl Read,
    mut each: impl FnMut(&str, &mut dyn Read) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let damaged = |error: io::Error| Fault::new(WHAT, error);
    let mut tar = tar::Archive::new(zstd::Decoder::new(input).map_err(damaged)?);
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = entry
            .path()
            .map_err(damaged)?
            .to_string_lossy()
            .into_owned();
        each(&path, &mut entry)?;
    }
    // The end is read too: only then has every byte been authenticated.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(())
}

/// Hands over each document of a file, and says what they were together.
///
/// # Errors
/// When the file is no sequence of documents; what `each` refuses.
pub fn documents(
    reader: &mut dyn Read,
    mut each: impl FnMut(RawDocumentBuf) -> Result<(), Fault>,
) -> Result<Content, Fault> {
    let damaged = |error: &dyn ToString| Fault::new(WHAT, error.to_string());
    let mut content = Content::default();
    let mut digest = Sha256::new();
    loop {
        let mut length = [0; 4];
        match reader
            .read(&mut length[..1])
            .map_err(|error| damaged(&error))?
        {
            0 => break,
            _ => reader
                .read_exact(&mut length[1..])
                .map_err(|error| damaged(&error))?,
        }
        let size = usize::try_from(i32::from_le_bytes(length)).unwrap_or_default();
        if !(5..=MAXIMUM_DOCUMENT).contains(&size) {
            return Err(damaged(&format!("a document of {size} bytes")));
        }
        let mut bytes = vec![0; size];
        bytes[..4].copy_from_slice(&length);
        reader
            .read_exact(&mut bytes[4..])
            .map_err(|error| damaged(&error))?;
        digest.update(&bytes);
        content.documents += 1;
        content.bytes += size as u64;
        each(RawDocumentBuf::from_bytes(bytes).map_err(|error| damaged(&error))?)?;
    }
    content.sha256 = crate::digest::hex(&digest.finalize());
    Ok(content)
}

/// Reads an archive to its end and holds every file against the manifest, which is returned.
///
/// # Errors
/// When anything is damaged, missing, or of a newer form.
pub fn verify(input: impl Read) -> Result<Manifest, Fault> {
    let mut found: Vec<(String, Content)> = Vec::new();
    let mut manifest = None;
    files(input, |path, reader| {
        if path == NAME {
            let parsed: Manifest = serde_json::from_reader(reader)
                .map_err(|error| Fault::new("the backup's manifest cannot be read", error))?;
            manifest = Some(parsed);
        } else if path.ends_with(".bson") {
            found.push((path.to_owned(), documents(reader, |_| Ok(()))?));
        }
        Ok(())
    })?;
    let manifest = manifest.ok_or_else(|| Fault::new(WHAT, "it has no manifest"))?;
    if manifest.format > FORMAT {
        let why = format!(
            "its form is {}, this program reads {FORMAT}",
            manifest.format
        );
        return Err(Fault::new("the backup is of a newer geodeploy", why)
            .hint(format!("use geodeploy {} or newer", manifest.tool)));
    }
    let collections = manifest.collections.iter().filter(|one| one.kind != "view");
    let mut wanted: Vec<(String, Content)> = collections
        .map(|one| {
            (
                format!("{}.bson", metadata::place(one)),
                one.content.clone(),
            )
        })
        .collect();
    wanted.push((OPLOG.to_owned(), manifest.oplog.clone()));
    match wanted.iter().find(|one| !found.contains(one)) {
        Some((path, _)) => Err(Fault::new(
            WHAT,
            format!("{path} is not what the manifest says"),
        )),
        None => Ok(manifest),
    }
}
