//! Values with a unit or a form of their own.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::mistake::Wrong;

/// A TCP port from 1 to 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(u16);

impl Port {
    /// A port by number; 0 is none.
    pub fn new(number: u16) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// The port's number.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A network of the firewall's rules; a single address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

impl Cidr {
    /// The network.
    pub fn network(self) -> IpNet {
        self.0
    }

    /// Whether the network holds every address of its family.
    pub fn is_everyone(self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Whether the address is in the network.
    pub fn admits(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return self.0.addr().fmt(formatter);
        }
        self.0.fmt(formatter)
    }
}

impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Self {
        Self(IpNet::from(address))
    }
}

impl FromStr for Cidr {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::from(address));
        }
        let Ok(network) = text.parse::<IpNet>() else {
            return Err(Wrong::new(
                format!("`{text}` is neither an address nor a network"),
                "write an address such as 192.0.2.7 or a network such as 192.0.2.0/24 or 2001:db8::/48",
            ));
        };
        if network.addr() != network.network() {
            return Err(Wrong::new(
                format!("`{text}` is an address inside a network, not the network itself"),
                format!(
                    "write {} for the network or {} for the one address",
                    network.trunc(),
                    network.addr()
                ),
            ));
        }
        Ok(Self(network))
    }
}

/// Bytes, as `2GiB` or `500MiB`; a bare `G` or `M` counts in powers of 1024, as systemd does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// That many mebibytes.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// The size in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// The size in whole mebibytes.
    pub fn as_mebibytes(self) -> u64 {
        self.0 >> 20
    }
}

impl FromStr for ByteSize {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                format!("`{text}` is not a size"),
                "write a whole number of MiB or GiB, such as 512MiB or 2GiB",
            )
        };
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        let factor: u64 = match &text[digits.len()..] {
            "M" | "MiB" => 1 << 20,
            "G" | "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        count.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

/// A span of time as `180ms`, `60s`, `5m`, `12h` or `14d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                format!("`{text}` is not a length of time"),
                "write a whole number with its unit, such as 180ms, 60s, 5m, 12h or 14d",
            )
        };
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        let milliseconds: u64 = match &text[digits.len()..] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let total = count.checked_mul(milliseconds).ok_or_else(wrong)?;
        Ok(Self(Duration::from_millis(total)))
    }
}

/// An `http` or `https` address without credentials, query or spaces, without a final slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// The address as text, without a final slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there travels encrypted, or does not leave the private network.
    pub fn is_private(&self) -> bool {
        self.0.starts_with("https://")
            || match self.host().parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
                Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
                Err(_) => self.host() == "localhost",
            }
    }

    fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or("");
        match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next().unwrap_or(""),
            None => authority.split(':').next().unwrap_or(""),
        }
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for HttpUrl {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let url = Self(text.trim_end_matches('/').to_owned());
        let scheme = text.starts_with("https://") || text.starts_with("http://");
        let plain = text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-._~:/[]%+,".contains(letter));
        let host = url.host();
        if scheme
            && plain
            && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == ':')
        {
            return Ok(url);
        }
        Err(Wrong::new(
            format!(
                "`{}` is not a usable web address",
                without_credentials(text)
            ),
            "write a scheme, a host and a path, such as https://mirrors.example.com/ubuntu: no user, password, query or spaces",
        ))
    }
}

fn without_credentials(text: &str) -> &str {
    match text.rsplit_once('@') {
        Some((_, rest)) => rest,
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_address_is_a_network_of_one_and_prints_as_an_address() {
        let cidr: Cidr = "192.0.2.7".parse().unwrap();
        assert_eq!(cidr.to_string(), "192.0.2.7");
        assert_eq!(
            "2001:db8::/48".parse::<Cidr>().unwrap().to_string(),
            "2001:db8::/48"
        );
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().is_everyone());
    }

    #[test]
    fn a_network_with_host_bits_names_both_ways_out() {
        let wrong = "192.0.2.7/24".parse::<Cidr>().unwrap_err();
        assert!(
            wrong.remedy.contains("192.0.2.0/24") && wrong.remedy.contains("192.0.2.7 "),
            "{wrong}"
        );
    }

    #[test]
    fn sizes_and_spans_need_their_unit() {
        assert_eq!("2GiB".parse::<ByteSize>().unwrap().as_mebibytes(), 2048);
        assert_eq!(
            "180ms".parse::<Span>().unwrap().0,
            Duration::from_millis(180)
        );
        for text in [
            "",
            "2",
            "2TB",
            "GiB",
            "-1s",
            "1.5s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_web_address_keeps_its_password_out_of_the_message() {
        let wrong = "https://user:hunter2@example.com"
            .parse::<HttpUrl>()
            .unwrap_err();
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    }

    #[test]
    fn clear_text_is_private_only_at_home() {
        let private = |text: &str| text.parse::<HttpUrl>().unwrap().is_private();
        assert!(private("https://ark.cn-beijing.volces.com/api/v3"));
        assert!(private("http://10.77.0.1:9000/v3"));
        assert!(private("http://[::1]:9000"));
        assert!(!private("http://ark.cn-beijing.volces.com/api/v3"));
    }
}
