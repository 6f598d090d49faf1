//! Serves routes over gRPC, on the same port as everything else.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use ieum_core::{BoxFuture, Cx, Fault, SharedClock};
use ieum_link::{Contract, Kind, Link, Operation, Payload, Routes, wrong_kind};
use tonic::metadata::MetadataValue;
use tonic::{Status, Streaming};

use super::codec::{self, JsonCodec};
use super::status::{fault_of, status_of};
use super::timeout;
use crate::http::ORIGIN_HEADER;
use crate::served::Served;

/// Limits of a gRPC server.
#[derive(Clone, Copy, Debug)]
pub struct GrpcServerOptions {
    /// The longest message taken, in bytes.
    pub max_message: usize,
}

impl Default for GrpcServerOptions {
    fn default() -> Self {
        Self { max_message: 2 * 1024 * 1024 }
    }
}

#[derive(Clone)]
struct GrpcServer {
    served: Served,
    options: GrpcServerOptions,
}

type Frames = BoxStream<'static, Result<Bytes, Status>>;
type Answer = Result<tonic::Response<Frames>, Status>;

/// Answers one request on one path; tonic does the framing around it.
struct OneRequest {
    server: GrpcServer,
    contract: String,
    method: String,
    headers: HeaderMap,
}

/// Serves `routes` at `/{contract}/{method}` with the default limits.
pub fn serve_links(routes: Routes, clock: SharedClock) -> Router {
    serve_links_with(routes, GrpcServerOptions::default(), clock)
}

/// Serves `routes` at `/{contract}/{method}` within `options`. The router has one route for each contract
/// and no fallback, so it merges with others; see [`unserved`].
pub fn serve_links_with(routes: Routes, options: GrpcServerOptions, clock: SharedClock) -> Router {
    router(GrpcServer { served: Served::routes(routes, clock), options })
}

/// Serves `contracts` by passing their calls on over `link`.
pub fn serve_link(
    contracts: &[&'static Contract],
    link: Link,
    options: GrpcServerOptions,
    clock: SharedClock,
) -> Router {
    router(GrpcServer { served: Served::link(contracts, link, clock), options })
}

/// Answers a gRPC request whose contract is none of `served`, or returns `None` for any other request: for
/// the fallback of the router that all others are merged into.
pub fn unserved(served: &[&'static Contract], uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    if !is_grpc(headers) {
        return None;
    }
    let (contract, method) = uri.path().trim_start_matches('/').split_once('/').unwrap_or((uri.path(), ""));
    Some(refusal(&ieum_link::unserved(served, contract, method)))
}

/// Tells whether these are the headers of a gRPC call.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Answers a gRPC call with `fault` alone, where a door before it refuses: gRPC's clients read no problem+json.
pub fn refusal(fault: &Fault) -> Response {
    let mut response = status_of(fault).into_http::<Body>();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(codec::CONTENT_TYPE));
    response
}

fn router(server: GrpcServer) -> Router {
    let contracts = server.served.contracts().to_vec();
    contracts.into_iter().fold(Router::new(), |router, contract| {
        let server = server.clone();
        let service = tower::service_fn(move |request: Request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.handle(contract.name, request).await) }
        });
        router.route_service(&format!("/{}/{{method}}", contract.name), service)
    })
}

impl GrpcServer {
    async fn handle(self, contract: &str, request: Request) -> Response {
        if !is_grpc(request.headers()) {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return response;
        }
        let method = request.uri().path().rsplit('/').next().unwrap_or("").to_owned();
        let headers = request.headers().clone();
        let max_message = self.options.max_message;
        let one = OneRequest { server: self, contract: contract.to_owned(), method, headers };
        let mut grpc = tonic::server::Grpc::new(JsonCodec).max_decoding_message_size(max_message);
        let mut response = grpc.streaming(one, request).await;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(codec::CONTENT_TYPE));
        response.map(Body::new)
    }

    fn cx(&self, headers: &HeaderMap) -> Cx {
        let now = self.served.clock().moment();
        let cx = Cx::from_headers(headers, now);
        let timeout = headers.get(timeout::HEADER).and_then(|value| timeout::read(value.to_str().ok()?));
        match timeout {
            Some(timeout) => cx.with_timeout(now, timeout),
            None => cx,
        }
    }

    async fn unary(
        &self,
        operation: &'static Operation,
        cx: Cx,
        mut frames: Streaming<Bytes>,
    ) -> Result<tonic::Response<Frames>, Fault> {
        let path = operation.path;
        let read = self.served.within(operation, cx.deadline(), frames.message());
        let message = read.await?.map_err(|status| fault_of(path, &status))?;
        let none = || Fault::invalid_argument("link.message", format!("calling {path} without a message"));
        let reply = self.served.answer(operation, cx, Payload::json(message.ok_or_else(none)?)).await?;
        let json = reply.payload.to_json()?;
        let mut response = tonic::Response::new(stream::iter([Ok(json)]).boxed());
        if !reply.origin.is_live()
            && let Ok(origin) = MetadataValue::try_from(reply.origin.to_string())
        {
            response.metadata_mut().insert(ORIGIN_HEADER, origin);
        }
        Ok(response)
    }

    async fn stream(
        &self,
        operation: &'static Operation,
        cx: Cx,
        frames: Streaming<Bytes>,
    ) -> Result<tonic::Response<Frames>, Fault> {
        let path = operation.path;
        let incoming = frames.map(move |item| match item {
            Ok(message) => Ok(Payload::json(message)),
            Err(status) => Err(fault_of(path, &status)),
        });
        let outgoing = self.served.open(operation, cx, incoming.boxed()).await?;
        let frames = outgoing
            .map(|item| item.and_then(|payload| payload.to_json()).map_err(|fault| status_of(&fault)));
        Ok(tonic::Response::new(frames.boxed()))
    }
}

// === OneRequest ===

impl tower::Service<tonic::Request<Streaming<Bytes>>> for OneRequest {
    type Response = tonic::Response<Frames>;
    type Error = Status;
    type Future = BoxFuture<'static, Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Streaming<Bytes>>) -> Self::Future {
        let server = self.server.clone();
        let cx = server.cx(&self.headers);
        let headers = std::mem::take(&mut self.headers);
        let found = server.served.find(&self.contract, &self.method);
        Box::pin(async move {
            let operation = found.map_err(|fault| status_of(&fault))?;
            let called_as = codec::called_as(&headers);
            if called_as.is_some_and(|streams| streams != (operation.kind == Kind::Stream)) {
                return Err(status_of(&wrong_kind(operation)));
            }
            let frames = request.into_inner();
            let answer = match operation.kind {
                Kind::Stream => server.stream(operation, cx, frames).await,
                Kind::Query | Kind::Command | Kind::Notice => server.unary(operation, cx, frames).await,
            };
            answer.map_err(|fault| status_of(&fault))
        })
    }
}
