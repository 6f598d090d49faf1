//! The hub behind one lock, and who is to be told when it changed.

use ieum_core::SharedClock;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast, watch};

use crate::hub::{Arrival, Hub};

/// The hub behind one lock: what is done under it takes microseconds and never waits.
pub(crate) struct State {
    hub: Mutex<Hub>,
    pub clock: SharedClock,
    /// Tells the writer that changes wait.
    pub noted: Notify,
    /// Tells the task that does what is due to look again.
    pub left: Notify,
    /// The number of the last change that a sync holds; nothing once no more will be.
    pub synced: watch::Sender<Option<u64>>,
    /// Tells who begins to listen.
    pub arrivals: broadcast::Sender<Arrival>,
}

/// Arrivals that wait for whoever wants to know of them; beyond that he is told that he missed some.
const ARRIVALS: usize = 1_024;

impl State {
    pub fn new(hub: Hub, clock: SharedClock) -> Self {
        Self {
            hub: Mutex::new(hub),
            clock,
            noted: Notify::new(),
            left: Notify::new(),
            synced: watch::Sender::new(Some(0)),
            arrivals: broadcast::Sender::new(ARRIVALS),
        }
    }

    /// Does something with the hub, then wakes the writer where changes wait and tells who arrived.
    pub fn with<T>(&self, act: impl FnOnce(&mut Hub) -> T) -> T {
        let mut hub = self.hub.lock();
        let outcome = act(&mut hub);
        let pending = hub.journal.has_pending();
        let arrived = std::mem::take(&mut hub.arrived);
        drop(hub);
        for arrival in arrived {
            // Nobody may want to know.
            let _ = self.arrivals.send(arrival);
        }
        if pending {
            self.noted.notify_one();
        }
        outcome
    }

    /// Waits until a sync holds the change `number`; false where none ever will.
    pub async fn until_synced(&self, number: u64) -> bool {
        let mut synced = self.synced.subscribe();
        let reached = synced.wait_for(|reached| reached.is_none_or(|reached| reached >= number)).await;
        // The sender lives as long as this.
        reached.is_ok_and(|reached| reached.is_some())
    }

    /// Waits until another broker has taken over what this one writes.
    pub async fn until_taken_over(&self) {
        let mut synced = self.synced.subscribe();
        let _ = synced.wait_for(Option::is_none).await;
    }
}
