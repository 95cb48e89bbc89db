//! The connection that is kept for the next run.

use std::path::{Path, PathBuf};
use std::process::Command;

use geodeploy::host::{Destination, OpenSsh, Transport};

use crate::sshd::{Login, Sshd};

fn logins(sshd: &Sshd) -> usize {
    sshd.log().matches("Accepted publickey").count()
}

async fn run(destination: &Destination, folder: &Path, fresh: bool) {
    let transport = OpenSsh::connect(destination, folder, fresh).await.unwrap();
    let channel = transport.exec("echo hello", Vec::new()).await.unwrap();
    let (out, end) = channel.finish().await.unwrap();
    assert_eq!((&*out, end.status), ("hello\n", Some(0)));
    transport.close().await;
}

fn socket(folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(folder.join("test.master")).unwrap();
    PathBuf::from(text.lines().nth(1).unwrap())
}

/// The process of the master, as it says itself.
fn process(socket: &Path) -> String {
    let output = Command::new("ssh")
        .args(["-O", "check", "-S"])
        .arg(socket)
        .arg("any")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let digits = text.chars().filter(char::is_ascii_digit);
    digits.collect()
}

fn kill(signal: &str, process: &str) {
    let killed = Command::new("kill")
        .args([signal, process])
        .status()
        .unwrap();
    assert!(killed.success());
}

fn end_master(folder: &Path) {
    let socket = socket(folder);
    let output = Command::new("ssh")
        .args(["-O", "exit", "-S"])
        .arg(socket)
        .arg("any")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_finds_the_connection_of_the_first() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let destination = sshd.destination(Login::Quiet);
    run(&destination, folder.path(), false).await;
    assert_eq!(logins(&sshd), 1);
    run(&destination, folder.path(), false).await;
    assert_eq!(logins(&sshd), 1);
    // A firewall change is confirmed by one that shares nothing with it.
    run(&destination, folder.path(), true).await;
    assert_eq!(logins(&sshd), 2);
    run(&destination, folder.path(), false).await;
    assert_eq!(logins(&sshd), 2);
    end_master(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_connection_is_replaced_and_leaves_nothing_behind() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let destination = sshd.destination(Login::Quiet);
    run(&destination, folder.path(), false).await;
    let dead = socket(folder.path());
    kill("-9", &process(&dead));
    assert!(dead.exists(), "a killed master leaves its socket");
    run(&destination, folder.path(), false).await;
    assert_eq!(logins(&sshd), 2);
    assert_ne!(socket(folder.path()), dead);
    assert!(!dead.parent().unwrap().exists());
    end_master(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pinned_key_is_checked_by_a_connection_of_its_own() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let destination = sshd.destination(Login::Quiet);
    run(&destination, folder.path(), false).await;
    crate::sshd::generate(&sshd.path("other"));
    let changed = Destination {
        host_keys: vec![crate::sshd::public_key(&sshd.path("other"))],
        ..destination
    };
    let Err(error) = OpenSsh::connect(&changed, folder.path(), false).await else {
        panic!("the kept connection was used for another pin");
    };
    assert_eq!(error.exit_code(), 77, "{error}");
    end_master(folder.path());
}
