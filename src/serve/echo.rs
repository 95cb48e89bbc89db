//! The built-in model: it says the user's last message back, word by word, in OpenAI's format.
//!
//! `metadata.delay_ms` in the request sets the wait before each word.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::ApiError;
use super::model::Broken;
use super::request::ChatRequest;
use super::request_id::RequestId;
use super::sse::{DONE, write_event};

const DEFAULT_DELAY_MS: u64 = 20;
const LONGEST_DELAY_MS: u64 = 600_000;

/// The answer as an event stream.
pub(super) fn stream(
    request: &ChatRequest,
    id: &RequestId,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
    let delay = delay(request);
    stream::iter(payloads(&request.last_user_text(), id)).then(move |(waits, payload)| async move {
        if waits && !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut frame = BytesMut::new();
        write_event(&mut frame, &payload);
        Ok(frame.freeze())
    })
}

/// The answer in one piece, after the time that streaming it would have taken.
pub(super) fn complete(
    request: &ChatRequest,
    id: &RequestId,
) -> impl Future<Output = Result<Bytes, ApiError>> + Send + 'static {
    let text = request.last_user_text();
    let words = u32::try_from(words(&text).count()).unwrap_or(u32::MAX);
    let delay = delay(request).saturating_mul(words);
    let answer = json!({
        "id": id.as_str(),
        "object": "chat.completion",
        "created": Timestamp::now().as_second(),
        "model": "echo",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }],
        "usage": usage(&text),
    });
    async move {
        tokio::time::sleep(delay).await;
        Ok(Bytes::from(answer.to_string()))
    }
}

fn delay(request: &ChatRequest) -> Duration {
    let asked = request
        .metadata_number("delay_ms")
        .unwrap_or(DEFAULT_DELAY_MS);
    Duration::from_millis(asked.min(LONGEST_DELAY_MS))
}

/// The payloads of an answer, and whether each waits for its turn.
fn payloads(text: &str, id: &RequestId) -> Vec<(bool, Bytes)> {
    let created = Timestamp::now().as_second();
    let chunk = |choices: Value, usage: Value| {
        let value = json!({
            "id": id.as_str(),
            "object": "chat.completion.chunk",
            "created": created,
            "model": "echo",
            "choices": choices,
            "usage": usage,
        });
        Bytes::from(value.to_string())
    };
    let piece = |delta: Value, finish_reason: Value| {
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]);
        chunk(choice, Value::Null)
    };
    let mut all = vec![(
        false,
        piece(json!({"role": "assistant", "content": ""}), Value::Null),
    )];
    all.extend(words(text).map(|word| (true, piece(json!({"content": word}), Value::Null))));
    all.push((false, piece(json!({}), json!("stop"))));
    all.push((false, chunk(json!([]), usage(text))));
    all.push((false, Bytes::from_static(DONE)));
    all
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

fn usage(text: &str) -> Value {
    let count = words(text).count();
    json!({"prompt_tokens": count, "completion_tokens": count, "total_tokens": 2 * count})
}

#[cfg(test)]
mod tests {
    use super::{Bytes, RequestId, payloads};
    use crate::serve::chunk::{Meaning, meaning};

    #[test]
    fn an_answer_is_a_role_the_words_a_finish_the_usage_and_the_end() {
        let all: Vec<Bytes> = payloads("你好 world", &RequestId::unique())
            .into_iter()
            .map(|pair| pair.1)
            .collect();
        let meanings: Vec<_> = all.iter().map(|payload| meaning(payload)).collect();
        assert_eq!(
            meanings,
            [
                Meaning::Piece,
                Meaning::Piece,
                Meaning::Piece,
                Meaning::Finish,
                Meaning::Usage,
                Meaning::Done
            ]
        );
        let word: serde_json::Value = serde_json::from_slice(&all[1]).unwrap();
        assert_eq!(word["choices"][0]["delta"]["content"], "你好 ");
    }
}
