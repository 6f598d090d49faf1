//! What every request gets: trace, request id, metrics, and problem+json whatever goes wrong.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use ieum_core::{Cx, Fault, Moment};
use ieum_telemetry::{cx_within, span_for};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::ApiError;
use crate::gateway::Inner;
use crate::meter::{RouteMeter, count_refusal};
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

/// Marks an answer that somebody else gave and that goes out as it is.
#[derive(Clone, Copy)]
pub(crate) struct Foreign;

/// What is kept of a request until its answer.
pub(crate) struct Frame {
    begin: Moment,
    /// The text of `traceparent`; the trace id is a part of it.
    traceparent: Bytes,
    request_id: Option<HeaderValue>,
    method: Method,
    meter: Arc<RouteMeter>,
    span: Option<Span>,
}

/// What of a frame goes along with a request that is handed on.
pub(crate) struct SharedFrame(Bytes);

impl SharedFrame {
    /// Returns the header that hands the trace on.
    pub fn traceparent(&self) -> Option<HeaderValue> {
        HeaderValue::from_maybe_shared(self.0.clone()).ok()
    }
}

/// Where the trace id stands in a `traceparent` (W3C Trace Context §3.2.2).
const TRACE_ID: std::ops::Range<usize> = 3..35;

/// Surrounds a request with what every request gets.
pub(crate) async fn surround(State(inner): State<Arc<Inner>>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Framed>().is_some() {
        return next.run(request).await;
    }
    let matched = request.extensions().get::<MatchedPath>();
    let meter = inner.meters.of(matched.map_or("unknown", MatchedPath::as_str));
    let frame = Frame::open(&inner, &mut request, meter);
    frame.around(&inner, pin!(next.run(request))).await
}

// === Frame ===

impl Frame {
    /// Reads the context and puts it into the request.
    pub fn open(inner: &Inner, request: &mut Request, meter: Arc<RouteMeter>) -> Self {
        let begin = inner.clock.moment();
        let mut cx = read_context(request.headers(), begin);
        let span = inner.listens().then(|| {
            let parent = cx.clone();
            let span = span_for(&parent, &format!("{} {}", request.method(), meter.route));
            span.set_attribute("http.route", meter.route.to_string());
            span.set_attribute("http.request.method", request.method().to_string());
            cx = cx_within(&span, &parent);
            span
        });
        if span.is_none() {
            cx = cx.child();
        }
        let traceparent = Bytes::from(cx.trace().to_string());
        let request_id = request.headers().get(REQUEST_ID).filter(|id| is_plain(id)).cloned();
        let method = request.method().clone();
        request.extensions_mut().insert(Framed);
        request.extensions_mut().insert(cx);
        Self { begin, traceparent, request_id, method, meter, span }
    }

    /// Returns what goes along with a request that is handed on.
    pub fn share(&self) -> SharedFrame {
        SharedFrame(self.traceparent.clone())
    }

    fn trace_id(&self) -> &str {
        self.traceparent.get(TRACE_ID).and_then(|id| std::str::from_utf8(id).ok()).unwrap_or_default()
    }

    /// Runs `work`, makes an answer of its panic, and finishes the answer. Pinned by the caller, the work is
    /// not copied on its way through.
    pub async fn around(
        self,
        inner: &Inner,
        work: Pin<&mut (impl Future<Output = Response> + ?Sized)>,
    ) -> Response {
        let work = AssertUnwindSafe(work).catch_unwind();
        let answered = work.instrument(self.span.clone().unwrap_or_else(Span::none)).await;
        let response = answered.unwrap_or_else(|_| {
            // The panic hook has logged message and place; the stranger learns only where to look.
            tracing::error!(trace_id = self.trace_id(), "a handler panicked");
            let message = "the request could not be handled; the trace id finds it in the logs";
            ApiError::from(Fault::internal("gateway.panic", message)).into_response()
        });
        self.close(inner, response).await
    }

    async fn close(self, inner: &Inner, response: Response) -> Response {
        let mut response = response;
        if response.status().is_client_error() || response.status().is_server_error() {
            response = Box::pin(as_problem(response, &self.method, self.trace_id())).await;
        }
        let status = response.status();
        let own_id = || HeaderValue::from_maybe_shared(self.traceparent.slice(TRACE_ID)).ok();
        let headers = response.headers_mut();
        if let Some(id) = self.request_id.clone().or_else(own_id) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(traceparent) = self.share().traceparent() {
            headers.insert(TRACEPARENT, traceparent);
        }
        let elapsed = inner.clock.moment().since(self.begin);
        self.meter.count(&self.method, status, elapsed.as_secs_f64());
        if let Some(span) = &self.span {
            span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
            if status.is_server_error() {
                span.set_status(opentelemetry::trace::Status::error(status.as_str().to_owned()));
            }
        }
        if status.is_server_error() {
            let route = &*self.meter.route;
            tracing::warn!(trace_id = self.trace_id(), route, status = status.as_u16(), "a request failed");
        }
        response
    }
}

impl Inner {
    /// Tells whether a span of a request would be seen by anybody.
    fn listens(&self) -> bool {
        self.spans && tracing::enabled!(tracing::Level::INFO) || tracing::enabled!(tracing::Level::DEBUG)
    }
}

fn read_context(headers: &HeaderMap, now: Moment) -> Cx {
    let lookup = |name: &str| {
        BELIEVED.contains(&name).then(|| headers.get(name).and_then(|value| value.to_str().ok())).flatten()
    };
    Cx::from_pairs(lookup, now)
}

/// A request id is handed back, so it must be short and harmless in logs.
fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    !bytes.is_empty() && bytes.len() <= 128 && bytes.iter().all(plain)
}

/// Writes the trace id into an error's problem, and makes a problem of any error that is none yet.
async fn as_problem(response: Response, method: &Method, trace_id: &str) -> Response {
    let status = response.status();
    if response.extensions().get::<Foreign>().is_some() {
        return response;
    }
    if status == StatusCode::METHOD_NOT_ALLOWED && *method == Method::OPTIONS {
        return options_answer(response.headers());
    }
    if let Some(Marked(error)) = response.extensions().get::<Marked>() {
        let reason = error.fault().reason.as_ref();
        if reason.starts_with("gateway.") {
            count_refusal(reason);
        }
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
