//! The agent as a child process of the operator's own, for one machine and for tests.

use std::process::Stdio;

use super::{Channel, Input, Transport};
use crate::error::{Error, ErrorKind};

/// A shell on this machine in place of a connection.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// The folder that stands in for `/` in everything that is the agent's own; `None` is the machine itself.
    pub root: Option<std::path::PathBuf>,
}

impl Transport for Local {
    async fn exec(&self, command: &str, input: impl Into<Input> + Send) -> Result<Channel, Error> {
        let input = input.into();
        let failed = |error| {
            Error::new(ErrorKind::Failed, "cannot run a shell on this machine").cause(error)
        };
        let mut shell = tokio::process::Command::new("/bin/sh");
        shell
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(root) = &self.root {
            shell.env("GEODEPLOY_ROOT", root);
        }
        let mut child = shell.spawn().map_err(failed)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::new(
                ErrorKind::Failed,
                "the shell has no standard streams",
            ));
        };
        let status = Box::pin(async move {
            let status = child.wait().await.map_err(|error| {
                Error::new(ErrorKind::Failed, "cannot wait for the shell").cause(error)
            })?;
            Ok(status.code())
        });
        Ok(Channel::new(input, stdin, stdout, stderr, status))
    }

    async fn close(self) {}
}
