//! How much memory a backup takes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mongodb::bson::rawdoc;

use crate::site::Site;

/// Documents of 100 KB each: 200 MB.
const DOCUMENTS: i32 = 2_000;

#[test]
#[ignore = "200 MB, a minute or more without optimization"]
#[expect(clippy::disallowed_methods, reason = "the host's own program")]
fn two_hundred_megabytes_are_backed_up_within_a_hundred_of_memory() {
    let Some(site) = Site::new() else { return };
    let root = site.root();
    let mut large = root.inserter("aiagent", "large");
    for number in 0..DOCUMENTS {
        // Text that packs about as well as conversations do.
        let words: Vec<String> = (0..16_000)
            .map(|word| format!("{:x}", (word ^ number).wrapping_mul(40_503) & 0xf_ffff))
            .collect();
        large
            .push(rawdoc! { "_id": number, "text": words.join(" ") })
            .unwrap();
    }
    large.flush().unwrap();
    let file = site.server.path("backup.json");
    std::fs::write(&file, serde_json::to_vec(&site.config).unwrap()).unwrap();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_geodeploy-host"))
        .args(["backup", "--config", &file.to_string_lossy()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .split(' ')
                .next()?
                .parse()
                .ok()
        });
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.wait().unwrap().success());
    let name = geodeploy::backup::folder::Folder::new(&site.config.folder)
        .backups()
        .unwrap()
        .remove(0);
    let manifest = geodeploy::backup::folder::Folder::new(&site.config.folder)
        .summary(&name)
        .unwrap();
    println!(
        "{} bytes sealed in {:?}, at most {} MB of memory",
        manifest.bytes,
        began.elapsed(),
        most / 1000
    );
    assert!(most < 100_000, "{most} kB");
}
