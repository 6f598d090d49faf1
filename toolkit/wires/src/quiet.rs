//! How long a connection may stay open without a request: who is silent that long is let go.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use ieum_core::{Moment, SharedClock};
use parking_lot::Mutex;

/// What goes on over a connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Traffic {
    clock: SharedClock,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Requests whose answers have not gone out whole.
    running: usize,
    /// When the last one ended, or the connection began.
    since: Moment,
}

/// A request that runs, until it is dropped.
pub(crate) struct Running(Traffic);

/// An answer's body, which is a part of its request.
pub(crate) struct RunningBody {
    inner: Body,
    _running: Option<Running>,
}

// === Traffic ===

impl Traffic {
    pub(crate) fn new(clock: SharedClock) -> Self {
        let state = State { running: 0, since: clock.moment() };
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// Notes that a request begins.
    pub(crate) fn begin(&self) -> Running {
        self.state.lock().running += 1;
        Running(self.clone())
    }

    /// Completes once no request has run for `longest`. An answer that goes on, such as an event stream, runs.
    pub(crate) async fn silent(self, longest: Duration) {
        let mut end = self.clock.moment() + longest;
        loop {
            self.clock.sleep_until(end).await;
            let now = self.clock.moment();
            let State { running, since } = *self.state.lock();
            end = if running > 0 { now + longest } else { since + longest };
            if end <= now {
                return;
            }
        }
    }
}

// === Running ===

impl Running {
    /// Goes along with the answer until that has gone out whole.
    pub(crate) fn within(self, response: Response) -> http::Response<RunningBody> {
        response.map(|inner| RunningBody { inner, _running: Some(self) })
    }

    /// Stays for as long as its connection: of a tunnel over HTTP/2 nobody tells the end, and the pings of HTTP/2 tell
    /// whether its peer is there.
    pub(crate) fn forever(self, response: Response) -> http::Response<RunningBody> {
        self.0.state.lock().running += 1;
        self.within(response)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let now = self.0.clock.moment();
        let mut state = self.0.state.lock();
        state.running -= 1;
        state.since = now;
    }
}

// === RunningBody ===

impl http_body::Body for RunningBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
