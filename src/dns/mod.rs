//! DNS: what is wanted, what a provider has, and the way from one to the other.
//!
//! A provider's world is *objects*: identities with attributes, in the shape of a plan's changes, so that one diff, one
//! printer and one set of refusals serve all of them. A [`Provider`] lists, compiles what is wanted into its own objects,
//! orders changes into calls, and makes the calls. What is common (whose an object is, the difference, the lease, the
//! snapshot, going back) is decided outside of it.

pub mod cloudflare;
pub mod dnspod;
pub mod drain;
mod hmac;
pub mod http;
mod lease;
pub mod manual;
pub mod networks;
mod object;
mod provider;
pub mod query;
mod reconcile;
pub mod region_list;
pub mod route53;
mod routing;
mod signature;
mod snapshot;
mod sync;
pub mod verify;
mod wanted;

pub use lease::{Clock, LIFETIME, Lease, Term, seconds_left};
pub use object::{Found, Handles, Listing, Mark, Object};
pub use provider::{Desired, Lock, LockError, Provider, Step};
pub use reconcile::{Conflict, Consent, Goal, Reconciled, reconcile};
pub use routing::Why;
pub use snapshot::{Kept, Snapshot};
pub use sync::{Looked, Surroundings, Target, Task};
pub use wanted::{Answer, Asked, GeoName, HostName, Wanted};
