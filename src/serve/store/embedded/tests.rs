use super::{EmbeddedStore, FILE};
use crate::serve::store::{DatabaseHealth, Store, Write, record};

#[test]
fn a_folder_that_went_away_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::new(Some(folder.path().to_owned()));
    assert_eq!(store.health(), DatabaseHealth::Ok);
    drop(folder);
    assert_eq!(store.health(), DatabaseHealth::Error);
    assert_eq!(EmbeddedStore::new(None).health(), DatabaseHealth::Ok);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_error_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    std::fs::create_dir(&file).unwrap();
    let store = EmbeddedStore::new(Some(folder.path().to_owned()));
    assert_eq!(store.health(), DatabaseHealth::Error);
    std::fs::remove_dir(&file).unwrap();
    let write = Write::User {
        id: "ann".to_owned(),
        seen_at: record::now(),
    };
    store.write(vec![write]).await.unwrap();
    assert_eq!(store.health(), DatabaseHealth::Ok);
}
