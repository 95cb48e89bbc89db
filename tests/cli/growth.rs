//! Verbs of the database, as far as they need no host.

use crate::sandbox::Sandbox;

#[test]
fn a_region_without_a_member_is_not_promoted_and_nothing_without_a_database_grows() {
    let sandbox = Sandbox::new();
    sandbox.run(&["init"]);
    for (arguments, told) in [
        (
            &["db", "promote", "us"][..],
            "us holds no member of a replica set",
        ),
        (
            &["db", "promote", "us", "--promote", "cn"],
            "--promote names `cn`",
        ),
        (&["db", "promote", "uss"], "has no region `uss`"),
        (&["--yes", "db", "promote", "us"], "holds no member"),
    ] {
        let run = sandbox.run(arguments);
        assert_eq!(run.status(), 64, "{arguments:?}: {}", run.err());
        assert!(run.err().contains(told), "{arguments:?}: {}", run.err());
        assert_eq!(run.out(), "");
    }
    let inventory = sandbox.path("geodeploy.toml");
    let text = std::fs::read_to_string(&inventory).unwrap();
    let embedded = text.replace("mode = \"single\"", "mode = \"embedded\"");
    std::fs::write(&inventory, embedded).unwrap();
    let run = sandbox.run(&["db", "grow"]);
    assert_eq!(run.status(), 64, "{}", run.err());
    assert!(run.err().contains("no MongoDB to grow"), "{}", run.err());
}
