//! One lane per device: its messages one after the other, different devices at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ieum_device::Delivery;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::desk::{Desk, Received};

/// The wait before a message is tried again that could not be worked on, and the longest of them.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The lanes of all devices that have something in hand.
#[derive(Clone)]
pub struct Lanes {
    waiting: Arc<Mutex<HashMap<String, VecDeque<Delivery>>>>,
    desk: Arc<Desk>,
    done: UnboundedSender<Delivery>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Lanes {
    /// Begins without any. What is worked on goes to `done`.
    pub fn new(desk: Arc<Desk>, done: UnboundedSender<Delivery>, stop: CancellationToken) -> Self {
        Self { waiting: Arc::default(), desk, done, stop, tasks: TaskTracker::new() }
    }

    /// Puts a message at the end of its device's lane.
    pub fn put(&self, delivery: Delivery) {
        let Some(device) = device_of(&delivery.message.topic).map(str::to_owned) else {
            // Nothing that is subscribed to looks so.
            let _ = self.done.send(delivery);
            return;
        };
        let mut waiting = self.waiting.lock();
        if let Some(lane) = waiting.get_mut(&device) {
            lane.push_back(delivery);
            return;
        }
        waiting.insert(device.clone(), VecDeque::from([delivery]));
        self.tasks.spawn(self.clone().drive(device));
    }

    /// Waits for what is in hand. What only waits in a lane is left to the next process.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn drive(self, device: String) {
        while let Some(delivery) = self.next(&device) {
            if self.work(&device, &delivery).await {
                // The receiver lives as long as the lanes.
                let _ = self.done.send(delivery);
            }
        }
    }

    fn next(&self, device: &str) -> Option<Delivery> {
        let mut waiting = self.waiting.lock();
        let next =
            waiting.get_mut(device).and_then(VecDeque::pop_front).filter(|_| !self.stop.is_cancelled());
        if next.is_none() {
            waiting.remove(device);
        }
        next
    }

    /// Works on a message until it is done; returns false where the process ends before.
    async fn work(&self, device: &str, delivery: &Delivery) -> bool {
        let mut wait = FIRST_WAIT;
        loop {
            let kind = delivery.message.topic.rsplit('/').next().unwrap_or_default();
            let received =
                Received { device, kind, payload: &delivery.message.payload, again: delivery.again };
            let Err(fault) = self.desk.receive(received).await else { return true };
            tracing::warn!(device, kind, error = %fault, "a device's message waits for another attempt");
            tokio::select! {
                () = self.desk.clock().sleep(wait) => {}
                () = self.stop.cancelled() => return false,
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// Returns the device of `device/{id}/…`.
pub fn device_of(topic: &str) -> Option<&str> {
    topic.strip_prefix("device/")?.split('/').next().filter(|device| !device.is_empty())
}
