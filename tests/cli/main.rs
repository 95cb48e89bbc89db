//! The real binary in a home of its own: help, exit statuses, what goes to which stream.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper fails as its test does"
)]

mod consent;
mod database;
mod dns;
mod growth;
mod sandbox;

use std::path::Path;
use std::process::Stdio;

use sandbox::Sandbox;

#[test]
fn the_help_of_every_verb_is_as_reviewed() {
    let sandbox = Sandbox::new();
    let root = sandbox.run(&["--help"]).out();
    let commands = root.split("Commands:\n").nth(1).unwrap();
    let verbs = commands.lines().take_while(|line| !line.is_empty());
    let verbs = verbs.map(|line| line.split_whitespace().next().unwrap());
    let mut pages = root.clone();
    for verb in verbs.filter(|verb| *verb != "help") {
        let page = sandbox.run(&[verb, "--help"]).out();
        // What every verb has is shown once, on the first page.
        let own = page.split("\nGlobal options:").next().unwrap();
        pages += &format!("\n---- {verb} ----\n{own}");
    }
    insta::assert_snapshot!("help", pages);
}

#[test]
fn a_command_line_that_cannot_be_understood_exits_with_64() {
    let sandbox = Sandbox::new();
    for arguments in [
        &[][..],
        &["pln"],
        &["plan", "--nonsense"],
        &["rollback"],
        &["--timeout", "0", "plan"],
        &["token", "--user", "x", "--ttl", "soon"],
        &["rehearse", "--keep", "--local"],
    ] {
        let run = sandbox.run(arguments);
        assert_eq!(run.status(), 64, "{arguments:?}: {}", run.err());
        assert_eq!(run.out(), "", "{arguments:?}");
        assert!(run.err().contains("Usage:") || run.err().starts_with("error: "));
    }
    let similar = sandbox.run(&["pln"]).err();
    assert!(similar.contains("'plan'"), "{similar}");
}

#[test]
fn help_and_version_exit_with_0_on_standard_output() {
    let sandbox = Sandbox::new();
    for arguments in [["--help"], ["--version"], ["help"]] {
        let run = sandbox.run(&arguments);
        assert_eq!((run.status(), run.err().as_str()), (0, ""), "{arguments:?}");
        assert!(run.out().contains("geodeploy"), "{arguments:?}");
    }
}

#[test]
fn without_an_inventory_the_error_says_how_to_get_one() {
    let run = Sandbox::new().run(&["check"]);
    assert_eq!(run.status(), 65);
    assert!(run.err().starts_with("error: "), "{}", run.err());
    assert!(run.err().contains("geodeploy init"), "{}", run.err());
}

#[test]
fn an_inventory_from_init_passes_check_and_is_never_overwritten() {
    let sandbox = Sandbox::new().secrets();
    let run = sandbox.run(&["init"]);
    assert_eq!(run.status(), 0, "{}", run.err());
    assert_eq!(run.out(), "wrote geodeploy.toml\n");
    assert!(run.err().contains("`geodeploy check`"), "{}", run.err());

    sandbox.prepare();
    let run = sandbox.run(&["check"]);
    assert_eq!(run.status(), 0, "{}", run.err());
    assert!(run.out().contains("2 regions (us, cn)"), "{}", run.out());
    assert!(run.out().ends_with("no mistakes\n"), "{}", run.out());

    std::fs::write(sandbox.path("geodeploy.toml"), "mine").unwrap();
    let run = sandbox.run(&["init"]);
    assert_eq!(run.status(), 64);
    let kept = std::fs::read_to_string(sandbox.path("geodeploy.toml")).unwrap();
    assert_eq!(kept, "mine");
}

#[test]
fn check_tells_all_mistakes_at_once_with_their_lines() {
    let sandbox = Sandbox::new();
    sandbox.run(&["init"]);
    let run = sandbox.run(&["check"]);
    assert_eq!(run.status(), 65);
    for name in ["VOLCENGINE_API_KEY", "VOLCENGINE_ENDPOINT_ID", "JWT_SECRET"] {
        assert!(run.err().contains(name), "{name} in {}", run.err());
    }
    assert!(run.err().contains("geodeploy.toml:"), "{}", run.err());

    std::fs::write(sandbox.path("bad.toml"), "version = 1\n[regons.us]\n").unwrap();
    let run = sandbox.run(&["check", "-i", "bad.toml"]);
    assert_eq!(run.status(), 65);
    assert!(run.err().contains("bad.toml:2"), "{}", run.err());
    assert!(run.err().contains("`regions`"), "{}", run.err());
}

#[test]
fn a_template_that_does_not_render_is_told_with_its_line_and_beside_missing_secrets() {
    let sandbox = Sandbox::new();
    sandbox.run(&["init"]);
    let inventory = std::fs::read_to_string(sandbox.path("geodeploy.toml")).unwrap();
    let inventory = inventory.replace("# templates = ", "templates = ");
    std::fs::write(sandbox.path("geodeploy.toml"), inventory).unwrap();
    std::fs::create_dir(sandbox.path("templates")).unwrap();
    let broken = "one\ntwo {{ nonsense }}\n";
    std::fs::write(sandbox.path("templates/journald.conf.j2"), broken).unwrap();
    let run = sandbox.run(&["check"]);
    assert_eq!(run.status(), 65, "{}", run.err());
    assert!(run.err().contains("journald.conf.j2:2"), "{}", run.err());
    assert!(run.err().contains("JWT_SECRET"), "{}", run.err());
}

