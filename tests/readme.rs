//! The README and the documents say what the program does, and the picture shows what was recorded.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use geodeploy::cli;
use geodeploy::commands::Outcome;
use geodeploy::error::ErrorKind;

#[path = "../examples/terminal_picture.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the example's own main is not called here, its rendering is"
)]
mod terminal_picture;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

fn visible_verbs() -> Vec<clap::Command> {
    let mut command = cli::command();
    command.build();
    command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
        .cloned()
        .collect()
}

/// The rows of the README's table of verbs: verb, what it does, its options.
fn verb_rows(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .filter_map(|line| {
            let row = line.strip_prefix("| `geodeploy ")?;
            let verb = row.split([' ', '`']).next()?;
            Some((verb, row))
        })
        .collect()
}

/// Rows `| NUMBER | text |` as `NUMBER  text`.
fn statuses(text: &str) -> Vec<(u8, &str)> {
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let number = cells.next()?.parse().ok()?;
            Some((number, cells.next()?.trim_end_matches('|').trim()))
        })
        .collect()
}

#[test]
fn the_readme_lists_exactly_the_verbs_of_the_help() {
    let text = readme();
    let listed: Vec<&str> = verb_rows(&text).iter().map(|(verb, _)| *verb).collect();
    let verbs = visible_verbs();
    let verbs: Vec<&str> = verbs.iter().map(clap::Command::get_name).collect();
    assert_eq!(listed, verbs);
}

#[test]
fn the_readme_names_every_option_and_the_verbs_arguments() {
    let text = readme();
    let rows = verb_rows(&text);
    for verb in visible_verbs() {
        let name = verb.get_name();
        let (_, row) = rows.iter().find(|(listed, _)| *listed == name).unwrap();
        for argument in verb.get_arguments().filter(|a| !a.is_hide_set()) {
            let id = argument.get_id().as_str().to_uppercase();
            match argument.get_long() {
                Some(long) if argument.is_global_set() || long == "help" => {
                    assert!(text.contains(&format!("`--{long}")), "--{long} of {name}");
                }
                Some(long) => assert!(row.contains(&format!("`--{long}")), "{name}: --{long}"),
                None => assert!(row.contains(&id), "{name}: {id}"),
            }
        }
    }
}

#[test]
fn the_readmes_exit_statuses_are_those_of_the_program() {
    let text = readme();
    let listed = statuses(&text);
    let kinds = [
        ErrorKind::Failed,
        ErrorKind::RolledBack,
        ErrorKind::Unreachable,
        ErrorKind::Stale,
        ErrorKind::Partial,
        ErrorKind::Usage,
        ErrorKind::Input,
        ErrorKind::LeaseHeld,
        ErrorKind::LoginRefused,
        ErrorKind::Interrupted,
    ];
    let ends = [Outcome::Done, Outcome::Differences].map(Outcome::exit_code);
    let program: BTreeSet<u8> = kinds
        .map(ErrorKind::exit_code)
        .into_iter()
        .chain(ends)
        .collect();
    let numbers: Vec<u8> = listed.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, program.into_iter().collect::<Vec<_>>());
    let help = cli::command().render_help().to_string();
    for (number, meaning) in listed {
        assert!(
            help.contains(&format!("{number}  {meaning}")),
            "{number} {meaning}"
        );
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            found.extend(path.extension().is_some_and(|e| e == "md").then_some(path));
        }
    }
    found
}

/// The targets of Markdown links, addresses of the web left out.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .filter(|target| !target.contains("://"))
        .collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut followed = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for target in links(&text) {
            let path = target.split('#').next().unwrap_or_default();
            let place = document.parent().unwrap().join(path);
            assert!(place.exists(), "{}: {target}", document.display());
            followed += 1;
        }
    }
    assert!(followed >= 10, "only {followed} links were found");
}

#[test]
fn the_picture_shows_the_recording() {
    let recording = fs::read_to_string(root().join("docs/rehearsal.txt")).unwrap();
    let picture = fs::read_to_string(root().join("docs/rehearsal.svg")).unwrap();
    assert_eq!(
        terminal_picture::render(&recording),
        picture,
        "cargo run --example terminal_picture -- docs/rehearsal.txt > docs/rehearsal.svg"
    );
    assert!(
        recording.contains("rehearsed in"),
        "it is of a run that went well"
    );
}
