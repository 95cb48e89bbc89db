//! Counters and gauges in Prometheus's text format 0.0.4. Every label has a fixed set of values.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use super::config::Limits;
use super::error::Code;
use super::machine::Machine;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With its end mark.
    Complete,
    /// The client left first.
    ClientLeft,
    /// With an error frame of this code.
    Failed(Code),
}

/// What has been counted since the process began.
pub struct Metrics {
    errors: [AtomicU64; Code::ALL.len()],
    stream_failures: [AtomicU64; Code::ALL.len()],
    complete: AtomicU64,
    client_left: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            errors: std::array::from_fn(|_| AtomicU64::new(0)),
            stream_failures: std::array::from_fn(|_| AtomicU64::new(0)),
            complete: AtomicU64::new(0),
            client_left: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    /// Counts an answer that is an error.
    pub fn count_error(&self, code: Code) {
        if let Some(counter) = self.errors.get(code as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts the end of a stream.
    pub fn count_stream(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Complete => &self.complete,
            Outcome::ClientLeft => &self.client_left,
            Outcome::Failed(code) => match self.stream_failures.get(code as usize) {
                Some(counter) => counter,
                None => return,
            },
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The whole page.
    #[must_use]
    pub fn page(&self, active: u64, limits: Limits, machine: &Machine) -> String {
        let mut page = Page::default();
        page.streams(active, limits);
        page.head(
            "sse_rejected_total",
            "counter",
            "Streams refused, by reason.",
        );
        for code in [
            Code::UserStreamLimit,
            Code::GlobalStreamLimit,
            Code::Draining,
        ] {
            page.labelled(
                "sse_rejected_total",
                "reason",
                code.name(),
                load(&self.errors, code),
            );
        }
        page.head("sse_streams_total", "counter", "Streams ended, by outcome.");
        for (outcome, counter) in [
            ("complete", &self.complete),
            ("client_left", &self.client_left),
        ] {
            page.labelled(
                "sse_streams_total",
                "outcome",
                outcome,
                counter.load(Ordering::Relaxed),
            );
        }
        for code in STREAM_FAILURES {
            let count = load(&self.stream_failures, code);
            page.labelled("sse_streams_total", "outcome", code.name(), count);
        }
        page.head(
            "http_errors_total",
            "counter",
            "Answers that are errors, by code.",
        );
        for code in Code::ALL {
            page.labelled(
                "http_errors_total",
                "code",
                code.name(),
                load(&self.errors, code),
            );
        }
        for (name, help, value) in machine.gauges() {
            page.gauge(name, help, value);
        }
        page.0
    }
}

/// Every code that an error frame within a stream can have.
const STREAM_FAILURES: [Code; 9] = [
    Code::UpstreamError,
    Code::UpstreamTruncated,
    Code::UpstreamTimeout,
    Code::UpstreamRejected,
    Code::UpstreamRateLimited,
    Code::UpstreamAuth,
    Code::UpstreamConfig,
    Code::Draining,
    Code::Internal,
];

fn load(counters: &[AtomicU64], code: Code) -> u64 {
    counters
        .get(code as usize)
        .map_or(0, |counter| counter.load(Ordering::Relaxed))
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn streams(&mut self, active: u64, limits: Limits) {
        let (active, most) = (active as f64, f64::from(limits.streams));
        let share = if most > 0.0 { active / most } else { 1.0 };
        self.gauge(
            "sse_active_connections",
            "Open streams of all generations.",
            active,
        );
        self.gauge(
            "sse_max_connections",
            "Streams that may be open at once.",
            most,
        );
        self.gauge(
            "sse_utilization",
            "Open streams as a share of the maximum, 0 to 1.",
            share,
        );
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _: std::fmt::Result = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, "gauge", help);
        let _: std::fmt::Result = writeln!(self.0, "{name} {value}");
    }

    fn labelled(&mut self, name: &str, label: &str, value: &str, count: u64) {
        let _: std::fmt::Result = writeln!(self.0, "{name}{{{label}=\"{value}\"}} {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Metrics, Outcome};
    use crate::serve::config::Limits;
    use crate::serve::machine::Machine;

    #[test]
    fn the_page_has_the_guides_names_and_what_was_counted() {
        let metrics = Metrics::default();
        metrics.count_error(Code::GlobalStreamLimit);
        metrics.count_stream(Outcome::Failed(Code::UpstreamTruncated));
        metrics.count_stream(Outcome::Complete);
        let limits = Limits {
            streams: 200,
            streams_per_user: 1,
        };
        let page = metrics.page(50, limits, &Machine::default());
        for line in [
            "sse_active_connections 50",
            "sse_max_connections 200",
            "sse_utilization 0.25",
            "sse_rejected_total{reason=\"global_stream_limit\"} 1",
            "sse_rejected_total{reason=\"user_stream_limit\"} 0",
            "sse_streams_total{outcome=\"complete\"} 1",
            "sse_streams_total{outcome=\"upstream_truncated\"} 1",
        ] {
            assert!(
                page.lines().any(|found| found == line),
                "{line} is not in\n{page}"
            );
        }
    }

    #[test]
    fn the_list_of_codes_is_in_the_order_of_their_numbers() {
        for (index, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, index);
        }
    }
}
