//! One GET over a socket of this machine, for health: no client library, so that the agent stays small.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A health answer is far smaller than this.
const MAXIMUM: u64 = 64 << 10;
const TIMEOUT: Duration = Duration::from_secs(5);

/// A status and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, invalid UTF-8 replaced.
    pub body: String,
}

/// GET over a unix socket.
///
/// # Errors
/// When nobody answers in 5 s or the answer is not HTTP.
pub(super) fn get_unix(socket: &Path, path: &str) -> io::Result<Answer> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    exchange(stream, "localhost", path)
}

/// GET over TCP on the loopback interface, with that Host header.
///
/// # Errors
/// When nobody answers in 5 s or the answer is not HTTP.
pub(super) fn get_loopback(port: u16, host: &str, path: &str) -> io::Result<Answer> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    exchange(stream, host, path)
}

fn exchange(mut stream: impl Read + Write, host: &str, path: &str) -> io::Result<Answer> {
    // HTTP/1.0: the server ends the body by closing, never by chunks.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.take(MAXIMUM).read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> io::Result<Answer> {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::Error::other("the answer is not HTTP"))?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_told_apart() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "{}"));
        assert!(parse("SSH-2.0-OpenSSH").is_err());
    }
}
