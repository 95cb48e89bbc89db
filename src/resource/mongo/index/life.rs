//! What a TTL index deletes, and what it never will.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use serde::{Deserialize, Serialize};

use super::MongoIndex;
use crate::agent::system::Fault;
use crate::agent::system::database::{Call, Login};
use crate::resource::Context;
use crate::resource::mongo::number;
use crate::secrets::{Secret, wire};

/// A user that may read the collection, of the collection's database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reader {
    /// The user's name.
    pub name: String,
    /// The password.
    #[serde(with = "wire")]
    pub password: Secret,
}

/// Types that a time may have been written as by mistake. Each is a range of the index, so that counting them reads
/// none of the dates.
const NO_DATES: [&str; 8] = [
    "double",
    "string",
    "object",
    "bool",
    "int",
    "timestamp",
    "long",
    "decimal",
];

/// More are only said to be more.
const COUNTED: i32 = 1000;

impl MongoIndex {
    /// Whether documents would live shorter with it than with the one that was found.
    pub(super) fn shortens(&self, found: &Document) -> bool {
        let before = number(found.get("expireAfterSeconds"));
        match (before, self.seconds()) {
            (Some(before), Some(after)) => after < before,
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    /// How many documents there are at most. The administrator may not read them, so it is the collection's size,
    /// rounded up: a plan must not be stale for every document that comes.
    pub(super) fn at_most(&self, context: &Context<'_>) -> Result<u64, Fault> {
        let statistics = doc! { "collStats": &self.collection };
        let answer = self
            .connection
            .ask(context, &self.database, statistics)
            .map_err(|refusal| refusal.during(format!("cannot count {}", self.namespace())))?;
        Ok(rounded_up(number(answer.get("count")).unwrap_or_default()))
    }

    /// Says how many documents have no date where the expiry looks for one. Silent where they cannot be read, for
    /// example before the reader is made.
    pub(super) fn warn_of_what_never_expires(&self, context: &Context<'_>) {
        let (Some(_), [(field, _)], Some(reader)) =
            (self.expire_after_seconds, &self.keys[..], &self.reader)
        else {
            return;
        };
        let login = Login::User {
            database: &self.database,
            name: &reader.name,
            password: &reader.password,
        };
        let command = doc! {
            "count": &self.collection,
            "query": { field: { "$type": NO_DATES.to_vec() } },
            "limit": COUNTED,
            "maxTimeMS": 2000,
        };
        let call = Call::new(&self.database, command).deadline(Duration::from_secs(5));
        let Ok(answer) = context
            .database
            .ask(&self.connection.endpoint(), &login, &call)
        else {
            return;
        };
        let count = number(answer.get("n")).unwrap_or_default();
        if count > 0.0 {
            let many = if count < f64::from(COUNTED) {
                ""
            } else {
                " or more"
            };
            (context.progress)(&format!(
                "warning: in {count}{many} documents of {} `{field}` is not a date: they never expire",
                self.namespace()
            ));
        }
    }
}

/// To tens, or to one digit that is not zero.
fn rounded_up(count: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of documents"
    )]
    let count = count.max(0.0).ceil() as u64;
    let mut step = 10;
    while count / step >= 10 {
        step *= 10;
    }
    count.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::rounded_up;

    #[test]
    fn a_bound_is_never_below_the_count_and_moves_seldom() {
        for (count, bound) in [
            (0.0, 0),
            (1.0, 10),
            (10.0, 10),
            (99.0, 100),
            (101.0, 200),
            (1234.0, 2000),
            (950_001.0, 1_000_000),
        ] {
            assert_eq!(rounded_up(count), bound, "{count}");
        }
    }
}
