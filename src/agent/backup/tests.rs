use super::*;
use crate::agent::machine::Machine;
use crate::backup::manifest::{Content, FORMAT, Optime};
use crate::rehearse::archive;

#[test]
fn a_drill_that_cannot_be_read_leaves_no_server_and_no_folder() {
    let program = match archive::mongod(&archive::default_cache()) {
        Ok(program) => program,
        Err(why) => return println!("SKIPPED: no real mongod to test with: {why}"),
    };
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("drill");
    let machine = Machine;
    let scratch = Scratch::start(&folder, &program.to_string_lossy(), &machine).unwrap();
    let manifest = Manifest {
        format: FORMAT,
        tool: "0".to_owned(),
        mongod: "6.0.5".to_owned(),
        began: "2026-01-01T00:00:00Z".to_owned(),
        start: Optime {
            seconds: 1,
            increment: 1,
        },
        end: Optime {
            seconds: 1,
            increment: 1,
        },
        oplog: Content::default(),
        collections: Vec::new(),
    };
    let user = MongoLogin {
        database: "aiagent".to_owned(),
        name: "app".to_owned(),
        password: crate::secrets::Secret::new("x".to_owned()),
    };
    let fault = try_out(&scratch, &manifest, &user, &mut &b"nothing"[..], &|_| {}).unwrap_err();
    assert_eq!(fault.what, "the backup is damaged");
    assert!(folder.join("mongod.sock").exists());
    scratch.remove().unwrap();
    assert!(!folder.exists());

    // One that nobody removed is ended by the next.
    let left = Scratch::start(&folder, &program.to_string_lossy(), &machine).unwrap();
    let number = std::fs::read_to_string(folder.join("pid")).unwrap();
    let next = Scratch::start(&folder, &program.to_string_lossy(), &machine).unwrap();
    assert_ne!(std::fs::read_to_string(folder.join("pid")).unwrap(), number);
    next.remove().unwrap();
    drop(left);
}
