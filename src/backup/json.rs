//! Extended JSON in its canonical form, keys in their order: an index on two fields is another one if they are swapped.

use mongodb::bson::{Bson, Document};
use serde_json::{Value, json};

/// A document as one line (MongoDB Extended JSON v2, canonical).
pub(super) fn canonical(document: &Document) -> String {
    let mut text = String::new();
    write_document(document, &mut text);
    text
}

/// Reads it back, keys in their order.
///
/// # Errors
/// When it is no document.
pub(super) fn parse(text: &str) -> serde_json::Result<Document> {
    serde_json::from_str(text)
}

fn write_document(document: &Document, text: &mut String) {
    text.push('{');
    for (number, (key, value)) in document.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        write(value, text);
    }
    text.push('}');
}

fn write(value: &Bson, text: &mut String) {
    match value {
        Bson::Document(document) => write_document(document, text),
        Bson::Array(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Bson::Int32(number) => number_as("$numberInt", number, text),
        Bson::Int64(number) => number_as("$numberLong", number, text),
        Bson::Double(number) => {
            let digits = match number {
                number if number.is_nan() => "NaN".to_owned(),
                number if number.is_infinite() && number.is_sign_negative() => {
                    "-Infinity".to_owned()
                }
                number if number.is_infinite() => "Infinity".to_owned(),
                number => format!("{number:?}"),
            };
            text.push_str(&json!({ "$numberDouble": digits }).to_string());
        }
        Bson::DateTime(time) => {
            let milliseconds = time.timestamp_millis().to_string();
            text.push_str(&json!({ "$date": { "$numberLong": milliseconds } }).to_string());
        }
        other => text.push_str(&serde_json::to_string(other).unwrap_or_else(|_| "null".to_owned())),
    }
}

fn number_as(kind: &str, number: impl ToString, text: &mut String) {
    text.push_str(&json!({ kind: number.to_string() }).to_string());
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{DateTime, doc};

    use super::*;

    #[test]
    fn numbers_carry_their_type_and_keys_keep_their_order() {
        let index =
            doc! { "v": 2, "key": { "userId": 1, "sessionId": -1.0 }, "expireAfterSeconds": 5_i64 };
        let text = canonical(&index);
        assert_eq!(
            text,
            r#"{"v":{"$numberInt":"2"},"key":{"userId":{"$numberInt":"1"},"sessionId":{"$numberDouble":"-1.0"}},"expireAfterSeconds":{"$numberLong":"5"}}"#
        );
        assert_eq!(parse(&text).unwrap(), index);
    }

    #[test]
    fn what_a_partial_filter_may_hold_survives() {
        let filter = doc! {
            "at": { "$gt": DateTime::from_millis(-5) },
            "id": mongodb::bson::oid::ObjectId::new(),
            "quoted \" name": [true, Bson::Null, "x", f64::INFINITY],
        };
        assert_eq!(parse(&canonical(&filter)).unwrap(), filter);
    }
}
