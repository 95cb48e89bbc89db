//! Who answers chats, behind one interface.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;

use super::ark::Ark;
use super::config::{ModelConfig, Timings};
use super::echo;
use super::error::ApiError;
use super::request::ChatRequest;
use super::request_id::RequestId;

/// The bytes of an event stream, as they arrive. An error means that the connection broke.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Broken>> + Send>>;

/// The upstream's connection broke within an answer.
#[derive(Debug)]
pub struct Broken(pub String);

/// A model that is ready to answer.
pub enum Model {
    /// Volcengine Ark, or anything that speaks its API.
    Ark(Box<Ark>),
    /// The built-in model.
    Echo,
}

impl Model {
    /// Prepares the model.
    ///
    /// # Errors
    ///
    /// When the HTTP client cannot be built.
    pub fn new(config: &ModelConfig, timings: Timings) -> Result<Self, reqwest::Error> {
        match config {
            ModelConfig::Ark {
                url,
                key,
                endpoint_id,
            } => {
                let ark = Ark::new(url, key, endpoint_id, timings)?;
                Ok(Self::Ark(Box::new(ark)))
            }
            ModelConfig::Echo => Ok(Self::Echo),
        }
    }

    /// The name that clients ask for.
    #[must_use]
    pub fn alias(&self) -> &'static str {
        match self {
            Self::Ark(_) => "ark",
            Self::Echo => "echo",
        }
    }

    /// Whether `name` means this model: its alias, or the upstream's own name for it.
    #[must_use]
    pub fn answers_to(&self, name: &str) -> bool {
        name == self.alias() || matches!(self, Self::Ark(ark) if ark.endpoint_id() == name)
    }

    /// Begins a streamed answer. Dropping the future or the stream ends the upstream's work.
    #[must_use]
    pub fn stream(
        &self,
        request: &ChatRequest,
        id: &RequestId,
    ) -> BoxFuture<'static, Result<ByteStream, ApiError>> {
        match self {
            Self::Ark(ark) => ark.stream(request, id),
            Self::Echo => {
                let stream: ByteStream = Box::pin(echo::stream(request, id));
                Box::pin(std::future::ready(Ok(stream)))
            }
        }
    }

    /// Brings a whole answer as JSON.
    #[must_use]
    pub fn complete(
        &self,
        request: &ChatRequest,
        id: &RequestId,
    ) -> BoxFuture<'static, Result<Bytes, ApiError>> {
        match self {
            Self::Ark(ark) => ark.complete(request, id),
            Self::Echo => Box::pin(echo::complete(request, id)),
        }
    }
}
