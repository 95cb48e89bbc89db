//! What the certificate on disk says, as openssl reads it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::live;
use crate::agent::system::{Fault, Invocation, System};

/// A certificate's dates, names and issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) names: Vec<String>,
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

impl Described {
    /// The newest certificate of that name; `None` where there is none.
    pub(super) fn read(lineage: &str, system: &dyn System) -> Result<Option<Self>, Fault> {
        let path = live(lineage).join("cert.pem");
        let what = format!("cannot read {}", path.display());
        let there = system.metadata(&path);
        if there.map_err(|error| Fault::new(&what, error))?.is_none() {
            return Ok(None);
        }
        let path = path.to_string_lossy();
        let argv = [
            "openssl",
            "x509",
            "-noout",
            "-dates",
            "-issuer",
            "-serial",
            "-ext",
            "subjectAltName",
            "-nameopt",
            "multiline,-esc_msb,utf8",
            "-in",
            &path,
        ];
        let output = system.run(&Invocation::new(&argv));
        let output = output
            .map_err(|error| Fault::new(&what, error))?
            .checked(&what)?;
        let unknown = || Fault::new(&what, format!("openssl says: {}", output.stdout.trim()));
        Self::parse(&output.stdout).ok_or_else(unknown).map(Some)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = text.lines().map(str::trim);
            lines.find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))
        };
        let names = text.lines().flat_map(|line| line.split(','));
        let names = names.filter_map(|entry| entry.trim().strip_prefix("DNS:"));
        Some(Self {
            names: names.map(str::to_owned).collect(),
            issuer: field("commonName")
                .or_else(|| field("issuer"))?
                .trim()
                .to_owned(),
            serial: field("serial")?.to_owned(),
            not_before: date(field("notBefore")?)?,
            not_after: date(field("notAfter")?)?,
        })
    }

    pub(super) fn lifetime(&self) -> i64 {
        self.not_after.as_second() - self.not_before.as_second()
    }

    pub(super) fn seconds_left(&self, system: &dyn System) -> i64 {
        let now = Timestamp::try_from(system.now()).unwrap_or(Timestamp::MAX);
        self.not_after.as_second() - now.as_second()
    }
}

/// `Nov  4 02:05:57 2026 GMT`, with one or two blanks before the day.
fn date(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [month, day, time, year, "GMT"] = words[..] else {
        return None;
    };
    let text = format!("{year} {month} {day:0>2} {time}");
    let date = DateTime::strptime("%Y %b %d %H:%M:%S", text).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Whether certbot's `renew_before_expiry` is a third of that many seconds, to the hour.
pub(super) fn renewed_early(setting: &str, lifetime: i64) -> bool {
    let hours = setting.strip_suffix(" hours");
    let hours = hours.and_then(|hours| hours.trim().parse::<i64>().ok());
    hours == Some(lifetime / 3 / 3600)
}
