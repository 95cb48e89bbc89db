use std::os::unix::fs::PermissionsExt;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn the_key_is_made_once_and_readable_by_its_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let state = State::open(home.path(), "shop").unwrap();
    let first = state.fingerprint_key().unwrap().fingerprint(b"x");
    let again = State::open(home.path(), "shop").unwrap();
    assert_eq!(again.fingerprint_key().unwrap().fingerprint(b"x"), first);
    assert_eq!(mode(&home.path().join("geodeploy/shop")), 0o700);
    let folder = home.path().join("geodeploy/shop");
    assert_eq!(mode(&folder.join("fingerprint-key")), 0o600);
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "no scratch file stays"
    );
    let other = State::open(home.path(), "blog").unwrap();
    assert_ne!(other.fingerprint_key().unwrap().fingerprint(b"x"), first);
}

#[test]
fn operators_that_start_at_once_agree_on_the_key() {
    let home = tempfile::tempdir().unwrap();
    let state = State::open(home.path(), "shop").unwrap();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let make = || state.fingerprint_key().unwrap().fingerprint(b"x");
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_damaged_key_says_how_to_mend_it() {
    let home = tempfile::tempdir().unwrap();
    let state = State::open(home.path(), "shop").unwrap();
    fs::write(home.path().join("geodeploy/shop/fingerprint-key"), "short").unwrap();
    let error = state.fingerprint_key().unwrap_err();
    assert!(error.hints[0].contains("`rm "), "{error:?}");
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let home = tempfile::tempdir().unwrap();
    State::open(home.path(), "shop").unwrap();
    let folder = home.path().join("geodeploy/shop");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let error = State::open(home.path(), "shop").unwrap_err();
    assert_eq!(error.causes, ["others may enter it: its mode is 0755"]);
}

#[test]
fn a_project_name_cannot_lead_out_of_the_folder() {
    let home = tempfile::tempdir().unwrap();
    for name in ["", "..", ".x", "a/b"] {
        let error = State::open(home.path(), name).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input, "{name}");
    }
}

#[test]
fn the_control_folder_is_short_and_not_a_strangers() {
    let home = tempfile::tempdir().unwrap();
    let short = tempfile::tempdir().unwrap();
    let deep = home.path().join("d".repeat(90));
    let mut state = State::open(&deep, "shop").unwrap();
    state.temporary = short.path().to_owned();
    let folder = state.control_folder().unwrap();
    assert!(folder.starts_with(short.path()), "{}", folder.display());
    assert_eq!(mode(&folder), 0o700);

    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(home.path(), folder.parent().unwrap()).unwrap();
    let error = state.control_folder().unwrap_err();
    assert_eq!(error.causes, ["it is not a folder"]);
}

#[test]
fn an_audit_line_stays_one_line() {
    let home = tempfile::tempdir().unwrap();
    let state = State::open(home.path(), "shop").unwrap();
    state.audit("cn provision\nforged").unwrap();
    state.audit("us deploy").unwrap();
    let text = fs::read_to_string(home.path().join("geodeploy/shop/audit.log")).unwrap();
    assert_eq!(text, "cn provision\\nforged\nus deploy\n");
}
