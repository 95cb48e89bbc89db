//! What the switch reads of an Ethernet frame: where it goes, whom it is for, and whether a program sent it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const ICMPV6: u8 = 58;
/// IPv6's question for a hardware address goes to a group; whom it is for stands in its body (RFC 4861, 4.3).
const NEIGHBOUR_SOLICITATION: u8 = 135;
const FIN_OR_SYN: u8 = 0b11;

/// The parts of a frame that decide its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The hardware address that it goes to.
    pub(super) destination: [u8; 6],
    /// Who sent it, by its IP or ARP header.
    pub(super) from: Option<IpAddr>,
    /// Whom it is for, by its IP or ARP header.
    pub(super) to: Option<IpAddr>,
    /// Whether it is a TCP segment that carries data, opens or closes: not a bare acknowledgement.
    pub(super) speaks: bool,
}

impl Frame {
    /// Reads a frame; none if it is too short to be one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(14)?;
        let mut frame = Self {
            destination: header.get(..6)?.try_into().ok()?,
            from: None,
            to: None,
            speaks: false,
        };
        match u16::from_be_bytes(header.get(12..14)?.try_into().ok()?) {
            IPV4 => {
                frame.from = ipv4(body, 12);
                frame.to = ipv4(body, 16);
                let words = usize::from(body.first()? & 0x0f);
                let total = usize::from(u16::from_be_bytes(body.get(2..4)?.try_into().ok()?));
                frame.speaks = body.get(9) == Some(&TCP) && speaks(body.get(words * 4..total)?);
            }
            ARP => {
                frame.from = ipv4(body, 14);
                frame.to = ipv4(body, 24);
            }
            IPV6 => {
                frame.from = ipv6(body, 8);
                frame.to = ipv6(body, 24);
                let length = usize::from(u16::from_be_bytes(body.get(4..6)?.try_into().ok()?));
                frame.speaks = body.get(6) == Some(&TCP) && speaks(body.get(40..40 + length)?);
                if body.get(6) == Some(&ICMPV6) && body.get(40) == Some(&NEIGHBOUR_SOLICITATION) {
                    frame.to = ipv6(body, 48);
                }
            }
            _ => {}
        }
        Some(frame)
    }

    /// Whether it goes to all (broadcast) or to a group (multicast, as IPv6 neighbour discovery).
    pub(super) fn to_many(self) -> bool {
        self.destination[0] & 1 == 1
    }
}

fn ipv4(body: &[u8], at: usize) -> Option<IpAddr> {
    let bytes: [u8; 4] = body.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(bytes).into())
}

fn ipv6(body: &[u8], at: usize) -> Option<IpAddr> {
    let bytes: [u8; 16] = body.get(at..at + 16)?.try_into().ok()?;
    Some(Ipv6Addr::from(bytes).into())
}

fn speaks(segment: &[u8]) -> bool {
    let Some((offset, flags)) = segment.get(12).zip(segment.get(13)) else {
        return false;
    };
    segment.len() > usize::from(offset >> 4) * 4 || flags & FIN_OR_SYN != 0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A TCP segment over IPv4 between two hosts of 10.77.0.0/24, padded as short frames are.
    pub(in super::super) fn segment(
        to_mac: [u8; 6],
        from: u8,
        to: u8,
        flags: u8,
        data: &[u8],
    ) -> Vec<u8> {
        let total = u16::try_from(40 + data.len()).unwrap();
        let mut bytes = [
            to_mac.as_slice(),
            &[2, 0, 0, 0, 0, from],
            &IPV4.to_be_bytes(),
        ]
        .concat();
        bytes.extend([0x45, 0]);
        bytes.extend(total.to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, TCP, 0, 0, 10, 77, 0, from, 10, 77, 0, to]);
        bytes.extend([
            0, 22, 0, 23, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0,
        ]);
        bytes.extend(data);
        bytes.resize(bytes.len().max(60), 0);
        bytes
    }

    #[test]
    fn data_and_handshakes_speak_and_bare_acknowledgements_do_not() {
        let read = |flags, data: &[u8]| Frame::read(&segment([2; 6], 1, 11, flags, data)).unwrap();
        assert!(read(0x10, b"x").speaks);
        assert!(read(0x02, b"").speaks);
        assert!(
            !read(0x10, b"").speaks,
            "the padding of a short frame is no data"
        );
        assert_eq!(read(0x10, b"").to.unwrap().to_string(), "10.77.0.11");
    }

    #[test]
    fn an_arp_question_names_its_target() {
        let mut bytes = [[0xff; 6].as_slice(), &[2; 6], &ARP.to_be_bytes()].concat();
        bytes.extend([
            0, 1, 8, 0, 6, 4, 0, 1, 2, 2, 2, 2, 2, 2, 10, 77, 0, 11, 0, 0, 0, 0, 0, 0, 10, 77, 0, 2,
        ]);
        let frame = Frame::read(&bytes).unwrap();
        assert!(frame.to_many());
        assert_eq!(frame.from.unwrap().to_string(), "10.77.0.11");
        assert_eq!(frame.to.unwrap().to_string(), "10.77.0.2");
    }

    #[test]
    fn an_ipv6_neighbour_question_names_its_target() {
        let target = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
        let mut bytes = [[0x33; 6].as_slice(), &[2; 6], &IPV6.to_be_bytes()].concat();
        bytes.extend([0x60, 0, 0, 0, 0, 24, ICMPV6, 255]);
        bytes.extend([0; 32]);
        bytes.extend([NEIGHBOUR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(target.octets());
        assert_eq!(Frame::read(&bytes).unwrap().to, Some(target.into()));
    }

    #[test]
    fn short_and_strange_frames_are_no_panic() {
        assert_eq!(Frame::read(&[0; 13]), None);
        let whole = segment([2; 6], 1, 2, 0x10, b"data");
        for length in 0..whole.len() {
            let _read = Frame::read(&whole[..length]);
        }
    }
}
