use super::*;

fn mine(mode: u32) -> Ownership {
    let accounts = Accounts::read().unwrap();
    Ownership {
        mode,
        owner: accounts.user_name(rustix::process::getuid().as_raw()),
        group: accounts.group_name(rustix::process::getgid().as_raw()),
    }
}

#[test]
fn a_written_file_has_its_bytes_and_mode_and_nothing_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("env");
    // What an interrupted write left.
    fs::write(folder.path().join(".env.geodeploy"), "half").unwrap();
    Machine.write(&path, b"A=1\n", &mine(0o640)).unwrap();
    assert_eq!(Machine.read(&path).unwrap().as_deref(), Some(&b"A=1\n"[..]));
    let found = Machine.metadata(&path).unwrap().unwrap();
    assert_eq!(found.entry, Entry::File(4));
    assert_eq!(found.ownership, mine(0o640));
    assert_eq!(Machine.list(folder.path()).unwrap().unwrap(), ["env"]);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taken");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "kept").unwrap();
    assert!(Machine.write(&path, b"x", &mine(0o644)).is_err());
    assert_eq!(fs::read(path.join("inside")).unwrap(), b"kept");
    assert_eq!(Machine.list(folder.path()).unwrap().unwrap(), ["taken"]);
}

#[test]
fn an_unknown_owner_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let ownership = Ownership {
        owner: "nobody-of-that-name".to_owned(),
        ..mine(0o644)
    };
    let error = Machine
        .write(&folder.path().join("x"), b"", &ownership)
        .unwrap_err();
    assert!(error.to_string().contains("nobody-of-that-name"), "{error}");
    assert!(Machine.list(folder.path()).unwrap().unwrap().is_empty());
}

#[test]
fn a_link_is_pointed_elsewhere_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("current");
    for target in ["/one", "/two"] {
        Machine.symlink(&path, Path::new(target)).unwrap();
        let found = Machine.metadata(&path).unwrap().unwrap();
        assert_eq!(found.entry, Entry::Symlink(PathBuf::from(target)));
    }
    Machine.remove(&path).unwrap();
    Machine.remove(&path).unwrap();
    assert_eq!(Machine.metadata(&path).unwrap(), None);
}

#[test]
fn folders_are_made_with_their_parents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    Machine.make_directory(&path).unwrap();
    Machine.make_directory(&path).unwrap();
    Machine.set_ownership(&path, &mine(0o700)).unwrap();
    let found = Machine.metadata(&path).unwrap().unwrap();
    assert_eq!(found.entry, Entry::Directory);
    assert_eq!(found.ownership.mode, 0o700);
}

#[test]
fn a_link_does_not_pass_its_ownership_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("link");
    Machine.symlink(&path, folder.path()).unwrap();
    assert!(Machine.set_ownership(&path, &mine(0o777)).is_err());
}

#[test]
fn what_is_below_a_file_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(Machine.read(&folder.path().join("file/x")).unwrap(), None);
    assert_eq!(Machine.list(&folder.path().join("none")).unwrap(), None);
    assert_eq!(Machine.modified(&folder.path().join("none")).unwrap(), None);
}

#[test]
fn a_program_gets_its_input_and_gives_its_output_and_status() {
    let argv = ["sh", "-c", "cat; echo $COLOUR >&2; exit 3"];
    let invocation = Invocation::new(&argv)
        .stdin(b"in")
        .variable("COLOUR", "blue");
    let output = Machine.run(&invocation).unwrap();
    assert_eq!(
        (output.status, &*output.stdout, &*output.stderr),
        (3, "in", "blue\n")
    );
}

#[test]
fn a_program_that_is_not_installed_gives_127_and_a_killed_one_its_signal() {
    let missing = Machine.run(&Invocation::new(&["no-such-program"])).unwrap();
    assert_eq!(missing.status, 127);
    let killed = Machine
        .run(&Invocation::new(&["sh", "-c", "kill -9 $$"]))
        .unwrap();
    assert_eq!(killed.status, 137);
}

#[test]
fn a_program_that_hangs_is_ended_with_its_children() {
    let argv = ["sh", "-c", "sleep 600 & sleep 600"];
    let invocation = Invocation::new(&argv).deadline(Duration::from_millis(200));
    let started = std::time::Instant::now();
    let error = Machine.run(&invocation).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_daemon_that_keeps_the_pipe_open_does_not_hold_the_run_up() {
    let argv = ["sh", "-c", "sleep 5 & echo started"];
    let started = std::time::Instant::now();
    let output = Machine.run(&Invocation::new(&argv)).unwrap();
    assert_eq!(output.stdout, "started\n");
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn much_output_on_both_pipes_does_not_block() {
    let argv = ["sh", "-c", "seq 1 200000; seq 1 200000 >&2"];
    let output = Machine.run(&Invocation::new(&argv)).unwrap();
    assert_eq!(output.stdout.len(), output.stderr.len());
    assert!(output.stdout.ends_with("200000\n"));
}
