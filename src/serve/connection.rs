//! Accepts connections and serves HTTP/1.1 on them, so that every end has a bound: axum's own
//! server waits for open streams without one.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::listen::{Connection, Listener};

/// nginx keeps idle connections to us for 60 s; closing later than it does loses no request. The same
/// clock bounds how long a request's head may take.
const IDLE: Duration = Duration::from_secs(75);
const BUFFER: usize = 64 << 10;
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts until `stop`, then waits for the connections it accepted; these close when idle from
/// `close` on. Dropping the future cuts them.
pub(super) async fn serve(
    listener: Listener,
    router: Router,
    stop: CancellationToken,
    close: CancellationToken,
) {
    let mut connections = JoinSet::new();
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(connection) => {
                pause = FIRST_PAUSE;
                connections.spawn(serve_one(connection, router.clone(), close.clone()));
            }
            Err(error) => {
                // Out of descriptors: accepting again at once would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_one(connection: Box<dyn Connection>, router: Router, close: CancellationToken) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(connection), TowerToHyperService::new(router));
    let mut served = std::pin::pin!(served);
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = close.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}
