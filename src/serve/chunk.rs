//! What one payload of an OpenAI-compatible stream means for the stream as a whole.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::sse::DONE;

/// The meaning of a payload.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The end mark.
    Done,
    /// The last piece of an answer: it has a finish reason.
    Finish,
    /// Token counts and nothing else.
    Usage,
    /// The upstream gives up, with its own words.
    Error(String),
    /// A piece of an answer, or something that this server does not know.
    Piece,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<IgnoredAny>,
    #[serde(default, borrow)]
    error: Option<Failure<'a>>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    finish_reason: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(default, borrow)]
    message: Option<Cow<'a, str>>,
}

/// Reads a payload without building a tree of it.
#[must_use]
pub fn meaning(payload: &[u8]) -> Meaning {
    if payload == DONE {
        return Meaning::Done;
    }
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(payload) else {
        return Meaning::Piece;
    };
    if let Some(failure) = chunk.error {
        return Meaning::Error(failure.message.unwrap_or_default().into_owned());
    }
    let choices = chunk.choices.unwrap_or_default();
    if choices.iter().any(|choice| choice.finish_reason.is_some()) {
        Meaning::Finish
    } else if choices.is_empty() && chunk.usage.is_some() {
        Meaning::Usage
    } else {
        Meaning::Piece
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn each_kind_of_payload_is_told_apart() {
        for (payload, expected) in [
            ("[DONE]", Meaning::Done),
            (
                r#"{"choices":[{"delta":{"content":"x"},"finish_reason":null}]}"#,
                Meaning::Piece,
            ),
            (
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{}}"#,
                Meaning::Finish,
            ),
            (
                r#"{"choices":[],"usage":{"total_tokens":3}}"#,
                Meaning::Usage,
            ),
            (r#"{"choices":[],"usage":null}"#, Meaning::Piece),
            (
                r#"{"choices":[],"moderation_hit_type":"violence"}"#,
                Meaning::Piece,
            ),
            (
                r#"{"error":{"message":"no \"quota\"","code":"x"}}"#,
                Meaning::Error("no \"quota\"".to_owned()),
            ),
            (r#"{"error":null,"choices":[{}]}"#, Meaning::Piece),
            ("not json", Meaning::Piece),
        ] {
            assert_eq!(meaning(payload.as_bytes()), expected, "{payload}");
        }
    }
}
