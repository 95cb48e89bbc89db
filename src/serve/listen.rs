//! Where requests come in: the public socket, from systemd or our own, and the generation's socket.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use listenfd::ListenFd;
use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::connection;
use super::error_start::StartError;

const BACKLOG: i32 = 4096;
/// A client that acknowledges nothing for this long is gone.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection of either kind.
pub(super) trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// A listening socket of either kind.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A path in the file system.
    Unix(UnixListener),
}

/// Everything that one generation listens on.
pub struct Listeners {
    /// Shared with the other generation during a switch.
    pub public: Vec<Listener>,
    /// This generation's own, for whoever wants to ask it and not the other.
    pub private: Option<GenerationSocket>,
}

/// A socket at `RUNTIME_DIRECTORY/GENERATION.sock`, removed when it is dropped.
pub struct GenerationSocket {
    listener: UnixListener,
    file: SocketFile,
}

struct SocketFile(PathBuf);

impl Listener {
    /// The next connection, with its options set.
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                #[cfg(target_os = "linux")]
                socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(USER_TIMEOUT))?;
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Box::new(stream))
            }
        }
    }
}

impl Listeners {
    /// One public TCP listener and no generation's socket.
    #[must_use]
    pub fn tcp(listener: TcpListener) -> Self {
        Self {
            public: vec![Listener::Tcp(listener)],
            private: None,
        }
    }

    /// The sockets that systemd handed over, otherwise one bound as configured, and the generation's
    /// socket where both its variables are set. Must be called within the runtime.
    ///
    /// # Errors
    ///
    /// When a socket cannot be taken or bound.
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let mut public = if config.dev {
            Vec::new()
        } else {
            from_systemd()?
        };
        if public.is_empty() {
            let listener = bind(config.listen).map_err(|source| StartError::Listen {
                place: config.listen.to_string(),
                source,
            })?;
            public.push(Listener::Tcp(listener));
        }
        let private = match (&config.runtime_directory, &config.generation) {
            (Some(folder), Some(generation)) => Some(GenerationSocket::bind(folder, generation)?),
            _ => None,
        };
        Ok(Self { public, private })
    }
}

impl GenerationSocket {
    fn bind(folder: &Path, generation: &str) -> Result<Self, StartError> {
        let path = folder.join(format!("{generation}.sock"));
        let bound = remove_stale(&path).and_then(|()| {
            let listener = UnixListener::bind(&path)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        });
        match bound {
            Ok(listener) => Ok(Self {
                listener,
                file: SocketFile(path),
            }),
            Err(source) => Err(StartError::Listen {
                place: path.display().to_string(),
                source,
            }),
        }
    }

    /// Serves, while draining too, until `ended`.
    pub(super) async fn serve(self, router: Router, ended: CancellationToken) {
        let Self { listener, file } = self;
        connection::serve(Listener::Unix(listener), router, ended.clone(), ended).await;
        drop(file);
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "the generation's socket stays behind");
        }
    }
}

/// Lets the process open as many files as it is allowed to: systemd's soft limit of 1024 is less
/// than the connections that the limits of streams admit.
pub(super) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

fn from_systemd() -> Result<Vec<Listener>, StartError> {
    let mut handed = ListenFd::from_env();
    (0..handed.len())
        .map(|index| {
            take(&mut handed, index).map_err(|source| StartError::Listen {
                place: format!("socket {index} from systemd"),
                source,
            })
        })
        .collect()
}

fn take(handed: &mut ListenFd, index: usize) -> io::Result<Listener> {
    match handed.take_tcp_listener(index) {
        Ok(Some(listener)) => {
            listener.set_nonblocking(true)?;
            return TcpListener::from_std(listener).map(Listener::Tcp);
        }
        Ok(None) => return Err(io::Error::other("it was taken already")),
        Err(_not_tcp) => {}
    }
    let listener = handed
        .take_unix_listener(index)?
        .ok_or_else(|| io::Error::other("it was taken already"))?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener).map(Listener::Unix)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
