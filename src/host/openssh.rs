//! The system's own ssh, so that the operator's configuration, agent, hardware keys and jump hosts work as usual.
//!
//! One master connection a host is kept for ten minutes after a run and found again by the next.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openssh::{ControlPersist, KnownHosts, SessionBuilder, Stdio};

use super::configuration::{folder_error, write_configuration};
use super::{Channel, Destination, Input, Transport};
use crate::error::{Error, ErrorKind};

/// How long a master stays when nobody uses it.
const IDLE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(599);

/// A connection through the system's ssh.
pub struct OpenSsh {
    session: Arc<openssh::Session>,
    region: String,
    /// Where the master's socket is written down for the next run; `None` ends the master with this run.
    kept: Option<PathBuf>,
}

impl OpenSsh {
    /// Connects, or finds the master that an earlier run left in `folder`.
    ///
    /// `folder` holds configuration, pinned keys and sockets; its path is short, because a socket's path may have at most
    /// 104 bytes. A `fresh` connection shares nothing with any other and is not kept.
    ///
    /// # Errors
    /// [`ErrorKind::LoginRefused`] for an unknown or changed host key and a refused login,
    /// [`ErrorKind::Unreachable`] for everything else.
    pub async fn connect(
        destination: &Destination,
        folder: &Path,
        fresh: bool,
    ) -> Result<Self, Error> {
        let region = destination.region.clone();
        if destination.host_keys.is_empty() {
            return Err(Error::new(
                ErrorKind::LoginRefused,
                format!("{region}: no host key is pinned"),
            )
            .cause("without one, anybody on the way could be the server")
            .hint(format!(
                "type `geodeploy trust {region}` and compare the fingerprint"
            )));
        }
        let configuration = write_configuration(destination, folder)?;
        let kept = (!fresh).then(|| folder.join(format!("{region}.master")));
        if let Some(session) = find_master(kept.as_deref(), &configuration.digest).await {
            return Ok(Self {
                session: Arc::new(session),
                region,
                kept,
            });
        }
        let mut builder = SessionBuilder::default();
        builder
            .config_file(&configuration.path)
            .known_hosts_check(KnownHosts::Strict)
            .user_known_hosts_file(&configuration.known_hosts)
            .control_directory(folder)
            .connect_timeout(destination.timeout)
            .server_alive_interval(Duration::from_secs(5))
            .control_persist(ControlPersist::IdleFor(IDLE));
        let session = builder
            .connect_mux(destination.alias())
            .await
            .map_err(|error| refused(&region, destination, &error))?;
        if let Some(kept) = &kept {
            let line = format!(
                "{}\n{}\n",
                configuration.digest,
                session.control_socket().display()
            );
            std::fs::write(kept, line).map_err(|error| folder_error(folder, &error))?;
        }
        Ok(Self {
            session: Arc::new(session),
            region,
            kept,
        })
    }
}

impl Transport for OpenSsh {
    async fn exec(&self, command: &str, input: impl Into<Input> + Send) -> Result<Channel, Error> {
        let input = input.into();
        let lost = |region: &str, error: &dyn std::error::Error| {
            Error::new(
                ErrorKind::Unreachable,
                format!("{region}: the connection was lost"),
            )
            .source(error)
        };
        let mut child = openssh::Session::arc_raw_command(Arc::clone(&self.session), command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|error| lost(&self.region, &error))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        ) else {
            return Err(Error::new(
                ErrorKind::Failed,
                "ssh gave no standard streams",
            ));
        };
        let region = self.region.clone();
        let status = Box::pin(async move {
            match child.wait().await {
                Ok(status) => Ok(status.code()),
                // The crate reads the shell's statuses for "not found" and "not executable" as errors of its own.
                Err(openssh::Error::Remote(error))
                    if error.kind() == std::io::ErrorKind::NotFound =>
                {
                    Ok(Some(127))
                }
                Err(openssh::Error::Remote(error))
                    if error.kind() == std::io::ErrorKind::PermissionDenied =>
                {
                    Ok(Some(126))
                }
                Err(
                    openssh::Error::RemoteProcessTerminated
                    | openssh::Error::Disconnected
                    | openssh::Error::SshMux(_),
                ) => Ok(None),
                Err(error) => Err(lost(&region, &error)),
            }
        });
        Ok(Channel::new(input, stdin, stdout, stderr, status))
    }

    async fn close(self) {
        let Some(session) = Arc::into_inner(self.session) else {
            return;
        };
        if self.kept.is_some() {
            drop(session.detach());
        } else {
            // The host is left in any case; an error of the parting changes nothing.
            drop(session.close().await);
        }
    }
}

async fn find_master(kept: Option<&Path>, digest: &str) -> Option<openssh::Session> {
    let text = std::fs::read_to_string(kept?).ok()?;
    let (known, socket) = text.trim().split_once('\n')?;
    if known != digest || !Path::new(socket).exists() {
        return None;
    }
    let session = openssh::Session::resume_mux(PathBuf::from(socket).into_boxed_path(), None);
    match session.check().await {
        Ok(()) => Some(session),
        Err(_) => {
            drop(session.detach());
            remove_socket(Path::new(socket));
            None
        }
    }
}

/// Removes what a dead master left: its socket, its log, and the folder that held nothing else.
fn remove_socket(socket: &Path) {
    if let Some(folder) = socket.parent() {
        drop(std::fs::remove_file(socket));
        drop(std::fs::remove_file(folder.join("log")));
        drop(std::fs::remove_dir(folder));
    }
}

fn refused(region: &str, destination: &Destination, error: &openssh::Error) -> Error {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let _ = write!(text, ": {inner}");
        source = inner.source();
    }
    let place = format!("{region}: cannot log in to {}", destination.host);
    if text.contains("Host key verification failed")
        || text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED")
    {
        return Error::new(ErrorKind::LoginRefused, format!("{region}: the host key of {} is not the pinned one", destination.host))
            .cause("nothing was sent: no login, no command")
            .hint(format!(
                "if the server was reinstalled, type `geodeploy trust {region}` and compare the fingerprint; \
                 otherwise somebody else answers"
            ));
    }
    if text.contains("Permission denied") || text.contains("Too many authentication failures") {
        return Error::new(ErrorKind::LoginRefused, place)
            .cause(text.trim())
            .hint("check `ssh.user` and the key: `ssh-add -l` lists what the agent offers");
    }
    Error::new(ErrorKind::Unreachable, place)
        .cause(text.trim())
        .hint("check the address, the port and the provider's firewall; nothing was changed")
}
