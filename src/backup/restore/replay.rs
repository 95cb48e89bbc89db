//! Replays the oplog's part over what was inserted. An insert of what is there replaces it, so the same writes may be
//! replayed over any state that the dump saw.

use std::collections::HashSet;
use std::io::Read;

use mongodb::bson::{Document, doc};

use crate::agent::system::Fault;
use crate::backup::manifest::Content;
use crate::backup::oplog::Writes;
use crate::backup::read;
use crate::backup::server::Server;

/// Code of the server for an update of what is not there (`UpdateOperationFailed`).
const NOTHING_TO_UPDATE: i32 = 117;

/// What was read, and how many writes it made.
pub(super) fn replay(server: &Server, reader: &mut dyn Read) -> Result<(Content, u64), Fault> {
    let what = "cannot replay the oplog";
    let mut writes = Writes::default();
    let mut count = 0;
    // Updated, and deleted before the dump came to it: the same part of the oplog must delete it.
    let mut missing: HashSet<String> = HashSet::new();
    let content = read::documents(reader, |entry| {
        let entry = Document::try_from(entry).map_err(|error| Fault::new(what, error))?;
        for write in writes.of(&entry) {
            let target = target(&write);
            let updates = write.get_str("op").is_ok_and(|found| found == "u");
            match server.run("admin", doc! { "applyOps": [write] }) {
                Ok(_) if updates => {}
                Ok(_) => drop(missing.remove(&target)),
                Err(refusal) if updates && refusal.is(NOTHING_TO_UPDATE) => {
                    missing.insert(target);
                }
                Err(refusal) => return Err(refusal.during(what)),
            }
            count += 1;
        }
        Ok(())
    })?;
    match missing.len() {
        0 => Ok((content, count)),
        lost => Err(Fault::new(
            what,
            format!("{lost} documents are updated that the backup does not hold"),
        )),
    }
}

/// Which document a write is about.
fn target(write: &Document) -> String {
    let key = if write.get_str("op").is_ok_and(|found| found == "u") {
        "o2"
    } else {
        "o"
    };
    let id = write
        .get_document(key)
        .ok()
        .and_then(|found| found.get("_id"));
    format!("{:?} {id:?}", write.get("ns"))
}
