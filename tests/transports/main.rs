//! Every way to a host keeps one contract; a host key that is not the pinned one stops a connection before anything is sent.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test's helper fails as its test does, and starts programs of its own"
)]

mod agents;
mod contract;
mod database;
mod host_keys;
mod lost;
mod masters;
#[path = "../common/ports.rs"]
mod ports;
mod sshd;

use std::path::Path;

use geodeploy::host::{Local, OpenSsh, Transports};

use sshd::{Login, Sshd};

fn local(root: &Path) -> Transports {
    Transports::Local(Local {
        root: Some(root.to_owned()),
    })
}

/// A new connection that is not kept.
async fn openssh(sshd: &Sshd, login: Login) -> Transports {
    let folder = sshd.path("connections");
    std::fs::create_dir_all(&folder).unwrap();
    let connected = OpenSsh::connect(&sshd.destination(login), &folder, true).await;
    Transports::OpenSsh(connected.unwrap_or_else(|error| panic!("{error}\n{}", sshd.log())))
}
