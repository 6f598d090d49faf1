//! Calls routes that are served over gRPC.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderValue, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ieum_core::{BoxFuture, Cx, Fault, Moment, SharedClock};
use ieum_link::{Call, Incoming, Kind, Link, Operation, Outgoing, Payload, Reply, StreamLink, UnaryLink};
use ieum_policy::{Origin, OutlierRule};
use tonic::body::Body;
use tonic::codec::EncodeBody;
use tonic::{Status, Streaming};

use super::codec::{self, JsonCodec};
use super::status::{answer_fault_of, status_of};
use super::timeout;
use crate::balance::{Balancer, Lease};
use crate::connect::{Connect, Connector, TcpConnect};
use crate::discovery::{Discovery, Instance};
use crate::faults;
use crate::http::ORIGIN_HEADER;
use crate::served::until;
use crate::tls::TlsDialer;

/// How to reach an answerer over gRPC.
#[derive(Clone)]
pub struct GrpcWireConfig {
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
    /// The longest time for a whole call, streams excepted. The caller's deadline may end it earlier.
    pub total: Duration,
    /// The longest message taken, in bytes.
    pub max_message: usize,
    /// After which silence the peer is asked whether it is still there, and how long it may take to say so.
    pub keep_alive: Duration,
}

/// The client's side of the gRPC wire.
pub struct GrpcWire {
    config: GrpcWireConfig,
    balancer: Arc<Balancer>,
    client: Client<Connector, Body>,
    clock: SharedClock,
}

/// One call under way.
struct Open {
    frames: Streaming<Bytes>,
    lease: Lease,
    origin: Option<HeaderValue>,
}

impl GrpcWireConfig {
    /// Reaches `instances` over TCP with the default limits: connect 3 s, call 5 s, keep-alive 30 s.
    pub fn new(instances: Arc<dyn Discovery>) -> Self {
        Self {
            instances,
            network: Arc::new(TcpConnect),
            tls: None,
            outliers: OutlierRule::default(),
            connect: Duration::from_secs(3),
            total: Duration::from_secs(5),
            max_message: 16 * 1024 * 1024,
            keep_alive: Duration::from_secs(30),
        }
    }
}

impl GrpcWire {
    /// Makes the wire. Nothing is sent until the first call.
    pub fn connect_lazy(config: GrpcWireConfig, clock: SharedClock) -> Arc<Self> {
        let connector = Connector::new(Arc::clone(&config.network), config.connect, Arc::clone(&clock))
            .with_tls(config.tls.clone());
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_only(true)
            .http2_keep_alive_interval(config.keep_alive)
            .http2_keep_alive_timeout(config.keep_alive)
            .http2_keep_alive_while_idle(true)
            .build(connector);
        let balancer = Balancer::new(Arc::clone(&config.instances), config.outliers, Arc::clone(&clock));
        Arc::new(Self { config, balancer, client, clock })
    }

    /// Returns the link over this wire. It carries single messages and streams.
    pub fn link(self: &Arc<Self>) -> Link {
        let handle = Arc::new(Handle(Arc::clone(self)));
        Link::from_unary(handle.clone()).with_streams(handle)
    }

    /// Returns the balancer, to look at.
    pub fn balancer(&self) -> &Arc<Balancer> {
        &self.balancer
    }

    async fn unary(&self, call: Call) -> Result<Reply, Fault> {
        let operation = call.operation;
        let now = self.clock.moment();
        call.cx.check(now)?;
        let cx = call.cx.with_timeout(now, self.config.total);
        let message = call.payload.to_json()?;
        let work = async {
            let mut asked = 0;
            let Open { frames, lease, origin } = loop {
                let opened = self.send(operation, &cx, stream::iter([Ok(message.clone())])).await;
                asked += 1;
                if !self.balancer.may_ask_another(asked, opened.as_ref().err()) {
                    break opened?;
                }
            };
            let result = read_one(operation, frames, origin).await;
            let result = result.map_err(|fault| self.explain(operation, &lease, fault));
            lease.went(result.as_ref().err());
            result
        };
        self.within(operation, cx.deadline(), work).await?
    }

