//! An index of a collection.

mod described;
mod life;

use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::standing::{Standing, missing, unreached};
use super::{Connection, number};
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Refusal};
use crate::plan::{Attributes, Change, Id, Kind, MAY_BE_DELETED};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;
use described::{describe, key_document, keys, life, other_options, yes_or_no};
pub use life::Reader;

/// How long an index may take to build.
const BUILD: Duration = Duration::from_secs(60 * 60);

/// The server's code for a collection that does not exist.
const NAMESPACE_NOT_FOUND: i32 = 26;

/// An index. One with the same keys and other options, or the same name and other keys, is shown and never dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MongoIndex {
    /// How the database is reached.
    pub connection: Connection,
    /// The application's database.
    pub database: String,
    /// The collection; made with its first index.
    pub collection: String,
    /// Fields in order, 1 rising and -1 falling.
    pub keys: Vec<(String, i32)>,
    /// Makes it a TTL index: a document goes this many seconds after the time in its field.
    pub expire_after_seconds: Option<u64>,
    /// Whether no two documents may have the same keys.
    pub unique: bool,
    /// Its name: `expiresAt_1`.
    pub name: String,
    /// Consent, for this index by name, to documents being deleted because their life becomes shorter.
    #[serde(default)]
    pub shorten: bool,
    /// Who may read the collection, to tell of documents that will never expire; the administrator may not.
    #[serde(default)]
    pub reader: Option<Reader>,
}

impl MongoIndex {
    fn namespace(&self) -> String {
        format!("{}.{}", self.database, self.collection)
    }

    /// As consent to a change of it is given: `multi_agent_sessions.expiresAt_1`.
    pub fn short_name(&self) -> String {
        format!("{}.{}", self.collection, self.name)
    }

    fn what(&self) -> String {
        format!(
            "cannot set up the index {} of {}",
            self.name,
            self.namespace()
        )
    }

