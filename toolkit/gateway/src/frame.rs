//! What every request gets: trace, request id, metrics, and problem+json whatever goes wrong.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use ieum_core::{Cx, Fault};

use crate::ApiError;
use crate::gateway::Inner;
use crate::problem::Marked;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static(ieum_core::header::TRACEPARENT);

/// What a stranger may say about the context. Caller and tenant follow from the key, not from a header.
const BELIEVED: [&str; 3] =
    [ieum_core::header::TRACEPARENT, ieum_core::header::TIMEOUT, ieum_core::header::IDEMPOTENCY_KEY];

/// The longest plain text that becomes a problem's detail, in bytes.
const LONGEST_TEXT: usize = 1_024;

/// Marks a request that is within a frame already.
#[derive(Clone, Copy)]
struct Framed;

/// Surrounds a request with what every request gets.
pub(crate) async fn surround(State(inner): State<Arc<Inner>>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Framed>().is_some() {
        return next.run(request).await;
    }
    let begin = inner.clock.moment();
    let cx = read_context(request.headers(), &inner);
    let trace_id = cx.trace().trace_id.to_string();
    let request_id = request.headers().get(REQUEST_ID).filter(|id| is_plain(id)).cloned();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let traceparent = HeaderValue::from_str(&cx.trace().to_string());
    request.extensions_mut().insert(Framed);
    request.extensions_mut().insert(cx);

    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| {
        // The panic hook has logged message and place; the stranger learns only where to look.
        tracing::error!(trace_id, "a handler panicked");
        let message = "the request could not be handled; the trace id finds it in the logs";
        ApiError::from(Fault::internal("gateway.panic", message)).into_response()
    });
    let mut response = as_problem(response, &method, &trace_id).await;
    let headers = response.headers_mut();
    let request_id = request_id.or_else(|| HeaderValue::from_str(&trace_id).ok());
    headers.extend(request_id.map(|value| (REQUEST_ID, value)));
    headers.extend(traceparent.ok().map(|value| (TRACEPARENT, value)));

    let elapsed = inner.clock.moment().since(begin);
    measure(&method, route.as_ref(), response.status(), elapsed.as_secs_f64());
    if response.status().is_server_error() {
        let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
        tracing::warn!(trace_id, route, status = response.status().as_u16(), "a request failed");
    }
    response
}

fn read_context(headers: &HeaderMap, inner: &Inner) -> Cx {
    let lookup = |name: &str| {
        BELIEVED.contains(&name).then(|| headers.get(name).and_then(|value| value.to_str().ok())).flatten()
    };
    Cx::from_pairs(lookup, inner.clock.moment()).child()
}

/// A request id is handed back, so it must be short and harmless in logs.
fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    !bytes.is_empty() && bytes.len() <= 128 && bytes.iter().all(plain)
}

/// Writes the trace id into a problem, and makes a problem of any error that is none yet.
async fn as_problem(response: Response, method: &Method, trace_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    if status == StatusCode::METHOD_NOT_ALLOWED && *method == Method::OPTIONS {
        return options_answer(response.headers());
    }
    if let Some(Marked(error)) = response.extensions().get::<Marked>() {
        let mut rendered = error.render(Some(trace_id.to_owned()));
        let kept = response.headers().iter();
        // What doors added after the error was made, such as the rate limit.
        let added: HeaderMap = kept
            .filter(|(name, _)| *name != header::CONTENT_LENGTH && !rendered.headers().contains_key(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        rendered.headers_mut().extend(added);
        return rendered;
    }
    let media_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    // A handler's own JSON is its answer; anything else is axum's or somebody's plain text.
    if media_type.is_some_and(|text| text.starts_with(b"application/")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text =
        if status.is_client_error() { axum::body::to_bytes(body, LONGEST_TEXT).await.ok() } else { None };
    let text = text.and_then(|bytes| String::from_utf8(bytes.into()).ok());
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    let error = foreign_error(status, method, text.as_deref().unwrap_or_default());
    error.with_headers(parts.headers).render(Some(trace_id.to_owned()))
}

fn options_answer(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(headers.get(header::ALLOW).map(|allow| (header::ALLOW, allow.clone())));
    response
}

/// Makes a problem of a plain answer. What a handler or axum wrote of a caller's mistake is kept; of a
/// mistake on our side nothing is shown.
fn foreign_error(status: StatusCode, method: &Method, text: &str) -> ApiError {
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let or = |usual: &str| if text.is_empty() { usual.to_owned() } else { text.clone() };
    let fault = match status.as_u16() {
        404 => Fault::not_found("gateway.no_such_path", or("nothing is at this path")),
        405 => {
            let shown: String = method.as_str().chars().take(20).collect();
            let message = format!("{shown} is not offered at this path; the allow header says what is");
            Fault::invalid_argument("gateway.method_not_allowed", message)
        }
        413 => Fault::invalid_argument("gateway.body_too_large", or("the body is larger than allowed here")),
        415 => {
            Fault::invalid_argument("gateway.media_type", or("the body's media type is not understood here"))
        }
        code => {
            let code = ieum_core::Code::from_http_status(code);
            Fault::new(code, "gateway.request_failed", or("the request was not answered"))
        }
    };
    ApiError::from(fault).with_status(status)
}

fn measure(method: &Method, route: Option<&MatchedPath>, status: StatusCode, seconds: f64) {
    // Labels are bounded: routes by the route table, methods and status classes by these lists.
    let method = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let class = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let class = class.get(usize::from(status.as_u16() / 100) - 1).copied().unwrap_or("other");
    let route = route.map_or_else(|| "unknown".to_owned(), |route| route.as_str().to_owned());
    metrics::counter!("ieum_gateway_requests_total", "route" => route.clone(), "method" => method, "status" => class)
        .increment(1);
    metrics::histogram!("ieum_gateway_request_seconds", "route" => route).record(seconds);
}
