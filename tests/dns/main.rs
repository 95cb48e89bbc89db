//! DNS: what every provider keeps to, shown on a fake one.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

mod fake;
mod lease;
mod refusals;
mod suite;

suite::every_test!(fake::FakeBackend);
