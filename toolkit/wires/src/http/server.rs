//! Serves routes over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ieum_core::{Cx, Fault, SharedClock, within};
use ieum_link::{Contract, Kind, Link, Payload, Reply, Routes};

use super::ORIGIN_HEADER;
use super::answer::problem;
use crate::connect::cause;
use crate::served::Served;

/// Limits of a server of links.
#[derive(Clone, Copy, Debug)]
pub struct LinkServerOptions {
    /// The longest message taken, in bytes.
    pub max_message: usize,
    /// How long a caller may take to send its message.
    pub read: Duration,
}

#[derive(Clone)]
struct LinkServer {
    served: Served,
    options: LinkServerOptions,
}

/// A fault with the HTTP status that says more than its code does.
struct Refusal {
    fault: Fault,
    status: Option<StatusCode>,
}

impl Default for LinkServerOptions {
    fn default() -> Self {
        Self { max_message: 2 * 1024 * 1024, read: Duration::from_secs(30) }
    }
}

/// Serves `routes` at `POST /links/{contract}/{method}` with the default limits.
pub fn serve_links(routes: Routes, clock: SharedClock) -> Router {
    serve_links_with(routes, LinkServerOptions::default(), clock)
}

/// Serves `routes` at `POST /links/{contract}/{method}` within `options`.
pub fn serve_links_with(routes: Routes, options: LinkServerOptions, clock: SharedClock) -> Router {
    router(LinkServer { served: Served::routes(routes, clock), options })
}

/// Serves `contracts` by passing their calls on over `link`; an answer that is not live says so in the
/// header [`ORIGIN_HEADER`].
pub fn serve_link(
    contracts: &[&'static Contract],
    link: Link,
    options: LinkServerOptions,
    clock: SharedClock,
) -> Router {
    router(LinkServer { served: Served::link(contracts, link, clock), options })
}

fn router(server: LinkServer) -> Router {
    Router::new().route("/links/{contract}/{method}", any(handle)).with_state(Arc::new(server))
}

async fn handle(
    State(server): State<Arc<LinkServer>>,
    Path((contract, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let cx = Cx::from_headers(request.headers(), server.served.clock().moment());
    match server.answer(&contract, &method, cx.clone(), request).await {
        Ok(response) => response,
        Err(refusal) => {
            let mut response = problem(&refusal.fault, &cx, refusal.status);
            if refusal.status == Some(StatusCode::METHOD_NOT_ALLOWED) {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            }
            response
        }
    }
}

impl LinkServer {
    async fn answer(
        &self,
        contract: &str,
        method: &str,
        cx: Cx,
        request: Request,
    ) -> Result<Response, Refusal> {
        let unknown = |fault| Refusal { fault, status: Some(StatusCode::NOT_FOUND) };
        let operation = self.served.find(contract, method).map_err(unknown)?;
        if request.method() != Method::POST {
            let message = format!("calling {} with {}; expected POST", operation.path, request.method());
            let fault = Fault::invalid_argument("link.method", message);
            return Err(Refusal { fault, status: Some(StatusCode::METHOD_NOT_ALLOWED) });
        }
        if operation.kind == Kind::Stream {
            let message =
                format!("opening {} over HTTP, which carries no streams; use grpc://", operation.path);
            return Err(Fault::unimplemented("link.no_streams", message).into());
        }
        check_content_type(operation.path, request.headers())?;
        let message = self.read(operation.path, &cx, request.into_body()).await?;
        let reply = self.served.answer(operation, cx, Payload::json(message)).await?;
        Ok(respond(operation.kind, &reply)?)
    }

    async fn read(&self, path: &str, cx: &Cx, body: Body) -> Result<Bytes, Refusal> {
        let clock = self.served.clock();
        let limit = clock.moment() + self.options.read;
        let limit = cx.deadline().map_or(limit, |deadline| deadline.min(limit));
        let body = Limited::new(body, self.options.max_message).collect();
        match within(clock, limit, body).await {
            Some(Ok(body)) => Ok(body.to_bytes()),
            Some(Err(error)) if cause::<LengthLimitError>(&*error).is_some() => {
                let most = self.options.max_message;
                let message = format!("calling {path} with a message longer than {most} bytes");
                let fault = Fault::invalid_argument("link.message_too_long", message);
                Err(Refusal { fault, status: Some(StatusCode::PAYLOAD_TOO_LARGE) })
            }
            Some(Err(_)) => {
                Err(Fault::cancelled("link.cut", format!("reading the message of {path}")).into())
            }
            None => {
                let message = format!("calling {path}: the message did not arrive in time");
                Err(Fault::deadline_exceeded("link.deadline", message).into())
            }
        }
    }
}

fn check_content_type(path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let given: String = given.chars().take(80).collect();
    let message = format!("calling {path} with content type {given:?}; expected application/json");
    let fault = Fault::invalid_argument("link.content_type", message);
    Err(Refusal { fault, status: Some(StatusCode::UNSUPPORTED_MEDIA_TYPE) })
}

fn respond(kind: Kind, reply: &Reply) -> Result<Response, Fault> {
    let mut response = Response::default();
    if kind == Kind::Notice {
        *response.status_mut() = StatusCode::ACCEPTED;
    } else {
        *response.body_mut() = Body::from(reply.payload.to_json()?);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if !reply.origin.is_live()
        && let Ok(origin) = HeaderValue::from_str(&reply.origin.to_string())
    {
        response.headers_mut().insert(ORIGIN_HEADER, origin);
    }
    Ok(response)
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, status: None }
    }
}
