//! Puts a backup into a server: inserts only, so that nothing that is there is overwritten.

mod replay;
pub mod user;

use std::io::Read;

use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use super::manifest::{Collection, Manifest};
use super::read::{self, Place};
use super::server::Server;
use super::{compare, dump, json, manifest, source};
use crate::agent::system::Fault;

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Documents that were inserted.
    pub documents: u64,
    /// Writes of the oplog that were replayed.
    pub writes: u64,
    /// What is not as in the manifest, one a line; empty after a good restore.
    pub differences: Vec<String>,
}

/// Whether a server takes this backup: of the same series, and with nothing in the collections that come back.
///
/// # Errors
/// Why not, with the numbers of documents that are in the way.
pub fn admit(server: &Server, manifest: &Manifest) -> Result<(), Fault> {
    let what = "the backup is not restored";
    let version = dump::version(server)?;
    if manifest::series(&version) != manifest.series() {
        let why = format!("it is of MongoDB {}, this is {version}", manifest.mongod);
        return Err(
            Fault::new(what, why).hint(format!("restore it into MongoDB {}", manifest.series()))
        );
    }
    let mut occupied = Vec::new();
    for source in source::sources(server, false)? {
        let same = |one: &&Collection| one.database == source.database && one.name == source.name;
        let Some(wanted) = manifest.collections.iter().find(same) else {
            continue;
        };
        if wanted.kind != source.kind || wanted.options != json::canonical(&source.options) {
            let why = format!(
                "{} is there and was created with other options",
                wanted.namespace()
            );
            return Err(Fault::new(what, why));
        }
        if wanted.kind == "view" {
            continue;
        }
        match compare::present(server, wanted)? {
            0 => {}
            count => occupied.push(format!("{} has {count} documents", wanted.namespace())),
        }
        let conflicts = compare::conflicts(wanted, &source.indexes);
        if !conflicts.is_empty() {
            let why = format!(
                "{} has another index {}",
                wanted.namespace(),
                conflicts.join(", ")
            );
            return Err(
                Fault::new(what, why).hint("look at both, and drop the one that is not wanted")
            );
        }
    }
    match occupied.is_empty() {
        true => Ok(()),
        false => Err(Fault::new(what, occupied.join(", "))
            .hint("a restore overwrites nothing: move those collections away first")),
    }
}

/// Reads a decrypted archive into a server that admits it, and compares the two. `users` puts users and roles back as
/// well, which only a scratch server needs: elsewhere `provision` makes them.
///
/// # Errors
/// When the archive is damaged or the server refuses something. What was inserted by then stays.
pub fn run(
    server: &Server,
    manifest: &Manifest,
    input: impl Read,
    users: bool,
    progress: &dyn Fn(&str),
) -> Result<Restored, Fault> {
    admit(server, manifest)?;
    create(server, manifest)?;
    let mut restored = Restored {
        documents: 0,
        writes: 0,
        differences: Vec::new(),
    };
    let damaged = |name: &str| {
        Fault::new(
            "the backup is damaged",
            format!("{name} is not what the manifest says"),
        )
    };
    read::walk(input, manifest, |place, reader| {
        match place {
            Place::Collection(number) => {
                let Some(collection) = manifest.collections.get(number) else {
                    return Ok(());
                };
                if collection.is_administrative() && !(users && is_of_users(collection)) {
                    return Ok(());
                }
                let mut inserter = server.inserter(&collection.database, &collection.name);
                let content = read::documents(reader, |document| inserter.push(document))?;
                inserter.flush()?;
                if content != collection.content {
                    return Err(damaged(&collection.namespace()));
                }
                restored.documents += content.documents;
                progress(&format!(
                    "{}: {} documents",
                    collection.namespace(),
                    content.documents
                ));
            }
            Place::Oplog => {
                let (content, writes) = replay::replay(server, reader)?;
                if content != manifest.oplog {
                    return Err(damaged(manifest::OPLOG));
                }
                restored.writes = writes;
                progress(&format!("oplog: {writes} writes"));
            }
            Place::Manifest | Place::Other => {}
        }
        Ok(())
    })?;
    // After the data: a build over all of it is faster, and a replay may pass through states that no index allows.
    index(server, manifest, progress)?;
    restored.differences = compare::differences(server, manifest)?;
    Ok(restored)
}

fn is_of_users(collection: &Collection) -> bool {
    matches!(&*collection.name, "system.users" | "system.roles")
}

fn parsed(text: &str) -> Result<Document, Fault> {
    json::parse(text).map_err(|error| Fault::new("the backup's manifest cannot be read", error))
}

/// Code of the server for a collection that is there already.
const NAMESPACE_EXISTS: i32 = 48;

fn create(server: &Server, manifest: &Manifest) -> Result<(), Fault> {
    for collection in manifest
        .collections
        .iter()
        .filter(|one| !one.is_administrative())
    {
        let mut command = doc! { "create": &collection.name };
        command.extend(parsed(&collection.options)?);
        match server.run(&collection.database, command) {
            Err(refusal) if !refusal.is(NAMESPACE_EXISTS) => {
                return Err(refusal.during(format!("cannot create {}", collection.namespace())));
            }
            _ => {}
        }
    }
    Ok(())
}

fn index(server: &Server, manifest: &Manifest, progress: &dyn Fn(&str)) -> Result<(), Fault> {
    for collection in manifest
        .collections
        .iter()
        .filter(|one| !one.is_administrative())
    {
        let indexes: Vec<Document> = collection
            .indexes
            .iter()
            .map(|text| parsed(text))
            .collect::<Result<_, _>>()?;
        // Every collection has that one from the beginning.
        let others = indexes
            .into_iter()
            .filter(|index| !index.get_str("name").is_ok_and(|found| found == "_id_"));
        let mut others: Vec<Document> = others.collect();
        others.iter_mut().for_each(|index| drop(index.remove("ns")));
        if others.is_empty() {
            continue;
        }
        let count = others.len();
        let command = doc! { "createIndexes": &collection.name, "indexes": others };
        server
            .run(&collection.database, command)
            .map_err(|refusal| {
                refusal.during(format!("cannot index {}", collection.namespace()))
            })?;
        progress(&format!(
            "{}: {}",
            collection.namespace(),
            crate::text::count(count, "index")
        ));
    }
    Ok(())
}
