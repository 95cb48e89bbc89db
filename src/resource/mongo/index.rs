//! An index of a collection.

use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::standing::{Standing, missing, unreached};
use super::{Connection, number};
use crate::agent::system::Fault;
use crate::agent::system::database::Call;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::resource::{Context, Manage};
use crate::secrets::FingerprintKey;

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
}

fn life(seconds: Option<f64>) -> String {
    seconds.map_or("never".to_owned(), |seconds| format!("after {seconds} s"))
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// `expiresAt: 1, userId: 1`; directions of any number type, other types as they are.
fn keys(document: &Document) -> String {
    let parts =
        document.iter().map(
            |(field, direction)| match (number(Some(direction)), direction) {
                (Some(direction), _) => format!("{field}: {direction}"),
                (None, Bson::String(kind)) => format!("{field}: {kind}"),
                (None, other) => format!("{field}: {other}"),
            },
        );
    parts.collect::<Vec<_>>().join(", ")
}

fn describe(keys: &str, life: &str, unique: bool, other: &str) -> Attributes {
    Attributes::new()
        .text("keys", keys)
        .text("expires", life)
        .text("unique", yes_or_no(unique))
        .text("other options", other)
}

/// Options that none of ours has and that change what an index does.
fn other_options(index: &Document) -> String {
    let known = [
        "v",
        "key",
        "name",
        "ns",
        "unique",
        "expireAfterSeconds",
        "background",
    ];
    let rest = index.iter().filter(|(name, value)| {
        !known.contains(&name.as_str()) && !matches!(value, Bson::Boolean(false))
    });
    let rest: Vec<String> = rest
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if rest.is_empty() {
        "none".to_owned()
    } else {
        rest.join(", ")
    }
}

fn key_document(index: &Document) -> Document {
    index.get_document("key").cloned().unwrap_or_default()
}

impl MongoIndex {
    fn namespace(&self) -> String {
        format!("{}.{}", self.database, self.collection)
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

    fn shortens(&self, found: &Document) -> bool {
        let before = number(found.get("expireAfterSeconds"));
        match (before, self.seconds()) {
            (Some(before), Some(after)) => after < before,
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    /// The administrator may not read documents, so the collection's size is the bound.
    fn at_most(&self, context: &Context<'_>) -> Result<f64, Fault> {
        let answer = self
            .connection
            .ask(
                context,
                &self.database,
                doc! { "collStats": &self.collection },
            )
            .map_err(|refusal| refusal.during(format!("cannot count {}", self.namespace())))?;
        Ok(number(answer.get("count")).unwrap_or_default())
    }

    fn read(&self, found: &Document, context: &Context<'_>) -> Result<Attributes, Fault> {
        let key = keys(&key_document(found));
        let seconds = number(found.get("expireAfterSeconds"));
        let unique = found.get_bool("unique").unwrap_or(false);
        let attributes = describe(&key, &life(seconds), unique, &other_options(found));
        if key == keys(&self.key_pattern()) && self.shortens(found) {
            let most = self.at_most(context)?;
            return Ok(attributes.text("may be deleted", format!("up to {most} documents")));
        }
        Ok(attributes)
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
            if most > 0.0 {
                return Err(Fault::new(
                    self.what(),
                    format!("its documents would live shorter, and up to {most} would be deleted"),
                )
                .hint(format!(
                    "back up {} first, then give consent for this index by its name",
                    self.namespace()
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
        self.find(context)?
            .map(|found| self.read(&found, context))
            .transpose()
    }

    fn apply(&self, _change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        match self.connection.settled(context)? {
            Standing::Managed(_) => {}
            standing => return Err(missing(&self.what(), &standing)),
        }
        self.connection.wait_until_writable(context)?;
        match self.find(context)? {
            Some(found) => self.change(&found, context),
            None => self.create(context),
        }
    }
}