#[test]
fn a_region_that_is_not_there_is_refused_with_the_one_that_was_meant() {
    let sandbox = Sandbox::new().secrets();
    sandbox.run(&["init"]);
    for verb in [
        "plan",
        "provision",
        "deploy",
        "rollback",
        "restart",
        "status",
        "verify",
        "logs",
        "ssh",
        "trust",
    ] {
        let run = sandbox.run(&[verb, "cnn"]);
        assert_eq!(run.status(), 64, "{verb}: {}", run.err());
        assert!(
            run.err().contains("did you mean `cn`?"),
            "{verb}: {}",
            run.err()
        );
    }
}

#[test]
fn the_variable_names_the_inventory_where_no_option_does() {
    let sandbox = Sandbox::new().variable("GEODEPLOY_INVENTORY", "other.toml");
    assert_eq!(sandbox.run(&["init"]).out(), "wrote other.toml\n");
    assert!(sandbox.path("other.toml").exists());
}

#[test]
fn with_json_standard_output_is_documents_and_nothing_else() {
    let sandbox = Sandbox::new();
    let refused = sandbox.run(&["--json", "plan", "--nonsense"]);
    assert_eq!(refused.status(), 64);
    assert_eq!(refused.documents()[0]["error"]["kind"], "usage");

    let wrote = sandbox.run(&["init", "--json"]);
    assert_eq!(wrote.documents()[0]["init"]["file"], "geodeploy.toml");

    let mistakes = sandbox.run(&["check", "--json"]);
    let error = &mistakes.documents()[0]["error"];
    assert_eq!(error["exit"], 65);
    assert_eq!(error["causes"].as_array().unwrap().len(), 9, "{error}");

    let good = Sandbox::new().project();
    let check = good.run(&["--json", "check"]);
    assert_eq!(
        check.documents()[0]["check"]["regions"],
        serde_json::json!(["us", "cn"])
    );
    let token = good.run(&["--json", "token", "--user", "ada"]);
    assert_eq!(token.documents()[0]["token"]["user"], "ada");
}

#[test]
fn nothing_is_coloured_where_there_is_no_terminal_or_no_wish_for_it() {
    for sandbox in [Sandbox::new(), Sandbox::new().variable("NO_COLOR", "1")] {
        for arguments in [&["check"][..], &["--no-color", "--help"], &["pln"]] {
            let run = sandbox.run(arguments);
            let text = run.out() + &run.err();
            assert!(!text.contains('\u{1b}'), "{arguments:?}: {text:?}");
        }
    }
}

#[test]
fn a_token_is_the_only_thing_that_token_prints() {
    let sandbox = Sandbox::new().secrets();
    sandbox.run(&["init"]);
    let run = sandbox.run(&["token", "--user", "ada", "--ttl", "30m"]);
    assert_eq!((run.status(), run.err().as_str()), (0, ""));
    let token = run.out();
    assert_eq!(token.trim_end().split('.').count(), 3, "{token}");

    let run = sandbox.run(&["token", "--user", "ada", "--key", "key.pem"]);
    assert_eq!(run.status(), 64);
    assert!(run.err().contains("hint: leave out --key"), "{}", run.err());
}

#[test]
fn a_secret_is_never_shown() {
    let sandbox = Sandbox::new().secrets();
    sandbox.run(&["init"]);
    for arguments in [
        &["check", "-v"][..],
        &["check", "--json"],
        &["token", "--user", "ada"],
    ] {
        let run = sandbox.run(arguments);
        let text = run.out() + &run.err();
        for (_, secret) in &sandbox.variables {
            assert!(!text.contains(secret), "{arguments:?}");
        }
    }
}

#[test]
fn manual_pages_and_completions_are_made_for_every_verb() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["man", "--out", "pages"]);
    assert_eq!(run.status(), 0, "{}", run.err());
    for page in [
        "geodeploy.1",
        "geodeploy-provision.1",
        "geodeploy-rollback.1",
    ] {
        assert!(sandbox.path("pages").join(page).exists(), "{page}");
    }
    assert!(sandbox.run(&["man"]).out().contains(".TH geodeploy 1"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = sandbox.run(&["completions", shell]);
        assert!(run.out().contains("provision"), "{shell}");
    }
}

#[test]
fn a_reader_that_has_left_is_no_failure_and_a_full_disk_is_one() {
    let run = |stdout: Stdio| {
        #[expect(
            clippy::disallowed_methods,
            reason = "assert_cmd cannot set standard output"
        )]
        std::process::Command::new(env!("CARGO_BIN_EXE_geodeploy"))
            .args(["completions", "bash"])
            .stdout(stdout)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let left = run(writer.into());
    assert_eq!(left.status.code(), Some(0));
    assert!(left.stderr.is_empty());

    if Path::new("/dev/full").exists() {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let full = run(full.into());
        assert_eq!(full.status.code(), Some(1));
        let text = String::from_utf8(full.stderr).unwrap();
        assert!(
            text.starts_with("error: cannot write to standard output"),
            "{text}"
        );
    }
}
