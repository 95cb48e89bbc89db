//! What a backup is and leaves.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use geodeploy::backup::folder::Folder;
use mongodb::bson::doc;

use crate::site::{SENTINEL, Site};

#[expect(clippy::disallowed_methods, reason = "the test's own programs")]
fn command(program: &str) -> Command {
    Command::new(program)
}

#[test]
fn a_backup_that_is_killed_leaves_one_nameless_file_which_the_next_removes() {
    let Some(site) = Site::new() else { return };
    site.fill(60_000, 0);
    let file = site.server.path("backup.json");
    std::fs::write(&file, serde_json::to_vec(&site.config).unwrap()).unwrap();
    let mut child = command(env!("CARGO_BIN_EXE_geodeploy-host"))
        .args(["backup", "--config", &file.to_string_lossy()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(&site.config.folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    while !names().iter().any(|name| name.ends_with(".age.partial")) {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    }
    let argv = std::fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    let environment = std::fs::read_to_string(format!("/proc/{}/environ", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!argv.contains(SENTINEL) && !environment.contains(SENTINEL));
    let left = names();
    assert!(
        left.iter()
            .all(|name| name.ends_with(".partial") || name == "lock"),
        "{left:?}"
    );
    assert!(
        Folder::new(&site.config.folder)
            .backups()
            .unwrap()
            .is_empty()
    );

    let output = command(env!("CARGO_BIN_EXE_geodeploy-host"))
        .args(["backup", "--config", &file.to_string_lossy()])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(!log.contains(SENTINEL));
    // The backup, its two companions, the lock.
    assert_eq!(names().len(), 4, "{:?}", names());
    assert!(!names().iter().any(|name| name.ends_with(".partial")));
    for name in names() {
        let bytes = std::fs::read(site.config.folder.join(&name)).unwrap();
        let sentinel = SENTINEL.as_bytes();
        assert!(
            !bytes
                .windows(sentinel.len())
                .any(|window| window == sentinel),
            "{name}"
        );
    }
}

#[test]
fn a_wrong_password_is_told_without_the_password_and_leaves_nothing() {
    let Some(site) = Site::new() else { return };
    std::fs::write(&site.config.password_file, "wrong-sentinel").unwrap();
    let fault = geodeploy::backup::dump::run(&site.config, &|_| {}).unwrap_err();
    assert!(
        fault.to_string().contains("the login is refused"),
        "{fault}"
    );
    assert!(!format!("{fault:?}").contains("wrong-sentinel"));
    assert!(
        Folder::new(&site.config.folder)
            .backups()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_collection_that_is_dropped_during_the_dump_begins_it_anew() {
    let Some(site) = Site::new() else { return };
    site.fill(2_000, 0);
    let root = site.root();
    root.run("aiagent", doc! { "create": "passing" }).unwrap();
    let dropped = std::cell::Cell::new(false);
    let said = std::cell::RefCell::new(Vec::new());
    let summary = geodeploy::backup::dump::run(&site.config, &|text| {
        if text.starts_with("aiagent.") && !dropped.replace(true) {
            root.run("aiagent", doc! { "drop": "passing" }).unwrap();
        }
        said.borrow_mut().push(text.to_owned());
    })
    .unwrap();
    let said = said.take();
    assert!(
        said.contains(&"drop in aiagent changed meanwhile: once more".to_owned()),
        "{said:?}"
    );
    assert!(!summary.collections.contains_key("aiagent.passing"));
}

const DECODE: &str = r#"
import sys, json, bson, glob, os
from bson import json_util
folder = sys.argv[1]
counts = {}
for path in glob.glob(folder + "/*/*.bson"):
    name = os.path.relpath(path, folder)[:-5].replace("/", ".")
    counts[name] = sum(1 for _ in bson.decode_file_iter(open(path, "rb")))
    meta = json_util.loads(open(path[:-5] + ".metadata.json").read())
    assert meta["collectionName"] == name.split(".", 1)[1], meta
    assert any(index["name"] == "_id_" for index in meta["indexes"]), meta
    bytes.fromhex(meta["uuid"])
counts["oplog"] = sum(1 for _ in bson.decode_file_iter(open(folder + "/oplog.bson", "rb")))
print(json.dumps(counts))
"#;

#[test]
fn the_dump_decodes_with_pymongos_bson_and_has_the_vendors_layout() {
    let Some(site) = Site::new() else { return };
    let library = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pymongo");
    let python = |arguments: &[&str]| {
        command("python3")
            .args(arguments)
            .env("PYTHONPATH", &library)
            .output()
    };
    if !library.exists() {
        let target = library.to_string_lossy();
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            &target,
            "pymongo==4.10.1",
        ];
        let output = python(&install);
        if !output.as_ref().is_ok_and(|output| output.status.success()) {
            println!("SKIPPED: pymongo cannot be had: {output:?}");
            return;
        }
    }
    site.fill(500, 10);
    let summary = site.back_up();
    let folder = site.server.path("unpacked");
    let unpacked = zstd::Decoder::new(site.opened(&summary)).unwrap();
    tar::Archive::new(unpacked).unpack(&folder).unwrap();
    let output = python(&["-c", DECODE, &folder.to_string_lossy()]).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let counts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts["aiagent.users"], 500);
    assert_eq!(counts["aiagent.multi_agent_sessions"], 500);
    assert_eq!(counts["oplog"], summary.oplog_entries);
    assert!(folder.join("aiagent/visible.metadata.json").exists());
}
