//! What answers a chat, and where it is.

use std::str::FromStr;

use super::mistake::Wrong;
use super::reader::Table;
use super::secret_reference::{SecretReference, Setting, secret, setting};
use super::values::HttpUrl;

/// Where Volcengine Ark answers (the guide's `VOLCENGINE_API_URL`).
const ARK_URL: &str = "https://ark.cn-beijing.volces.com/api/v3";

/// What answers a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// Volcengine Ark, or whatever speaks its OpenAI-compatible interface.
    Ark {
        /// Base address, without `/chat/completions`.
        api_url: HttpUrl,
        /// Sent as a bearer token.
        api_key: SecretReference,
        /// The endpoint's id, Ark's name for a deployed model.
        endpoint_id: Setting,
    },
    /// Answers with the question: for trials without an account.
    Echo,
}

impl Model {
    /// Reads `[model]`; what it leaves out is as in `base`.
    pub(super) fn read(table: Table<'_>, base: Option<&Self>) -> Option<Self> {
        let kind: Option<ModelKind> = match base {
            Some(base) if !table.has("kind") => Some(ModelKind::of(base)),
            _ => table.required("kind", "ark"),
        };
        let (base_url, base_key, base_id) = match base {
            Some(Self::Ark {
                api_url,
                api_key,
                endpoint_id,
            }) => (Some(api_url), Some(api_key), Some(endpoint_id)),
            Some(Self::Echo) | None => (None, None, None),
        };
        let url = table
            .text::<HttpUrl>("api_url")
            .or_else(|| base_url.cloned());
        let url = url.or_else(|| ARK_URL.parse().ok())?;
        let key = secret(&table, "api_key").or_else(|| base_key.cloned());
        let endpoint = setting(&table, "endpoint_id").or_else(|| base_id.cloned());
        if !url.is_private() {
            let cause = "the key of the model would travel in clear text";
            table.wrong("api_url", Wrong::new(cause, "write an https:// address"));
        }
        let model = match kind {
            Some(ModelKind::Echo) => Some(Self::Echo),
            Some(ModelKind::Ark) => {
                if !table.has("api_key") && key.is_none() {
                    table.missing("api_key", "api_key = { env = \"VOLCENGINE_API_KEY\" }");
                }
                if !table.has("endpoint_id") && endpoint.is_none() {
                    table.missing(
                        "endpoint_id",
                        "endpoint_id = { env = \"VOLCENGINE_ENDPOINT_ID\" }",
                    );
                }
                key.zip(endpoint).map(|(api_key, endpoint_id)| Self::Ark {
                    api_url: url,
                    api_key,
                    endpoint_id,
                })
            }
            None => None,
        };
        table.finish();
        model
    }
}

enum ModelKind {
    Ark,
    Echo,
}

impl ModelKind {
    fn of(model: &Model) -> Self {
        match model {
            Model::Ark { .. } => Self::Ark,
            Model::Echo => Self::Echo,
        }
    }
}

impl FromStr for ModelKind {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "ark" => Ok(Self::Ark),
            "echo" => Ok(Self::Echo),
            _ => Err(Wrong::new(
                format!("`{text}` is not a model that is known"),
                "write ark for Volcengine Ark or what speaks its interface, or echo for trials",
            )),
        }
    }
}
