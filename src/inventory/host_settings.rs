//! What a host is like beside the application: limits, packages, swap, logs, time, mirrors.

use std::str::FromStr;
use std::time::Duration;

use super::mistake::Wrong;
use super::names::{HostName, PackageName};
use super::reader::Table;
use super::values::{ByteSize, HttpUrl, Span};

/// How many streams a region holds at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of all users together (`MAX_SSE_CONNECTIONS`).
    pub max_sse: u32,
    /// Of one user (`MAX_SSE_CONNECTIONS_PER_USER`).
    pub max_sse_per_user: u32,
}

impl Default for Limits {
    /// The guide's.
    fn default() -> Self {
        Self {
            max_sse: 200,
            max_sse_per_user: 1,
        }
    }
}

impl Limits {
    pub(super) fn read(table: Table<'_>, base: &Self) -> Self {
        let max_sse = table.whole("max_sse", 1..=100_000);
        let per_user = table.whole("max_sse_per_user", 1..=1000);
        let limits = Self {
            max_sse: max_sse.unwrap_or(base.max_sse),
            max_sse_per_user: per_user.unwrap_or(base.max_sse_per_user),
        };
        let written = max_sse.is_some() || per_user.is_some();
        if written && limits.max_sse_per_user > limits.max_sse {
            let cause = format!(
                "one user may hold {} streams, all users together only {}",
                limits.max_sse_per_user, limits.max_sse
            );
            table.wrong(
                "max_sse_per_user",
                Wrong::new(cause, "write a max_sse_per_user of at most max_sse"),
            );
        }
        table.finish();
        limits
    }
}

/// Which packages a host gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// Which of those that are there are brought up to date.
    pub upgrade: Upgrade,
    /// Packages beside those that the blueprint needs.
    pub extra: Vec<PackageName>,
}

/// Which installed packages `provision` upgrades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// None.
    None,
    /// Those with security fixes.
    #[default]
    Security,
    /// All.
    All,
}

impl FromStr for Upgrade {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "none" => Ok(Self::None),
            "security" => Ok(Self::Security),
            "all" => Ok(Self::All),
            _ => Err(Wrong::new(
                format!("`{text}` is not a kind of upgrade"),
                "write security, none or all",
            )),
        }
    }
}

impl Packages {
    pub(super) fn read(table: Table<'_>, base: &Self) -> Self {
        let packages = Self {
            upgrade: table.text("upgrade").unwrap_or(base.upgrade),
            extra: table.texts("extra").unwrap_or_else(|| base.extra.clone()),
        };
        table.finish();
        packages
    }
}

/// Swap, logs and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSystem {
    /// Size of the swap file; `None` manages none.
    pub swap: Option<ByteSize>,
    /// How much of the disk the journal may take.
    pub log_max_size: ByteSize,
    /// How long the journal is kept.
    pub log_max_age: Duration,
    /// Time servers, the preferred first; empty leaves the distribution's.
    pub time_servers: Vec<HostName>,
}

impl Default for HostSystem {
    fn default() -> Self {
        Self {
            swap: Some(ByteSize::mebibytes(2048)),
            log_max_size: ByteSize::mebibytes(500),
            log_max_age: Duration::from_secs(14 * 86_400),
            time_servers: Vec::new(),
        }
    }
}

struct Swap(Option<ByteSize>);

impl FromStr for Swap {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        if text == "none" {
            return Ok(Self(None));
        }
        let size: ByteSize = text.parse()?;
        if !(64..=64 * 1024).contains(&size.as_mebibytes()) {
            let cause =
                format!("a swap file of {text} is too small to help or too large to be meant");
            return Err(Wrong::new(
                cause,
                "write a size from 64MiB to 64GiB, or none",
            ));
        }
        Ok(Self(Some(size)))
    }
}

impl HostSystem {
    pub(super) fn read(table: Table<'_>, base: &Self) -> Self {
        let log_max_size: Option<ByteSize> = table.text("log_max_size");
        let log_max_age: Option<Span> = table.text("log_max_age");
        if log_max_size.is_some_and(|size| size.as_mebibytes() < 16) {
            let cause = "less than 16MiB of logs would not hold an hour";
            table.wrong(
                "log_max_size",
                Wrong::new(cause, "write at least 16MiB, such as 500MiB"),
            );
        }
        if log_max_age.is_some_and(|age| age.0 < Duration::from_secs(3600)) {
            let cause = "logs that are gone within the hour explain nothing";
            table.wrong(
                "log_max_age",
                Wrong::new(cause, "write at least 1h, such as 14d"),
            );
        }
        let system = Self {
            swap: table.text::<Swap>("swap").map_or(base.swap, |swap| swap.0),
            log_max_size: log_max_size.unwrap_or(base.log_max_size),
            log_max_age: log_max_age.map_or(base.log_max_age, |age| age.0),
            time_servers: table
                .texts("time_servers")
                .unwrap_or_else(|| base.time_servers.clone()),
        };
        table.finish();
        system
    }
}

/// Where a host gets its packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrors {
    /// Archive in place of the distribution's, for its release and its updates.
    pub apt: Option<HttpUrl>,
    /// Archive of the security updates; as in Ubuntu, `apt` itself where this is absent.
    pub apt_security: Option<HttpUrl>,
    /// Components of the archive at `apt`.
    pub apt_components: Vec<PackageName>,
    /// Proxy for every archive.
    pub apt_proxy: Option<HttpUrl>,
}

impl Mirrors {
    /// None, with the components that Ubuntu's own sources have.
    pub(super) fn none() -> Self {
        let components = ["main", "universe"]
            .iter()
            .filter_map(|name| name.parse().ok());
        Self {
            apt: None,
            apt_security: None,
            apt_components: components.collect(),
            apt_proxy: None,
        }
    }

    pub(super) fn read(table: Table<'_>, base: &Self) -> Self {
        let mirrors = Self {
            apt: table.text("apt").or_else(|| base.apt.clone()),
            apt_security: table
                .text("apt_security")
                .or_else(|| base.apt_security.clone()),
            apt_components: table
                .texts("apt_components")
                .unwrap_or_else(|| base.apt_components.clone()),
            apt_proxy: table.text("apt_proxy").or_else(|| base.apt_proxy.clone()),
        };
        if mirrors.apt_security.is_some() && mirrors.apt.is_none() {
            let cause = "apt_security stands beside apt, and there is no apt";
            table.wrong(
                "apt_security",
                Wrong::new(
                    cause,
                    "write apt = \"http://mirrors.example.com/ubuntu\" too",
                ),
            );
        }
        table.finish();
        mirrors
    }
}

/// What the releases on a host are kept to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Releases that stay on the host, the running one among them.
    pub keep: u32,
    /// How long open streams may run on after a switch.
    pub drain: Duration,
}

impl Release {
    pub(super) fn read(table: Table<'_>) -> Self {
        let drain: Option<Span> = table.text("drain");
        if drain.is_some_and(|drain| !(1..=3600).contains(&drain.0.as_secs())) {
            let cause = "streams are given from one second to one hour to end";
            table.wrong(
                "drain",
                Wrong::new(cause, "write a time from 1s to 1h, such as 60s"),
            );
        }
        let release = Self {
            keep: table.whole("keep", 2..=50).unwrap_or(5),
            drain: drain.map_or(Duration::from_secs(60), |drain| drain.0),
        };
        table.finish();
        release
    }
}
