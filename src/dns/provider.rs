//! What a provider of DNS has to know.

use std::future::Future;

use serde::{Deserialize, Serialize};

use super::{Handles, Listing, Object, Wanted};
use crate::error::Error;
use crate::plan::Change;

/// What is wanted, in one provider's objects.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// The objects, in the order in which they are shown.
    pub objects: Vec<Object>,
    /// What the operator should know and need not agree to, a sentence each: a TTL that the provider raises.
    pub notes: Vec<String>,
    /// How the answers will differ from what the inventory asks for, a sentence each. Nothing is written without
    /// `--accept-degraded` while there is one.
    pub degraded: Vec<String>,
}

/// Changes that are made with one call, wholly or not at all as far as the provider can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does, for progress and errors: `create pool yourapp-us`.
    pub what: String,
    /// The changes, in the order in which they were planned.
    pub changes: Vec<Change>,
}

/// Who holds a zone, and until when. Public: it rests in the zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// USER@MACHINE, and a token of the run.
    pub holder: String,
    /// When it lapses unless renewed.
    pub expires: jiff::Timestamp,
}

/// Why a lock could not be placed.
#[derive(Clone, Debug)]
pub enum LockError {
    /// There is one already; nothing was written.
    Exists,
    /// Something else; it is not known whether it was written.
    Failed(Error),
}

/// A provider of DNS. Listing only reads. Errors name the provider's code and request id.
pub trait Provider: Sync {
    /// What [`Provider::list`] learns besides objects.
    type Context: Send + Sync;

    /// The provider's name as the inventory has it.
    fn name(&self) -> &'static str;

    /// What there is: all pages, ours wherever it lies, anybody's at a wanted name.
    ///
    /// # Errors
    /// The provider cannot be reached, refuses the credentials, lacks the zone, or a permission that a later write would
    /// need is missing: each named, with what to do.
    fn list(
        &self,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Listing<Self::Context>, Error>> + Send;

    /// What is wanted in this provider's objects. Pure.
    ///
    /// # Errors
    /// The account or plan cannot do it at all; names the providers that can.
    fn desired(&self, wanted: &Wanted, context: &Self::Context) -> Result<Desired, Error>;

    /// The calls that make the changes, in an order in which a crash after any of them leaves no name without an answer
    /// and no reference to what is missing. Pure.
    fn steps(&self, changes: &[Change], context: &Self::Context) -> Vec<Step>;

    /// Makes one call. `handles` are the found objects' ids; what is created is added.
    ///
    /// # Errors
    /// The provider's refusal, with its code and request id. A create that may have been made is not repeated: the next
    /// run lists first.
    fn apply(
        &self,
        step: &Step,
        handles: &mut Handles,
        context: &Self::Context,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Waits until what was written can be read and is answered, as far as the provider tells.
    ///
    /// # Errors
    /// It does not within the provider's own bound.
    fn settle(&self, context: &Self::Context) -> impl Future<Output = Result<(), Error>> + Send;

    /// Places the lock `_geodeploy-lock` in the zone; the provider itself must refuse a second one.
    ///
    /// # Errors
    /// There is one, or the call failed.
    fn place_lock(
        &self,
        lock: &Lock,
        context: &Self::Context,
    ) -> impl Future<Output = Result<(), LockError>> + Send;

    /// The lock that there is.
    ///
    /// # Errors
    /// The call failed.
    fn read_lock(
        &self,
        context: &Self::Context,
    ) -> impl Future<Output = Result<Option<Lock>, Error>> + Send;

    /// Replaces `old` by `new`, or removes it, only if `old` is what there is.
    ///
    /// # Errors
    /// [`LockError::Exists`] where another one is there by now.
    fn replace_lock(
        &self,
        old: &Lock,
        new: Option<&Lock>,
        context: &Self::Context,
    ) -> impl Future<Output = Result<(), LockError>> + Send;
}
