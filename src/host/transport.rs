//! What every way to a host can do; one contract test holds for all.

use std::future::Future;

use super::{Channel, Input, Local, OpenSsh};
use crate::error::Error;

/// A connection to a host on which programs run.
pub trait Transport: Send + Sync {
    /// Runs a command line of the host's POSIX shell with `input` on its standard input.
    ///
    /// # Errors
    /// When the connection is gone or the host opens no session.
    fn exec(
        &self,
        command: &str,
        input: impl Into<Input> + Send,
    ) -> impl Future<Output = Result<Channel, Error>> + Send;

    /// Ends the connection, or leaves it for the next run where the transport can.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// The transports that there are.
pub enum Transports {
    /// The system's ssh.
    OpenSsh(OpenSsh),
    /// A shell on this machine.
    Local(Local),
}

impl Transport for Transports {
    async fn exec(&self, command: &str, input: impl Into<Input> + Send) -> Result<Channel, Error> {
        match self {
            Self::OpenSsh(transport) => transport.exec(command, input).await,
            Self::Local(transport) => transport.exec(command, input).await,
        }
    }

    async fn close(self) {
        match self {
            Self::OpenSsh(transport) => transport.close().await,
            Self::Local(transport) => transport.close().await,
        }
    }
}
