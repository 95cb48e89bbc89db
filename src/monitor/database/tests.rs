use jiff::ToSpan;

use super::*;
use crate::agent::database_status::{BackupReport, MemberReport};

const GIB: u64 = 1 << 30;

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn hours_ago(hours: i64) -> Timestamp {
    now() - hours.hours()
}

fn asked() -> Asked {
    Asked {
        before: now() - 400.milliseconds(),
        after: now(),
    }
}

fn member(host: &str, state: &str, lag: Option<f64>) -> MemberReport {
    MemberReport {
        host: host.to_owned(),
        state: state.to_owned(),
        lag,
    }
}

/// A database with which everything is well.
fn well() -> DatabaseReport {
    DatabaseReport {
        version: "8.0.21".to_owned(),
        set: "rs0".to_owned(),
        role: "PRIMARY".to_owned(),
        members: vec![
            member("cn.db:27017", "PRIMARY", Some(0.0)),
            member("us.db:27017", "SECONDARY", Some(1.0)),
        ],
        oplog: Some(OplogReport {
            hours: 31.0,
            used: GIB,
            maximum: GIB,
        }),
        certificate_expires: Some(now() + (24 * 200).hours()),
        disk_used: 10 * GIB,
        disk_total: 40 * GIB,
        connections: 12,
        connections_available: 800,
        cache_used: GIB / 2,
        cache_maximum: GIB,
        ttl_deleted: 17,
        cursors: 1,
        backup: BackupReport {
            verified: Some(hours_ago(48)),
            newest: Some(hours_ago(10)),
        },
        clock: (now() - 200.milliseconds(), now() - 100.milliseconds()),
    }
}

/// The one finding that is not well, and its word.
fn wrong(report: &DatabaseReport) -> (String, Word) {
    let findings = judge(report, asked());
    let wrong: Vec<&Finding> = findings
        .iter()
        .filter(|found| found.word > Word::Ok)
        .collect();
    let [finding] = wrong.as_slice() else {
        panic!("not one finding is wrong but {wrong:?}")
    };
    assert!(finding.hint.is_some(), "{finding:?}");
    assert_eq!(worst(&findings), finding.word);
    (finding.name.clone(), finding.word)
}

fn changed(change: impl FnOnce(&mut DatabaseReport)) -> (String, Word) {
    let mut report = well();
    change(&mut report);
    wrong(&report)
}

fn is(name: &str, word: Word) -> (String, Word) {
    (name.to_owned(), word)
}

#[test]
fn a_database_that_is_well_has_no_other_word_and_no_advice() {
    let findings = judge(&well(), asked());
    assert_eq!(worst(&findings), Word::Ok, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.hint.is_none()));
    let names: Vec<&str> = findings
        .iter()
        .map(|finding| finding.name.as_str())
        .collect();
    let expected = [
        "version",
        "role",
        "member cn.db:27017",
        "member us.db:27017",
        "oplog",
        "certificate",
        "disk",
        "clock",
        "connections",
        "cache",
        "backup",
        "ttl",
        "cursors",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_patch_below_the_floor_is_noted_and_a_later_series_is_not() {
    for old in ["8.0.20", "6.0.5", "7.0.30"] {
        assert_eq!(
            changed(|report| report.version = old.to_owned()),
            is("version", Word::Warn)
        );
    }
    assert_eq!(version("8.0.100").word, Word::Ok);
    assert_eq!(version("8.2.0-rc1").word, Word::Ok);
}

#[test]
fn a_set_without_a_primary_is_bad_wherever_it_is_looked_at() {
    let mut report = well();
    report.members[0].state = "SECONDARY".to_owned();
    report.role = "SECONDARY".to_owned();
    assert_eq!(wrong(&report), is("role", Word::Bad));
}

#[test]
fn a_member_that_is_away_starting_or_late_is_named() {
    let of =
        |state: &str, lag| changed(|report| report.members[1] = member("us.db:27017", state, lag));
    let name = "member us.db:27017";
    assert_eq!(of("(not reachable/healthy)", None), is(name, Word::Bad));
    assert_eq!(of("STARTUP2", None), is(name, Word::Warn));
    assert_eq!(of("SECONDARY", Some(12.0)), is(name, Word::Warn));
    assert_eq!(of("SECONDARY", Some(61.0)), is(name, Word::Bad));
}

#[test]
fn a_short_oplog_counts_only_once_it_is_full() {
    let of = |hours, used| OplogReport {
        hours,
        used,
        maximum: GIB,
    };
    assert_eq!(oplog(&of(0.2, GIB / 2)).word, Word::Ok);
    assert_eq!(oplog(&of(12.0, GIB)).word, Word::Warn);
    assert_eq!(oplog(&of(5.9, GIB)).word, Word::Bad);
}

#[test]
fn certificate_disk_connections_and_cache_have_their_thresholds() {
    let days = |days: i64| certificate(Some(now() + (days * 24).hours()), now()).word;
    assert_eq!(
        [days(30), days(29), days(6), days(-1)],
        [Word::Ok, Word::Warn, Word::Bad, Word::Bad]
    );
    assert_eq!(certificate(None, now()).word, Word::Warn);
    let free = |free: u64| disk(100 - free, 100).word;
    assert_eq!(
        [free(20), free(19), free(9)],
        [Word::Ok, Word::Warn, Word::Bad]
    );
    let open = |open: u64| connections(open, 100 - open).word;
    assert_eq!(
        [open(69), open(70), open(90)],
        [Word::Ok, Word::Warn, Word::Bad]
    );
    assert_eq!(
        [cache(94, 100).word, cache(95, 100).word],
        [Word::Ok, Word::Warn]
    );
}

#[test]
fn a_clock_that_is_off_is_bad() {
    let ahead = changed(|report| report.clock = (now() + 2.seconds(), now() + 2.seconds()));
    assert_eq!(ahead, is("clock", Word::Bad));
}

#[test]
fn a_backup_that_is_missing_old_or_was_never_tried_is_said() {
    let of = |newest: Option<i64>, verified: Option<i64>| {
        changed(|report| {
            report.backup = BackupReport {
                verified: verified.map(hours_ago),
                newest: newest.map(hours_ago),
            };
        })
    };
    assert_eq!(of(None, None), is("backup", Word::Warn));
    assert_eq!(of(Some(10), None), is("backup", Word::Warn));
    assert_eq!(of(Some(40), Some(10)), is("backup", Word::Warn));
    assert_eq!(of(Some(10), Some(200)), is("backup", Word::Warn));
    assert_eq!(of(Some(170), Some(10)), is("backup", Word::Bad));
}
