//! The vendor's archive: taken where it answers, refused with another key, replaced where it does not answer.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use geodeploy::rehearse::archive::vendor::Vendor;
use geodeploy::rehearse::archive::{self, Archive, Origin};

use crate::usual;

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
        said.lock().unwrap().push_str(words);
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
