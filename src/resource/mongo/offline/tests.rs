use super::*;
use crate::agent::fixture::{Bench, Fixture, Script};

const DIGEST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn host() -> Bench {
    let system = Fixture::new();
    system.put(record().with_file_name("x"), "");
    Bench::new(system)
}

fn mongod(form: Form) -> OfflineMongod {
    OfflineMongod::new(DIGEST.to_owned(), form)
}

fn apply(bench: &Bench, form: Form) -> Result<(), Fault> {
    let (context, mongod) = (bench.context(), mongod(form));
    let found = mongod.inspect(&context)?;
    let change = Change::between(mongod.id(), found, mongod.desired(context.key)).unwrap();
    mongod.apply(&change, &context)
}

#[test]
fn an_archive_is_unpacked_tried_and_put_in_place_once() {
    let bench = host();
    bench.system.put(paths::archive(DIGEST), "bytes");
    for command in ["rm *", "mkdir *", "tar *", "install *"] {
        bench.system.script(command, "");
    }
    let unpacked = paths::archive(DIGEST).with_extension("unpacked");
    let version = format!("{}/mongod --version", unpacked.display());
    bench.system.script(&version, "db version v8.0.21\n");
    bench.system.add(Script {
        command: "mv *".to_owned(),
        files: vec![(PathBuf::from(PROGRAM), Some("program".to_owned()))],
        ..Script::default()
    });
    bench
        .system
        .script("sha256sum *", "bbbb  /usr/bin/mongod\n");
    apply(&bench, Form::Archive).unwrap();
    let tried = bench
        .system
        .ran()
        .iter()
        .position(|line| line.contains("--version"));
    let placed = bench
        .system
        .ran()
        .iter()
        .position(|line| line.starts_with("mv "));
    assert!(tried < placed && tried.is_some());
    // A second run finds what it wants, and the file that was sent is gone.
    let (context, wanted) = (bench.context(), mongod(Form::Archive));
    assert_eq!(
        wanted.inspect(&context).unwrap(),
        wanted.desired(context.key)
    );
    assert!(bench.system.text(paths::archive(DIGEST)).is_none());
}

#[test]
fn a_program_that_was_replaced_or_came_from_elsewhere_is_a_difference() {
    let bench = host();
    let (context, wanted) = (bench.context(), mongod(Form::Package));
    assert_eq!(wanted.inspect(&context).unwrap(), None);
    bench.system.put(PROGRAM, "program");
    bench
        .system
        .script("sha256sum *", "cccc  /usr/bin/mongod\n");
    let shown = |bench: &Bench| format!("{:?}", wanted.inspect(&bench.context()).unwrap());
    assert!(shown(&bench).contains("another source"));
    let other = format!("{{\"archive\":\"{DIGEST}\",\"program\":\"bbbb\"}}");
    bench.system.put(record(), &other);
    assert!(shown(&bench).contains("another program"));
}

#[test]
fn a_program_that_the_host_cannot_run_never_takes_its_place() {
    let bench = host();
    bench.system.put(paths::archive(DIGEST), "bytes");
    for command in ["rm *", "mkdir *", "tar *"] {
        bench.system.script(command, "");
    }
    let missing = "error while loading shared libraries: libcurl.so.4";
    bench.system.script_failure("/*", 127, missing);
    let fault = apply(&bench, Form::Archive).unwrap_err();
    assert!(fault.why.contains("libcurl.so.4"), "{fault}");
    assert!(fault.hint.unwrap().contains("packages.extra"));
    assert!(
        !bench
            .system
            .ran()
            .iter()
            .any(|line| line.starts_with("mv "))
    );
}

#[test]
fn a_file_that_was_not_sent_is_asked_for() {
    let fault = apply(&host(), Form::Package).unwrap_err();
    assert!(fault.why.contains("has not sent it"), "{fault}");
}

#[test]
fn a_package_is_installed_by_apt_which_knows_it_by_its_ending_and_is_held() {
    let bench = host();
    bench.system.put(paths::archive(DIGEST), "bytes");
    for command in ["ln *", "rm *", "apt-mark hold mongodb-org-server"] {
        bench.system.script(command, "");
    }
    bench.system.add(Script {
        command: "apt-get *".to_owned(),
        files: vec![(PathBuf::from(PROGRAM), Some("program".to_owned()))],
        ..Script::default()
    });
    bench
        .system
        .script("sha256sum *", "bbbb  /usr/bin/mongod\n");
    apply(&bench, Form::Package).unwrap();
    let ran = bench.system.ran();
    let installed = ran.iter().find(|line| line.starts_with("apt-get")).unwrap();
    assert!(installed.ends_with(&format!("{DIGEST}.deb")), "{installed}");
    assert!(ran.iter().any(|line| line.starts_with("apt-mark hold")));
    let (context, wanted) = (bench.context(), mongod(Form::Package));
    assert_eq!(
        wanted.inspect(&context).unwrap(),
        wanted.desired(context.key)
    );
}
