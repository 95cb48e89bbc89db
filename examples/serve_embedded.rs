//! Runs the server inside a program, streams one chat from its echo model, and drains it.
//!
//! `cargo run --example serve_embedded`

#![expect(clippy::print_stdout, reason = "an example shows what it got")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use geodeploy::serve::config::Config;
use geodeploy::serve::lifecycle::Shutdown;
use geodeploy::serve::listen::Listeners;
use geodeploy::serve::store::EmbeddedStore;
use geodeploy::serve::{Ended, run};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::from_variables(&BTreeMap::new(), true)
        .map_err(|errors| format!("not a configuration: {errors:?}"))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let shutdown = Shutdown::default();
    let store = Arc::new(EmbeddedStore::new(None));
    let server = tokio::spawn(run(
        Listeners::tcp(listener),
        config,
        store,
        shutdown.clone(),
    ));

    let question = json!({
        "model": "echo",
        "stream": true,
        "messages": [{"role": "user", "content": "hello from both sides"}],
    });
    let url = format!("http://{address}/v1/chat/completions");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut answer = client.post(url).json(&question).send().await?;
    while let Some(frames) = answer.chunk().await? {
        print!("{}", String::from_utf8_lossy(&frames));
    }

    shutdown.request();
    match server.await?? {
        Ended::Drained => println!("drained"),
        Ended::Cut => println!("cut"),
    }
    Ok(())
}
