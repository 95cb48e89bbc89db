//! What is wrong with a region's certificate, and what is about to be. Pure.

use jiff::Timestamp;

use crate::resource::certificate::{OnDisk, Report};

/// What is wrong with it, one line each; nothing where all is well. `names` are those that the region's web server
/// answers to.
///
/// certbot renews when a third of the lifetime is left. At a quarter it has failed for long enough to be told, however
/// long the lifetime is.
pub fn problems(report: Option<&Report>, names: &[String], now: Timestamp) -> Vec<String> {
    let Some(report) = report else {
        return vec!["there is no certificate yet".to_owned()];
    };
    let mut problems = match &report.certificate {
        Some(certificate) => of_certificate(certificate, names, now),
        None => vec!["there is no certificate yet".to_owned()],
    };
    if report.renewal_failed {
        problems.push(format!("the last renewal failed ({})", report.renewal));
    }
    if !report.refused.is_empty() {
        problems.push(format!("the last attempt was refused: {}", report.refused));
    }
    problems
}

fn of_certificate(certificate: &OnDisk, names: &[String], now: Timestamp) -> Vec<String> {
    let mut problems = Vec::new();
    let lifetime = certificate.not_after.as_second() - certificate.not_before.as_second();
    let left = certificate.not_after.as_second() - now.as_second();
    if left <= 0 {
        problems.push(format!(
            "the certificate expired at {}",
            certificate.not_after
        ));
    } else if left < lifetime / 4 {
        problems.push(format!(
            "{} left of the certificate's {}, and it was not renewed",
            days(left),
            days(lifetime)
        ));
    }
    let missing = names
        .iter()
        .filter(|name| !certificate.names.contains(name));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if !missing.is_empty() {
        problems.push(format!(
            "the certificate is not for {}",
            missing.join(" and ")
        ));
    }
    problems
}

/// Whole days: `89 days`.
pub fn days(seconds: i64) -> String {
    let days = usize::try_from(seconds / 86_400).unwrap_or(0);
    crate::text::count(days, "day")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(renewal_failed: bool) -> Report {
        Report {
            certificate: Some(OnDisk {
                names: vec!["us.yourapp.com".to_owned(), "api.yourapp.com".to_owned()],
                issuer: "R11".to_owned(),
                serial: "04AB".to_owned(),
                not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
                not_after: "2026-02-10T00:00:00Z".parse().unwrap(),
            }),
            renewal_failed,
            renewal: "exit-code".to_owned(),
            refused: String::new(),
        }
    }

    fn at(now: &str, report: &Report, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        problems(Some(report), &names, now.parse().unwrap())
    }

    #[test]
    fn a_certificate_is_told_of_at_a_quarter_of_its_lifetime_and_not_before() {
        let well = report(false);
        let names = ["us.yourapp.com", "api.yourapp.com"];
        assert!(at("2026-01-31T00:00:00Z", &well, &names).is_empty());
        let told = at("2026-01-31T00:00:01Z", &well, &names);
        assert_eq!(
            told,
            ["9 days left of the certificate's 40 days, and it was not renewed"]
        );
        let told = at("2026-02-10T00:00:00Z", &well, &names);
        assert_eq!(told, ["the certificate expired at 2026-02-10T00:00:00Z"]);
    }

    #[test]
    fn names_that_it_is_not_for_and_a_failed_renewal_are_told() {
        let told = at("2026-01-02T00:00:00Z", &report(true), &["cn.yourapp.com"]);
        assert_eq!(
            told,
            [
                "the certificate is not for cn.yourapp.com",
                "the last renewal failed (exit-code)"
            ]
        );
    }

    #[test]
    fn no_certificate_is_told_and_why_the_last_attempt_was_refused() {
        let none = Report {
            certificate: None,
            refused: "no such name".to_owned(),
            ..report(false)
        };
        assert_eq!(problems(None, &[], Timestamp::now()).len(), 1);
        let told = problems(Some(&none), &[], Timestamp::now());
        assert_eq!(
            told[1..],
            ["the last attempt was refused: no such name".to_owned()]
        );
    }
}
