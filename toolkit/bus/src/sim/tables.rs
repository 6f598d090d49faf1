//! What the simulated database holds. Copying it is cheap: a table is copied once it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ieum_core::Timestamp;

use crate::DeadState;
use crate::storage::{Entry, Grave, LaneRow, Slot};

/// All tables at one moment.
#[derive(Clone, Default)]
pub struct Tables {
    pub(super) log: Shared<BTreeMap<i64, Entry>>,
    pub(super) known: Shared<BTreeSet<(String, String, String)>>,
    pub(super) next_seq: i64,
    pub(super) outbox: Shared<BTreeMap<i64, Entry>>,
    pub(super) next_outbox: i64,
    pub(super) slots: Shared<BTreeMap<Slot, Held>>,
    pub(super) members: Shared<BTreeMap<(String, String), Timestamp>>,
    pub(super) inbox: Shared<BTreeSet<(String, String, String)>>,
    pub(super) lane: Shared<BTreeMap<(Slot, String, i64), LaneRow>>,
    pub(super) dead: Shared<BTreeMap<String, (Slot, Grave, DeadState)>>,
    pub(super) rows: Shared<BTreeMap<String, String>>,
    pub(super) effects: Shared<Vec<String>>,
}

/// A dead letter as a world's operator sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// The dead letter's id.
    pub id: String,
    /// The group that could not handle the event.
    pub group: String,
    /// The event's id.
    pub event_id: String,
    /// What became of it.
    pub state: DeadState,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Held {
    pub position: i64,
    pub owner: String,
    pub epoch: i64,
    pub until: Timestamp,
}

/// A table that copies share until one of them writes it.
#[derive(Clone, Default)]
pub(super) struct Shared<T>(Arc<T>);

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl Tables {
    /// Returns a row of the world's own.
    pub fn row(&self, key: &str) -> Option<&str> {
        self.rows.get(key).map(String::as_str)
    }

    /// Returns all rows of the world's own, by their keys.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|(key, row)| (key.as_str(), row.as_str()))
    }

    /// Returns the recorded effects in the order of their commits.
    pub fn effects(&self) -> &[String] {
        &self.effects
    }

    /// Returns all dead letters, also those that were replayed well.
    pub fn dead(&self) -> Vec<Dead> {
        let read = |(id, (slot, grave, state)): (&String, &(Slot, Grave, DeadState))| Dead {
            id: id.clone(),
            group: slot.group.clone(),
            event_id: grave.row.event_id.clone(),
            state: *state,
        };
        self.dead.iter().map(read).collect()
    }

    /// Tells whether nothing waits: neither in the outbox nor in a lane.
    pub fn is_quiet(&self) -> bool {
        self.outbox.is_empty() && self.lane.is_empty()
    }

    /// Lets the first row of `key` be due, at `now` where none was.
    pub(super) fn raise_head(&mut self, slot: &Slot, key: &str, now: Timestamp) {
        let range = (slot.clone(), key.to_owned(), i64::MIN)..=(slot.clone(), key.to_owned(), i64::MAX);
        if let Some((_, row)) = self.lane.range_mut(range).next() {
            row.due_at = row.due_at.or(Some(now));
        }
    }

    /// Lets every row of `key` wait.
    pub(super) fn lower_heads(&mut self, slot: &Slot, key: &str) {
        let range = (slot.clone(), key.to_owned(), i64::MIN)..=(slot.clone(), key.to_owned(), i64::MAX);
        for (_, row) in self.lane.range_mut(range) {
            row.due_at = None;
        }
    }
}
