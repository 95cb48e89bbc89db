//! What stands in front of moto: checks signatures, rejects what Route 53 would, counts, and fails where it is told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::{Mutex as Turn, Notify};

use crate::signed;
use crate::strict::rejections;
use crate::xml::{Batch, Set, sets};

/// A call as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) body: String,
}

impl Call {
    /// Whether it could have written something.
    pub(crate) fn writes(&self) -> bool {
        self.method != Method::GET && !self.target.ends_with("/tags/healthcheck")
    }
}

/// What is answered instead, for as many calls as it is told to.
pub(crate) struct Fault {
    pub(crate) on: fn(&Call) -> bool,
    pub(crate) times: usize,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

/// One account of Route 53's.
pub(crate) struct Service {
    account: String,
    http: reqwest::Client,
    pub(crate) calls: Mutex<Vec<Call>>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    /// How many more answers say that a change is not everywhere yet.
    pub(crate) pending: AtomicUsize,
    /// How many sets a page has, 0: as many as moto gives.
    pub(crate) page: AtomicUsize,
    deaths: Mutex<Option<(usize, bool)>>,
    died: Notify,
    references: Mutex<HashMap<String, String>>,
    turn: Turn<()>,
}

impl Service {
    /// A new account, and the port where it is served.
    pub(crate) async fn start() -> (Arc<Self>, u16) {
        static ACCOUNTS: AtomicU32 = AtomicU32::new(0);
        let number = ACCOUNTS.fetch_add(1, Ordering::SeqCst);
        let service = Arc::new(Self {
            account: format!("{:012}", 100_000_000_000_u64 + u64::from(number)),
            http: reqwest::Client::new(),
            calls: Mutex::default(),
            faults: Mutex::default(),
            pending: AtomicUsize::new(0),
            page: AtomicUsize::new(0),
            deaths: Mutex::default(),
            died: Notify::new(),
            references: Mutex::default(),
            turn: Turn::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new()
            .fallback(serve)
            .with_state(Arc::clone(&service));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (service, port)
    }

    /// Lets the `call`-th call from now on be the last one of the run.
    pub(crate) fn die(&self, call: usize, carried_out: bool) -> impl Future<Output = ()> {
        *self.deaths.lock().unwrap() = Some((call, carried_out));
        self.died.notified()
    }

    /// Behind everybody's back: what moto answers.
    pub(crate) async fn moto(
        &self,
        method: Method,
        target: &str,
        body: &str,
    ) -> (StatusCode, HeaderMap, String) {
        let url = format!("http://127.0.0.1:{}{target}", crate::moto::port());
        let reply = self
            .http
            .request(method, url)
            .header("x-moto-account-id", &self.account)
            .header("host", "route53.amazonaws.com")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        (
            reply.status(),
            reply.headers().clone(),
            reply.text().await.unwrap(),
        )
    }

    /// A zone's sets.
    pub(crate) async fn zone(&self, zone: &str) -> Vec<Set> {
        sets(&self.listing(zone).await)
    }

    pub(crate) async fn listing(&self, zone: &str) -> String {
        let target = format!("/2013-04-01/hostedzone/{zone}/rrset?maxitems=1000");
        self.moto(Method::GET, &target, "").await.2
    }

    pub(crate) async fn checks(&self) -> String {
        self.moto(Method::GET, "/2013-04-01/healthcheck", "")
            .await
            .2
    }

    fn fault(&self, call: &Call) -> Option<Response> {
        let mut faults = self.faults.lock().unwrap();
        let fault = faults
            .iter_mut()
            .find(|fault| fault.times > 0 && (fault.on)(call))?;
        fault.times -= 1;
        Some(refused(fault.status, fault.code, fault.message))
    }

    async fn batch(&self, call: &Call) -> Response {
        let zone = call.target.split('/').nth(3).unwrap();
        let reasons = rejections(
            &self.zone(zone).await,
            &Batch::read(&call.body),
            &self.checks().await,
        );
        if !reasons.is_empty() {
            return refused(
                400,
                "InvalidChangeBatch",
                &format!("[{}]", reasons.join(", ")),
            );
        }
        // moto keeps a journal of what was ever created, and takes nothing twice.
        let body = call.body.replace("<Action>CREATE<", "<Action>UPSERT<");
        self.forward(call, &call.target, &body).await
    }

    async fn new_check(&self, call: &Call) -> Response {
        let reference = crate::xml::between(&call.body, "<CallerReference>", "<")[0].to_owned();
        let known = self.references.lock().unwrap().get(&reference).cloned();
        if let Some(known) = known {
            return (StatusCode::CREATED, known).into_response();
        }
        let (status, _, text) = self.moto(Method::POST, &call.target, &call.body).await;
        self.references
            .lock()
            .unwrap()
            .insert(reference, text.clone());
        (status, text).into_response()
    }

    async fn forward(&self, call: &Call, target: &str, body: &str) -> Response {
        let (status, headers, mut text) = self.moto(call.method.clone(), target, body).await;
        let counted = |left: usize| left.checked_sub(1);
        if target.contains("/change/")
            && self
                .pending
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted)
                .is_ok()
        {
            text = text.replace("INSYNC", "PENDING");
        }
        let kind = headers.get("content-type").cloned();
        let mut response = (status, text).into_response();
        if let Some(kind) = kind {
            response.headers_mut().insert("content-type", kind);
        }
        response
    }

    async fn carry_out(&self, call: &Call) -> Response {
        let _turn = self.turn.lock().await;
        let page = self.page.load(Ordering::SeqCst);
        if call.method == Method::POST && call.target.ends_with("/rrset") {
            self.batch(call).await
        } else if call.method == Method::POST
            && call.target.ends_with("/healthcheck")
            && call.writes()
        {
            self.new_check(call).await
        } else if page > 0 && call.target.contains("/rrset") && !call.target.contains("maxitems") {
            let mark = if call.target.contains('?') { '&' } else { '?' };
            let target = format!("{}{mark}maxitems={page}", call.target);
            self.forward(call, &target, &call.body).await
        } else {
            self.forward(call, &call.target, &call.body).await
        }
    }

    /// Whether this call is the last one, and whether it is carried out.
    fn dies(&self) -> Option<bool> {
        let mut deaths = self.deaths.lock().unwrap();
        let (left, carried_out) = deaths.as_mut()?;
        *left -= 1;
        let carried_out = *carried_out;
        if *left == 0 {
            *deaths = None;
            return Some(carried_out);
        }
        None
    }
}

fn refused(status: u16, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>request-of-the-test</RequestId></ErrorResponse>"
    );
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

async fn serve(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 1 << 20).await.unwrap();
    let target = parts.uri.to_string();
    let call = Call {
        method: parts.method,
        body: String::from_utf8(body.to_vec()).unwrap(),
        target: target.clone(),
    };
    service.calls.lock().unwrap().push(call.clone());
    if !signed::is_right(call.method.as_str(), &target, &parts.headers, &body) {
        return refused(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
        );
    }
    if let Some(carried_out) = service.dies() {
        if carried_out {
            service.carry_out(&call).await;
        }
        service.died.notify_one();
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    match service.fault(&call) {
        Some(fault) => fault,
        None => service.carry_out(&call).await,
    }
}
