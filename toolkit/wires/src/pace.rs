//! The pace at which a request's body must come: who stops sending, or sends drop by drop, is answered and cut.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use ieum_core::{BoxFuture, Code, Fault, Moment, SharedClock};

/// How a request's body may come.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The longest wait for the next piece, and the time that any body has.
    pub idle: Duration,
    /// How many bytes buy a further second, over all waits together (as `MinRate` of Apache's mod_reqtimeout does).
    pub bytes_a_second: u64,
}

/// Tells whether a request's body was ended for its pace.
#[derive(Clone)]
pub(crate) struct Verdict(Arc<AtomicBool>);

/// A body that fails once its sender keeps it waiting for too long. Time in which nobody reads does not count.
struct PacedBody {
    inner: Incoming,
    pace: Pace,
    clock: SharedClock,
    /// Waits that are over.
    waited: Duration,
    bytes: u64,
    waiting: Option<Wait>,
    verdict: Verdict,
}

struct Wait {
    since: Moment,
    end: BoxFuture<'static, ()>,
}

/// The body did not come.
#[derive(Debug, thiserror::Error)]
#[error("reading a request's body: it does not come, or too slowly")]
struct Late;

/// Puts the pace around a request's body. A call of gRPC is left alone: its messages come whenever they come, and whether
/// the peer is there HTTP/2 asks by itself. So is a tunnel, whose bytes are no body.
pub(crate) fn paced(
    request: Request<Incoming>,
    pace: Pace,
    clock: &SharedClock,
) -> (Request<Body>, Option<Verdict>) {
    let is_free = request.body().is_end_stream()
        || request.method() == http::Method::CONNECT
        || crate::grpc::is_grpc(request.headers());
    if is_free {
        return (request.map(Body::new), None);
    }
    let verdict = Verdict(Arc::default());
    let (clock, told) = (Arc::clone(clock), verdict.clone());
    let paced = |inner| {
        let (waited, waiting) = (Duration::ZERO, None);
        Body::new(PacedBody { inner, pace, clock, waited, bytes: 0, waiting, verdict: told })
    };
    (request.map(paced), Some(verdict))
}

// === Verdict ===

impl Verdict {
    /// Returns what the caller is told: the answer as it was made, or in its place that the body was late. Nothing more is
    /// read from a connection whose request was never read to its end.
    pub(crate) fn apply(self, response: Response) -> Response {
        if !self.0.load(Ordering::Relaxed) {
            return response;
        }
        let (mut parts, _) = response.into_parts();
        let message =
            "reading the request: its body did not come in time; send it whole and without long pauses";
        let fault = Fault::new(Code::DeadlineExceeded, "request.body_late", message);
        let mut problem = fault.to_problem(None);
        parts.status = StatusCode::REQUEST_TIMEOUT;
        problem.status = parts.status.as_u16();
        for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if parts.version < http::Version::HTTP_2 {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Response::from_parts(parts, Body::from(serde_json::to_vec(&problem).unwrap_or_default()))
    }
}

// === PacedBody ===

impl PacedBody {
    /// Returns how long the next piece may take.
    fn left(&self) -> Duration {
        let bought = Duration::from_secs(self.bytes / self.pace.bytes_a_second.max(1));
        self.pace.idle.min((self.pace.idle + bought).saturating_sub(self.waited))
    }

    fn poll_late(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_none() {
            let since = self.clock.moment();
            let end = self.clock.sleep_until(since + self.left());
            self.waiting = Some(Wait { since, end });
        }
        match &mut self.waiting {
            Some(wait) => wait.end.as_mut().poll(task),
            None => Poll::Pending,
        }
    }
}

impl http_body::Body for PacedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(task) else {
            ready!(self.poll_late(task));
            self.verdict.0.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(Late.into())));
        };
        if let Some(wait) = self.waiting.take() {
            let waited = self.clock.moment().since(wait.since);
            self.waited += waited;
        }
        if let Some(Ok(frame)) = &frame {
            self.bytes += frame.data_ref().map_or(0, |piece| piece.len() as u64);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
