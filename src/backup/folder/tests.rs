use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    (place, folder)
}

fn made(folder: &Folder, second: i64) -> String {
    let began = jiff::Timestamp::from_second(second).unwrap();
    let (mut file, name) = folder.begin("app", began).unwrap();
    file.write_all(b"sealed").unwrap();
    let summary = Summary {
        file: name.clone(),
        bytes: 6,
        sha256: crate::digest::sha256(b"sealed"),
        began: began.to_string(),
        seconds: 1,
        mongod: "8.0.21".to_owned(),
        tool: "0".to_owned(),
        documents: 0,
        oplog_entries: 0,
        collections: std::collections::BTreeMap::new(),
    };
    folder.commit(&summary).unwrap();
    assert_eq!(folder.summary(&name).unwrap(), summary);
    name
}

#[test]
fn old_backups_go_and_the_one_that_was_proven_stays() {
    let (place, folder) = folder();
    let all: Vec<String> = (1..=5).map(|second| made(&folder, second)).collect();
    folder
        .set_verified(&Verified {
            verified_at: "2026-01-01T00:00:00Z".to_owned(),
            file: all[0].clone(),
            rto_seconds: 3,
        })
        .unwrap();
    assert_eq!(folder.retain(2).unwrap(), [all[2].clone(), all[1].clone()]);
    assert_eq!(
        folder.backups().unwrap(),
        [all[4].clone(), all[3].clone(), all[0].clone()]
    );
    // Three files a backup, and the drill's.
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3 * 3 + 1);
    assert_eq!(folder.retain(0).unwrap(), [all[3].clone()]);
}

#[test]
fn what_a_run_that_died_left_is_no_backup_and_is_removed_by_the_next() {
    let (place, folder) = folder();
    let whole = made(&folder, 1);
    drop(folder.begin("app", jiff::Timestamp::from_second(9).unwrap()));
    fs::write(place.path().join(format!("app-x{ENDING}.sha256")), "").unwrap();
    assert_eq!(folder.backups().unwrap(), std::slice::from_ref(&whole));
    folder.clean().unwrap();
    let mut left = folder.names().unwrap();
    left.sort();
    assert_eq!(
        left,
        [
            whole.clone(),
            beside(&whole, "json"),
            beside(&whole, "sha256")
        ]
    );
}

#[test]
fn a_second_backup_waits_for_nobody_and_says_so() {
    let (_place, folder) = folder();
    let held = folder.lock().unwrap();
    assert!(folder.lock().err().unwrap().why.contains("another one"));
    drop(held);
    assert!(folder.lock().is_ok());
}

#[test]
fn a_disk_that_is_nearly_full_or_too_small_is_refused_with_numbers() {
    assert!(room(20, 100, 20).is_ok());
    assert_eq!(
        room(19, 100, 1).unwrap_err().why,
        "19 % of the disk are free, less than 20 %: 19 B"
    );
    let [free, needed] = [50 << 20, 51 << 20].map(crate::text::bytes);
    assert_eq!(
        room(50 << 20, 100 << 20, 51 << 20).unwrap_err().why,
        format!("it may take {needed}, and {free} are free")
    );
}

#[test]
fn what_root_writes_belongs_to_whoever_owns_the_folder() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let place = tempfile::tempdir().unwrap();
    if chown(place.path(), Some(65_534), Some(65_534)).is_err() {
        eprintln!("SKIPPED: giving a folder away needs root");
        return;
    }
    let verified = Verified {
        verified_at: "2026-01-02T03:04:05Z".to_owned(),
        file: "a".to_owned(),
        rto_seconds: 1,
    };
    Folder::new(place.path()).set_verified(&verified).unwrap();
    let found = std::fs::metadata(place.path().join(STATE)).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (65_534, 0o600));
}
