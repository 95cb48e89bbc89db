//! What runs on a twin, to tell whether anything was started anew.

use std::collections::BTreeMap;

use super::fixture::Twins;

/// When a unit became active, its main process and how often it was restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    active_since: String,
    process: String,
    restarts: String,
}

/// Every running unit of a twin. Logins come and go, and what is named here belongs to them.
pub(crate) fn starts(twins: &Twins, region: &str) -> BTreeMap<String, Start> {
    let text = twins.shell(
        region,
        "systemctl show --property=Id,ActiveState,ActiveEnterTimestampMonotonic,MainPID,NRestarts '*.service' '*.socket' '*.timer'",
    );
    let mut all = BTreeMap::new();
    for block in text.split("\n\n") {
        let field = |name: &str| {
            let line = block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().to_owned()
        };
        let unit = field("Id");
        let logins = ["user@", "user-runtime-dir@", "session-"];
        if field("ActiveState") != "active" || logins.iter().any(|login| unit.starts_with(login)) {
            continue;
        }
        let start = Start {
            active_since: field("ActiveEnterTimestampMonotonic"),
            process: field("MainPID"),
            restarts: field("NRestarts"),
        };
        all.insert(unit, start);
    }
    for needed in [
        "nginx.service",
        "ssh.service",
        "yourapp.socket",
        "systemd-journald.service",
    ] {
        assert!(
            all.contains_key(needed),
            "{needed} does not run: {:?}",
            all.keys()
        );
    }
    assert!(
        all.keys().any(|unit| unit.starts_with("yourapp@")),
        "{:?}",
        all.keys()
    );
    all
}
