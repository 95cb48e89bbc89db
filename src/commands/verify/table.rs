//! What the checks found, as a table and as one error. Pure.

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::text::{Palette, Tone};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Failed,
    Skipped,
}

/// One check of one region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Check {
    region: String,
    check: &'static str,
    result: State,
    /// How long it took, or for the database's link how long a ping takes; `None` where it was not made.
    milliseconds: Option<f64>,
    told: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
}

impl Check {
    /// It is as it should be.
    pub(super) fn well(region: &str, check: &'static str, milliseconds: f64, told: String) -> Self {
        Self {
            region: region.to_owned(),
            check,
            result: State::Ok,
            milliseconds: Some((milliseconds * 10.0).round() / 10.0),
            told,
            error: None,
        }
    }

    /// It is not.
    pub(super) fn failed(
        region: &str,
        check: &'static str,
        milliseconds: f64,
        error: Error,
    ) -> Self {
        let told = error.causes.first().unwrap_or(&error.what).clone();
        Self {
            result: State::Failed,
            error: Some(error),
            ..Self::well(region, check, milliseconds, told)
        }
    }

    /// It was not made.
    pub(super) fn skipped(region: &str, check: &'static str, why: &str) -> Self {
        Self {
            result: State::Skipped,
            milliseconds: None,
            ..Self::well(region, check, 0.0, why.to_owned())
        }
    }

    /// Whether it failed.
    pub(super) fn is_failed(&self) -> bool {
        self.result == State::Failed
    }
}

/// A line for each check.
pub(super) fn render(checks: &[Check], palette: Palette) -> String {
    let width = |text: fn(&Check) -> &str| checks.iter().map(|check| text(check).len()).max();
    let regions = width(|check| &check.region).unwrap_or(0);
    let names = width(|check| check.check).unwrap_or(0);
    let lines = checks.iter().map(|check| {
        let mark = match check.result {
            State::Ok => palette.paint(Tone::Added, "ok"),
            State::Failed => palette.paint(Tone::Removed, "!!"),
            State::Skipped => palette.paint(Tone::Faint, "--"),
        };
        let time = match check.milliseconds {
            Some(time) if time < 10.0 => format!("{time:.1} ms"),
            Some(time) => format!("{time:.0} ms"),
            None => String::new(),
        };
        let told = check.told.lines().next().unwrap_or_default();
        format!(
            "{mark}  {:regions$}  {:names$}  {time:>8}  {told}",
            check.region, check.check
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Nothing, or one error that names everything that failed, why, and what to type next.
pub(super) fn end(checks: &[Check]) -> Result<(), Error> {
    let failed: Vec<&Check> = checks.iter().filter(|check| check.is_failed()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names = failed
        .iter()
        .map(|check| format!("{}: {}", check.region, check.check));
    let names: Vec<String> = names.collect();
    let what = format!("not as it should be: {}", names.join(", "));
    let errors = failed.iter().filter_map(|check| check.error.as_ref());
    Err(
        errors.fold(Error::new(ErrorKind::Failed, what), |all, error| {
            let all = all.cause(error);
            error.hints.iter().fold(all, |all, hint| {
                if all.hints.contains(hint) {
                    return all;
                }
                all.hint(hint)
            })
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<Check> {
        let error = Error::new(ErrorKind::Failed, "us: no link")
            .cause("the name cn.db does not resolve")
            .hint("set `database.host`");
        vec![
            Check::well("us", "health", 372.44, "200 OK: healthy".to_owned()),
            Check::failed("us", "database link", 3.2, error),
            Check::skipped("us", "chat", "no key"),
        ]
    }

    #[test]
    fn each_check_is_a_line_with_its_time() {
        let expected = "\
ok  us  health           372 ms  200 OK: healthy
!!  us  database link    3.2 ms  the name cn.db does not resolve
--  us  chat                     no key";
        assert_eq!(render(&checks(), Palette::PLAIN), expected);
    }

    #[test]
    fn what_failed_is_named_with_its_cause_and_what_to_type_next() {
        let error = end(&checks()).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert_eq!(error.what, "not as it should be: us: database link");
        assert_eq!(
            error.causes,
            ["us: no link: the name cn.db does not resolve"]
        );
        assert_eq!(error.hints, ["set `database.host`"]);
        assert_eq!(end(&checks()[..1]), Ok(()));
    }

    #[test]
    fn a_failed_check_carries_its_error_as_json() {
        let document = serde_json::to_value(checks()).unwrap();
        assert_eq!(document[1]["result"], "failed");
        assert_eq!(document[1]["error"]["hints"][0], "set `database.host`");
        assert_eq!(document[2]["milliseconds"], serde_json::Value::Null);
    }
}
