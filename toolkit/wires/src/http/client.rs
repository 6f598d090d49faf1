//! Calls routes that are served over HTTP.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming as Body;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ieum_core::{BoxFuture, Fault, Moment, SharedClock, within};
use ieum_link::{Call, Kind, Link, Payload, Reply, UnaryLink};
use ieum_policy::{Origin, OutlierRule};
use tokio::sync::oneshot;

use super::ORIGIN_HEADER;
use super::answer::fault_of;
use crate::balance::Balancer;
use crate::connect::{Connect, Connector, TcpConnect, cause};
use crate::discovery::{Discovery, Instance};
use crate::faults;
use crate::tls::TlsDialer;

/// How to reach an answerer over HTTP.
#[derive(Clone)]
pub struct HttpWireConfig {
    /// Where its instances are.
    pub instances: Arc<dyn Discovery>,
    /// How to connect to one.
    pub network: Arc<dyn Connect>,
    /// Puts TLS on connections to `https` instances.
    pub tls: Option<TlsDialer>,
    /// When an instance that keeps failing is left out.
    pub outliers: OutlierRule,
    /// The longest time for a connection to come about.
    pub connect: Duration,
    /// The longest time from the request being sent, over a connection that stands, to the answer's head.
    pub first_byte: Duration,
    /// The longest time for a whole call. The caller's own deadline may end it earlier.
    pub total: Duration,
    /// The longest answer taken, in bytes.
    pub max_answer: usize,
    /// How long an unused connection is kept. Shorter than servers keep theirs, so that a call rarely
    /// meets a connection that is just being closed.
    pub idle: Duration,
    /// The most unused connections kept to one instance.
    pub idle_connections: usize,
}

/// The client's side of the HTTP wire.
pub struct HttpWire {
    config: HttpWireConfig,
    balancer: Arc<Balancer>,
    client: Client<Connector, Announced>,
    clock: SharedClock,
}

impl HttpWireConfig {
    /// Reaches `instances` over TCP with the default limits: connect 3 s, first byte 5 s, total 30 s.
    pub fn new(instances: Arc<dyn Discovery>) -> Self {
        Self {
            instances,
            network: Arc::new(TcpConnect),
            tls: None,
            outliers: OutlierRule::default(),
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(5),
            total: Duration::from_secs(30),
            max_answer: 16 * 1024 * 1024,
            idle: Duration::from_secs(20),
            idle_connections: 64,
        }
    }
}

