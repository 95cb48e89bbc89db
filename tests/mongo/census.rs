//! What the administrator may count on the primary and on a copy.

use crate::host::{Run, converge, index};
use crate::members::{begun, members, write};

#[test]
fn a_copy_is_counted_like_its_primary_by_the_administrator_who_reads_no_document() {
    let Some(cn) = begun() else { return };
    let connection = cn.connection();
    assert!(converge(&index(&connection, &["expiresAt"], Some(0))));
    for text in ["second", "third"] {
        write(&connection, text).unwrap();
    }
    let us = cn.beside().unwrap();
    let empty = us
        .connection()
        .census(&Run::new().context(), "aiagent")
        .unwrap();
    assert_eq!(empty, serde_json::json!({ "state": "empty" }));
    assert!(converge(&members(&[&cn, &us], false)));
    let count = |server: &crate::server::Server| {
        server
            .connection()
            .census(&Run::new().context(), "aiagent")
            .unwrap()
    };
    let (primary, copy) = (count(&cn), count(&us));
    assert_eq!(primary["collections"]["messages"]["documents"], 3.0);
    assert_eq!(primary["users"], 2);
    assert_eq!(primary["primary"], cn.host());
    let indexes = &primary["collections"]["multi_agent_sessions"]["indexes"];
    assert_eq!(*indexes, serde_json::json!(["_id_", "expiresAt_1"]));
    for same in ["collections", "users", "primary", "state"] {
        assert_eq!(primary[same], copy[same]);
    }
    assert!(primary["bytes"].as_f64().unwrap() > 0.0);
    let oplog = &primary["oplog"];
    assert!(oplog["hours"].as_f64().unwrap() > 0.0, "{oplog}");
    assert!(
        oplog["full_hours"].as_f64() > oplog["hours"].as_f64(),
        "{oplog}"
    );
}
