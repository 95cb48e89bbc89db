//! One program on a host: its standard output as it comes, and how it ended.

use std::pin::Pin;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use crate::error::Error;

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Its exit status; `None` when the connection was lost first.
    pub status: Option<i32>,
    /// What it wrote to standard error, at most 64 KiB.
    pub stderr: String,
}

/// What a program gets on its standard input.
pub struct Input {
    bytes: Vec<u8>,
    rest: Option<Box<dyn AsyncRead + Send + Unpin>>,
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, rest: None }
    }
}

impl Input {
    /// These bytes, then what a reader gives.
    pub fn streamed(bytes: Vec<u8>, rest: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self {
            bytes,
            rest: Some(Box::new(rest)),
        }
    }
}

/// A program that runs on a host.
pub struct Channel {
    /// Its standard output.
    pub stdout: Pin<Box<dyn AsyncBufRead + Send>>,
    /// Resolves when it ended.
    pub end: BoxFuture<'static, Result<End, Error>>,
}

/// The most of standard error that is kept.
const MAXIMUM_STDERR: u64 = 64 << 10;

impl Channel {
    /// A channel over the three streams of a child; `status` resolves to its exit status.
    pub fn new(
        input: Input,
        stdin: impl AsyncWrite + Send + Unpin + 'static,
        stdout: impl AsyncRead + Send + 'static,
        stderr: impl AsyncRead + Send + Unpin + 'static,
        status: BoxFuture<'static, Result<Option<i32>, Error>>,
    ) -> Self {
        let feeding = tokio::spawn(feed(stdin, input));
        let errors = tokio::spawn(read_text(stderr));
        Self {
            stdout: Box::pin(BufReader::with_capacity(64 << 10, stdout)),
            end: Box::pin(async move {
                let status = status.await?;
                feeding.abort();
                let stderr = errors.await.unwrap_or_default();
                Ok(End { status, stderr })
            }),
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the connection does not give the exit status.
    pub async fn finish(mut self) -> Result<(String, End), Error> {
        let mut bytes = Vec::new();
        // A cut connection ends the stream early; `end` then says so.
        drop(self.stdout.read_to_end(&mut bytes).await);
        Ok((
            String::from_utf8_lossy(&bytes).into_owned(),
            self.end.await?,
        ))
    }
}

async fn feed(mut stdin: impl AsyncWrite + Unpin, mut input: Input) {
    // A program that does not read its input has ended or will say why itself.
    let mut fed = stdin.write_all(&input.bytes).await.is_ok();
    if let Some(rest) = input.rest.as_mut().filter(|_| fed) {
        fed = tokio::io::copy(rest, &mut stdin).await.is_ok();
    }
    if fed {
        drop(stdin.shutdown().await);
    }
}

async fn read_text(stderr: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    let mut limited = stderr.take(MAXIMUM_STDERR);
    drop(limited.read_to_end(&mut bytes).await);
    // The rest is read and thrown away, so that the program does not wait for us.
    drop(tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await);
    String::from_utf8_lossy(&bytes).into_owned()
}
