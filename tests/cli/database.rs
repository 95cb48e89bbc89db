//! What `db` and `verify` refuse before they reach any host.

use super::sandbox::Sandbox;

/// The example whose servers keep their data in files of their own.
fn embedded() -> Sandbox {
    let sandbox = Sandbox::new().secrets();
    sandbox.run(&["init"]);
    let file = sandbox.path("geodeploy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("[database]\n").unwrap();
    let (_, after) = rest.split_once("# ---- Releases").unwrap();
    let text = format!("{before}[database]\nmode = \"embedded\"\n# ---- Releases{after}");
    std::fs::write(file, text).unwrap();
    sandbox
}

#[test]
fn without_a_mongodb_there_is_nothing_to_look_after() {
    let sandbox = embedded();
    for action in [
        &["status"][..],
        &["status", "cn"],
        &["rotate-password", "app"],
    ] {
        let run = sandbox.run(&[&["db"], action].concat());
        assert_eq!(run.status(), 64, "{action:?}: {}", run.err());
        assert!(run.err().contains("mode = \"single\""), "{}", run.err());
    }
}

#[test]
fn a_replica_set_is_backed_up_restored_and_drilled_where_its_primary_is() {
    let sandbox = Sandbox::new().project();
    let file = sandbox.path("geodeploy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text
        .replace("mode = \"single\"", "mode = \"replica-set\"")
        .replace("# members = ", "members = ");
    std::fs::write(file, text).unwrap();
    assert_eq!(sandbox.run(&["ca", "issue"]).status(), 0);
    for action in ["backup", "drill"] {
        // It is about to dial that host, and nothing says yet which key is the host's.
        let run = sandbox.run(&["db", action]);
        assert_eq!(run.status(), 77, "{action}: {}", run.err());
        assert!(run.err().contains("geodeploy trust cn"), "{}", run.err());
        let run = sandbox.run(&["db", action, "us"]);
        assert_eq!(run.status(), 64, "{action}: {}", run.err());
        assert!(run.err().contains("the database is in cn"), "{}", run.err());
    }
    // What is refused of a restore is its file, no longer the mode.
    let run = sandbox.run(&["db", "restore", "absent.tar.zst.age"]);
    assert!(run.err().contains("absent.tar.zst.age"), "{}", run.err());
}

#[test]
fn a_password_is_never_taken_from_the_command_line_nor_repeated() {
    let sandbox = Sandbox::new().secrets();
    sandbox.run(&["init"]);
    let arguments = ["db", "rotate-password", "admin", "--old-password-from"];
    let run = sandbox.run(&[&arguments[..], &["hunter2"]].concat());
    assert_eq!(run.status(), 64, "{}", run.err());
    assert!(run.err().contains("env:NAME or file:PATH"), "{}", run.err());
}

#[test]
fn verify_names_what_failed_and_what_to_type_next_and_ends_with_1() {
    let sandbox = embedded();
    let inventory = std::fs::read_to_string(sandbox.path("geodeploy.toml")).unwrap();
    // Nothing listens on these addresses of loopback.
    let inventory = inventory
        .replace("203.0.113.10", "127.0.0.201")
        .replace("198.51.100.20", "127.0.0.202")
        .replace("ipv6 =", "# ipv6 =");
    std::fs::write(sandbox.path("geodeploy.toml"), inventory).unwrap();
    let run = sandbox.run(&["--json", "verify"]);
    assert_eq!(run.status(), 1, "{}\n{}", run.out(), run.err());
    let documents = run.documents();
    let checks = documents[0]["verified"].as_array().unwrap();
    let of = |check: &serde_json::Value| {
        let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        [text("region"), text("check"), text("result")].join(" ")
    };
    let found: Vec<String> = checks.iter().map(of).collect();
    let expected = [
        "us health failed",
        "us database link failed",
        "us chat skipped",
        "cn health failed",
        "cn database link failed",
        "cn chat skipped",
    ];
    assert_eq!(found, expected, "{}", run.err());
    let error = &documents[1]["error"];
    assert!(error["what"].as_str().unwrap().contains("us: health"));
    assert!(run.err().contains("geodeploy logs us"), "{}", run.err());
    assert!(!run.err().contains("jwt-secret-of-the-test"));
}
