//! A fake of DNSPod on loopback: its state in memory, its envelope, its refusals, and its list that is behind the times.
//! The shapes are those of the models of Tencent's Python SDK; `oracle.rs` has the SDK itself read them.

mod actions;
mod signature;
mod zone;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Extracted;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

pub(crate) use zone::{LINES, Record, Zone};

pub(crate) const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
pub(crate) const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

/// A call as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) action: String,
    pub(crate) body: Value,
    pub(crate) raw: String,
    pub(crate) authorization: String,
    pub(crate) timestamp: String,
    pub(crate) host: String,
}

/// Where a call is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is carried out, and its answer is lost.
    Answer,
    /// It never arrives.
    Request,
}

/// What the tests set and look at.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) zone: Zone,
    pub(crate) calls: Vec<Call>,
    /// Actions that the key may not call.
    pub(crate) denied: BTreeSet<String>,
    /// So many calls are told to slow down.
    pub(crate) throttled: usize,
    /// The call, counted from 1, from which on nothing is answered.
    pub(crate) dies_at: Option<(usize, Cut)>,
    /// The call that is never answered, while those after it are.
    pub(crate) hangs_at: Option<(usize, Cut)>,
    /// Added to the fake's clock when it judges a signature, in seconds.
    pub(crate) clock: i64,
}

#[derive(Clone)]
pub(crate) struct Fake {
    world: Arc<Mutex<World>>,
    /// Told when a call is left hanging.
    pub(crate) died: Arc<Notify>,
    pub(crate) address: String,
}

/// DNSPod's error: code and message.
pub(crate) type Refusal = (&'static str, String);

impl Fake {
    /// A zone `yourapp.com` of a plan, `DP_FREE` or `DP_ULTRA`, whose list is `delay` behind.
    pub(crate) async fn start(grade: &'static str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let world = World {
            zone: Zone::new(grade, delay),
            calls: Vec::new(),
            denied: BTreeSet::new(),
            throttled: 0,
            dies_at: None,
            hangs_at: None,
            clock: 0,
        };
        let fake = Self {
            world: Arc::new(Mutex::new(world)),
            died: Arc::default(),
            address,
        };
        let router = Router::new().fallback(serve).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        fake
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// How many calls that write came, those that cannot be carried out left aside.
    pub(crate) fn writes(&self) -> usize {
        let world = self.world();
        let writes = |call: &&Call| {
            !call.action.starts_with("Describe")
                && call.body["RecordId"] != 0
                && call.body["RecordType"] != "NONE"
        };
        world.calls.iter().filter(writes).count()
    }
}

/// What comes of a call.
enum Outcome {
    Answer(serde_json::Value),
    Silence,
    Hang,
}

async fn serve(Extracted(fake): Extracted<Fake>, headers: HeaderMap, body: String) -> Response {
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    assert_eq!(header("x-tc-version"), "2021-03-23");
    let call = Call {
        action: header("x-tc-action").to_owned(),
        body: serde_json::from_str(&body).unwrap(),
        raw: body,
        authorization: header("authorization").to_owned(),
        timestamp: header("x-tc-timestamp").to_owned(),
        host: header("host").to_owned(),
    };
    let outcome = outcome(&mut fake.world(), &call, header("content-type"));
    match outcome {
        Outcome::Answer(response) => axum::Json(json!({"Response": response})).into_response(),
        Outcome::Silence => silence(),
        Outcome::Hang => {
            fake.died.notify_one();
            std::future::pending().await
        }
    }
}

fn outcome(world: &mut World, call: &Call, content_type: &str) -> Outcome {
    world.calls.push(call.clone());
    let count = world.calls.len();
    let cut = world.dies_at.filter(|(at, _)| count >= *at);
    if cut.is_some_and(|(at, cut)| count > at || cut == Cut::Request) {
        return Outcome::Silence;
    }
    let hangs = world.hangs_at.filter(|(at, _)| count == *at);
    if hangs.is_some_and(|(_, cut)| cut == Cut::Request) {
        return Outcome::Hang;
    }
    let answer = answer(world, call, content_type);
    if cut.is_some() {
        return Outcome::Silence;
    }
    if hangs.is_some() {
        return Outcome::Hang;
    }
    let mut response = match answer {
        Ok(fields) => fields,
        Err((code, message)) => json!({"Error": {"Code": code, "Message": message}}),
    };
    response["RequestId"] = json!(format!("00000000-0000-4000-8000-{count:012}"));
    Outcome::Answer(response)
}

/// An answer that breaks off before its first byte.
fn silence() -> Response {
    let broken = std::io::Error::other("cut off");
    let stream = futures_util::stream::iter([Err::<Vec<u8>, _>(broken)]);
    Response::new(Body::from_stream(stream))
}

fn answer(world: &mut World, call: &Call, content_type: &str) -> Result<Value, Refusal> {
    signature::check(call, content_type, world.clock)?;
    if world.throttled > 0 {
        world.throttled -= 1;
        let message = "Your current request times equals to `21` in a second".to_owned();
        return Err(("RequestLimitExceeded", message));
    }
    if world.denied.contains(&call.action) {
        let message = format!(
            "you are not authorized to perform operation (dnspod:{})",
            call.action
        );
        return Err(("UnauthorizedOperation", message));
    }
    actions::answer(&mut world.zone, call)
}
