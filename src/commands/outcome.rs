//! What a verb ends with, for one region and for several.

use crate::error::{Error, ErrorKind};

/// How a verb that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// `plan`, `status`: something is not as it should be.
    Differences,
}

impl Outcome {
    /// The process's exit status.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Differences => 2,
        }
    }
}

/// One outcome of all regions: a failure outranks a difference, and where some regions are done and some are not, the
/// failure is [`ErrorKind::Partial`] and names both; so it is where one region itself is partly done. Of other failures of
/// several kinds alone, it is [`ErrorKind::Failed`].
///
/// # Errors
/// When any region failed.
pub fn combine(regions: Vec<(String, Result<Outcome, Error>)>) -> Result<Outcome, Error> {
    let mut best = Outcome::Done;
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for (region, result) in regions {
        match result {
            Ok(outcome) => {
                best = best.max(outcome);
                done.push(region);
            }
            Err(error) => failed.push((region, error)),
        }
    }
    let names = |failed: &[(String, Error)]| {
        let names: Vec<&str> = failed.iter().map(|(region, _)| region.as_str()).collect();
        names.join(", ")
    };
    let kind = match (failed.as_slice(), done.is_empty()) {
        ([], _) => return Ok(best),
        ([_], true) => return Err(failed.remove(0).1),
        ([(_, first), rest @ ..], true) => {
            let alike = rest.iter().all(|(_, error)| error.kind == first.kind);
            let partial = failed
                .iter()
                .any(|(_, error)| error.kind == ErrorKind::Partial);
            match (alike, partial) {
                (true, _) => first.kind,
                (false, true) => ErrorKind::Partial,
                (false, false) => ErrorKind::Failed,
            }
        }
        (_, false) => ErrorKind::Partial,
    };
    let what = if done.is_empty() {
        format!("not done: {}", names(&failed))
    } else {
        format!("done: {}; not done: {}", done.join(", "), names(&failed))
    };
    let mut error = Error::new(kind, what);
    for (_, failure) in failed {
        error = error.cause(&failure);
        for hint in failure.hints {
            if !error.hints.contains(&hint) {
                error = error.hint(hint);
            }
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(region: &str) -> (String, Result<Outcome, Error>) {
        let error = Error::new(ErrorKind::Unreachable, format!("{region}: no route")).hint("ping");
        (region.to_owned(), Err(error))
    }

    fn ended(region: &str, outcome: Outcome) -> (String, Result<Outcome, Error>) {
        (region.to_owned(), Ok(outcome))
    }

    #[test]
    fn a_difference_in_one_region_is_a_difference() {
        let all = vec![
            ended("us", Outcome::Differences),
            ended("cn", Outcome::Done),
        ];
        assert_eq!(combine(all), Ok(Outcome::Differences));
    }

    #[test]
    fn a_failure_outranks_a_difference_and_names_who_is_done() {
        let all = vec![ended("us", Outcome::Differences), unreachable("cn")];
        let error = combine(all).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Partial);
        assert_eq!(error.what, "done: us; not done: cn");
        assert_eq!(error.causes, ["cn: no route"]);
        assert_eq!(error.hints, ["ping"]);
    }

    #[test]
    fn one_region_alone_keeps_its_own_error() {
        let error = combine(vec![unreachable("cn")]).unwrap_err();
        assert_eq!(error.what, "cn: no route");
        assert_eq!(error.kind, ErrorKind::Unreachable);
    }

    #[test]
    fn failures_of_one_kind_keep_it_and_say_a_common_hint_once() {
        let error = combine(vec![unreachable("us"), unreachable("cn")]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert_eq!(error.hints, ["ping"]);

        for (kind, expected) in [
            (ErrorKind::LoginRefused, ErrorKind::Failed),
            (ErrorKind::Partial, ErrorKind::Partial),
        ] {
            let other = Error::new(kind, "us: key");
            let all = vec![("us".to_owned(), Err(other)), unreachable("cn")];
            assert_eq!(combine(all).unwrap_err().kind, expected);
        }
    }
}
