//! A receiver on a free port that records what comes and answers as told.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ieum_core::Timestamp;
use ieum_webhook::{SigningSecret, VerifyError, verify};
use parking_lot::Mutex;
use tokio::sync::watch;

/// What came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Answers only once the receiver is told to.
    pub hangs: bool,
}

type Script = Box<dyn FnMut(&Seen) -> Reply + Send>;

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    seen: Mutex<Vec<Seen>>,
    count: watch::Sender<usize>,
    script: Mutex<Script>,
    release: tokio::sync::Notify,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), hangs: false }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn saying(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    pub fn hanging(mut self) -> Self {
        self.hangs = true;
        self
    }
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn verify(&self, secret: &SigningSecret, now: Timestamp) -> Result<(), VerifyError> {
        let (timestamp, signature) = (self.header("webhook-timestamp"), self.header("webhook-signature"));
        verify(secret, self.id(), timestamp, signature, &self.body, now)
    }
}

impl Receiver {
    /// Starts a receiver that answers 200.
    pub async fn start() -> Self {
        let inner = Arc::new(Inner {
            seen: Mutex::new(Vec::new()),
            count: watch::Sender::new(0),
            script: Mutex::new(Box::new(|_| Reply::status(200))),
            release: tokio::sync::Notify::new(),
        });
        let app = Router::new().fallback(take).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("has an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// Answers from now on by `script`.
    pub fn answer(&self, script: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.inner.script.lock() = Box::new(script);
    }

    /// Answers from now on with this status.
    pub fn answer_status(&self, status: u16) {
        self.answer(move |_| Reply::status(status));
    }

    /// Lets hanging answers go.
    pub fn release(&self) {
        self.inner.release.notify_waiters();
    }

    /// Waits until `count` requests came and returns all.
    pub async fn wait(&self, count: usize) -> Vec<Seen> {
        let mut watched = self.inner.count.subscribe();
        let waited =
            tokio::time::timeout(Duration::from_secs(120), watched.wait_for(|seen| *seen >= count)).await;
        assert!(waited.is_ok(), "{count} requests expected, {} came", self.seen().len());
        self.seen()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().clone()
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let seen = Seen { headers, body };
    let reply = (inner.script.lock())(&seen);
    inner.seen.lock().push(seen);
    let released = inner.release.notified();
    inner.count.send_modify(|count| *count += 1);
    if reply.hangs {
        released.await;
    }
    let status = StatusCode::from_u16(reply.status).expect("is a status");
    let mut response = (status, reply.body).into_response();
    for (name, value) in reply.headers {
        let value = HeaderValue::from_str(&value).expect("is a header value");
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}
