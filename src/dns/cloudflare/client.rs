//! Sends what an endpoint describes and reads Cloudflare's envelope, so that no code, request id or patience is lost.

use std::time::Duration;

use cloudflare::framework::Environment;
use cloudflare::framework::auth::Credentials;
use cloudflare::framework::endpoint::RequestBody;
use cloudflare::framework::endpoint::spec::EndpointSpec;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::refusal::{ApiError, Failure, Refusal};
use crate::dns::http::{self, Repeat, Reply};
use crate::error::{Error, ErrorKind};
use crate::inventory::HttpUrl;
use crate::secrets::Secret;

/// The provider as errors name it.
pub(super) const NAME: &str = "cloudflare";

/// Calls with one token to one environment.
pub(super) struct Client {
    http: reqwest::Client,
    environment: Environment,
    token: Secret,
    patience: Duration,
}

/// One page of an answer.
pub(super) struct Page<T> {
    pub(super) result: T,
    pub(super) pages: u32,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    success: bool,
    #[serde(default)]
    errors: Option<Vec<ApiError>>,
    #[serde(default)]
    result: serde_json::Value,
    #[serde(default)]
    result_info: Option<ResultInfo>,
}

#[derive(Deserialize)]
struct ResultInfo {
    #[serde(default)]
    total_pages: Option<u32>,
}

impl Client {
    /// `endpoint` stands in for the public interface; `patience` is for one call with all its waiting.
    ///
    /// # Errors
    /// TLS cannot be set up, or the token would travel in clear.
    pub(super) fn new(
        token: Secret,
        endpoint: Option<&HttpUrl>,
        patience: Duration,
    ) -> Result<Self, Error> {
        if let Some(url) = endpoint.filter(|url| !url.is_private()) {
            let what = format!("cloudflare's token would travel in clear to {url}");
            return Err(Error::new(ErrorKind::Input, what)
                .hint("write `dns.endpoint` with https://, or leave it out"));
        }
        Ok(Self {
            http: http::client()?,
            // Paths are joined to it: without the final slash its last part would be replaced.
            environment: endpoint.map_or(Environment::Production, |url| {
                Environment::Custom(format!("{url}/"))
            }),
            token,
            patience,
        })
    }

    /// The result of one call.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        endpoint: &(impl EndpointSpec + Sync),
    ) -> Result<T, Failure> {
        self.page(endpoint).await.map(|page| page.result)
    }

    /// The result of one call, and how many pages there are.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        endpoint: &(impl EndpointSpec + Sync),
    ) -> Result<Page<T>, Failure> {
        let (method, url) = (endpoint.method(), endpoint.url(&self.environment));
        let body = match endpoint.body() {
            Some(RequestBody::Json(body)) => Some(body),
            _ => None,
        };
        let repeat = repeat(&method);
        let deadline = Instant::now() + self.patience;
        let reply = http::send(NAME, deadline, repeat, throttled(repeat), || {
            let request = self.http.request(method.clone(), url.clone());
            std::future::ready(self.authorized(request).map(|request| {
                match &body {
                    Some(body) => request
                        .header(CONTENT_TYPE, "application/json")
                        .body(body.clone()),
                    None => request,
                }
            }))
        })
        .await
        .map_err(|error| Failure::Silent(error.at(format!("{method} {}", url.path()))))?;
        read(&reply)
    }

    fn authorized(&self, mut request: RequestBuilder) -> Result<RequestBuilder, Error> {
        let credentials = Credentials::UserAuthToken {
            token: self.token.expose().to_owned(),
        };
        for (name, value) in credentials.headers() {
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                Error::new(
                    ErrorKind::Input,
                    "cloudflare's token cannot stand in a header",
                )
                .cause("it holds a line break or a character that no token has")
                .hint("look at what `dns.token` names: it must be the token alone")
            })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        Ok(request)
    }
}

/// A POST creates, so it is never sent again unless it surely was not carried out; the rest sets or reads.
fn repeat(method: &Method) -> Repeat {
    if *method == Method::POST {
        Repeat::Never
    } else {
        Repeat::Harmless
    }
}

/// What asks for patience: 429 was not carried out; from 502 on it is not known, which matters to a create only.
fn throttled(repeat: Repeat) -> fn(&Reply) -> bool {
    match repeat {
        Repeat::Never => |reply| reply.status.as_u16() == 429,
        Repeat::Harmless => |reply| matches!(reply.status.as_u16(), 429 | 502..=504 | 520..=524),
    }
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<Page<T>, Failure> {
    let ray = ["cf-ray", "x-request-id"]
        .into_iter()
        .find_map(|name| reply.headers.get(name)?.to_str().ok())
        .map(str::to_owned);
    let status = reply.status.as_u16();
    let parsed: Result<Envelope, _> = serde_json::from_str(&reply.body);
    let refusal = |errors| {
        Failure::Refused(Refusal {
            status,
            errors,
            ray: ray.clone(),
        })
    };
    let envelope = match parsed {
        Ok(envelope) if envelope.success && reply.status.is_success() => envelope,
        Ok(envelope) => return Err(refusal(envelope.errors.unwrap_or_default())),
        Err(_) if !reply.status.is_success() => return Err(refusal(Vec::new())),
        Err(error) => return Err(Failure::Silent(unreadable(&error, ray.as_deref()))),
    };
    let pages = envelope.result_info.and_then(|info| info.total_pages);
    let result = serde_json::from_value(envelope.result)
        .map_err(|error| Failure::Silent(unreadable(&error, ray.as_deref())))?;
    Ok(Page {
        result,
        pages: pages.unwrap_or(1),
    })
}

fn unreadable(error: &serde_json::Error, ray: Option<&str>) -> Error {
    let what = "cloudflare's answer is not what its interface promises";
    let said = Error::new(ErrorKind::Failed, what).source(error);
    match ray {
        Some(ray) => said.cause(format!("request id {ray}")),
        None => said.hint("check that `dns.endpoint`, where there is one, is Cloudflare's"),
    }
}

#[cfg(test)]
mod tests;
