//! Inventories as data: the example is right, and every bad one is told what to write instead.

use std::fs;
use std::path::{Path, PathBuf};

use geodeploy::inventory::{EXAMPLE, Inventory, Mistake, whole_example};

/// Set to accept what the program says now as what it has to say.
const ACCEPT: &str = "ACCEPT_MISTAKES";

#[expect(
    clippy::unwrap_used,
    reason = "a helper of tests: a broken checkout is a failed test"
)]
fn bad_inventories() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_inventories");
    let mut files: Vec<(PathBuf, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn mistakes(path: &Path, text: &str) -> Vec<Mistake> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Inventory::parse(text, &name).err().unwrap_or_default()
}

#[test]
fn the_example_has_no_mistake() {
    let inventory = Inventory::parse(EXAMPLE, "example.toml");
    assert_eq!(inventory.as_ref().err(), None);
}

#[test]
fn the_sections_that_the_example_has_commented_out_are_right_as_well() {
    let text = whole_example();
    let inventory =
        Inventory::parse(&text, "example.toml").unwrap_or_else(|found| panic!("{found:?}"));
    assert!(
        inventory
            .dns
            .is_some_and(|dns| dns.routing.continents.len() == 2)
    );
    assert!(inventory.tls.is_some());
}

#[test]
fn every_bad_inventory_is_told_all_its_mistakes_in_these_words() {
    let files = bad_inventories();
    assert!(files.len() >= 30, "{} bad inventories", files.len());
    let mut differing = Vec::new();
    for (path, text) in &files {
        let shown: String = mistakes(path, text)
            .iter()
            .map(|mistake| format!("{mistake}\n"))
            .collect();
        let expected_path = path.with_extension("txt");
        if std::env::var_os(ACCEPT).is_some() {
            fs::write(&expected_path, &shown).expect("the expected words");
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if shown.is_empty() || shown != expected {
            differing.push(format!(
                "{}:\n{shown}instead of\n{expected}",
                path.display()
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_mistake_names_its_line_its_cause_and_its_remedy() {
    for (path, text) in bad_inventories() {
        for mistake in mistakes(&path, &text) {
            let line = mistake.line.expect("a line");
            assert!(
                line >= 1 && line <= text.lines().count().max(1),
                "{mistake}"
            );
            assert!(mistake.cause.len() > 10, "{mistake}");
            assert!(mistake.remedy.len() > 10, "{mistake}");
        }
    }
}

#[test]
fn no_message_repeats_a_secret_that_was_written_out() {
    for (path, text) in bad_inventories() {
        for mistake in mistakes(&path, &text) {
            assert!(!mistake.to_string().contains("hunter2"), "{mistake}");
        }
    }
}
