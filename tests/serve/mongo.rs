//! A MongoDB as production has it, TLS, authorization and the application's own user, and a store in it.

use std::sync::Arc;

use geodeploy::secrets::Secret;
use geodeploy::serve::collections::COLLECTIONS;
use geodeploy::serve::store::MongoStore;
use geodeploy::serve::store::mongo::MongoSettings;

use crate::host::{application, converge, index, provisioned, restrict, uri};
use crate::server::Server;

/// A provisioned server, with `documents` for the role that touches documents alone. `None`, said loudly, where there is
/// no mongod.
pub async fn start(documents: bool) -> Option<Server> {
    // The agent's driver waits on its own runtime.
    let start = move || {
        let server = provisioned()?;
        let connection = server.connection();
        for collection in COLLECTIONS {
            for wanted in collection.indexes {
                let life = wanted.expire_after_seconds.map(u64::from);
                let mut made = index(&connection, &[], life);
                made.collection = collection.name.to_owned();
                made.name = wanted.name();
                let keys = wanted.keys.iter();
                made.keys = keys
                    .map(|(field, way)| ((*field).to_owned(), *way))
                    .collect();
                converge(&made);
            }
        }
        if documents {
            restrict(&connection);
        }
        Some(server)
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

/// A store as the application opens it, over another port where a link lies between.
pub async fn store(server: &Server, port: u16) -> Arc<MongoStore> {
    let user = application(&server.connection());
    let uri = uri(server).replace(&format!(":{}/", server.port), &format!(":{port}/"));
    open(&uri, Some((&user.name, &user.password))).await
}

pub async fn open(uri: &str, login: Option<(&str, &Secret)>) -> Arc<MongoStore> {
    let settings = MongoSettings::new(uri, login).unwrap();
    Arc::new(MongoStore::open(&settings).await.unwrap())
}
