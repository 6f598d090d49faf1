//! The bulkhead: so many calls at once, so many waiting, the rest refused at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds how many calls run at once and how many wait. Clones share one state.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    shared: Arc<Shared>,
}

/// A place among the running calls; dropping it gives it to whoever waited longest.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Says that all places and the whole queue are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{limit} calls are under way and {queue} wait already")]
pub struct Full {
    /// Calls that may run at once.
    pub limit: usize,
    /// Calls that may wait.
    pub queue: usize,
}

#[derive(Debug)]
struct Shared {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    limit: usize,
    queue: usize,
}

/// Leaves the queue on drop, whether the wait ended well or its future was dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Bulkhead {
    /// Makes a bulkhead for `limit` calls at once (at least 1) and `queue` waiting ones.
    pub fn new(limit: usize, queue: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(limit));
        Self { shared: Arc::new(Shared { places, waiting: AtomicUsize::new(0), limit, queue }) }
    }

    /// Takes a place if one is free right now.
    pub fn try_enter(&self) -> Option<Place> {
        self.shared.places.clone().try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }

    /// Takes a place, first come first served. Fails at once where the queue is full.
    pub async fn enter(&self) -> Result<Place, Full> {
        if let Some(place) = self.try_enter() {
            return Ok(place);
        }
        let full = Full { limit: self.shared.limit, queue: self.shared.queue };
        let waiting = &self.shared.waiting;
        let join = |count: usize| (count < self.shared.queue).then_some(count + 1);
        waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, join).map_err(|_| full)?;
        let waits = Waiting(waiting);
        let permit = self.shared.places.clone().acquire_owned().await.map_err(|_| full)?;
        drop(waits);
        Ok(Place { _permit: permit })
    }

    /// Returns how many calls run.
    pub fn running(&self) -> usize {
        self.shared.limit.saturating_sub(self.shared.places.available_permits())
    }

    /// Returns how many calls wait.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Acquire)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_queue_is_bounded_and_a_dropped_wait_leaves_it() {
        let bulkhead = Bulkhead::new(1, 1);
        let place = bulkhead.try_enter().expect("is free");
        let mut first = Box::pin(bulkhead.enter());
        assert!(first.as_mut().now_or_never().is_none(), "it waits");
        assert_eq!((bulkhead.running(), bulkhead.waiting()), (1, 1));
        let refused = bulkhead.enter().now_or_never().expect("is refused at once");
        assert_eq!(refused.expect_err("is full"), Full { limit: 1, queue: 1 });
        drop(first);
        assert_eq!(bulkhead.waiting(), 0);
        let mut second = Box::pin(bulkhead.enter());
        assert!(second.as_mut().now_or_never().is_none());
        drop(place);
        let place = second.now_or_never().expect("is woken").expect("has the place");
        assert_eq!((bulkhead.running(), bulkhead.waiting()), (1, 0));
        drop(place);
        assert_eq!(bulkhead.running(), 0);
    }
}
