//! Requests and events over a transport, the agent sent where it is missing.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncRead};

use super::{Channel, HostBinary, Input, Skew, Transport, Transports, shell};
use crate::agent::message::{self, Event, MARK, Operation, Outcome, PROTOCOL, Request};
use crate::error::{Error, ErrorKind};
use crate::secrets::Secret;

/// Who calls, the same for all hosts of a run.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `user@machine`.
    pub operator: String,
    /// The project's fingerprint key.
    pub key: Secret,
    /// What is shipped.
    pub binary: HostBinary,
}

/// A connection to one host's agent.
pub struct Session {
    region: String,
    transport: Transports,
    caller: Caller,
    skew: Mutex<Option<Skew>>,
}

/// How a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With an outcome.
    Finished(Outcome),
    /// Not to the end: the connection was lost after this many events.
    Lost(usize),
}

impl Session {
    /// A session over a transport that is connected already.
    pub fn new(region: &str, transport: Transports, caller: Caller) -> Self {
        Self {
            region: region.to_owned(),
            transport,
            caller,
            skew: Mutex::new(None),
        }
    }

    /// By how much the host's clock is ahead, as the last request showed; `None` before the first.
    pub fn skew(&self) -> Option<Skew> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Ends the connection or leaves it for the next run.
    pub async fn close(self) {
        self.transport.close().await;
    }

    /// Sends a request, and a body after it, and hands each event over as it comes.
    ///
    /// # Errors
    /// When the agent cannot be sent or run, or speaks another language.
    pub async fn request(
        &self,
        operation: Operation,
        body: &[u8],
        mut on_event: impl FnMut(Event),
    ) -> Result<Reply, Error> {
        let mut input = self.encoded(operation)?;
        input.extend_from_slice(body);
        let line = shell::run_agent(&self.caller.binary.digest);
        let attempt = self.attempt(&line, input.clone(), &mut on_event).await?;
        let Attempt::Absent {
            architecture,
            glibc,
        } = attempt
        else {
            return self.understand(attempt);
        };
        on_event(Event::Note {
            text: "sending the agent".to_owned(),
        });
        self.send_agent(&architecture, &glibc).await?;
        let attempt = self.attempt(&line, input, &mut on_event).await?;
        self.understand(attempt)
    }

    /// Sends a request and a body that is read while it is sent. The agent must be there already, as it is after any
    /// [`Session::request`]: a body is read once.
    ///
    /// # Errors
    /// As [`Session::request`].
    pub async fn stream(
        &self,
        operation: Operation,
        body: impl AsyncRead + Send + Unpin + 'static,
        mut on_event: impl FnMut(Event),
    ) -> Result<Reply, Error> {
        let input = Input::streamed(self.encoded(operation)?, body);
        let line = shell::run_agent(&self.caller.binary.digest);
        let attempt = self.attempt(&line, input, &mut on_event).await?;
        self.understand(attempt)
    }

    fn encoded(&self, operation: Operation) -> Result<Vec<u8>, Error> {
        let request = Request {
            protocol: PROTOCOL,
            key: self.caller.key.clone(),
            operator: self.caller.operator.clone(),
            sent: jiff::Timestamp::now().as_millisecond(),
            operation,
        };
        message::encode(&request).map_err(|error| {
            Error::new(ErrorKind::Failed, "cannot encode the request").cause(error)
        })
    }