    fn key_pattern(&self) -> Document {
        let pairs = self.keys.iter();
        pairs
            .map(|(field, direction)| (field.clone(), Bson::Int32(*direction)))
            .collect()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the server takes 2^31 s at most"
    )]
    fn seconds(&self) -> Option<f64> {
        self.expire_after_seconds.map(|seconds| seconds as f64)
    }

    /// The index with these keys and no filter or collation of its own, otherwise the one of this name.
    fn find(&self, context: &Context<'_>) -> Result<Option<Document>, Fault> {
        let command = doc! { "listIndexes": &self.collection, "cursor": { "batchSize": 1000 } };
        let answer = match self.connection.ask(context, &self.database, command) {
            Ok(answer) => answer,
            Err(refusal) if refusal.is(NAMESPACE_NOT_FOUND) => return Ok(None),
            // An administrator that a killed run left half made: it gets the rest of its roles before this is made.
            Err(refusal) if refusal.is(Refusal::UNAUTHORIZED) => return Ok(None),
            Err(refusal) => {
                let what = format!("cannot read the indexes of {}", self.namespace());
                return Err(refusal.during(what));
            }
        };
        let batch = answer
            .get_document("cursor")
            .and_then(|cursor| cursor.get_array("firstBatch"));
        let indexes: Vec<&Document> = batch
            .into_iter()
            .flatten()
            .filter_map(Bson::as_document)
            .collect();
        let wanted = keys(&self.key_pattern());
        let alike = |index: &&&Document| {
            keys(&key_document(index)) == wanted
                && !index.contains_key("partialFilterExpression")
                && !index.contains_key("collation")
        };
        let named = |index: &&&Document| index.get_str("name").ok() == Some(&*self.name);
        let found = indexes.iter().find(alike).or(indexes.iter().find(named));
        Ok(found.map(|index| (*index).clone()))
    }

    fn read(&self, found: &Document, context: &Context<'_>) -> Result<Attributes, Fault> {
        let key = keys(&key_document(found));
        let seconds = number(found.get("expireAfterSeconds"));
        let unique = found.get_bool("unique").unwrap_or(false);
        let attributes = describe(&key, &life(seconds), unique, &other_options(found));
        if key == keys(&self.key_pattern()) && self.shortens(found) {
            let most = self.at_most(context)?;
            return Ok(attributes.text(MAY_BE_DELETED, format!("up to {most} documents")));
        }
        Ok(attributes)
    }

    /// Documents expire by one field only (MongoDB's manual, "TTL Indexes").
    fn expires_by_one_field(&self) -> Result<(), Fault> {
        if self.expire_after_seconds.is_none() || self.keys.len() == 1 {
            return Ok(());
        }
        let why = format!(
            "documents expire by one field, and it has {}",
            self.keys.len()
        );
        Err(Fault::new(self.what(), why).hint("give the time's field an index of its own"))
    }

    fn create(&self, context: &Context<'_>) -> Result<(), Fault> {
        let mut index = doc! { "key": self.key_pattern(), "name": &self.name };
        if self.unique {
            index.insert("unique", true);
        }
        if let Some(seconds) = self.seconds() {
            index.insert("expireAfterSeconds", seconds);
        }
        let command = doc! { "createIndexes": &self.collection, "indexes": [index] };
        let call = Call::new(&self.database, command).deadline(BUILD);
        self.connection
            .tell(context, &call)
            .map(drop)
            .map_err(|refusal| refusal.during(self.what()))
    }

    fn change(&self, found: &Document, context: &Context<'_>) -> Result<(), Fault> {
        let same = keys(&key_document(found)) == keys(&self.key_pattern())
            && found.get_bool("unique").unwrap_or(false) == self.unique
            && other_options(found) == "none";
        let Some(seconds) = self.seconds().filter(|_| same && self.keys.len() == 1) else {
            return Err(self.conflict(found));
        };
        if self.shortens(found) && !self.shorten {
            let most = self.at_most(context)?;
            if most > 0 {
                return Err(Fault::new(
                    self.what(),
                    format!("its documents would live shorter, and up to {most} would be deleted"),
                )
                .hint(format!(
                    "back up {} first, then consent with `--shorten-ttl {}`",
                    self.namespace(),
                    self.short_name()
                )));
            }
        }
        let command = doc! {
            "collMod": &self.collection,
            "index": { "keyPattern": self.key_pattern(), "expireAfterSeconds": seconds },
        };
        self.connection
            .tell(context, &Call::new(&self.database, command))
            .map(drop)
            .map_err(|refusal| refusal.during(self.what()))
    }

    fn conflict(&self, found: &Document) -> Fault {
        let name = found.get_str("name").unwrap_or_default();
        Fault::new(
            self.what(),
            format!(
                "the index {name} is in its place: {{ {} }}, expires {}, unique {}, other options {}",
                keys(&key_document(found)),
                life(number(found.get("expireAfterSeconds"))),
                yes_or_no(found.get_bool("unique").unwrap_or(false)),
                other_options(found)
            ),
        )
        .hint(format!(
            "an index is never dropped: if nobody needs it, `db.{}.dropIndex(\"{name}\")` in mongosh, then again",
            self.collection
        ))
    }
}

impl Manage for MongoIndex {
    fn id(&self) -> Id {
        Id::new(
            Kind::MongoIndex,
            format!("{}.{}", self.namespace(), self.name),
        )
    }

    fn desired(&self, _key: &FingerprintKey) -> Option<Attributes> {
        let keys = keys(&self.key_pattern());
        Some(describe(&keys, &life(self.seconds()), self.unique, "none"))
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        match self.connection.standing(context)? {
            Standing::Absent | Standing::Open(_) => return Ok(None),
            Standing::Unreached(why) => return Ok(Some(unreached(&why))),
            Standing::Managed(_) => {}
        }
        self.warn_of_what_never_expires(context);
        self.find(context)?
            .map(|found| self.read(&found, context))
            .transpose()
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        self.expires_by_one_field()?;
        match self.connection.settled(context)? {
            Standing::Managed(_) => {}
            standing => return Err(missing(&self.what(), &standing)),
        }
        self.connection.wait_until_writable(context)?;
        match self.find(context)? {
            Some(found) if Some(self.read(&found, context)?) == self.desired(context.key) => Ok(()),
            Some(found) => self.change(&found, context),
            None => self.create(context),
        }
    }
}
