//! A fake of Cloudflare's interface on loopback: state in memory, answers in the shape of the official schema, and as hard
//! on its caller as the documentation and its users say that the real one is. It is a fake: what it knows was read.

mod backend;
mod balancing;
mod refuse;
mod route;
mod store;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response};
use serde_json::Value;
use tokio::sync::Notify;

pub(crate) use refuse::{Entitlement, Reply};
pub(crate) use store::Store;

/// The token that it takes.
pub(crate) const TOKEN: &str = "v1.0-fake-token-that-nobody-may-see";

/// One call as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn writes(&self) -> bool {
        self.method != "GET"
    }
}

/// The fake, and what the test does to it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    store: Mutex<Store>,
    calls: AtomicUsize,
    died: Notify,
}

impl Server {
    /// An account with Load Balancing and the empty zone `yourapp.com`.
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            store: Mutex::new(Store::new()),
            calls: AtomicUsize::new(0),
            died: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(serve).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, shared }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap()
    }

    /// Every call so far.
    pub(crate) fn log(&self) -> Vec<Call> {
        self.store().log.clone()
    }

    /// Every call so far that could have written something.
    pub(crate) fn writes(&self) -> Vec<Call> {
        let mut log = self.log();
        log.retain(Call::writes);
        log
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let number = shared.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let authorization = request.headers().get("authorization").cloned();
    let path = request.uri().path().trim_start_matches("/client/v4/");
    let call = Call {
        method: request.method().to_string(),
        path: path.to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        body: Value::Null,
    };
    let bytes = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let call = Call {
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        ..call
    };
    let (reply, dies) = {
        let mut store = shared.store.lock().unwrap();
        store.log.push(call.clone());
        let dies = store.dies.filter(|(at, _)| *at == number);
        let carried_out = dies.is_none_or(|(_, carried_out)| carried_out);
        let token = authorization.and_then(|value| value.to_str().map(str::to_owned).ok());
        let reply = carried_out.then(|| store.answer(&call, token.as_deref()));
        (reply, dies.is_some())
    };
    if dies {
        shared.died.notify_one();
        std::future::pending::<()>().await;
    }
    let reply = reply.unwrap();
    let mut response = Response::new(Body::from(reply.body.to_string()));
    *response.status_mut() = reply.status.try_into().unwrap();
    let headers = response.headers_mut();
    headers.insert("cf-ray", HeaderValue::from_static("8f2a6c31be0de1a2-FRA"));
    if let Some(seconds) = reply.retry_after {
        headers.insert("retry-after", HeaderValue::from(seconds));
    }
    response
}
