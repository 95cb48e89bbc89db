use std::io::Write;

use super::*;
use crate::inventory::{EXAMPLE, embedded_example};
use crate::secrets::Secrets;

fn inventory(folder: &Path) -> Inventory {
    Inventory::parse(
        EXAMPLE,
        &folder.join("geodeploy.toml").display().to_string(),
    )
    .unwrap()
}

fn fetched(source: SecretSource, folder: &Path) -> Result<String, Wrong> {
    fetch(&source, &inventory(folder)).map(|fetched| fetched.secret.expose().to_owned())
}

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

#[test]
fn a_file_gives_its_text_without_the_last_line_end_and_warns_when_others_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    std::fs::write(&path, "hunter2\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let found = fetch(&SecretSource::File("s".into()), &inventory(folder.path())).unwrap();
    assert_eq!(found.secret.expose(), "hunter2");
    assert!(
        found.warnings[0].cause.contains("0644"),
        "{}",
        found.warnings[0]
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let found = fetch(&SecretSource::File("s".into()), &inventory(folder.path())).unwrap();
    assert!(found.warnings.is_empty());
}

#[test]
fn a_missing_an_empty_and_a_binary_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        fetched(SecretSource::File("s".into()), folder.path())
            .unwrap_err()
            .cause
            .contains("cannot be read")
    );
    std::fs::write(folder.path().join("s"), "\n").unwrap();
    assert!(
        fetched(SecretSource::File("s".into()), folder.path())
            .unwrap_err()
            .cause
            .contains("empty")
    );
    std::fs::write(folder.path().join("s"), [0xff, 0xfe]).unwrap();
    assert!(
        fetched(SecretSource::File("s".into()), folder.path())
            .unwrap_err()
            .cause
            .contains("UTF-8")
    );
    std::fs::write(folder.path().join("s"), vec![b'x'; 70_000]).unwrap();
    assert!(
        fetched(SecretSource::File("s".into()), folder.path())
            .unwrap_err()
            .cause
            .contains("65536")
    );
}

#[test]
fn a_program_runs_in_the_inventory_folder_and_gives_what_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s"), "hunter2").unwrap();
    let argv = ["cat", "s"].map(str::to_owned).to_vec();
    assert_eq!(
        fetched(SecretSource::Command(argv), folder.path()).unwrap(),
        "hunter2"
    );
}

#[test]
fn a_failing_program_shows_what_it_complained_of_and_not_what_it_printed() {
    let folder = tempfile::tempdir().unwrap();
    let source = SecretSource::Command(shell("echo hunter2; echo vault is sealed >&2; exit 3"));
    let wrong = fetched(source, folder.path()).unwrap_err().to_string();
    assert!(
        wrong.contains("vault is sealed") && wrong.contains('3'),
        "{wrong}"
    );
    assert!(!wrong.contains("hunter2"), "{wrong}");
}

#[test]
fn a_program_that_hangs_is_ended_at_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let wrong = command(
        &shell("exec sleep 60"),
        &inventory(folder.path()),
        Duration::from_millis(100),
    )
    .unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(wrong.cause.contains("within 0.1 s"), "{wrong}");
}

#[test]
fn arguments_reach_no_shell() {
    let folder = tempfile::tempdir().unwrap();
    let argv = ["echo", "$(id)"].map(str::to_owned).to_vec();
    assert_eq!(
        fetched(SecretSource::Command(argv), folder.path()).unwrap(),
        "$(id)"
    );
}

#[test]
fn an_age_file_opens_with_its_identity_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let ours = age::x25519::Identity::generate();
    let theirs = age::x25519::Identity::generate();
    for (name, identity) in [("ours", &ours), ("theirs", &theirs)] {
        use age::secrecy::ExposeSecret;
        std::fs::write(
            folder.path().join(name),
            identity.to_string().expose_secret(),
        )
        .unwrap();
    }
    let sealed = age::encrypt_and_armor(&ours.to_public(), b"hunter2\n").unwrap();
    std::fs::File::create(folder.path().join("s.age"))
        .unwrap()
        .write_all(sealed.as_bytes())
        .unwrap();
    let source = |identity: &str| SecretSource::Age {
        file: "s.age".into(),
        identity: identity.into(),
    };
    assert_eq!(fetched(source("ours"), folder.path()).unwrap(), "hunter2");
    assert!(
        fetched(source("theirs"), folder.path())
            .unwrap_err()
            .cause
            .contains("cannot be decrypted")
    );
    assert!(
        fetched(source("s.age"), folder.path())
            .unwrap_err()
            .cause
            .contains("not a file of age identities")
    );
}

#[test]
fn all_unresolved_references_are_reported_at_once_with_their_lines() {
    let text = embedded_example()
        .replace(
            "{ env = \"VOLCENGINE_API_KEY\" }",
            "{ env = \"GEODEPLOY_TEST_ABSENT_ONE\" }",
        )
        .replace(
            "{ env = \"VOLCENGINE_ENDPOINT_ID\" }",
            "{ file = \"/absent/endpoint\" }",
        )
        .replace(
            "jwt_secret = { env = \"JWT_SECRET\" }",
            "jwt_secret = { command = [\"echo\", \"short\"] }",
        );
    let inventory = Inventory::parse(&text, "geodeploy.toml").unwrap();
    let mistakes = Secrets::resolve(&inventory).unwrap_err();
    let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 3, "{shown:#?}");
    assert!(
        shown[0].contains("GEODEPLOY_TEST_ABSENT_ONE") && shown[0].contains("model.api_key"),
        "{}",
        shown[0]
    );
    assert!(shown[1].contains("/absent/endpoint"), "{}", shown[1]);
    assert!(
        shown[2].contains("5 bytes") && !shown[2].contains("short"),
        "{}",
        shown[2]
    );
}

#[test]
fn a_key_with_a_line_break_is_refused_before_it_reaches_a_host() {
    let text = embedded_example()
        .replace(
            "{ env = \"VOLCENGINE_API_KEY\" }",
            "{ command = [\"printf\", \"one\\\\ntwo\"] }",
        )
        .replace(
            "endpoint_id = { env = \"VOLCENGINE_ENDPOINT_ID\" }",
            "endpoint_id = \"ep-1\"",
        )
        .replace(
            "{ env = \"JWT_SECRET\" }",
            "{ command = [\"printf\", \"%064d\", \"0\"] }",
        );
    let inventory = Inventory::parse(&text, "geodeploy.toml").unwrap();
    let mistakes = Secrets::resolve(&inventory).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(
        mistakes[0].cause.contains("line break") && mistakes[0].text == "model.api_key",
        "{mistakes:?}"
    );
}

#[test]
fn made_up_secrets_stand_for_every_reference() {
    let inventory = Inventory::parse(EXAMPLE, "geodeploy.toml").unwrap();
    let secrets = Secrets::made_up(&inventory, |reference| Secret::new(reference.key.clone()));
    assert!(
        inventory
            .secret_references()
            .iter()
            .all(|reference| secrets.get(reference).is_some())
    );
}
