//! A refusal of Route 53's, and what to do about it. Pure.

use jiff::Timestamp;
use serde::Deserialize;

use crate::dns::http::Reply;
use crate::error::{Error, ErrorKind};

/// What Route 53 answered instead of doing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The call by the name that IAM policies have: `ChangeResourceRecordSets`.
    pub(super) action: &'static str,
    /// The status of HTTP.
    pub(super) status: u16,
    /// Route 53's code: `InvalidChangeBatch`.
    pub(super) code: String,
    /// What it says, one or several sentences.
    pub(super) messages: Vec<String>,
    /// The request's id, which Amazon's support asks for.
    pub(super) request_id: Option<String>,
    /// How many seconds the provider's clock is ahead of this machine's.
    pub(super) ahead: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse {
    error: Detail,
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    code: String,
    #[serde(default)]
    message: String,
}

/// How a rejected batch is answered.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvalidChangeBatch {
    #[serde(default)]
    messages: Messages,
    message: Option<String>,
    request_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Messages {
    #[serde(rename = "Message", default)]
    list: Vec<String>,
}

impl Refusal {
    /// Reads a reply that is no success.
    pub(super) fn read(action: &'static str, reply: &Reply, now: Timestamp) -> Self {
        let (code, messages, id) = envelope(&reply.body);
        let header = |name: &str| reply.headers.get(name)?.to_str().ok();
        // It repeats what should have been signed, a session token included.
        let messages = messages.into_iter().map(|message| {
            let end = message
                .find("The Canonical String")
                .unwrap_or(message.len());
            message[..end].trim_end().to_owned()
        });
        let there = header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        Self {
            action,
            status: reply.status.as_u16(),
            code: code.unwrap_or_else(|| format!("status {}", reply.status.as_u16())),
            messages: messages.collect(),
            request_id: id.or_else(|| header("x-amzn-requestid").map(str::to_owned)),
            ahead: there.map(|there| there.timestamp().as_second() - now.as_second()),
        }
    }

    /// Whether the keys lack the right to make this call.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self.code.as_str(), "AccessDenied" | "AccessDeniedException")
    }

    /// Whether a batch was rejected because what is there is not what the caller knows.
    pub(super) fn is_conflict(&self) -> bool {
        self.code == "InvalidChangeBatch"
            && self.messages.iter().any(|message| {
                ["already exists", "not found", "do not match"]
                    .iter()
                    .any(|words| message.contains(words))
            })
    }

    /// As the operator sees it.
    pub(super) fn error(&self) -> Error {
        let kind = match self.code.as_str() {
            "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "ExpiredToken"
            | "UnrecognizedClientException"
            | "RequestExpired" => ErrorKind::LoginRefused,
            _ if self.is_conflict() => ErrorKind::Stale,
            _ => ErrorKind::Failed,
        };
        let mut error = Error::new(
            kind,
            format!("Route 53 refuses {} ({})", self.action, self.code),
        );
        for message in &self.messages {
            error = error.cause(message);
        }
        if let Some(id) = &self.request_id {
            error = error.cause(format!("request id {id}"));
        }
        match self.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn hint(&self) -> Option<String> {
        let expired = self
            .messages
            .iter()
            .any(|message| message.contains("expired"));
        Some(match self.code.as_str() {
            "AccessDenied" | "AccessDeniedException" => format!(
                "allow `route53:{}` to this access key's user in IAM",
                self.action
            ),
            "ExpiredToken" => {
                "get new temporary credentials: `dns.session_token` and both keys".to_owned()
            }
            "SignatureDoesNotMatch" | "RequestExpired" if expired => match self.ahead {
                Some(ahead) => format!(
                    "set this machine's clock: it is {} s {} Route 53's, and 5 minutes are allowed",
                    ahead.abs(),
                    if ahead < 0 { "ahead of" } else { "behind" }
                ),
                None => "set this machine's clock: 5 minutes of difference are allowed".to_owned(),
            },
            "InvalidClientTokenId" | "UnrecognizedClientException" => {
                "`dns.access_key_id` is not known to AWS, or `dns.session_token` is missing: look into IAM's security credentials".to_owned()
            }
            "SignatureDoesNotMatch" | "IncompleteSignature" => {
                "`dns.secret_access_key` does not belong to `dns.access_key_id`".to_owned()
            }
            "TooManyHealthChecks" => {
                "delete health checks that nobody needs, or ask AWS for a higher quota (200 are given)".to_owned()
            }
            "InvalidChangeBatch" if self.is_conflict() => {
                "somebody changed these records: run `geodeploy dns plan` again".to_owned()
            }
            _ => return None,
        })
    }
}

/// Whether a reply asks for patience: nothing was done.
pub(super) fn throttled(reply: &Reply) -> bool {
    matches!(reply.status.as_u16(), 429 | 503)
        || (!reply.status.is_success()
            && matches!(
                envelope(&reply.body).0.as_deref(),
                Some("Throttling" | "ThrottlingException" | "PriorRequestNotComplete")
            ))
}

fn envelope(body: &str) -> (Option<String>, Vec<String>, Option<String>) {
    if let Ok(read) = quick_xml::de::from_str::<ErrorResponse>(body) {
        let messages = Some(read.error.message).filter(|message| !message.is_empty());
        return (
            Some(read.error.code),
            messages.into_iter().collect(),
            read.request_id,
        );
    }
    if body.contains("<InvalidChangeBatch")
        && let Ok(read) = quick_xml::de::from_str::<InvalidChangeBatch>(body)
    {
        let messages = read.messages.list.into_iter().chain(read.message).collect();
        return (
            Some("InvalidChangeBatch".to_owned()),
            messages,
            read.request_id,
        );
    }
    (None, Vec::new(), None)
}

#[cfg(test)]
mod tests;
