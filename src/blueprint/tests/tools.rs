//! The rendered files before the programs that read them. Where a program is not installed, the test says so and passes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::*;
use crate::blueprint::context::{Failover, of};

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

pub(super) fn render(name: &str, region: usize, failover: Failover) -> String {
    let (inventory, _) = example();
    let context = of(&inventory, &inventory.regions[region], failover);
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
}

#[test]
fn nginx_accepts_both_regions_files_with_and_without_failover() {
    for region in [0, 1] {
        for failover in [Failover::Off, Failover::On] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("sites-enabled")).unwrap();
            std::fs::write(
                folder.path().join("mime.types"),
                "types { text/html html; }\n",
            )
            .unwrap();
            // The other region's name is looked up when the file is read, and this test has no network.
            let site = render("site.conf.j2", region, failover)
                .replace("https://us.yourapp.com", "https://127.0.0.1")
                .replace("https://cn.yourapp.com", "https://127.0.0.1");
            let main = render("nginx.conf.j2", region, failover);
            let path = folder.path().join("nginx.conf");
            std::fs::write(
                folder.path().join("sites-enabled/yourapp"),
                relocated(&site, folder.path()),
            )
            .unwrap();
            std::fs::write(&path, relocated(&main, folder.path())).unwrap();
            let prefix = folder.path().display().to_string();
            let Some(output) = ask(
                "nginx",
                &["-t", "-q", "-p", &prefix, "-c", &path.display().to_string()],
            ) else {
                return;
            };
            assert!(output.status.success(), "{}", said(&output));
            assert!(!said(&output).contains("[warn]"), "{}", said(&output));
        }
    }
}

#[test]
fn the_failover_is_off_until_there_are_certificates_and_verified_when_on() {
    let off = render("site.conf.j2", 0, Failover::Off);
    assert!(
        !off.contains("backup") && !off.contains("https://"),
        "{off}"
    );
    let on = render("site.conf.j2", 0, Failover::On);
    for line in [
        "backup;",
        "proxy_ssl_verify on;",
        "proxy_ssl_server_name on;",
        "X-Geodeploy-Hop us;",
        "proxy_pass https://cn.yourapp.com;",
    ] {
        assert!(on.contains(line), "{line}");
    }
    assert!(
        !on.contains("http_503") && !on.contains(" non_idempotent"),
        "{on}"
    );
}

#[test]
fn the_unit_scores_at_most_one_and_a_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yourapp@.service");
    std::fs::write(&path, render("app@.service.j2", 0, Failover::Off)).unwrap();
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
        std::fs::write(folder.path().join(name), render(template, 0, Failover::Off)).unwrap();
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
