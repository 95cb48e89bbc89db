//! A fake provider in memory: records, pools and a load balancer, as hard on its caller as the real ones are. It proves
//! the half that all providers share.

mod backend;
mod provider;
mod service;

pub(crate) use backend::FakeBackend;
pub(crate) use provider::Fake;
pub(crate) use service::Service;