    /// Runs a program as root and gives its channel: `journalctl -f` and the like. No secret may be among the words.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn as_root(&self, words: &[&str]) -> Result<Channel, Error> {
        self.transport
            .exec(&shell::as_root(words), Vec::new())
            .await
    }

    async fn attempt(
        &self,
        line: &str,
        input: impl Into<Input> + Send,
        on_event: &mut impl FnMut(Event),
    ) -> Result<Attempt, Error> {
        let sent = Timestamp::now();
        let mut channel = self.transport.exec(line, input).await?;
        let mut banner = Vec::new();
        let mut seen = None;
        let mut outcome = None;
        let mut text = Vec::new();
        loop {
            text.clear();
            match channel.stdout.read_until(b'\n', &mut text).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&text);
            let text = text.trim_end();
            match &mut seen {
                None if text.starts_with(MARK) => {
                    seen = Some(0);
                    self.compare_clocks(sent, text);
                }
                // A login shell may print a lot; only the end can be ours.
                None => {
                    banner.push(text.to_owned());
                    banner.drain(..banner.len().saturating_sub(8));
                }
                Some(count) => {
                    let event: Event =
                        serde_json::from_str(text).map_err(|error| self.garbled(text, &error))?;
                    *count += 1;
                    match event {
                        Event::Finished { outcome: end } => outcome = Some(end),
                        event => on_event(event),
                    }
                }
            }
        }
        if let Some(outcome) = outcome {
            // Nothing more is said: its exit status would cost another look at the link.
            return Ok(Attempt::Reply(Reply::Finished(outcome)));
        }
        let end = channel.end.await;
        if let Some(seen) = seen {
            return Ok(Attempt::Reply(Reply::Lost(seen)));
        }
        let end = end?;
        if end.status == Some(127)
            && let Some(found) = banner
                .iter()
                .rev()
                .find_map(|line| line.strip_prefix("absent "))
        {
            let (architecture, glibc) = found.split_once(' ').unwrap_or((found, ""));
            return Ok(Attempt::Absent {
                architecture: architecture.to_owned(),
                glibc: glibc.to_owned(),
            });
        }
        Ok(Attempt::NotRun {
            status: end.status,
            why: [banner.join("\n"), end.stderr].concat(),
        })
    }

    /// The agent reads its clock as it begins, before it reads the request.
    fn compare_clocks(&self, sent: Timestamp, mark: &str) {
        let clock = mark.strip_prefix(MARK).map(str::trim);
        if let Some(clock) = clock.and_then(|clock| clock.parse().ok()) {
            let skew = Skew::between(sent, clock, Timestamp::now());
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
    }

    fn garbled(&self, text: &str, error: &serde_json::Error) -> Error {
        let start: String = text
            .chars()
            .take(120)
            .filter(|character| !character.is_control())
            .collect();
        Error::new(
            ErrorKind::Failed,
            format!("{}: the agent's answer cannot be read", self.region),
        )
        .cause(error)
        .cause(format!("it begins with: {start}"))
    }

    fn understand(&self, attempt: Attempt) -> Result<Reply, Error> {
        let region = &self.region;
        match attempt {
            Attempt::Reply(reply) => Ok(reply),
            Attempt::Absent { .. } => Err(Error::new(ErrorKind::Failed, format!("{region}: the agent was sent and is not there"))
                .hint("is /opt on the host a file system that is mounted noexec?")),
            Attempt::NotRun { status: None, .. } => {
                Err(Error::new(ErrorKind::Unreachable, format!("{region}: the connection was lost before the agent ran"))
                    .hint("run it again; nothing was changed"))
            }
            Attempt::NotRun { why, .. } if why.contains("a password is required") || why.contains("sudo:") => {
                Err(Error::new(ErrorKind::LoginRefused, format!("{region}: the login may not become root without a password"))
                    .cause(why.trim())
                    .hint("allow it with a line `USER ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d, or set `ssh.user = \"root\"`"))
            }
            Attempt::NotRun { status, why } => {
                Err(Error::new(ErrorKind::Failed, format!("{region}: the agent does not run (exit status {})", status.unwrap_or_default()))
                    .cause(why.trim()))
            }
        }
    }

    async fn send_agent(&self, architecture: &str, glibc: &str) -> Result<(), Error> {
        let binary = &self.caller.binary;
        binary
            .check_runs_on(architecture, glibc)
            .map_err(|error| Error {
                what: format!("{}: {}", self.region, error.what),
                ..error
            })?;
        let packed = binary.gzip()?;
        let line = shell::store_agent(&binary.digest);
        let (_, end) = self.transport.exec(&line, packed).await?.finish().await?;
        if end.status == Some(0) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Failed,
            format!("{}: cannot store the agent in /opt/geodeploy", self.region),
        )
        .cause(end.stderr.trim())
        .hint("is there space on /opt, and may the login use sudo?"))
    }
}

enum Attempt {
    Reply(Reply),
    Absent { architecture: String, glibc: String },
    NotRun { status: Option<i32>, why: String },
}
