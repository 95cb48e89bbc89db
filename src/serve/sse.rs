//! Server-sent events as bytes: the reader's half splits a stream into payloads, the writer's half
//! frames them. Payloads are never decoded, so they pass byte for byte.
//!
//! The grammar is the HTML standard's, section 9.2.6.

#[cfg(test)]
mod tests;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// The payload that ends an OpenAI-compatible stream.
pub const DONE: &[u8] = b"[DONE]";
/// A comment; it tells the client that the stream lives, and says nothing else.
pub const HEARTBEAT: &[u8] = b": heartbeat\n\n";

/// An event grew beyond the cap.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// Splits bytes, however they arrive, into the payloads of events.
pub struct Splitter {
    buffer: BytesMut,
    /// Bytes at the head of `buffer` that hold no line end, so that long lines are searched once.
    searched: usize,
    data: Option<BytesMut>,
    after_return: bool,
    at_start: bool,
    cap: usize,
}

impl Splitter {
    /// A splitter that refuses events of more than `cap` bytes.
    #[must_use]
    pub fn new(cap: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            data: None,
            after_return: false,
            at_start: true,
            cap,
        }
    }

    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The payload of the next whole event, its `data` lines joined with line feeds.
    ///
    /// # Errors
    ///
    /// [`TooLong`] when the event at hand is over the cap.
    pub fn next_payload(&mut self) -> Result<Option<Bytes>, TooLong> {
        loop {
            if self.after_return && !self.buffer.is_empty() {
                self.after_return = false;
                if self.buffer[0] == b'\n' {
                    self.buffer.advance(1);
                }
            }
            let Some(found) = memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
                self.searched = self.buffer.len();
                return if self.size() > self.cap {
                    Err(TooLong)
                } else {
                    Ok(None)
                };
            };
            let line = self.buffer.split_to(self.searched + found);
            self.after_return = self.buffer[0] == b'\r';
            self.buffer.advance(1);
            self.searched = 0;
            if line.is_empty() {
                if let Some(data) = self.data.take() {
                    return Ok(Some(data.freeze()));
                }
            } else {
                self.take_line(line);
                if self.data.as_ref().map_or(0, BytesMut::len) > self.cap {
                    return Err(TooLong);
                }
            }
        }
    }

    /// The payload of a last event that lacks only its empty line. Some servers close that early; a
    /// line cut in its middle is not a payload.
    pub fn finish(&mut self) -> Option<Bytes> {
        self.data.take().map(BytesMut::freeze)
    }

    fn size(&self) -> usize {
        self.buffer.len() + self.data.as_ref().map_or(0, BytesMut::len)
    }

    fn take_line(&mut self, mut line: BytesMut) {
        if std::mem::take(&mut self.at_start) && line.starts_with(b"\xef\xbb\xbf") {
            line.advance(3);
        }
        if !line.starts_with(b"data") {
            return;
        }
        match line.get(4) {
            None => line.advance(4),
            Some(b':') => line.advance(if line.get(5) == Some(&b' ') { 6 } else { 5 }),
            Some(_) => return,
        }
        match &mut self.data {
            None => self.data = Some(line),
            Some(data) => {
                data.put_u8(b'\n');
                data.extend_from_slice(&line);
            }
        }
    }
}

/// Frames a payload as one event.
pub fn write_event(out: &mut BytesMut, payload: &[u8]) {
    out.reserve(payload.len() + 8);
    let mut rest = payload;
    while let Some(end) = memchr(b'\n', rest) {
        write_line(out, &rest[..end]);
        rest = &rest[end + 1..];
    }
    write_line(out, rest);
    out.put_u8(b'\n');
}

fn write_line(out: &mut BytesMut, line: &[u8]) {
    out.put_slice(b"data: ");
    out.put_slice(line);
    out.put_u8(b'\n');
}
