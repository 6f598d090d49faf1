//! The server's answer on its way back: short ones whole, others as they come.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::future::poll_fn;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use ieum_core::{BoxFuture, SharedClock};

use super::Held;
use super::lane::{Lane, Lanes, SendError};

/// What an answer holds until it is through.
pub(super) struct Delivery {
    pub lane: Box<Lane>,
    pub lanes: Arc<Lanes>,
    pub held: Held,
    pub clock: SharedClock,
    /// How long the server may be silent in the middle.
    pub stall: Duration,
}

/// Hands the answer on; one of at most `small` declared bytes only when it is there as a whole, so that it
/// goes out in one piece. Fails where that ends early.
pub(super) async fn receive(
    response: http::Response<Incoming>,
    delivery: Delivery,
    small: u64,
) -> Result<Response, SendError> {
    let (parts, body) = response.into_parts();
    let mut flow = Flow { body, delivery: Some(delivery), silence: None };
    if flow.body.is_end_stream() {
        flow.finish();
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    if flow.body.size_hint().exact().is_none_or(|length| length > small) {
        return Ok(Response::from_parts(parts, Body::new(flow)));
    }
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut flow).poll_frame(cx)).await {
        let Ok(part) = frame?.into_data() else { continue };
        match first.is_empty() && more.is_empty() {
            true => first = part,
            false => {
                if more.is_empty() {
                    more.extend_from_slice(&first);
                }
                more.extend_from_slice(&part);
            }
        }
    }
    let whole = if more.is_empty() { first } else { more.freeze() };
    Ok(Response::from_parts(parts, Body::from(whole)))
}

/// An answer's body, which runs the connection it comes over.
struct Flow {
    body: Incoming,
    delivery: Option<Delivery>,
    silence: Option<BoxFuture<'static, ()>>,
}

impl Flow {
    /// Gives the connection and the place back.
    fn finish(&mut self) {
        if let Some(Delivery { lane, lanes, held, .. }) = self.delivery.take() {
            drop(held);
            lanes.keep(lane);
        }
    }
}

impl http_body::Body for Flow {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        let this = &mut *self;
        let Some(delivery) = &mut this.delivery else { return Poll::Ready(None) };
        // Asked first, the connection learns that somebody wants more; then it runs and there may be more.
        let mut polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending() {
            delivery.lane.run(cx);
            polled = Pin::new(&mut this.body).poll_frame(cx);
        }
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.silence = None;
                if this.body.is_end_stream() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.delivery = None;
                Poll::Ready(Some(Err(SendError::Broken(error))))
            }
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let (clock, stall) = (&delivery.clock, delivery.stall);
                let silence = this.silence.get_or_insert_with(|| clock.sleep(stall));
                ready!(silence.as_mut().poll(cx));
                this.delivery = None;
                Poll::Ready(Some(Err(SendError::Late { after: stall })))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
