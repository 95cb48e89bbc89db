//! Runs the cases of tests/resources: a found machine and a desired resource in, changes and commands out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Context, Manage, Resource};
use crate::agent::fixture::{Bench, Fixture, Script};
use crate::agent::system::{Output, System as _};
use crate::plan::{Attributes, Change, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Files by path; `-> TARGET` is a link, a path that ends in `/` a folder.
    #[serde(default)]
    found: BTreeMap<String, String>,
    #[serde(default)]
    programs: Vec<Program>,
    #[serde(default)]
    free_space: Option<u64>,
    desired: Resource,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    run: String,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    status: i32,
    #[serde(default)]
    writes: BTreeMap<PathBuf, String>,
    #[serde(default)]
    removes: Vec<PathBuf>,
    times: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// `create`, `update`, `delete` or `none`.
    change: String,
    /// The attributes that differ: `before -> after`.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// What apply runs, in order.
    #[serde(default)]
    runs: Vec<String>,
    /// Files afterwards; `absent` is none.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Words of the fault; everything is then as it was found.
    #[serde(default)]
    fault: Vec<String>,
}

fn machine(case: &Case) -> Fixture {
    let system = Fixture::new();
    for (path, text) in &case.found {
        match (path.strip_suffix('/'), text.strip_prefix("-> ")) {
            (Some(folder), _) => system.make_directory(Path::new(folder)).unwrap(),
            (None, Some(target)) => {
                system
                    .make_directory(Path::new(path).parent().unwrap())
                    .unwrap();
                system.symlink(Path::new(path), Path::new(target)).unwrap();
            }
            (None, None) => system.put(path, text),
        }
    }
    for program in &case.programs {
        let writes = program.writes.iter();
        let writes = writes.map(|(path, text)| (path.clone(), Some(text.clone())));
        let removes = program.removes.iter().map(|path| (path.clone(), None));
        system.add(Script {
            command: program.run.clone(),
            output: Output {
                status: program.status,
                stdout: program.stdout.clone(),
                stderr: program.stderr.clone(),
            },
            files: writes.chain(removes).collect(),
            runs: program.times,
        });
    }
    if let Some(bytes) = case.free_space {
        system.set_free_space(bytes);
    }
    system
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::Text(text) | Value::Lines(text)) => text.clone(),
        Some(Value::List(entries)) => format!("[{}]", entries.join(", ")),
        Some(Value::Sealed(fingerprint)) => format!("sealed {fingerprint}"),
    }
}

fn differing(change: &Change) -> BTreeMap<String, String> {
    let empty = Attributes::new();
    let before = change.before.as_ref().unwrap_or(&empty);
    let after = change.after.as_ref().unwrap_or(&empty);
    let names = before.iter().chain(after.iter()).map(|(name, _)| name);
    names
        .filter(|name| before.get(name) != after.get(name))
        .map(|name| {
            let line = format!("{} -> {}", shown(before.get(name)), shown(after.get(name)));
            (name.to_owned(), line)
        })
        .collect()
}

fn find(resource: &dyn Manage, context: &Context<'_>) -> Option<Change> {
    let found = resource.inspect(context).unwrap();
    Change::between(resource.id(), found, resource.desired(context.key))
}

fn run(name: &str, case: &Case) {
    let bench = Bench::new(machine(case));
    let context = bench.context();
    let resource = case.desired.manage();
    let change = find(resource, &context);
    let verb = change
        .as_ref()
        .map(|change| format!("{:?}", change.verb()).to_lowercase());
    assert_eq!(
        verb.as_deref().unwrap_or("none"),
        case.expect.change,
        "{name}"
    );
    let Some(change) = change else { return };
    for (attribute, line) in &case.expect.attributes {
        assert_eq!(
            differing(&change).get(attribute),
            Some(line),
            "{name}: {attribute}"
        );
    }
    if case.expect.change == "update" {
        assert_eq!(
            differing(&change).len(),
            case.expect.attributes.len(),
            "{name}: {change:?}"
        );
    }
    let (looked, before) = (bench.system.ran().len(), bench.system.files("/"));
    let result = resource.apply(&change, &context);
    assert_eq!(bench.system.ran()[looked..], case.expect.runs, "{name}");
    if case.expect.fault.is_empty() {
        result.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(
            find(resource, &context),
            None,
            "{name}: not as desired afterwards"
        );
    } else {
        let fault = result.expect_err(name);
        let text = format!("{fault} {}", fault.hint.as_deref().unwrap_or_default());
        for words in &case.expect.fault {
            assert!(text.contains(words), "{name}: {text}");
        }
        assert_eq!(bench.system.files("/"), before, "{name}");
    }
    for (path, text) in &case.expect.files {
        let found = bench.system.text(path);
        assert_eq!(found.as_deref().unwrap_or("absent"), text, "{name}: {path}");
    }
}

#[test]
fn every_case_leads_from_the_found_state_to_the_desired_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resources");
    let mut cases = 0;
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let passed = std::panic::catch_unwind(|| {
            run(&name, &toml::from_str(&text).unwrap());
        });
        failed.extend(passed.err().map(|_| name));
        cases += 1;
    }
    assert!(failed.is_empty(), "{failed:?}");
    assert!(cases >= 25, "only {cases} cases were found");
}
