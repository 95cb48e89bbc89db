//! Who may use whom: the layers of the crate, held by reading the paths that each file names.

#![expect(clippy::unwrap_used, reason = "a test's helper fails as its test does")]

use std::fs;
use std::path::{Path, PathBuf};

/// What every module but `serve` may use. Of the secrets only the types that cannot print: their sources are not everyone's.
const EVERYONES: &[&str] = &[
    "digest",
    "error",
    "text",
    "secrets::Secret",
    "secrets::FingerprintKey",
    "secrets::Fingerprint",
    "secrets::wire",
];

/// What a module may use besides itself and what is everyone's. A prefix of a path stands for all below it.
fn allowed(module: &str) -> Option<Vec<&'static str>> {
    let own: &[&str] = match module {
        // The server's only contract with the operator's side is its env file.
        "serve" => return Some(vec!["secrets::Secret"]),
        "digest" | "error" | "text" | "state" | "plan" | "geography" => &[],
        // Pure modules use only each other; the blueprint builds resources and reads the server's list of collections.
        "inventory" => &["plan", "blueprint", "geography"],
        "blueprint" => &[
            "plan",
            "inventory",
            "resource",
            "secrets::Secrets",
            "serve::collections",
            "backup::config",
            "dns::region_list",
            "dns::networks",
        ],
        "secrets" => &["inventory"],
        "ca" => &["state"],
        // Resources reach the machine through its door and see nothing else of the agent.
        "resource" => &["plan", "agent::paths", "agent::system"],
        // The dump of a host's timer: the host's program has it, and no operator's code comes with it.
        "backup" => &["agent::system"],
        // The agent tries the link to the database with the very settings that the server would connect with.
        "agent" => &[
            "plan",
            "resource",
            "backup",
            "serve::store::mongo::MongoSettings",
        ],
        "host" => &["agent::message"],
        "dns" => &["plan", "inventory", "geography"],
        "ui" => &["plan"],
        "fleet" => &[
            "agent::message",
            "blueprint",
            "cli::Globals",
            "host",
            "inventory",
            "plan",
            "resource",
            "secrets::Secrets",
            "state",
            "ui",
        ],
        "monitor" => &[
            "agent::database_status",
            "resource::certificate",
            "inventory",
            "host",
            "ui",
            "secrets::Secrets",
        ],
        // The rehearsal is a verb's worth of verbs, and shows on the local machine what they do.
        "rehearse" => return Some(vec![""]),
        "bin" => &["agent", "serve", "backup"],
        "cli" | "commands" | "main" | "lib" => return Some(vec![""]),
        _ => return None,
    };
    Some([own, EVERYONES].concat())
}

/// A module of the crate that a file names: the line, counted from 1, and the path below the crate.
#[derive(Debug, PartialEq)]
struct Reference {
    line: usize,
    path: String,
}

/// The crate's modules that code names, in `use` lines and in the text. Comments and the tests in the file are left out.
///
/// `depth` is how many modules the file is below the crate, so that `super::` chains can be followed out of it.
fn references(source: &str, depth: usize) -> Vec<Reference> {
    let code = source.split("#[cfg(test)]\nmod ").next().unwrap_or("");
    let code: Vec<&str> = code.lines().map(without_comment).collect();
    let code = code.join("\n");
    let out_of_file = "super::".repeat(depth);
    let roots = ["crate::", "geodeploy::", &out_of_file];
    let mut found = Vec::new();
    for root in roots.into_iter().filter(|root| !root.is_empty()) {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let mut paths = Vec::new();
            expand("", &code[at + root.len()..], &mut paths);
            found.extend(paths.into_iter().map(|path| Reference { line, path }));
        }
    }
    found
}

fn without_comment(line: &str) -> &str {
    line.find("//").map_or(line, |at| &line[..at])
}

