//! Values that only the database has.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::inventory::mistake::Wrong;

/// The series that geodeploy installs, the newest last.
const SERIES: [&str; 3] = ["6.0", "7.0", "8.0"];

/// A MongoDB series, such as `8.0`, or one release of it, such as `8.0.21`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MongoVersion {
    series: String,
    release: Option<String>,
}

impl MongoVersion {
    /// `8.0`: the name of the suite in the vendor's archive.
    pub fn series(&self) -> &str {
        &self.series
    }

    /// `8.0.21` where one release is asked for; `None` for the newest of the series.
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }
}

/// The first release of each series without a hole that needs no login: CVE-2025-14847 gives away memory through zlib.
const SOUND: [(&str, u32); 3] = [("6.0", 27), ("7.0", 28), ("8.0", 21)];

/// The series of which nothing older is installed: its other hole, CVE-2026-6914, has no way around it.
const CURRENT: &str = "8.0";

impl MongoVersion {
    /// What is wrong with the release that is asked for, where it is older than the first sound one of its series.
    pub fn weakness(&self) -> Option<String> {
        let patch: u32 = self.release()?.rsplit('.').next()?.parse().ok()?;
        let (series, sound) = SOUND.iter().find(|(series, _)| *series == self.series)?;
        let holes = match self.series == CURRENT {
            true => "CVE-2025-14847 or CVE-2026-6914",
            false => "CVE-2025-14847",
        };
        (patch < *sound).then(|| {
            format!(
                "MongoDB {series}.{patch} has a hole that is open before login ({holes}); the first release without it is \
                 {series}.{sound}"
            )
        })
    }
}

impl Default for MongoVersion {
    fn default() -> Self {
        Self {
            series: "8.0".to_owned(),
            release: None,
        }
    }
}

impl FromStr for MongoVersion {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let number = |part: &&str| {
            !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let parts: Vec<&str> = text.split('.').collect();
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(number) {
            return Err(Wrong::new(
                format!("`{text}` is not a version of MongoDB"),
                "write a series such as 8.0, whose newest release is then installed, or one release such as 8.0.21",
            ));
        }
        let series = parts[..2].join(".");
        if !SERIES.contains(&series.as_str()) {
            return Err(Wrong::new(
                format!("geodeploy installs no MongoDB {series}"),
                format!("write one of {}", SERIES.join(", ")),
            ));
        }
        let version = Self {
            series,
            release: (parts.len() == 3).then(|| text.to_owned()),
        };
        match version.weakness() {
            Some(weakness) if version.series == CURRENT => Err(Wrong::new(
                weakness,
                format!("write the series {CURRENT}, whose newest release is then installed"),
            )),
            _ => Ok(version),
        }
    }
}

/// The fingerprint of an OpenPGP key of version 4: 40 hex digits in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFingerprint(String);

impl KeyFingerprint {
    /// Its 40 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for KeyFingerprint {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let digits = text.replace(' ', "").to_ascii_uppercase();
        if digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(digits));
        }
        Err(Wrong::new(
            format!("`{text}` is not the fingerprint of a signing key"),
            "write all 40 hex digits, as `gpg --show-keys FILE` prints them",
        ))
    }
}

/// An address to listen on beside loopback; never all of them.
pub(super) struct BindAddress(pub(super) IpAddr);

impl FromStr for BindAddress {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => Err(Wrong::new(
                format!("`{text}` opens the database on every interface"),
                "write the address that the other regions reach, such as 10.0.0.5; loopback is always there",
            )),
            Ok(address) if !address.is_multicast() && !address.is_loopback() => Ok(Self(address)),
            _ => Err(Wrong::new(
                format!("`{text}` is not an address of the host that others reach"),
                "write an address of one of its interfaces, such as 10.0.0.5; loopback is always there",
            )),
        }
    }
}

/// A suite of an apt archive; `{codename}` stands for the host's own.
pub(super) struct Suite(pub(super) String);

impl FromStr for Suite {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let bare = text.replace("{codename}", "x");
        let plain = bare
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-._/".contains(letter));
        if plain && bare.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(
            format!("`{text}` is not a suite of an apt archive"),
            "write it as in a line of apt's sources, such as {codename}/mongodb-org/8.0",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_series_or_one_release_of_it() {
        let version: MongoVersion = "8.0.21".parse().unwrap();
        assert_eq!(
            (version.series(), version.release()),
            ("8.0", Some("8.0.21"))
        );
        assert_eq!("7.0".parse::<MongoVersion>().unwrap().release(), None);
        for text in ["8", "8.0.x", "8.0.1.2", "5.0", "8.1", ""] {
            assert!(text.parse::<MongoVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_release_with_a_known_hole_is_refused_in_the_current_series_and_named_in_older_ones() {
        for text in ["8.0.4", "8.0.20"] {
            let wrong = text.parse::<MongoVersion>().unwrap_err();
            assert!(wrong.cause.contains("CVE-2026-6914") && wrong.cause.contains("8.0.21"));
        }
        let weakness = |text: &str| text.parse::<MongoVersion>().unwrap().weakness();
        assert!(weakness("6.0.5").unwrap().contains("CVE-2025-14847"));
        for sound in ["8.0.21", "8.0", "7.0.28", "6.0"] {
            assert_eq!(weakness(sound), None, "{sound}");
        }
    }

    #[test]
    fn a_fingerprint_may_be_written_as_gpg_prints_it() {
        let spaced: KeyFingerprint = "4b07 52c1 bca2 38c0 b4ee  14dc 41de 058a 4e7d ca05"
            .parse()
            .unwrap();
        assert_eq!(spaced.as_str(), "4B0752C1BCA238C0B4EE14DC41DE058A4E7DCA05");
        assert!("4E7DCA05".parse::<KeyFingerprint>().is_err());
    }

    #[test]
    fn every_interface_is_no_address_to_listen_on() {
        for text in ["0.0.0.0", "::", "127.0.0.1", "cn-server", "224.0.0.1"] {
            assert!(text.parse::<BindAddress>().is_err(), "{text}");
        }
        assert!("10.0.0.5".parse::<BindAddress>().is_ok());
    }
}
