//! A request as a frame of a 4-byte big-endian length and compressed JSON; an event as a line.

use std::io::{self, Read, Write};

use serde::Deserialize;

use super::{Event, PROTOCOL, Request};

/// A request that is larger than this is not ours.
const MAXIMUM_FRAME: u32 = 16 << 20;

/// A request's frame.
///
/// # Errors
/// When it cannot be encoded; a request that we made always can.
pub fn encode(request: &Request) -> io::Result<Vec<u8>> {
    let json = zeroize::Zeroizing::new(serde_json::to_vec(request)?);
    let body = zstd::bulk::compress(&json, 9)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes()[..], &body].concat())
}

/// Reads a frame and leaves the reader where a body would begin.
///
/// # Errors
/// When the input ends early, is not ours, or speaks a newer protocol than this agent.
pub fn decode(reader: &mut impl Read) -> io::Result<Request> {
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAXIMUM_FRAME {
        return Err(io::Error::other(format!(
            "a request of {length} bytes is not ours"
        )));
    }
    let mut body = vec![0; length as usize];
    reader.read_exact(&mut body)?;
    let json = zeroize::Zeroizing::new(zstd::stream::decode_all(&body[..])?);
    #[derive(Deserialize)]
    struct Version {
        protocol: u32,
    }
    let Version { protocol } = serde_json::from_slice(&json)?;
    if protocol > PROTOCOL {
        return Err(io::Error::other(format!(
            "the operator speaks protocol {protocol}, this agent {PROTOCOL}"
        )));
    }
    Ok(serde_json::from_slice(&json)?)
}

/// Writes one event as a line.
///
/// # Errors
/// When the writer is gone.
pub fn write_event(writer: &mut impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::message::Operation;
    use crate::secrets::Secret;

    fn request() -> Request {
        Request {
            protocol: PROTOCOL,
            key: Secret::new("key".to_owned()),
            operator: "ada@laptop".to_owned(),
            sent: 0,
            operation: Operation::Inspect {
                resources: Vec::new(),
                requirements: Vec::new(),
            },
        }
    }

    #[test]
    fn a_request_survives_the_frame_and_leaves_the_body() {
        let mut bytes = encode(&request()).unwrap();
        bytes.extend_from_slice(b"body");
        let mut reader = &bytes[..];
        let read = decode(&mut reader).unwrap();
        assert_eq!(read.operator, "ada@laptop");
        assert_eq!(reader, b"body");
    }

    #[test]
    fn a_newer_protocol_is_named() {
        let newer = Request {
            protocol: PROTOCOL + 1,
            ..request()
        };
        let error = decode(&mut &encode(&newer).unwrap()[..]).unwrap_err();
        assert!(error.to_string().contains("protocol 2"), "{error}");
    }

    #[test]
    fn an_endless_frame_is_refused() {
        let error = decode(&mut &[0xff; 8][..]).unwrap_err();
        assert!(error.to_string().contains("not ours"), "{error}");
    }
}
