//! What is refused before anything is written.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use geodeploy::backup::{read, restore, seal};
use mongodb::bson::doc;

use crate::site::Site;

#[test]
fn a_target_that_holds_documents_is_refused_with_their_numbers_and_stays_as_it_is() {
    let Some(site) = Site::new() else { return };
    site.fill(30, 0);
    let summary = site.back_up();
    let manifest = site.manifest(&summary);
    let root = site.root();
    let insert = doc! { "insert": "users", "documents": [{ "_id": "later" }] };
    root.run("aiagent", insert).unwrap();
    root.run("aiagent", doc! { "drop": "multi_agent_sessions" })
        .unwrap();
    let fault = restore::run(&root, &manifest, site.opened(&summary), false, &|_| {}).unwrap_err();
    assert_eq!(fault.why, "aiagent.users has 31 documents");
    assert_eq!(
        crate::site::count(&root, "multi_agent_sessions", doc! {}),
        0
    );
}

#[test]
fn a_backup_of_another_series_is_refused() {
    let Some(site) = Site::new() else { return };
    site.fill(3, 0);
    let mut manifest = site.manifest(&site.back_up());
    site.wipe();
    manifest.mongod = "7.0.1".to_owned();
    let fault = restore::admit(&site.root(), &manifest).unwrap_err();
    assert_eq!(fault.why, "it is of MongoDB 7.0.1, this is 6.0.5");
}

#[test]
fn a_flipped_byte_anywhere_and_a_missing_end_are_refused() {
    let Some(site) = Site::new() else { return };
    site.fill(3_000, 0);
    let summary = site.back_up();
    let path = site.sealed(&summary);
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(whole.len() as u64, summary.bytes);
    let step = whole.len() / 7;
    for at in [whole.len() - 1, 300]
        .into_iter()
        .chain((step..whole.len()).step_by(step))
    {
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let mut byte = [0];
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.read_exact(&mut byte).unwrap();
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&[byte[0] ^ 1]).unwrap();
        let damaged = seal::open(&site.identities(), std::fs::File::open(&path).unwrap());
        assert!(damaged.and_then(read::verify).is_err(), "byte {at}");
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&byte).unwrap();
    }
    for end in [whole.len() - 1, whole.len() / 2] {
        let cut = seal::open(&site.identities(), &whole[..end]);
        assert!(cut.and_then(read::verify).is_err(), "{end} bytes");
    }
    read::verify(site.opened(&summary)).unwrap();
}

#[test]
fn an_identity_that_is_no_recipient_is_refused_with_advice() {
    let Some(site) = Site::new() else { return };
    let summary = site.back_up();
    let file = std::fs::File::open(site.sealed(&summary)).unwrap();
    let other: Vec<Box<dyn age::Identity>> = vec![Box::new(age::x25519::Identity::generate())];
    let fault = seal::open(&other, file).err().unwrap();
    assert!(fault.hint.unwrap().contains("recipients"));
}
