//! Hands requests on to somebody else's HTTP server: behind a door, under a breaker, streaming both ways.

mod answer;
mod headers;
mod lane;
mod options;
mod trust;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::uri::PathAndQuery;
use http::{StatusCode, Uri, Version};
use ieum_core::{Cx, Fault, Moment, within};
use ieum_policy::{Breaker, Bulkhead, Outcome, Permit, Place, Rejected};

use crate::body::{self, Verdict};
use crate::frame::{Foreign, Frame, SharedFrame};
use crate::gateway::{Door, Inner, Others, OwnLimit};
use crate::limit::Limit;
use crate::meter::RouteMeter;
use crate::{ApiError, tier};
use answer::Delivery;
use lane::{Lanes, SendError};
pub use options::{ForwardError, ForwardOptions};

/// One route to one server. Shared by its requests.
pub(crate) struct Forward {
    door: Door,
    options: ForwardOptions,
    lanes: Arc<Lanes>,
    breaker: Option<Breaker>,
    bulkhead: Bulkhead,
    most_body: usize,
    meter: Arc<RouteMeter>,
}

/// What a request holds of its route until the answer is through.
pub(super) struct Held {
    breaker: Option<(Breaker, Permit)>,
    _place: Place,
}

// === Forward ===

impl Forward {
    pub fn new(inner: Arc<Inner>, options: ForwardOptions) -> Result<Self, ForwardError> {
        options.check()?;
        let own = match options.rate {
            None => None,
            Some(rate) => {
                let limit = Limit::new(options.tier.name(), rate).map_err(ForwardError::Rate)?;
                Some(Arc::new(OwnLimit { limit, name: options.path.clone() }))
            }
        };
        let lanes = Arc::new(Lanes::new(&options)?);
        let breaker = options.policy.breaker_rule().map(Breaker::new);
        let bulkhead = Bulkhead::new(options.most_at_once, 0);
        let most_body = options.most_body.unwrap_or(inner.body.wire);
        let meter = inner.meters.of(&options.path);
        let (tier, others) = (options.tier, Others::LeftAlone);
        let door = Door { body: inner.body, inner, tier, own, others, signing: None };
        Ok(Self { door, options, lanes, breaker, bulkhead, most_body, meter })
    }

    /// Returns the routes of the path and of everything below it.
    pub fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let path = self.options.path.clone();
        let handler = any(handle).with_state(Arc::new(self));
        Router::new().route(&path, handler.clone()).route(&format!("{path}/{{*rest}}"), handler)
    }

    async fn answer(&self, frame: &SharedFrame, request: Request) -> Result<Response, ApiError> {
        let (leave, request) = tier::admit(&self.door, request).await?;
        let mut response = match self.hand_on(frame, request).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        leave.finish(&self.door.inner, &mut response);
        Ok(response)
    }

    async fn hand_on(&self, frame: &SharedFrame, request: Request) -> Result<Response, ApiError> {
        headers::check(&request)?;
        let target = self.target(request.uri())?;
        let (mut request, verdict) = body::guard_wire(request, self.most_body)?;
        let clock = &self.door.inner.clock;
        let begin = clock.moment();
        let cx = request.extensions().get::<Cx>().cloned().unwrap_or_else(Cx::root);
        cx.check(begin)?;
        let span = cx.time_left(begin).map_or(self.options.timeout, |left| left.min(self.options.timeout));
        headers::prepare(&mut request, &self.door.inner, self.lanes.authority(), frame, span);
        *request.uri_mut() = target;
        // The lane holds the request for as long as the connection lives: what it knows of us stays here.
        *request.extensions_mut() = http::Extensions::new();
        let mut held = self.hold(begin)?;
        let outcome = within(clock, begin + span, self.lanes.send(request)).await;
        let outcome = outcome.unwrap_or(Err(SendError::Late { after: span }));
        let elapsed = clock.moment().since(begin);
        match outcome {
            Ok((response, lane)) => {
                held.tell(!response.status().is_server_error(), elapsed, clock.moment());
                let delivery =
                    Delivery { lane, lanes: self.lanes.clone(), held, clock: clock.clone(), stall: span };
                let mut response = answer::receive(response, delivery, self.options.small).await?;
                headers::clean_answer(response.headers_mut());
                // The version is a matter of each hop (RFC 9110 §2.5).
                *response.version_mut() = Version::HTTP_11;
                response.extensions_mut().insert(Foreign);
                Ok(response)
            }
            Err(error) => {
                let refused = verdict.as_ref().and_then(|verdict: &Verdict| verdict.get().cloned());
                // A caller whose body is too large says nothing about the server.
                held.tell(refused.is_some() || error.is_callers(), elapsed, clock.moment());
                Err(refused.map_or_else(|| error.into(), ApiError::from))
            }
        }
    }

    /// Takes a place and the breaker's leave.
    fn hold(&self, now: Moment) -> Result<Held, ApiError> {
        let busy = || {
            let message = "as many requests as may be are under way behind this path";
            ApiError::from(Fault::unavailable("gateway.upstream_busy", message))
        };
        let place = self.bulkhead.try_enter().ok_or_else(busy)?;
        let breaker = match &self.breaker {
            None => None,
            Some(breaker) => {
                let permit = breaker.try_acquire(now).map_err(resting)?;
                Some((breaker.clone(), permit))
            }
        };
        Ok(Held { breaker, _place: place })
    }

    /// Puts what stands after the route's path after the server's.
    fn target(&self, uri: &Uri) -> Result<Uri, ApiError> {
        let rest = uri.path().strip_prefix(self.options.path.as_str()).unwrap_or_default();
        if has_dot_segment(rest) {
            let message = "the path holds . or .. as a segment, which could leave what is open here";
            return Err(Fault::invalid_argument("gateway.path_unsafe", message).into());
        }
        let base = self.lanes.base();
        let mut text =
            String::with_capacity(base.len() + rest.len() + uri.query().map_or(1, |query| query.len() + 2));
        text.push_str(base);
        text.push_str(rest);
        if text.is_empty() {
            text.push('/');
        }
        if let Some(query) = uri.query() {
            text.push('?');
            text.push_str(query);
        }
        let path = PathAndQuery::from_maybe_shared(bytes::Bytes::from(text));
        path.map(Uri::from).map_err(|_| {
            Fault::invalid_argument("gateway.path_unsafe", "the path cannot be handed on").into()
        })
    }
}

