//! Thresholds of the database: each figure of a report gets a word, and what to do where it is not well. Pure.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::{Asked, skew};
use crate::agent::database_status::{DatabaseReport, OplogReport};
use crate::text;

/// How well something is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// As it should be.
    Ok,
    /// It will become bad, or part of what protects is missing.
    Warn,
    /// Data or service are in danger.
    Bad,
}

/// One figure with its word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is: `oplog`.
    pub name: String,
    /// The figure: `31 h`.
    pub value: String,
    /// How well it is.
    pub word: Word,
    /// What to do where it is not well.
    pub hint: Option<String>,
}

impl Finding {
    fn well(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
            word: Word::Ok,
            hint: None,
        }
    }

    /// The same with another word; advice is kept only where it is needed.
    fn judged(mut self, word: Word, hint: &str) -> Self {
        self.word = word;
        self.hint = (word > Word::Ok).then(|| hint.to_owned());
        self
    }
}

/// The first patch of 8.0 without the holes that are known: CVE-2026-6914 and CVE-2025-14847.
const FLOOR: [u32; 3] = [8, 0, 21];

/// All findings of a report, in the order in which an operator reads them.
pub fn judge(report: &DatabaseReport, asked: Asked) -> Vec<Finding> {
    let mut findings = vec![version(&report.version), role(report)];
    findings.extend(members(report));
    findings.extend(report.oplog.as_ref().map(oplog));
    findings.push(certificate(report.certificate_expires, asked.after));
    findings.push(disk(report.disk_used, report.disk_total));
    findings.push(clock(report.clock, asked));
    findings.push(connections(
        report.connections,
        report.connections_available,
    ));
    findings.push(cache(report.cache_used, report.cache_maximum));
    findings.push(backup(report, asked.after));
    let deleted = text::count(
        usize::try_from(report.ttl_deleted).unwrap_or(usize::MAX),
        "document",
    );
    findings.push(Finding::well(
        "ttl",
        format!("{deleted} deleted since the start"),
    ));
    findings.push(Finding::well("cursors", format!("{} open", report.cursors)));
    findings
}

/// The worst word of all.
pub fn worst(findings: &[Finding]) -> Word {
    findings
        .iter()
        .map(|finding| finding.word)
        .max()
        .unwrap_or(Word::Ok)
}

fn version(version: &str) -> Finding {
    let mut parts = version
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    let found: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    let word = match found >= FLOOR {
        true => Word::Ok,
        false => Word::Warn,
    };
    Finding::well("version", version).judged(
        word,
        "known holes are closed from 8.0.21 on: write that version or a later one in [database], then `geodeploy provision`",
    )
}

fn role(report: &DatabaseReport) -> Finding {
    let primary = report
        .members
        .iter()
        .any(|member| member.state == "PRIMARY");
    let word = match report.role.as_str() {
        "PRIMARY" | "SECONDARY" if primary => Word::Ok,
        _ => Word::Bad,
    };
    let value = match primary {
        true => format!("{} of {}", report.role.to_lowercase(), report.set),
        false => format!(
            "{} of {}, which has no primary",
            report.role.to_lowercase(),
            report.set
        ),
    };
    Finding::well("role", value).judged(
        word,
        "without a primary nothing can be written: see /var/log/mongodb/mongod.log on each member",
    )
}

fn members(report: &DatabaseReport) -> impl Iterator<Item = Finding> {
    report.members.iter().map(|member| {
        let name = format!("member {}", member.host);
        let state = match member.state.as_str() {
            "PRIMARY" | "SECONDARY" | "ARBITER" => Word::Ok,
            "STARTUP" | "STARTUP2" | "RECOVERING" => Word::Warn,
            _ => Word::Bad,
        };
        let late = match member.lag {
            Some(lag) if lag >= 60.0 => Word::Bad,
            Some(lag) if lag >= 10.0 => Word::Warn,
            Some(_) | None => Word::Ok,
        };
        let lag = member.lag.filter(|_| member.state != "PRIMARY");
        let lag = lag.map_or_else(String::new, |lag| format!(", {lag:.0} s behind"));
        Finding::well(&name, format!("{}{lag}", member.state.to_lowercase())).judged(
            state.max(late),
            "is its host up, and the link wide enough for the writes? on it: /var/log/mongodb/mongod.log",
        )
    })
}