impl HttpWire {
    /// Makes the wire. Nothing is sent until the first call.
    pub fn new(config: HttpWireConfig, clock: SharedClock) -> Arc<Self> {
        let connector = Connector::new(Arc::clone(&config.network), config.connect, Arc::clone(&clock))
            .with_tls(config.tls.clone());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.idle)
            .pool_max_idle_per_host(config.idle_connections)
            .build(connector);
        let balancer = Balancer::new(Arc::clone(&config.instances), config.outliers, Arc::clone(&clock));
        Arc::new(Self { config, balancer, client, clock })
    }

    /// Returns the link over this wire. It carries no streams.
    pub fn link(self: &Arc<Self>) -> Link {
        let wire: Arc<Self> = Arc::clone(self);
        Link::from_unary(Arc::new(Handle(wire)))
    }

    /// Returns the balancer, to look at.
    pub fn balancer(&self) -> &Arc<Balancer> {
        &self.balancer
    }

    async fn send(&self, call: Call) -> Result<Reply, Fault> {
        let path = call.operation.path;
        let now = self.clock.moment();
        call.cx.check(now)?;
        if call.operation.kind == Kind::Stream {
            let message = format!("opening {path} over HTTP, which carries no streams; use grpc://");
            return Err(Fault::unimplemented("link.no_streams", message));
        }
        // The server learns the limit and stops its work with ours.
        let cx = call.cx.with_timeout(now, self.config.total);
        let end = cx.deadline().unwrap_or(now + self.config.total);
        let message = call.payload.to_json()?;
        let mut asked = 0;
        loop {
            let lease = self.within(path, end, "finding an instance", self.balancer.take()).await??;
            let mut request = request(lease.instance(), path, message.clone())?;
            cx.write_headers(request.headers_mut(), self.clock.moment());
            let reply = self.exchange(call.operation.kind, path, request, end).await;
            let reply = match &self.config.tls {
                Some(tls) => reply.map_err(|fault| tls.explain(path, lease.instance(), fault)),
                None => reply,
            };
            lease.went(reply.as_ref().err());
            asked += 1;
            if !self.balancer.may_ask_another(asked, reply.as_ref().err()) {
                return reply;
            }
        }
    }

    async fn exchange(
        &self,
        kind: Kind,
        path: &'static str,
        request: Request<Full<Bytes>>,
        end: Moment,
    ) -> Result<Reply, Fault> {
        let begun = self.within(path, end, "waiting for the answer to begin", self.begin(path, request));
        let answer = begun.await??;
        let (head, body) = answer.into_parts();
        let body = self.within(path, end, "reading the answer", self.read(path, body)).await??;
        if !head.status.is_success() {
            return Err(fault_of(path, head.status, &head.headers, &body, self.clock.now()));
        }
        let head = Response::from_parts(head, ());
        reply_of(kind, path, &head, body, || {
            fault_of(path, head.status(), head.headers(), b"", self.clock.now())
        })
    }

    /// Sends the request and waits for the answer's head, [`HttpWireConfig::first_byte`] after sending at most.
    async fn begin(&self, path: &str, request: Request<Full<Bytes>>) -> Result<Response<Body>, Fault> {
        let (sending, sent) = oneshot::channel();
        let request = request.map(|message| Announced { message, sending: Some(sending) });
        let late = async {
            // A message that nobody sends is dropped; the answer then is an error already.
            let _ = sent.await;
            self.clock.sleep(self.config.first_byte).await;
        };
        match select(self.client.request(request), Box::pin(late)).await {
            Either::Left((answer, _)) => answer.map_err(|error| faults::unanswered(path, &error)),
            Either::Right(_) => {
                let message = format!("calling {path}: the answer did not begin in time");
                Err(Fault::deadline_exceeded("link.deadline", message))
            }
        }
    }

    async fn read(&self, path: &str, body: Body) -> Result<Bytes, Fault> {
        match Limited::new(body, self.config.max_answer).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if cause::<LengthLimitError>(&*error).is_some() => {
                let most = self.config.max_answer;
                let message = format!("calling {path}, whose answer is longer than {most} bytes");
                Err(Fault::internal("link.answer_too_long", message))
            }
            Err(error) => Err(faults::cut(path, &*error)),
        }
    }

    /// Waits for `work` until `end`. Fails with `link.deadline`.
    async fn within<T>(
        &self,
        path: &str,
        end: Moment,
        step: &str,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Fault> {
        within(&self.clock, end, work).await.ok_or_else(|| {
            let message = format!("calling {path}: {step} took too long");
            Fault::deadline_exceeded("link.deadline", message)
        })
    }
}

/// A message that tells when a connection begins to take it.
struct Announced {
    message: Full<Bytes>,
    sending: Option<oneshot::Sender<()>>,
}

impl http_body::Body for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(sending) = self.sending.take() {
            let _ = sending.send(());
        }
        Pin::new(&mut self.message).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.message.size_hint()
    }
}

struct Handle(Arc<HttpWire>);

impl UnaryLink for Handle {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move { wire.send(call).await })
    }
}

fn request(instance: &Instance, path: &str, message: Bytes) -> Result<Request<Full<Bytes>>, Fault> {
    let json = HeaderValue::from_static("application/json");
    let both = HeaderValue::from_static("application/json, application/problem+json");
    Request::post(format!("{instance}/links/{path}"))
        .header(CONTENT_TYPE, json)
        .header(ACCEPT, both)
        .body(Full::new(message))
        .map_err(|error| Fault::internal("link.address", format!("calling {path} at {instance}: {error}")))
}

fn reply_of(
    kind: Kind,
    path: &str,
    head: &Response<()>,
    body: Bytes,
    foreign: impl FnOnce() -> Fault,
) -> Result<Reply, Fault> {
    if kind == Kind::Notice {
        return Ok(Reply::live(Payload::json(Bytes::from_static(b"null"))));
    }
    let json = head
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if head.status() != StatusCode::OK || !json {
        return Err(foreign());
    }
    let origin = head.headers().get(ORIGIN_HEADER).and_then(|value| value.to_str().ok());
    let origin = origin.map_or(Ok(Origin::Live), str::parse);
    let origin = origin.map_err(|_| {
        Fault::internal("link.foreign_answer", format!("calling {path}, answered with an unknown origin"))
    })?;
    Ok(Reply { payload: Payload::json(body), origin })
}
