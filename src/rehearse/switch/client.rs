//! The other end of a switch's control socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use super::super::error::{Error, Result};
use super::{Reply, Request};

/// Asks a switch; each request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    /// The switch's control socket.
    pub socket: PathBuf,
}

impl Client {
    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When no switch listens, or it refuses.
    pub fn ask(&self, request: &Request) -> Result<Reply> {
        let fault = |why: &dyn std::fmt::Display| {
            Error::new(
                format!("cannot ask the switch at {}", self.socket.display()),
                why,
                "see whether the lab is up; `geodeploy rehearse down` clears what is left of it",
            )
        };
        let mut line = serde_json::to_string(request).map_err(|why| fault(&why))?;
        line.push('\n');
        let answer = UnixStream::connect(&self.socket).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(line.as_bytes())?;
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer)?;
            Ok(answer)
        });
        let answer = answer.map_err(|why| fault(&why))?;
        match serde_json::from_str(&answer).map_err(|why| fault(&why))? {
            Reply::Refused(why) => Err(fault(&why)),
            reply @ (Reply::Done | Reply::Counters(_) | Reply::Link { .. }) => Ok(reply),
        }
    }
}
