//! Puts an answer's pieces together while they pass, for a conversation that is kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::store::Status;
use super::turn::{Ending, Turn};

/// The longest text that is kept. A document of MongoDB has at most 16 MiB.
const LONGEST_TEXT: usize = 8 << 20;

/// The answer so far. What there is when it is dropped is kept as interrupted.
pub(super) struct Recorder {
    turn: Option<Turn>,
    answer: Answer,
}

/// An answer's text and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    text: String,
    cut: bool,
    ending: Ending,
}

/// A piece of a streamed answer, or the whole of one that is not streamed.
#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(default, borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u32,
    #[serde(default, borrow, alias = "message")]
    delta: Option<Said<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
}

impl Recorder {
    pub(super) fn new(turn: Turn) -> Self {
        Self {
            turn: Some(turn),
            answer: Answer::default(),
        }
    }

    /// Takes in a payload that passes.
    pub(super) fn heard(&mut self, payload: &[u8]) {
        self.answer.add(payload);
    }

    /// Keeps the whole answer.
    pub(super) fn complete(&mut self) {
        self.keep(Status::Complete);
    }

    fn keep(&mut self, status: Status) {
        let Some(turn) = self.turn.take() else {
            return;
        };
        let answer = std::mem::take(&mut self.answer);
        let status = if answer.cut {
            Status::Interrupted
        } else {
            status
        };
        if status == Status::Complete || !answer.text.is_empty() {
            turn.answer(answer.text, status, answer.ending);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.keep(Status::Interrupted);
    }
}

impl Answer {
    /// Only the first of several choices belongs to the conversation.
    fn add(&mut self, payload: &[u8]) {
        let Ok(piece) = serde_json::from_slice::<Piece<'_>>(payload) else {
            return;
        };
        for choice in piece.choices.unwrap_or_default() {
            if choice.index != 0 {
                continue;
            }
            let content = choice.delta.and_then(|said| said.content);
            if let Some(content) = content {
                if self.text.len() + content.len() <= LONGEST_TEXT {
                    self.text.push_str(&content);
                } else {
                    self.cut = true;
                }
            }
            if let Some(reason) = choice.finish_reason {
                self.ending.finish_reason = Some(reason.into_owned());
            }
        }
        if piece.usage.is_some() {
            self.ending.usage = piece.usage;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Answer;

    #[test]
    fn pieces_of_the_first_choice_make_the_answer() {
        let mut answer = Answer::default();
        for payload in [
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"你"}},{"index":1,"delta":{"content":"x"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"\"好"},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"total_tokens":3}}"#,
            "not json",
        ] {
            answer.add(payload.as_bytes());
        }
        assert_eq!(answer.text, "你\"好");
        assert_eq!(answer.ending.finish_reason.as_deref(), Some("stop"));
        assert_eq!(answer.ending.usage, Some(json!({"total_tokens": 3})));
    }

    #[test]
    fn an_unstreamed_answer_is_one_piece() {
        let mut answer = Answer::default();
        answer.add(br#"{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"length"}]}"#);
        assert_eq!(answer.text, "hi");
        assert_eq!(answer.ending.finish_reason.as_deref(), Some("length"));
    }
}