/// A log that is not full yet has forgotten nothing, however short its time is.
fn oplog(oplog: &OplogReport) -> Finding {
    let full = oplog.used.saturating_mul(10) >= oplog.maximum.saturating_mul(9);
    let word = match oplog.hours {
        _ if !full => Word::Ok,
        hours if hours >= 24.0 => Word::Ok,
        hours if hours >= 6.0 => Word::Warn,
        _ => Word::Bad,
    };
    let filled = match full {
        true => "full",
        false => "not full yet",
    };
    let value = format!(
        "{:.1} h, {} of {}, {filled}",
        oplog.hours,
        text::bytes(oplog.used),
        text::bytes(oplog.maximum)
    );
    Finding::well("oplog", value).judged(
        word,
        "a member that is away for longer must copy everything anew: write a larger `oplog` in [database]",
    )
}

fn certificate(expires: Option<Timestamp>, now: Timestamp) -> Finding {
    let hint = "make it anew: `geodeploy ca issue`, then `geodeploy provision`";
    let Some(expires) = expires else {
        let finding = Finding::well("certificate", "the server does not tell");
        return finding.judged(Word::Warn, "is TLS on? see `geodeploy plan`");
    };
    let days = expires.duration_since(now).as_hours().div_euclid(24);
    let word = match days {
        30.. => Word::Ok,
        7..30 => Word::Warn,
        _ => Word::Bad,
    };
    Finding::well("certificate", format!("{days} days left")).judged(word, hint)
}

/// Share of a whole in percent; a whole of nothing is not used at all.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than the leading digits"
)]
fn percent(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64 * 100.0,
    }
}

fn disk(used: u64, total: u64) -> Finding {
    let free = percent(total.saturating_sub(used), total);
    let word = match free {
        20.0.. => Word::Ok,
        10.0..20.0 => Word::Warn,
        _ => Word::Bad,
    };
    let value = format!("{free:.0} % of {} free", text::bytes(total));
    Finding::well("disk", value).judged(
        word,
        "mongod stops when its disk is full: make the disk larger, or delete what is old",
    )
}

fn clock(host: (Timestamp, Timestamp), asked: Asked) -> Finding {
    let skew = skew(host, asked);
    let word = match skew.abs() {
        0.0..=1.0 => Word::Ok,
        _ => Word::Bad,
    };
    let value = match skew {
        0.0 => "no difference that can be seen from here".to_owned(),
        skew if skew > 0.0 => format!("at least {skew:.1} s ahead of this machine's"),
        skew => format!("at least {:.1} s behind this machine's", -skew),
    };
    Finding::well("clock", value).judged(
        word,
        "documents expire by that clock; on the host: `timedatectl`, and is `system.time_servers` reachable?",
    )
}

fn connections(open: u64, available: u64) -> Finding {
    let word = match percent(open, open + available) {
        90.0.. => Word::Bad,
        70.0.. => Word::Warn,
        _ => Word::Ok,
    };
    Finding::well("connections", format!("{open} of {}", open + available)).judged(
        word,
        "who holds them? the application keeps a few for each server",
    )
}

/// WiredTiger lets clients wait for room from 95 % on.
fn cache(used: u64, maximum: u64) -> Finding {
    let share = percent(used, maximum);
    let word = match share {
        95.0.. => Word::Warn,
        _ => Word::Ok,
    };
    let value = format!("{share:.0} % of {}", text::bytes(maximum));
    Finding::well("cache", value).judged(word, "write a larger `cache` in [database]")
}

fn backup(report: &DatabaseReport, now: Timestamp) -> Finding {
    let age = |time: Timestamp| now.duration_since(time).as_secs_f64().max(0.0);
    let shown = |seconds: f64| text::duration(Duration::from_secs_f64(seconds));
    let Some(newest) = report.backup.newest.map(age) else {
        return Finding::well("backup", "none").judged(
            Word::Warn,
            "nothing brings the data back after a loss of this host: set up backups",
        );
    };
    const HOUR: f64 = 3600.0;
    let verified = report.backup.verified.map(age);
    let word = match (newest, verified) {
        (newest, _) if newest > 7.0 * 24.0 * HOUR => Word::Bad,
        (newest, Some(verified)) if newest <= 36.0 * HOUR && verified <= 8.0 * 24.0 * HOUR => {
            Word::Ok
        }
        _ => Word::Warn,
    };
    let verified = match verified {
        Some(verified) => format!("one was restored for a trial {} ago", shown(verified)),
        None => "none was ever restored for a trial".to_owned(),
    };
    Finding::well("backup", format!("{} old; {verified}", shown(newest))).judged(
        word,
        "a backup is made each night and tried each week: see the timer of backups on the host",
    )
}