    async fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> Result<Outgoing<Payload>, Fault> {
        cx.check(self.clock.moment())?;
        // An error of ours cannot travel in gRPC: it cuts the stream and the server sees a cancellation.
        let messages = incoming
            .map(|item| item.and_then(|payload| payload.to_json()).map_err(|fault| status_of(&fault)));
        let open = self.within(operation, cx.deadline(), self.send(operation, &cx, messages)).await??;
        let outgoing = stream::unfold(Some(open), move |open| async move {
            let mut open = open?;
            match open.frames.message().await {
                Ok(Some(message)) => Some((Ok(Payload::json(message)), Some(open))),
                Ok(None) => {
                    open.lease.went(None);
                    None
                }
                Err(status) => {
                    let fault = answer_fault_of(operation.path, &status);
                    open.lease.went(Some(&fault));
                    Some((Err(fault), None))
                }
            }
        });
        Ok(match cx.deadline() {
            Some(deadline) => until(operation, outgoing.boxed(), self.clock.sleep_until(deadline)),
            None => outgoing.boxed(),
        })
    }

    async fn send(
        &self,
        operation: &'static Operation,
        cx: &Cx,
        messages: impl futures::Stream<Item = Result<Bytes, Status>> + Send + 'static,
    ) -> Result<Open, Fault> {
        let path = operation.path;
        let lease = self.balancer.take().await?;
        let body = Body::new(EncodeBody::new_client(JsonCodec, messages, None, None));
        let request = self.request(lease.instance(), operation, cx, body)?;
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let fault = self.explain(operation, &lease, faults::unanswered(path, &error));
                lease.went(Some(&fault));
                return Err(fault);
            }
        };
        if let Some(status) = Status::from_header_map(answer.headers())
            && status.code() != tonic::Code::Ok
        {
            let fault = answer_fault_of(path, &status);
            lease.went(Some(&fault));
            return Err(fault);
        }
        let origin = answer.headers().get(ORIGIN_HEADER).cloned();
        let (http_status, max) = (answer.status(), self.config.max_message);
        let frames = Streaming::new_response(JsonCodec, answer.into_body(), http_status, None, Some(max));
        Ok(Open { frames, lease, origin })
    }

    /// Says what is behind a connection that broke, where TLS knows.
    fn explain(&self, operation: &Operation, lease: &Lease, fault: Fault) -> Fault {
        match &self.config.tls {
            Some(tls) => tls.explain(operation.path, lease.instance(), fault),
            None => fault,
        }
    }

    fn request(
        &self,
        instance: &Instance,
        operation: &Operation,
        cx: &Cx,
        body: Body,
    ) -> Result<Request<Body>, Fault> {
        let path = operation.path;
        let now = self.clock.moment();
        let mut request = Request::post(format!("{instance}/{path}")).body(body).map_err(|error| {
            Fault::internal("link.address", format!("calling {path} at {instance}: {error}"))
        })?;
        let headers = request.headers_mut();
        cx.write_headers(headers, now);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(codec::CONTENT_TYPE));
        codec::call_as(headers, operation.kind == Kind::Stream);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("ieum/", env!("CARGO_PKG_VERSION"))));
        if let Some(left) = cx.time_left(now)
            && let Ok(value) = HeaderValue::from_str(&timeout::write(left))
        {
            headers.insert(timeout::HEADER, value);
        }
        Ok(request)
    }

    /// Waits for `work` until `end`. Fails with `link.deadline`.
    async fn within<T>(
        &self,
        operation: &Operation,
        end: Option<Moment>,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Fault> {
        crate::served::within(&self.clock, operation, end, work).await
    }
}

async fn read_one(
    operation: &'static Operation,
    mut frames: Streaming<Bytes>,
    origin: Option<HeaderValue>,
) -> Result<Reply, Fault> {
    let path = operation.path;
    let message = frames.message().await.map_err(|status| answer_fault_of(path, &status))?;
    // Reading to the end brings the trailers, which say whether the call succeeded at all.
    let more = frames.message().await.map_err(|status| answer_fault_of(path, &status))?;
    let (Some(message), None) = (message, more) else {
        let message = format!("calling {path}, answered with another number of messages than one");
        return Err(Fault::internal("link.foreign_answer", message));
    };
    if operation.kind == Kind::Notice {
        return Ok(Reply::live(Payload::json(Bytes::from_static(b"null"))));
    }
    let origin = match origin.as_ref().map(|value| value.to_str().map(str::parse)) {
        None => Origin::Live,
        Some(Ok(Ok(origin))) => origin,
        Some(_) => {
            let message = format!("calling {path}, answered with an unknown origin");
            return Err(Fault::internal("link.foreign_answer", message));
        }
    };
    Ok(Reply { payload: Payload::json(message), origin })
}

// === Handle ===

struct Handle(Arc<GrpcWire>);

impl UnaryLink for Handle {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move { wire.unary(call).await })
    }
}

impl StreamLink for Handle {
    fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> BoxFuture<'static, Result<Outgoing<Payload>, Fault>> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move { wire.open(operation, cx, incoming).await })
    }
}
