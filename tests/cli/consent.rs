//! Consent that names its object.

use crate::sandbox::Sandbox;

#[test]
fn consent_to_shorten_a_life_must_name_an_index_that_is_there() {
    let sandbox = Sandbox::new().project();
    let run = sandbox.run(&["provision", "--yes", "--shorten-ttl", "sessions.at_1"]);
    assert_eq!(run.status(), 64, "{}", run.err());
    assert!(
        run.err().contains("sessions.at_1 is not a TTL index"),
        "{}",
        run.err()
    );
    assert!(
        run.err().contains("multi_agent_sessions.expiresAt_1"),
        "{}",
        run.err()
    );
}

#[test]
fn data_is_taken_over_only_where_a_backup_is_named_that_is_there() {
    let sandbox = Sandbox::new().project();
    let adopt = ["provision", "--adopt-data", "cn"];
    assert_eq!(sandbox.run(&adopt).status(), 64);
    let run = sandbox.run(&[&adopt[..], &["--data-backup", "none.tgz"]].concat());
    assert_eq!(run.status(), 64, "{}", run.err());
    assert!(run.err().contains("no backup none.tgz"), "{}", run.err());
}
