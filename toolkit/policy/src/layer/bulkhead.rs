//! The bulkhead around a service: waits for a place in a bounded queue, no longer than the deadline.

use std::time::Duration;

use ieum_core::{Fault, Moment, SharedClock, within};
use tower::Layer;

use crate::layer::guarded_service;
use crate::{Bulkhead, Place, reason};

/// Lets so many calls run at once and so many wait.
#[derive(Clone)]
pub struct BulkheadLayer {
    guard: Guard,
}

/// See [`BulkheadLayer`].
#[derive(Clone)]
pub struct BulkheadService<S> {
    guard: Guard,
    inner: S,
}

#[derive(Clone)]
struct Guard {
    name: std::sync::Arc<str>,
    bulkhead: Bulkhead,
    clock: SharedClock,
}

impl BulkheadLayer {
    /// Guards the dependency `name` by `bulkhead`.
    pub fn new(name: &str, bulkhead: Bulkhead, clock: SharedClock) -> Self {
        Self { guard: Guard { name: name.into(), bulkhead, clock } }
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = BulkheadService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService { guard: self.guard.clone(), inner }
    }
}

guarded_service!(BulkheadService, R, [], |guard, inner| move |request: R| {
    let mut inner = inner;
    async move {
        let deadline = request.cx().deadline();
        let place = enter(&guard.name, &guard.bulkhead, &guard.clock, deadline).await?;
        let result = inner.call(request).await;
        drop(place);
        result
    }
});

/// How long to keep away from a full bulkhead: nobody knows when a place comes free.
const FULL_RETRY: Duration = Duration::from_millis(100);

/// Takes a place before `deadline`. Fails at once where the queue is full too.
pub(crate) async fn enter(
    name: &str,
    bulkhead: &Bulkhead,
    clock: &SharedClock,
    deadline: Option<Moment>,
) -> Result<Place, Fault> {
    if let Some(place) = bulkhead.try_enter() {
        return Ok(place);
    }
    let entered = match deadline {
        Some(deadline) => within(clock, deadline, bulkhead.enter()).await,
        None => Some(bulkhead.enter().await),
    };
    match entered {
        Some(Ok(place)) => Ok(place),
        Some(Err(full)) => {
            let message = format!("{name} was not called: {full}");
            Err(Fault::resource_exhausted(reason::BULKHEAD_FULL, message).with_retry_after(FULL_RETRY))
        }
        None => Err(Fault::deadline_exceeded(
            reason::BULKHEAD_FULL,
            format!("{name} was not called: no place came free before the deadline"),
        )),
    }
}
