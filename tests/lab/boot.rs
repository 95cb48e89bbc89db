//! From power on to ssh, over power cuts and back to a snapshot.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use geodeploy::rehearse::Twin;

use crate::common::{spec, ssh, text, up};

#[test]
fn two_twins_boot_and_take_the_operators_key() {
    let Some(held) = up("two_twins_boot_and_take_the_operators_key", || {
        spec("boot", 0, None)
    }) else {
        return;
    };
    let lab = &held.lab;
    for twin in lab.twins() {
        assert_eq!(twin.system_state().unwrap(), "running");
        let output = ssh(lab, twin, "root", "hostname");
        assert_eq!(text(&output.stdout), twin.name, "{output:?}");
        let output = ssh(lab, twin, "admin", "sudo -n id -u");
        assert_eq!(text(&output.stdout), "0", "{output:?}");
    }
    let (us, cn) = (lab.twin("us").unwrap(), lab.twin("cn").unwrap());
    assert_ne!(us.host_key().unwrap(), cn.host_key().unwrap());
    assert_ne!(
        us.exec(["cat", "/etc/machine-id"]).unwrap(),
        cn.exec(["cat", "/etc/machine-id"]).unwrap()
    );
    let outside = us.exec(["ip", "route", "get", "192.0.2.1"]).unwrap();
    assert!(
        !outside.success(),
        "a twin must have no way out: {outside:?}"
    );
}

fn file_is(twin: &Twin, path: &str, wanted: Option<&str>) {
    let output = twin.exec(["cat", path]).unwrap();
    assert_eq!(
        output.success().then(|| output.stdout.trim()),
        wanted,
        "{path}"
    );
}

fn write(twin: &Twin, path: &str, text: &str) {
    assert!(twin.exec_with(["tee", path], text).unwrap().success());
}

#[test]
fn files_survive_a_power_cut_and_a_reboot_and_a_snapshot_brings_them_back() {
    let name = "files_survive_a_power_cut_and_a_reboot_and_a_snapshot_brings_them_back";
    let Some(held) = up(name, || spec("power", 0, None)) else {
        return;
    };
    let us = held.lab.twin("us").unwrap();
    let key = us.host_key().unwrap();
    write(us, "/root/note", "one");
    us.power_off().unwrap();
    assert_eq!(us.leader(), None);
    let silent = TcpStream::connect_timeout(&us.ssh(), Duration::from_millis(500)).unwrap_err();
    assert_eq!(
        silent.kind(),
        std::io::ErrorKind::TimedOut,
        "nothing answers for a machine without power"
    );
    us.boot().unwrap();
    let again = us.wait_ready(Duration::from_secs(30)).unwrap();
    file_is(us, "/root/note", Some("one"));
    let reboot = us.reboot().unwrap();
    file_is(us, "/root/note", Some("one"));
    assert_eq!(us.host_key().unwrap(), key);
    us.snapshot("clean").unwrap();
    write(us, "/root/note", "two");
    write(us, "/root/more", "three");
    assert!(
        us.exec(["rm", "-r", "/etc/apt/apt.conf.d"])
            .unwrap()
            .success()
    );
    let started = Instant::now();
    us.restore("clean").unwrap();
    eprintln!(
        "boot {again:.1?}, reboot {reboot:.1?}, restore {:.1?}",
        started.elapsed()
    );
    file_is(us, "/root/note", Some("one"));
    file_is(us, "/root/more", None);
    assert!(
        us.exec(["test", "-f", "/etc/apt/apt.conf.d/00rehearsal"])
            .unwrap()
            .success()
    );
    assert!(ssh(&held.lab, us, "root", "true").status.success());
}
