//! Makes a backup.

use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::config::Config;
use super::folder::Folder;
use super::manifest::{Collection, Content, FORMAT, Manifest, NAME, OPLOG, Optime, Summary};
use super::oplog::{self, Entry};
use super::server::Server;
use super::source::{self, Source};
use super::spool::Spool;
use super::write::Archive;
use super::{compare, json, metadata, seal};
use crate::agent::system::Fault;

/// How often a dump is begun anew when collections or indexes changed under it.
const ATTEMPTS: u32 = 3;

/// Makes a backup as configured, and removes the oldest ones.
///
/// # Errors
/// When there is no new backup afterwards; earlier ones are untouched.
pub fn run(config: &Config, progress: &dyn Fn(&str)) -> Result<Summary, Fault> {
    let recipients = seal::recipients(&config.recipients)?;
    let folder = Folder::new(&config.folder);
    let _lock = folder.lock()?;
    folder.clean()?;
    let server = config.connect()?;
    folder.room(source::size(&server)?)?;
    let mut why = String::new();
    for _ in 0..ATTEMPTS {
        let began = Timestamp::now();
        let (file, name) = folder.begin(&config.name, began)?;
        let clock = Instant::now();
        let archive = Archive::new(
            file,
            &recipients,
            u64::try_from(began.as_second()).unwrap_or_default(),
        )?;
        let dump = Dump {
            server: &server,
            folder: folder.path(),
            began,
            progress,
        };
        match dump.write(archive)? {
            Attempt::Changed(what) => {
                folder.clean()?;
                progress(&format!("{what} changed meanwhile: once more"));
                why = what;
            }
            Attempt::Done {
                manifest,
                bytes,
                sha256,
            } => {
                let summary = summary(&manifest, name, bytes, sha256, clock.elapsed().as_secs());
                folder.commit(&summary)?;
                for old in folder.retain(config.keep)? {
                    progress(&format!("removed {old}"));
                }
                return Ok(summary);
            }
        }
    }
    Err(Fault::new(
        "no backup is made",
        format!("each of {ATTEMPTS} dumps was overtaken by a change: {why}"),
    )
    .hint("run it again when nobody changes collections or indexes"))
}

fn summary(manifest: &Manifest, file: String, bytes: u64, sha256: String, seconds: u64) -> Summary {
    let counts = manifest.collections.iter();
    Summary {
        file,
        bytes,
        sha256,
        began: manifest.began.clone(),
        seconds,
        mongod: manifest.mongod.clone(),
        tool: manifest.tool.clone(),
        documents: manifest.documents(),
        oplog_entries: manifest.oplog.documents,
        collections: counts.map(|one| (one.namespace(), one.documents)).collect(),
    }
}

enum Attempt {
    Done {
        manifest: Manifest,
        bytes: u64,
        sha256: String,
    },
    /// Collections or indexes changed; says which.
    Changed(String),
}

struct Dump<'d> {
    server: &'d Server,
    folder: &'d Path,
    began: Timestamp,
    progress: &'d dyn Fn(&str),
}

impl Dump<'_> {
    fn write(&self, mut archive: Archive) -> Result<Attempt, Fault> {
        let start = oplog::now(self.server)?;
        let from = oplog::earliest(self.server, start)?;
        let sources = source::sources(self.server, true)?;
        let mut collections = Vec::new();
        for source in &sources {
            collections.push(self.collection(source, &mut archive)?);
        }
        let end = oplog::now(self.server)?;
        let (oplog, changed) = self.oplog((from, start, end), &mut archive)?;
        if let Some(changed) = changed {
            return Ok(Attempt::Changed(changed));
        }
        for collection in &mut collections {
            compare::count_at(self.server, end, collection)?;
        }
        let manifest = Manifest {
            format: FORMAT,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            mongod: version(self.server)?,
            began: self.began.to_string(),
            start,
            end,
            oplog,
            collections,
        };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| Fault::new("cannot write the manifest", error))?;
        archive.append(NAME, text.len() as u64, &text[..])?;
        let (bytes, sha256) = archive.finish()?;
        Ok(Attempt::Done {
            manifest,
            bytes,
            sha256,
        })
    }

    /// A collection's two files.
    fn collection(&self, source: &Source, archive: &mut Archive) -> Result<Collection, Fault> {
        let mut collection = Collection {
            database: source.database.clone(),
            name: source.name.clone(),
            kind: source.kind.clone(),
            options: json::canonical(&source.options),
            indexes: source.indexes.iter().map(json::canonical).collect(),
            content: Content::default(),
            documents: 0,
            unexpired: compare::unexpired(&source.indexes, self.began),
        };
        let place = metadata::place(&collection);
        let text = metadata::text(
            &source.options,
            &source.indexes,
            &source.uuid,
            &source.name,
            &source.kind,
        );
        archive.append(
            &format!("{place}.metadata.json"),
            text.len() as u64,
            text.as_bytes(),
        )?;
        if source.kind == "view" {
            return Ok(collection);
        }
        let namespace = (&*source.database, &*source.name);
        let all = FindOptions::default();
        let fault = spool_fault(self.folder);
        let mut spool = Spool::create(self.folder).map_err(&fault)?;
        self.server.each(namespace, doc! {}, all, |document| {
            spool.push(document.as_bytes()).map_err(&fault)
        })?;
        let (content, reader) = spool.finish().map_err(&fault)?;
        archive.append(
            &format!("{place}.bson"),
            content.bytes,
            reader.take(content.bytes),
        )?;
        (self.progress)(&format!(
            "{}: {} documents",
            collection.namespace(),
            content.documents
        ));
        collection.documents = content.documents;
        collection.content = content;
        Ok(collection)
    }

    /// The oplog's part, and what in it makes the dump void.
    fn oplog(
        &self,
        (from, start, end): (Optime, Optime, Optime),
        archive: &mut Archive,
    ) -> Result<(Content, Option<String>), Fault> {
        let fault = spool_fault(self.folder);
        let mut spool = Spool::create(self.folder).map_err(&fault)?;
        let mut changed = None;
        oplog::window(self.server, from, end, |entry| {
            let document = Document::try_from(entry.to_owned())
                .map_err(|error| Fault::new("cannot read the oplog", error))?;
            match oplog::classify(&document) {
                Entry::Foreign => {}
                // What the dump has seen already; a transaction's parts count when it commits.
                _ if oplog::time(&document) <= Some(start) && !oplog::is_part(&document) => {}
                Entry::Write => spool.push(entry.as_bytes()).map_err(&fault)?,
                Entry::Structure(what) => changed = Some(what),
            }
            Ok(())
        })?;
        let (content, reader) = spool.finish().map_err(&fault)?;
        archive.append(OPLOG, content.bytes, reader.take(content.bytes))?;
        Ok((content, changed))
    }
}

fn spool_fault(folder: &Path) -> impl Fn(std::io::Error) -> Fault {
    let what = format!("cannot write in {}", folder.display());
    move |error| Fault::new(&what, error)
}

/// Version of the server: `8.0.21`.
pub(super) fn version(server: &Server) -> Result<String, Fault> {
    let what = "cannot ask MongoDB for its version";
    let info = server
        .run("admin", doc! { "buildInfo": 1 })
        .map_err(|refusal| refusal.during(what))?;
    info.get_str("version")
        .map(str::to_owned)
        .map_err(|error| Fault::new(what, error))
}
