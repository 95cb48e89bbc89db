//! Signed calls to DNSPod, and the envelope of its answers.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE as CONTENT_TYPE_HEADER, DATE, HeaderValue};
use reqwest::{Client as Http, RequestBuilder, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::refusal::{Failure, Refusal};
use super::signature::{CONTENT_TYPE, Credentials, Signed};
use crate::dns::http::{self, Repeat, Reply};
use crate::error::{Error, ErrorContext, ErrorKind};

const VERSION: &str = "2021-03-23";

/// Makes calls with one key.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    url: Url,
    host: String,
    credentials: Credentials,
    patience: Duration,
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(rename = "Response")]
    response: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refused {
    error: Reason,
    #[serde(default)]
    request_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

impl Client {
    /// For the interface at `address`. A call waits no longer than `patience` as a whole for DNSPod to allow it.
    pub(super) fn new(
        address: &str,
        credentials: Credentials,
        patience: Duration,
    ) -> Result<Self, Error> {
        let url = Url::parse(address).context(ErrorKind::Input, || {
            format!("`dns.endpoint`: {address} is no address")
        })?;
        let name = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        };
        Ok(Self {
            http: http::client()?,
            host,
            url,
            credentials,
            patience,
        })
    }

    /// Calls `action` with `query` as its body.
    pub(super) async fn call<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        action: &str,
        repeat: Repeat,
        query: &Q,
    ) -> Result<A, Failure> {
        let body = serde_json::to_string(query)
            .context(ErrorKind::Failed, || format!("cannot write {action}"))?;
        let deadline = Instant::now() + self.patience;
        let reply = http::send("dnspod", deadline, repeat, throttled, || async {
            self.request(action, &body)
        })
        .await
        .map_err(|error| error.at(format!("dnspod {action}")))?;
        read(action, &reply)
    }

    fn request(&self, action: &str, body: &str) -> Result<RequestBuilder, Error> {
        let time = Timestamp::now();
        let signed = Signed {
            host: &self.host,
            path: self.url.path(),
            body,
            time,
        };
        let authorization = signed.authorization(&self.credentials);
        let mut authorization = HeaderValue::from_str(&authorization)
            .context(ErrorKind::Input, || {
                "`dns.secret_id` holds a character that a key's id cannot have".to_owned()
            })?;
        authorization.set_sensitive(true);
        Ok(self
            .http
            .post(self.url.clone())
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE_HEADER, CONTENT_TYPE)
            .header("X-TC-Action", action)
            .header("X-TC-Version", VERSION)
            .header("X-TC-Timestamp", time.as_second().to_string())
            .body(body.to_owned()))
    }
}

fn refused(reply: &Reply) -> Option<Refused> {
    let envelope: Envelope<Refused> = serde_json::from_str(&reply.body).ok()?;
    Some(envelope.response)
}

/// 20 calls a second are allowed for most actions.
fn throttled(reply: &Reply) -> bool {
    reply.status.as_u16() == 429
        || refused(reply)
            .is_some_and(|refused| refused.error.code.starts_with("RequestLimitExceeded"))
}

fn read<A: DeserializeOwned>(action: &str, reply: &Reply) -> Result<A, Failure> {
    if let Some(refused) = refused(reply) {
        return Err(Failure::Refused(Refusal {
            action: action.to_owned(),
            code: refused.error.code,
            message: refused.error.message,
            request_id: refused.request_id,
            date: reply
                .headers
                .get(DATE)
                .and_then(|date| date.to_str().ok())
                .map(str::to_owned),
        }));
    }
    let envelope: Envelope<A> = serde_json::from_str(&reply.body).map_err(|error| {
        let status = reply.status.as_u16();
        let what = format!("dnspod {action}: the answer (status {status}) is not DNSPod's");
        Error::new(ErrorKind::Failed, what)
            .source(&error)
            .hint("check `dns.endpoint`, and whether a proxy stands in between")
    })?;
    Ok(envelope.response)
}
