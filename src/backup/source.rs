//! What there is to back up, as the server lists it.

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Bson, Document, doc};

use super::server::Server;
use crate::agent::system::Fault;

/// A collection or view.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) database: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) options: Document,
    /// Hex digits, as mongodump writes them; empty for a view.
    pub(super) uuid: String,
    pub(super) indexes: Vec<Document>,
}

/// What lets documents expire: the date's field, and seconds after that date.
pub(super) fn expiry(indexes: &[Document]) -> Option<(String, i64)> {
    indexes.iter().find_map(|index| {
        let seconds = match index.get("expireAfterSeconds")? {
            Bson::Int32(seconds) => i64::from(*seconds),
            Bson::Int64(seconds) => *seconds,
            Bson::Double(seconds) => *seconds as i64,
            _ => return None,
        };
        let field = index.get_document("key").ok()?.keys().next()?;
        Some((field.clone(), seconds))
    })
}

/// Bytes of all databases on disk.
pub(super) fn size(server: &Server) -> Result<u64, Fault> {
    let what = "cannot list the databases";
    let found = server
        .run("admin", doc! { "listDatabases": 1 })
        .map_err(|refusal| refusal.during(what))?;
    let total = match found.get("totalSize") {
        Some(Bson::Int64(bytes)) => *bytes,
        Some(Bson::Double(bytes)) => *bytes as i64,
        Some(Bson::Int32(bytes)) => i64::from(*bytes),
        _ => 0,
    };
    Ok(u64::try_from(total).unwrap_or_default())
}

/// Every collection and view of the users' databases, and with `administrative` the collections of users and roles.
pub(super) fn sources(server: &Server, administrative: bool) -> Result<Vec<Source>, Fault> {
    let found = server
        .run("admin", doc! { "listDatabases": 1, "nameOnly": true })
        .map_err(|refusal| refusal.during("cannot list the databases"))?;
    let databases = found.get_array("databases").cloned().unwrap_or_default();
    let names = databases.iter().filter_map(|database| {
        let name = database.as_document()?.get_str("name").ok()?;
        let own = matches!(name, "local" | "config") || (name == "admin" && !administrative);
        (!own).then(|| name.to_owned())
    });
    let mut sources = Vec::new();
    for database in names {
        for entry in listed(server, &database, doc! { "listCollections": 1 })? {
            sources.extend(source(server, &database, &entry)?);
        }
    }
    sources.sort_by(|one, other| (&one.database, &one.name).cmp(&(&other.database, &other.name)));
    Ok(sources)
}

fn source(server: &Server, database: &str, entry: &Document) -> Result<Option<Source>, Fault> {
    let text = |key: &str| entry.get_str(key).unwrap_or_default().to_owned();
    let (name, kind) = (text("name"), text("type"));
    if kind == "timeseries" {
        return Err(Fault::new(
            format!("{database}.{name} is a time series"),
            "its documents would not be backed up",
        )
        .hint("back it up with mongodump, or keep it in another server"));
    }
    let administrative = database == "admin";
    let users = matches!(&*name, "system.users" | "system.roles" | "system.version");
    if (administrative && !users)
        || (!administrative && name.starts_with("system.") && name != "system.js")
    {
        return Ok(None);
    }
    let uuid = match entry
        .get_document("info")
        .ok()
        .and_then(|info| info.get("uuid"))
    {
        Some(Bson::Binary(uuid)) if uuid.subtype == BinarySubtype::Uuid => {
            crate::digest::hex(&uuid.bytes)
        }
        _ => String::new(),
    };
    let indexes = match kind == "view" {
        true => Vec::new(),
        false => indexes(server, database, &name)?,
    };
    Ok(Some(Source {
        database: database.to_owned(),
        options: entry.get_document("options").cloned().unwrap_or_default(),
        name,
        kind,
        uuid,
        indexes,
    }))
}

/// A collection's indexes as the server has them; none where there is no such collection.
pub(super) fn indexes(server: &Server, database: &str, name: &str) -> Result<Vec<Document>, Fault> {
    listed(server, database, doc! { "listIndexes": name })
}

/// Code of the server for a collection that is not there.
const NAMESPACE_NOT_FOUND: i32 = 26;

/// The whole of a list in one answer, which may have 16 MB.
pub(super) fn listed(
    server: &Server,
    database: &str,
    mut command: Document,
) -> Result<Vec<Document>, Fault> {
    let verb = command.keys().next().cloned().unwrap_or_default();
    let what = format!("{verb} of {database} does not work");
    command.insert("cursor", doc! { "batchSize": 100_000 });
    let answer = match server.run(database, command) {
        Err(refusal) if refusal.is(NAMESPACE_NOT_FOUND) => return Ok(Vec::new()),
        answer => answer.map_err(|refusal| refusal.during(&what))?,
    };
    let cursor = answer.get_document("cursor").cloned().unwrap_or_default();
    if cursor.get_i64("id").unwrap_or_default() != 0 {
        return Err(Fault::new(what, "the list is longer than 16 MB"));
    }
    let batch = cursor.get_array("firstBatch").cloned().unwrap_or_default();
    let documents = batch.into_iter().filter_map(|one| match one {
        Bson::Document(document) => Some(document),
        _ => None,
    });
    Ok(documents.collect())
}
