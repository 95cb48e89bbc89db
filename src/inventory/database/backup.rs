//! When the database is backed up, for whom, and how much of that is kept.

use std::fmt;
use std::str::FromStr;

use crate::inventory::mistake::Wrong;
use crate::inventory::reader::Table;

/// Backups of the database, on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Who can open them: public keys of age's. Without any there are no backups.
    pub recipients: Vec<Recipient>,
    /// When, every day, in the host's time.
    pub at: TimeOfDay,
    /// How many stay on the host.
    pub keep: u32,
    /// How fast one is fetched.
    pub rate: Rate,
}

/// How many stay unless the inventory says else: two weeks.
const KEEP: u32 = 14;

impl Backup {
    /// Reads `[database.backup]`.
    pub(super) fn read(table: Table<'_>) -> Self {
        let recipients = table.texts("recipients");
        let at = table.text("at").unwrap_or_default();
        let keep = table.whole("keep", 1..=1000).unwrap_or(KEEP);
        let rate = table.text("rate").unwrap_or_default();
        if !table.is_absent() && !table.has("recipients") {
            table.missing(
                "recipients",
                "recipients = [\"age1...\"], the `public key` line of your identity,",
            );
        }
        table.finish();
        Self {
            recipients: recipients.unwrap_or_default(),
            at,
            keep,
            rate,
        }
    }
}

/// A public key of age's: `age1...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient(String);

impl FromStr for Recipient {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text.starts_with("AGE-SECRET-KEY-") {
            return Err(Wrong::new(
                "this is the private key of an identity, and the host must not have it",
                "write its public key, which begins with age1; if this file was shared, make a new identity",
            ));
        }
        match text.parse::<age::x25519::Recipient>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(why) => Err(Wrong::new(
                format!("`{text}` is no public key of age's: {why}"),
                "write what follows `# public key:` in the identity's file, age1...",
            )),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A minute of the day: `03:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl Default for TimeOfDay {
    fn default() -> Self {
        Self {
            hour: 3,
            minute: 30,
        }
    }
}

impl FromStr for TimeOfDay {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let number = |part: &str, below: u8| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|number| digits && *number < below)
        };
        let parts = text.split_once(':');
        let found = parts.and_then(|(hour, minute)| Some((number(hour, 24)?, number(minute, 60)?)));
        found
            .map(|(hour, minute)| Self { hour, minute })
            .ok_or_else(|| {
                Wrong::new(
                    format!("`{text}` is no time of day"),
                    "write hours and minutes, such as 03:30",
                )
            })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.hour, self.minute)
    }
}

/// Bytes a second, as `256KiB/s` or `2MiB/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

impl Rate {
    /// In bytes a second.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl Default for Rate {
    /// Less than half of a line of 5 Mbps: streams have the rest.
    fn default() -> Self {
        Self(256 << 10)
    }
}

impl FromStr for Rate {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let wrong = || {
            Wrong::new(
                format!("`{text}` is no rate"),
                "write a whole number of KiB/s or MiB/s, such as 256KiB/s or 2MiB/s",
            )
        };
        let (count, factor) = match (text.strip_suffix("KiB/s"), text.strip_suffix("MiB/s")) {
            (Some(count), _) => (count, 1 << 10),
            (_, Some(count)) => (count, 1 << 20),
            _ => return Err(wrong()),
        };
        let count: u64 = count.parse().map_err(|_| wrong())?;
        let rate = count.checked_mul(factor).filter(|rate| *rate > 0);
        rate.map(Self).ok_or_else(wrong)
    }
}
