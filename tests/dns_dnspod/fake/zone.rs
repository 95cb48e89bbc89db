//! The fake's zone: records, the plan's lines, and the list as it was a while ago.

use std::time::{Duration, Instant};

/// A line, and whether the free plan has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) free: bool,
}

const fn line(id: &'static str, name: &'static str, free: bool) -> Line {
    Line { id, name, free }
}

/// Ids of continents and countries are made up; that they are not known beforehand is the point.
pub(crate) const LINES: [Line; 11] = [
    line("0", "默认", true),
    line("10=0", "电信", true),
    line("7=0", "境内", true),
    line("3=0", "境外", true),
    line("3=11", "亚洲", false),
    line("3=12", "北美洲", false),
    line("3=13", "欧洲", false),
    line("3=14", "非洲", false),
    line("3=15", "大洋洲", false),
    line("3=16", "南美洲", false),
    line("3=301", "日本", false),
];

/// A record as DNSPod keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) line: String,
    pub(crate) value: String,
    pub(crate) ttl: u64,
    pub(crate) weight: Option<u64>,
    pub(crate) status: String,
    pub(crate) remark: String,
}

#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) grade: &'static str,
    pub(crate) delay: Duration,
    /// The most records that a page has, whatever is asked for.
    pub(crate) page: usize,
    pub(crate) records: Vec<Record>,
    /// Names that were found without their default line while they had another.
    pub(crate) bare: Vec<String>,
    past: Vec<(Instant, Vec<Record>)>,
    next: u64,
}

impl Zone {
    pub(crate) fn new(grade: &'static str, delay: Duration) -> Self {
        Self {
            grade,
            delay,
            page: 20,
            records: Vec::new(),
            bare: Vec::new(),
            past: Vec::new(),
            next: 1_800_000_000,
        }
    }

    pub(crate) fn is_useful(&self, line: &Line) -> bool {
        line.free || self.grade != "DP_FREE"
    }

    pub(crate) fn least_ttl(&self) -> u64 {
        if self.grade == "DP_FREE" { 600 } else { 1 }
    }

    /// An id that no record ever had.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Puts a record there as if it had been for long.
    pub(crate) fn seed(
        &mut self,
        name: &str,
        kind: &str,
        line: &str,
        value: &str,
        remark: &str,
    ) -> u64 {
        let id = self.next_id();
        self.records.push(Record {
            id,
            name: name.to_owned(),
            kind: kind.to_owned(),
            line: line.to_owned(),
            value: value.to_owned(),
            ttl: 600,
            weight: None,
            status: "ENABLE".to_owned(),
            remark: remark.to_owned(),
        });
        self.past = vec![(Instant::now() - self.delay, self.records.clone())];
        id
    }

    /// Keeps the list as it is from now on, and watches the default lines.
    pub(crate) fn written(&mut self) {
        self.past.push((Instant::now(), self.records.clone()));
        for record in &self.records {
            let is_default = |other: &&Record| {
                other.name == record.name && other.line == "0" && other.kind == record.kind
            };
            if self.records.iter().find(is_default).is_none() {
                self.bare.push(format!("{} {}", record.name, record.kind));
            }
        }
    }

    /// The list as it was a while ago.
    pub(crate) fn listed(&self) -> Vec<Record> {
        let Some(then) = Instant::now().checked_sub(self.delay) else {
            return Vec::new();
        };
        let past = self.past.iter().rev().find(|(at, _)| *at <= then);
        past.map_or_else(Vec::new, |(_, records)| records.clone())
    }

    /// What a name answers on a line: the line's own records, or the default line's.
    pub(crate) fn answers(&self, name: &str, kind: &str, lines: &[&str]) -> Vec<String> {
        let on = |line: &str| -> Vec<String> {
            let records = self.records.iter().filter(|record| {
                record.name == name
                    && record.kind == kind
                    && record.line == line
                    && record.status == "ENABLE"
            });
            records.map(|record| record.value.clone()).collect()
        };
        let found = lines.iter().map(|line| on(line));
        found
            .into_iter()
            .find(|values| !values.is_empty())
            .unwrap_or_else(|| on("0"))
    }
}
