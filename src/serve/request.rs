//! A chat request: what the server has to understand of it, and what it sends on.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::{ApiError, Code};

/// A valid body of `POST /v1/chat/completions`. Fields that the server does not understand are kept
/// as the client wrote them.
#[derive(Debug)]
pub struct ChatRequest {
    /// The alias that the client asked for.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether the client wants the chunk with the token counts.
    pub include_usage: bool,
    fields: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

impl ChatRequest {
    /// Checks a body.
    ///
    /// # Errors
    ///
    /// 400 with the field that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let fields: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(body).map_err(|error| {
                ApiError::new(
                    Code::InvalidRequest,
                    format!("the body is not a JSON object: {error}"),
                )
            })?;
        let messages: Vec<&RawValue> =
            field(&fields, "messages", "an array of messages")?.unwrap_or_default();
        if messages.is_empty() {
            return Err(ApiError::invalid(
                "messages",
                "`messages` needs at least one message",
            ));
        }
        let model: Option<String> = field(&fields, "model", "a text")?;
        let stream = field(&fields, "stream", "true or false")?.unwrap_or(false);
        let options: BTreeMap<String, Box<RawValue>> =
            field(&fields, "stream_options", "an object")?.unwrap_or_default();
        let include_usage = field(&options, "include_usage", "true or false")?.unwrap_or(false);
        Ok(Self {
            model: model.ok_or_else(|| ApiError::invalid("model", "`model` is missing"))?,
            stream,
            include_usage,
            fields,
        })
    }

    /// The body for the upstream: its own name for the model, and token counts always asked for.
    ///
    /// # Errors
    ///
    /// Never in practice: every part came out of valid JSON.
    pub fn upstream_body(&self, model: &str) -> Result<String, serde_json::Error> {
        let mut fields = self.fields.clone();
        fields.insert("model".to_owned(), serde_json::value::to_raw_value(model)?);
        if self.stream {
            let mut options: BTreeMap<String, Box<RawValue>> = match fields.get("stream_options") {
                Some(raw) => serde_json::from_str::<Option<_>>(raw.get())?.unwrap_or_default(),
                None => BTreeMap::new(),
            };
            options.insert(
                "include_usage".to_owned(),
                serde_json::value::to_raw_value(&true)?,
            );
            fields.insert(
                "stream_options".to_owned(),
                serde_json::value::to_raw_value(&options)?,
            );
        }
        serde_json::to_string(&fields)
    }

    /// The text of the last message whose role is `user`; of several parts, the texts joined.
    #[must_use]
    pub fn last_user_text(&self) -> String {
        let messages: Vec<Message> = self.read("messages").unwrap_or_default();
        let last = messages
            .into_iter()
            .rev()
            .find(|message| message.role == "user");
        let Some(content) = last.and_then(|message| message.content) else {
            return String::new();
        };
        serde_json::from_str::<String>(content.get()).unwrap_or_else(|_| {
            let parts: Vec<Part> = serde_json::from_str(content.get()).unwrap_or_default();
            parts.into_iter().map(|part| part.text).collect()
        })
    }

    /// A number from `metadata`, where OpenAI's API has texts only.
    #[must_use]
    pub fn metadata_number(&self, name: &str) -> Option<u64> {
        let metadata: BTreeMap<String, Box<RawValue>> = self.read("metadata")?;
        metadata.get(name)?.get().trim_matches('"').parse().ok()
    }

    /// The messages after the model's last one, without those of the system: what the user says now.
    #[must_use]
    pub fn said_now(&self) -> Vec<(String, Value)> {
        let messages: Vec<Message> = self.read("messages").unwrap_or_default();
        let answered = messages
            .iter()
            .rposition(|message| message.role == "assistant");
        let new = messages
            .into_iter()
            .skip(answered.map_or(0, |last| last + 1))
            .filter(|message| !is_instruction(&message.role));
        new.map(|message| {
            let content = message
                .content
                .and_then(|content| serde_json::from_str(content.get()).ok());
            (message.role, content.unwrap_or_default())
        })
        .collect()
    }

    /// Whether the client sends along what was said before: a message of the model is among its messages.
    #[must_use]
    pub fn carries_history(&self) -> bool {
        let messages: Vec<Message> = self.read("messages").unwrap_or_default();
        messages.iter().any(|message| message.role == "assistant")
    }

    /// Puts what was said before between the system's instructions and the other messages.
    ///
    /// # Errors
    ///
    /// Never in practice: every part came out of valid JSON.
    pub fn insert_history(&mut self, history: &[(&str, &Value)]) -> Result<(), serde_json::Error> {
        let own: Vec<Box<RawValue>> = self.read("messages").unwrap_or_default();
        let leads = |raw: &RawValue| {
            serde_json::from_str::<Message>(raw.get())
                .is_ok_and(|message| is_instruction(&message.role))
        };
        let at = own.iter().take_while(|raw| leads(raw.as_ref())).count();
        let before: Result<Vec<_>, _> = history
            .iter()
            .map(|(role, content)| {
                serde_json::value::to_raw_value(&json!({"role": role, "content": content}))
            })
            .collect();
        let mut all = own;
        all.splice(at..at, before?);
        let messages = serde_json::value::to_raw_value(&all)?;
        self.fields.insert("messages".to_owned(), messages);
        Ok(())
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str(self.fields.get(name)?.get()).ok()
    }
}

fn is_instruction(role: &str) -> bool {
    matches!(role, "system" | "developer")
}

fn field<'a, T: Deserialize<'a>>(
    fields: &'a BTreeMap<String, Box<RawValue>>,
    name: &str,
    kind: &str,
) -> Result<Option<T>, ApiError> {
    let Some(raw) = fields.get(name) else {
        return Ok(None);
    };
    serde_json::from_str(raw.get())
        .map_err(|_| ApiError::invalid(name, format!("`{name}` is not {kind}")))
}
