//! Bytes to a server and back.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Failure, Reply};

/// Sends a datagram, once more after a third of the limit, and takes the first one back that `read` can make sense of.
pub(super) async fn udp(
    server: SocketAddr,
    request: &[u8],
    limit: Duration,
    read: impl Fn(&[u8]) -> Result<Reply, String>,
) -> Result<Reply, Failure> {
    let begun = Instant::now();
    let local: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failed = |error: io::Error| failure(&error);
    let socket = UdpSocket::bind(local).await.map_err(failed)?;
    socket.connect(server).await.map_err(failed)?;
    let mut odd = None;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    for until in [begun + limit / 3, begun + limit] {
        socket.send(request).await.map_err(failed)?;
        while let Ok(received) = timeout_at(until, socket.recv(&mut buffer)).await {
            let length = received.map_err(failed)?;
            match read(&buffer[..length]) {
                Ok(reply) => return Ok(reply),
                Err(why) => odd = Some(why),
            }
        }
    }
    Err(odd.map_or(Failure::Silent(limit), Failure::Odd))
}

/// Sends a message over a connection of its own and reads one back (RFC 7766).
pub(super) async fn tcp(
    server: SocketAddr,
    request: &[u8],
    limit: Duration,
) -> Result<Vec<u8>, Failure> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let length = u16::try_from(request.len()).map_err(io::Error::other)?;
        let framed = [&length.to_be_bytes(), request].concat();
        stream.write_all(&framed).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    match timeout(limit, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failure(&error)),
        Err(_) => Err(Failure::Silent(limit)),
    }
}

fn failure(error: &io::Error) -> Failure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NetworkUnreachable | Kind::AddrNotAvailable | Kind::Unsupported => {
            Failure::NoRoute(error.to_string())
        }
        Kind::UnexpectedEof => Failure::Odd("the connection was closed before it".to_owned()),
        _ => Failure::Refused(error.to_string()),
    }
}