async fn handle(State(forward): State<Arc<Forward>>, mut request: Request<Body>) -> Response {
    let inner = forward.door.inner.clone();
    let frame = Frame::open(&inner, &mut request, forward.meter.clone());
    let shared = frame.share();
    let work =
        pin!(async { forward.answer(&shared, request).await.unwrap_or_else(IntoResponse::into_response) });
    frame.around(&inner, work).await
}

fn resting(rejected: Rejected) -> ApiError {
    let fault =
        Fault::unavailable("gateway.upstream_resting", "what stands behind this path fails; it rests");
    match rejected {
        Rejected::Open { retry_after, .. } => fault.with_retry_after(retry_after).into(),
        Rejected::Probing | Rejected::Held { .. } => fault.with_retry_after(Duration::from_secs(1)).into(),
    }
}

/// Tells whether a segment is `.` or `..`, however written: servers differ in what they decode when.
fn has_dot_segment(path: &str) -> bool {
    if !path.contains('.') && !path.contains('%') {
        return false;
    }
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    plain.replace('\\', "/").split('/').any(|segment| matches!(segment, "." | ".."))
}

// === Held ===

impl Held {
    /// Tells the breaker how it went, once.
    fn tell(&mut self, ok: bool, elapsed: Duration, now: Moment) {
        if let Some((breaker, permit)) = self.breaker.take() {
            breaker.record(permit, Outcome { ok, elapsed }, now);
        }
    }
}

// === SendError ===

impl From<SendError> for ApiError {
    fn from(error: SendError) -> Self {
        let message = error.to_string();
        tracing::warn!(error = &error as &dyn std::error::Error, "handing a request on");
        match error {
            SendError::Late { .. } => Fault::deadline_exceeded("gateway.upstream_late", message).into(),
            SendError::Resolve { .. }
            | SendError::Connect { .. }
            | SendError::Tls { .. }
            | SendError::Handshake(_) => {
                Self::from(Fault::unavailable("gateway.upstream_unreachable", message))
                    .with_status(StatusCode::BAD_GATEWAY)
            }
            SendError::Untrusted { .. } => {
                Self::from(Fault::unavailable("gateway.upstream_untrusted", message))
                    .with_status(StatusCode::BAD_GATEWAY)
            }
            SendError::Body(_) => {
                Fault::invalid_argument("gateway.body_interrupted", "the body ended early").into()
            }
            SendError::Broken(_) => Self::from(Fault::unavailable("gateway.upstream_broken", message))
                .with_status(StatusCode::BAD_GATEWAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::has_dot_segment;

    #[test]
    fn dot_segments_are_found_however_they_are_written() {
        for path in ["/..", "/a/../b", "/%2e%2e/b", "/.%2E", "/a/.", "/a%2f..%2fb", "/..%5cb", "/a\\..\\b"] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in ["", "/a", "/a.b/c..d", "/...", "/%2e%2e%2e", "/a%20b"] {
            assert!(!has_dot_segment(path), "{path}");
        }
    }
}
