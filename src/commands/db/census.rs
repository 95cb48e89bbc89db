//! What the databases of several hosts hold, asked and compared.

use serde_json::Value;

use crate::agent::message::Operation;
use crate::error::{Error, ErrorKind};
use crate::fleet::{self, Member, Project};
use crate::resource::mongo::Connection;

/// Asks one host.
///
/// # Errors
/// When the connection is lost, or its database cannot be read.
pub(super) async fn ask(
    project: &Project,
    member: &Member,
    connection: &Connection,
    others: &[String],
) -> Result<Value, Error> {
    let operation = Operation::Census {
        connection: connection.clone(),
        database: project.inventory.database.name.to_string(),
        others: others.to_vec(),
    };
    fleet::report(member, operation, None).await
}

/// Whether a database holds anything that a backup could hold.
pub(super) fn holds_data(census: &Value) -> bool {
    let collections = census["collections"].as_object().into_iter().flatten();
    collections
        .into_iter()
        .any(|(_, collection)| collection["documents"].as_f64().unwrap_or_default() > 0.0)
}

/// What a copy lacks of the primary's, whose numbers were taken before it; each as a line.
pub(super) fn lacks(primary: &Value, copy: &Value) -> Vec<String> {
    let mut lacks = Vec::new();
    if copy["state"] != "managed" {
        return vec!["it is no member of the set yet".to_owned()];
    }
    if primary["users"] != copy["users"] {
        lacks.push(format!(
            "{} users instead of {}",
            copy["users"], primary["users"]
        ));
    }
    for (name, wanted) in primary["collections"].as_object().into_iter().flatten() {
        let found = &copy["collections"][name];
        let count = |census: &Value| census["documents"].as_f64().unwrap_or_default();
        // What was written in between is on the copy already.
        if count(found) < count(wanted) {
            lacks.push(format!(
                "{name}: {} documents instead of {}",
                count(found),
                count(wanted)
            ));
        }
        if found["indexes"] != wanted["indexes"] {
            lacks.push(format!(
                "{name}: the indexes {} instead of {}",
                found["indexes"], wanted["indexes"]
            ));
        }
    }
    lacks
}

/// Whether the log of operations reaches back far enough for a new member to copy everything meanwhile.
///
/// # Errors
/// With the numbers, when it does not.
pub(super) fn refuse_short_oplog(region: &str, census: &Value, megabits: f64) -> Result<(), Error> {
    let bytes = census["bytes"].as_f64().unwrap_or_default();
    let window = census["oplog"]["full_hours"].as_f64().unwrap_or_default();
    let hours = bytes * 8.0 / (megabits.max(0.1) * 1e6) / 3600.0;
    // A log that has hardly begun tells no rate, and little is to be copied then.
    if hours * 2.0 <= window || hours < 1.0 / 60.0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Failed,
        format!(
            "{region}: its log of operations reaches back {window:.1} h, and a copy of {} takes some {hours:.1} h at \
             {megabits} Mbit/s",
            crate::text::bytes(bytes_of(bytes))
        ),
    )
    .cause("a member that copies longer than the log reaches back never catches up; twice that is asked for")
    .hint("write a larger `oplog` below [database], provision it, and grow again"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size in bytes, far below 2^53"
)]
fn bytes_of(size: f64) -> u64 {
    size.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_copy_has_at_least_what_the_primary_had_before() {
        let census = |documents: f64, indexes: &[&str], users: usize| {
            let messages = json!({ "documents": documents, "indexes": indexes });
            json!({ "state": "managed", "users": users, "collections": { "messages": messages } })
        };
        let primary = census(10.0, &["_id_"], 4);
        assert!(lacks(&primary, &census(11.0, &["_id_"], 4)).is_empty());
        assert_eq!(
            lacks(&primary, &census(9.0, &["_id_", "x"], 3)),
            [
                "3 users instead of 4",
                "messages: 9 documents instead of 10",
                "messages: the indexes [\"_id_\",\"x\"] instead of [\"_id_\"]",
            ]
        );
        assert!(!lacks(&primary, &json!({ "state": "empty" })).is_empty());
        assert!(holds_data(&primary));
        assert!(!holds_data(&census(0.0, &[], 4)));
    }

    #[test]
    fn a_log_of_operations_shorter_than_two_copies_is_refused_with_numbers() {
        let census =
            |bytes: f64, hours: f64| json!({ "bytes": bytes, "oplog": { "full_hours": hours } });
        // 9 GB over 5 Mbit/s take 4 h.
        let refused = refuse_short_oplog("cn", &census(9e9, 7.9), 5.0).unwrap_err();
        assert!(refused.what.contains("reaches back 7.9 h"), "{refused:?}");
        assert!(refused.what.contains("4.0 h at 5 Mbit/s"), "{refused:?}");
        assert!(refuse_short_oplog("cn", &census(9e9, 8.1), 5.0).is_ok());
        assert!(refuse_short_oplog("cn", &census(1000.0, 0.0), 5.0).is_ok());
    }
}
