//! What nginx serves with a certificate. It comes after the certificate, in a stage of its own.

use serde::{Deserialize, Serialize};

use super::{Context, Manage, Nginx, Notify};
use crate::agent::system::Fault;
use crate::plan::{Attributes, Change, Id, Kind};
use crate::secrets::FingerprintKey;

/// A file of nginx's configuration that can only be there with a certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HttpsSite {
    /// The file.
    pub file: Nginx,
}

impl Manage for HttpsSite {
    fn id(&self) -> Id {
        Id::new(Kind::HttpsSite, self.file.path.to_string_lossy())
    }

    fn desired(&self, key: &FingerprintKey) -> Option<Attributes> {
        self.file.desired(key)
    }

    fn inspect(&self, context: &Context<'_>) -> Result<Option<Attributes>, Fault> {
        self.file.inspect(context)
    }

    fn apply(&self, change: &Change, context: &Context<'_>) -> Result<(), Fault> {
        self.file.apply(change, context)
    }

    fn notifies(&self) -> &[Notify] {
        self.file.notifies()
    }
}
