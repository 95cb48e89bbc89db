//! Signed calls to Route 53's interface.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::refusal::{Refusal, throttled};
use crate::dns::http::{self, Repeat};
use crate::dns::signature::{Keys, Request, Scope, query_string, sign};
use crate::error::{Error, ErrorKind};

/// Route 53 is global; its signatures name this region whatever the others are.
const SCOPE: Scope = Scope {
    region: "us-east-1",
    service: "route53",
};
/// The version of the interface, which begins every path.
const VERSION: &str = "/2013-04-01/";

/// Where calls go, and as whom.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: String,
    keys: Keys,
    /// For one call with all of the waiting that Route 53 asks for.
    pub(super) patience: Duration,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call<'c> {
    /// Its name in IAM policies.
    pub(super) action: &'static str,
    pub(super) method: Method,
    /// Below the version.
    pub(super) path: String,
    pub(super) query: &'c [(&'c str, &'c str)],
    pub(super) body: String,
    pub(super) repeat: Repeat,
}

/// Why a call did not do it.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Route 53 said no.
    Refused(Refusal),
    /// No answer, or none that can be read.
    Lost(Error),
}

impl Failure {
    pub(super) fn error(self) -> Error {
        match self {
            Self::Refused(refusal) => refusal.error(),
            Self::Lost(error) => error,
        }
    }
}

impl<'c> Call<'c> {
    /// A call that only reads.
    pub(super) fn read(
        action: &'static str,
        path: impl Into<String>,
        query: &'c [(&'c str, &'c str)],
    ) -> Self {
        Self {
            action,
            method: Method::GET,
            path: path.into(),
            query,
            body: String::new(),
            repeat: Repeat::Harmless,
        }
    }

    /// A call that sends a body.
    pub(super) fn send(action: &'static str, path: impl Into<String>, body: String) -> Self {
        Self {
            action,
            method: Method::POST,
            path: path.into(),
            query: &[],
            body,
            repeat: Repeat::Never,
        }
    }

    /// The same call, which may be sent again when no answer came.
    pub(super) fn harmless(mut self) -> Self {
        self.repeat = Repeat::Harmless;
        self
    }
}

impl Client {
    pub(super) fn new(endpoint: String, keys: Keys) -> Result<Self, Error> {
        Ok(Self {
            http: http::client()?,
            endpoint,
            keys,
            patience: Duration::from_secs(60),
        })
    }

    /// Makes a call; the body of its answer.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<String, Failure> {
        let reply = http::send(
            "Route 53",
            Instant::now() + self.patience,
            call.repeat,
            throttled,
            || std::future::ready(Ok(self.signed(call))),
        )
        .await
        .map_err(Failure::Lost)?;
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        Err(Failure::Refused(Refusal::read(
            call.action,
            &reply,
            Timestamp::now(),
        )))
    }

    /// Makes a call and reads its answer.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Failure> {
        let body = self.call(call).await?;
        quick_xml::de::from_str(&body).map_err(|error| {
            let what = format!("cannot read Route 53's answer to {}", call.action);
            let error = Error::new(ErrorKind::Failed, what).source(&error);
            Failure::Lost(error.hint("check `dns.endpoint` where the inventory sets one"))
        })
    }

    fn signed(&self, call: &Call<'_>) -> reqwest::RequestBuilder {
        let path = format!("{VERSION}{}", call.path);
        let host = self.endpoint.split_once("://").map_or("", |(_, rest)| rest);
        let request = Request {
            method: call.method.as_str(),
            host,
            path: &path,
            query: call.query,
            body: &call.body,
        };
        let signed = sign(&self.keys, SCOPE, Timestamp::now(), request);
        let query = query_string(call.query);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut builder = self
            .http
            .request(
                call.method.clone(),
                format!("{}{path}{mark}{query}", self.endpoint),
            )
            .header("x-amz-date", signed.date)
            .header("authorization", sensitive(signed.authorization.expose()));
        if let Some(token) = &signed.token {
            builder = builder.header("x-amz-security-token", sensitive(token.expose()));
        }
        if call.body.is_empty() {
            return builder;
        }
        builder
            .header("content-type", "application/xml")
            .body(call.body.clone())
    }
}

/// A header's value that no debugging output shows; what no header can hold is sent as nothing, and refused.
fn sensitive(text: &str) -> reqwest::header::HeaderValue {
    let value = reqwest::header::HeaderValue::from_str(text);
    let mut value = value.unwrap_or(reqwest::header::HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// A request's body that could not be written as XML, which is a mistake of our own.
pub(super) fn unwritable(error: &quick_xml::SeError) -> Error {
    Error::new(ErrorKind::Failed, "cannot write a request to Route 53").source(error)
}
