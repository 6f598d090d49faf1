//! One thing to do with one event, whether it came from the log or from the lane.

use std::collections::BTreeSet;

use ieum_core::{Timestamp, describe};

use crate::Event;
use crate::storage::{Delivery, LaneRow};

pub(super) struct Work {
    pub row: LaneRow,
    pub what: What,
    pub in_lane: bool,
}

pub(super) enum What {
    Handle(Box<Event>),
    /// Waits behind an earlier event of its key.
    Queue,
    /// Is no event; the text says why.
    Bury(String),
}

impl Work {
    pub(super) fn from_log(delivery: Delivery) -> Self {
        match delivery.content {
            Ok(event) => {
                let row = LaneRow::untried(delivery.position, &event);
                Self { row, what: What::Handle(Box::new(event)), in_lane: false }
            }
            Err(garbage) => {
                let row = LaneRow::of_garbage(delivery.position, &garbage);
                Self { row, what: What::Bury(garbage.problem), in_lane: false }
            }
        }
    }

    pub(super) fn from_lane(row: LaneRow, now: Timestamp) -> Self {
        let what = match Event::from_cloud_event_json(row.body.as_bytes(), now) {
            Ok(event) => What::Handle(Box::new(event)),
            Err(error) => What::Bury(describe(&error)),
        };
        Self { row, what, in_lane: true }
    }

    /// Turns handling into queueing where an earlier event of the key is in the lane.
    pub(super) fn queue_behind(&mut self, blocked: &BTreeSet<String>) {
        if !self.in_lane && self.is_handled() && blocked.contains(&self.row.key) {
            self.what = What::Queue;
        }
    }

    pub(super) fn is_handled(&self) -> bool {
        matches!(self.what, What::Handle(_))
    }

    /// Returns what the inbox knows the event by.
    pub(super) fn identity(&self) -> (String, String) {
        (self.row.event_id.clone(), self.row.source.clone())
    }

    /// Returns the slot's position once this is done.
    pub(super) fn moves_to(&self, position: i64) -> i64 {
        if self.in_lane { position } else { position.max(self.row.position) }
    }
}