/// Reads one use tree, `a::{b::c, d}`, into its paths, and returns how many bytes it took.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) -> usize {
    let mut path = prefix.to_owned();
    let mut at = 0;
    loop {
        let rest = &tree[at..];
        if let Some(group) = rest.strip_prefix('{') {
            at += 1;
            let mut inner = group;
            while !inner.is_empty() && !inner.starts_with('}') {
                let skip = inner.len() - inner.trim_start_matches([' ', '\n', ',']).len();
                let taken = if inner[skip..].starts_with('}') {
                    0
                } else {
                    expand(&path, &inner[skip..], paths).max(1)
                };
                at += skip + taken;
                inner = &tree[at..];
            }
            return at + 1;
        }
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '*')
            .collect();
        at += name.len();
        if !path.is_empty() && !name.is_empty() {
            path.push_str("::");
        }
        path.push_str(&name);
        if name.is_empty() || !tree[at..].starts_with("::") {
            if !path.is_empty() {
                paths.push(path);
            }
            return at;
        }
        at += 2;
    }
}

/// What in this file breaks the rules of its module.
fn violations(module: &str, file: &str, depth: usize, source: &str) -> Vec<String> {
    let Some(allowed) = allowed(module) else {
        return vec![format!(
            "{file}: the module {module} has no rule in tests/layers.rs"
        )];
    };
    let below = |path: &str, rule: &str| {
        rule.is_empty() || path == rule || path.starts_with(&format!("{rule}::"))
    };
    references(source, depth)
        .into_iter()
        // In a module inside a file, `super::` may be the file itself: what is no module of the crate is such a name.
        .filter(|found| {
            found
                .path
                .split("::")
                .next()
                .is_some_and(|first| self::allowed(first).is_some())
        })
        .filter(|found| !below(&found.path, module))
        .filter(|found| !allowed.iter().any(|rule| below(&found.path, rule)))
        .map(|found| format!("{file}:{}: {module} may not use {}", found.line, found.path))
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_module_uses_only_what_its_layer_may() {
    let mut broken = Vec::new();
    let mut read = 0;
    for path in rust_files(&root().join("src")) {
        let below = path.strip_prefix(root().join("src")).unwrap();
        let parts: Vec<&str> = below.iter().map(|part| part.to_str().unwrap()).collect();
        let name = below.file_stem().unwrap().to_str().unwrap();
        // Tests may look anywhere: they prove contracts between layers.
        if name == "tests" || parts.contains(&"tests") {
            continue;
        }
        read += 1;
        let module = parts[0].trim_end_matches(".rs");
        let depth = parts.len() - usize::from(name == "mod");
        let source = fs::read_to_string(&path).unwrap();
        broken.extend(violations(
            module,
            &below.display().to_string(),
            depth,
            &source,
        ));
    }
    assert!(read > 20, "only {read} files were read");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_file_is_longer_than_300_lines() {
    let folders = ["src", "tests", "benches", "examples"];
    let files = folders
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)));
    let long: Vec<String> = files
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            (lines > 300).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn a_violation_is_caught_in_every_way_to_write_it() {
    let caught = |module, source| violations(module, "x.rs", 2, source);
    assert_eq!(
        caught("serve", "use std::fs;\nuse crate::plan::Plan;\n"),
        ["x.rs:2: serve may not use plan::Plan"]
    );
    assert_eq!(
        caught("serve", "use crate::secrets::{Secret, Secrets};"),
        ["x.rs:1: serve may not use secrets::Secrets"]
    );
    assert_eq!(
        caught(
            "plan",
            "use crate::{\n    text::{self, Tone},\n    host::{Host, Session},\n};"
        ),
        [
            "x.rs:1: plan may not use host::Host",
            "x.rs:1: plan may not use host::Session"
        ]
    );
    assert_eq!(
        caught("resource", "fn f() { crate::agent::run::start(); }"),
        ["x.rs:1: resource may not use agent::run::start"]
    );
    assert_eq!(
        caught("inventory", "use super::super::host::Host;"),
        ["x.rs:1: inventory may not use host::Host"]
    );
    assert_eq!(caught("news", "").len(), 1);
}

#[test]
fn what_is_allowed_commented_or_only_tested_is_not_caught() {
    let source = "\
        use super::{Plan, Value};\n\
        use super::change::Verb;\n\
        use crate::plan::{Change, Id};\n\
        use crate::secrets::{Fingerprint, FingerprintKey};\n\
        // crate::host::Host would be wrong\n\
        #[cfg(test)]\nmod tests {\n    use crate::host::Host;\n}\n";
    assert_eq!(violations("plan", "x.rs", 2, source), Vec::<String>::new());
}
