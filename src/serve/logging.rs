//! The log: one line an event on standard error, each naming the region.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use super::config::Logging;

/// Sends this process's log to standard error. Does nothing when there is a log already.
pub(super) fn begin(logging: &Logging, server_name: &str) {
    let line = Line {
        region: logging.region.clone(),
        server: server_name.to_owned(),
        json: logging.json,
    };
    let filter = EnvFilter::new(format!("warn,geodeploy={}", logging.level));
    let begun = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .event_format(line)
        .try_init();
    if begun.is_err() {
        tracing::debug!("this process has a log already");
    }
}

struct Line {
    region: String,
    server: String,
    json: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let level = event.metadata().level().as_str();
        writeln!(writer, "{}", self.text(Timestamp::now(), level, fields.0))
    }
}

impl Line {
    fn text(&self, now: Timestamp, level: &str, mut fields: Map<String, Value>) -> String {
        if self.json {
            fields.insert("time".to_owned(), now.to_string().into());
            fields.insert("level".to_owned(), level.to_ascii_lowercase().into());
            fields.insert("region".to_owned(), self.region.clone().into());
            fields.insert("server".to_owned(), self.server.clone().into());
            return Value::Object(fields).to_string();
        }
        let message = fields.remove("message").unwrap_or_default();
        let mut text = format!("{now:.3} {level:5} {} ", self.region);
        text.push_str(message.as_str().unwrap_or_default());
        for (name, value) in &fields {
            text.push_str(&format!(" {name}={value}"));
        }
        text
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Map, Timestamp};

    #[test]
    fn a_line_names_time_level_and_region_in_either_form() {
        let now = "2024-12-01T00:00:00.5Z".parse::<Timestamp>().unwrap();
        let fields: Map<_, _> = [("message", "begun"), ("port", "8000")]
            .map(|(k, v)| (k.to_owned(), v.into()))
            .into_iter()
            .collect();
        let mut line = Line {
            region: "US".to_owned(),
            server: "us-server".to_owned(),
            json: false,
        };
        let text = line.text(now, "INFO", fields.clone());
        assert_eq!(
            text,
            "2024-12-01T00:00:00.500Z INFO  US begun port=\"8000\""
        );
        line.json = true;
        let value: serde_json::Value =
            serde_json::from_str(&line.text(now, "INFO", fields)).unwrap();
        assert_eq!(value["region"], "US");
        assert_eq!(value["level"], "info");
        assert_eq!(value["message"], "begun");
    }
}
