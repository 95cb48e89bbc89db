//! The rendered files before the programs that read them. Where a program is not installed, the test says so and passes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::*;
use crate::blueprint::context::of;

/// A program to ask, or `None`, loudly, where it is not installed.
#[expect(
    clippy::disallowed_methods,
    reason = "the test asks the program that reads the file"
)]
pub(super) fn program(name: &str) -> Option<Command> {
    match Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
    {
        Ok(_) => Some(Command::new(name)),
        Err(error) => {
            eprintln!("SKIPPED: {name} cannot be asked ({error}); install it to have this checked");
            None
        }
    }
}

fn ask(name: &str, arguments: &[&str]) -> Option<Output> {
    program(name).map(|mut program| program.args(arguments).output().unwrap())
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(super) fn render(name: &str, region: usize, tls: bool) -> String {
    let inventory = if tls { with_tls() } else { example().0 };
    let context = of(&inventory, &inventory.regions[region]);
    Templates::built_in().render(name, &context).unwrap().text
}

/// The configuration with its folders below `folder` and ports that need no privilege.
pub(super) fn relocated(text: &str, folder: &Path) -> String {
    let folder = folder.display();
    text.replace("/etc/nginx/mime.types", &format!("{folder}/mime.types"))
        .replace("/etc/nginx/", &format!("{folder}/"))
        .replace("/var/log/nginx/", &format!("{folder}/"))
        .replace("/run/nginx.pid", &format!("{folder}/nginx.pid"))
        .replace("listen 80 ", "listen 127.0.0.1:18080 ")
        .replace("listen [::]:80 ", "listen [::1]:18080 ")
        .replace("listen 443 ", "listen 127.0.0.1:18443 ")
        .replace("listen [::]:443 ", "listen [::1]:18443 ")
        .replace(
            "/etc/letsencrypt/live/geodeploy-yourapp/",
            &format!("{folder}/"),
        )
        .replace("/var/www/geodeploy-acme", &format!("{folder}/tokens"))
}

#[test]
fn the_unit_scores_at_most_one_and_a_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yourapp@.service");
    std::fs::write(&path, render("app@.service.j2", 0, false)).unwrap();
    let path = path.display().to_string();
    let arguments = [
        "security",
        "--offline=true",
        "--threshold=15",
        "--no-pager",
        &path,
    ];
    let Some(output) = ask("systemd-analyze", &arguments) else {
        return;
    };
    if said(&output).contains("unrecognized option") {
        eprintln!("SKIPPED: this systemd-analyze is older than 250 and rates no files");
        return;
    }
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("Overall exposure level"),
        "{}",
        said(&output)
    );
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for (name, template) in [
        ("yourapp.socket", "app.socket.j2"),
        ("yourapp.service", "app.service.j2"),
        ("yourapp@.service", "app@.service.j2"),
        ("geodeploy-backup.service", "backup.service.j2"),
        ("geodeploy-backup.timer", "backup.timer.j2"),
    ] {
        std::fs::write(folder.path().join(name), render(template, 0, false)).unwrap();
    }
    for name in [
        "yourapp.socket",
        "yourapp.service",
        "yourapp@.service",
        "geodeploy-backup.service",
        "geodeploy-backup.timer",
    ] {
        let path = folder.path().join(name).display().to_string();
        let Some(output) = ask("systemd-analyze", &["verify", "--man=no", &path]) else {
            return;
        };
        // What is not installed here is no fault of the file; a line that is not understood is.
        let complaints: Vec<String> = said(&output)
            .lines()
            .filter(|line| line.contains(&path) && !line.contains("is not executable"))
            .map(str::to_owned)
            .collect();
        assert_eq!(complaints, Vec::<String>::new());
    }
}

#[test]
fn the_servers_own_reader_accepts_the_environment_of_every_region() {
    let (inventory, _) = example();
    for region in ["us", "cn"] {
        let mut variables = environment_of(&inventory, region);
        variables.insert("JWT_SECRET".to_owned(), "s".repeat(32));
        variables.insert("VOLCENGINE_API_KEY".to_owned(), "key".to_owned());
        variables.insert(
            "VOLCENGINE_ENDPOINT_ID".to_owned(),
            "ep-20241201-abcde".to_owned(),
        );
        let config = crate::serve::config::Config::from_variables(&variables, false);
        assert!(config.is_ok(), "{:?}", config.err());
    }
}
