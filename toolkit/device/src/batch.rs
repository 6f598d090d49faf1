//! Changes of one commit, brought down to what the store must really do.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use ieum_core::Timestamp;

use crate::Message;
use crate::journal::{Change, QueuedRecord, SessionRecord};

/// What one commit does. What goes is removed first, then the rest is put.
#[derive(Default)]
pub(crate) struct Batch {
    pub gone: HashSet<Arc<str>>,
    pub sessions: HashMap<Arc<str>, Box<SessionRecord>>,
    pub queued: BTreeMap<i64, Box<QueuedRecord>>,
    /// Packet identifier and whether it is released, by position.
    pub moved: BTreeMap<i64, (u16, bool)>,
    pub dequeued: Vec<i64>,
    pub received: HashSet<(Arc<str>, u16)>,
    pub released: HashSet<(Arc<str>, u16)>,
    pub retained: HashMap<Arc<str>, Arc<Message>>,
    pub forgotten: HashSet<Arc<str>>,
    pub seen: HashMap<Arc<str>, Timestamp>,
}

impl Batch {
    /// Brings changes down: of a row that comes and goes nothing is left.
    pub fn of(changes: Vec<Change>) -> Self {
        let mut batch = Self::default();
        for change in changes {
            batch.add(change);
        }
        batch
    }

    fn add(&mut self, change: Change) {
        match change {
            Change::Session(name, record) => {
                self.sessions.insert(name, record);
            }
            Change::SessionGone(name) => {
                self.sessions.remove(&name);
                self.queued.retain(|_, row| row.session != name);
                self.received.retain(|(session, _)| *session != name);
                self.gone.insert(name);
            }
            Change::Queued(row) => {
                self.queued.insert(row.position, row);
            }
            Change::Moved { position, packet, released } => match self.queued.get_mut(&position) {
                Some(row) => {
                    row.packet = Some(packet);
                    row.released = released;
                }
                None => {
                    self.moved.insert(position, (packet, released));
                }
            },
            Change::Dequeued(position) => {
                self.moved.remove(&position);
                if self.queued.remove(&position).is_none() {
                    self.dequeued.push(position);
                }
            }
            Change::Received(name, packet) => {
                self.received.insert((name, packet));
            }
            Change::Released(name, packet) => {
                let row = (name, packet);
                self.received.remove(&row);
                self.released.insert(row);
            }
            Change::Retained(message) => {
                self.forgotten.remove(&message.topic);
                self.retained.insert(Arc::clone(&message.topic), message);
            }
            Change::Forgotten(topic) => {
                self.retained.remove(&topic);
                self.forgotten.insert(topic);
            }
            Change::Seen(owner, at) => {
                self.seen.insert(owner, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(position: i64, session: &str) -> Change {
        Change::Queued(Box::new(QueuedRecord {
            position,
            session: session.into(),
            message: Arc::new(Message::new("a", "x")),
            quality: 1,
            retain: false,
            identifiers: Vec::new(),
            packet: None,
            released: false,
        }))
    }

    #[test]
    fn a_message_that_comes_and_goes_within_a_commit_costs_nothing() {
        let moved = Change::Moved { position: 1, packet: 7, released: false };
        let batch = Batch::of(vec![row(1, "s"), moved, Change::Dequeued(1), Change::Dequeued(9)]);
        assert!(batch.queued.is_empty() && batch.moved.is_empty());
        assert_eq!(batch.dequeued, [9], "a row of an earlier commit is removed");
    }

    #[test]
    fn a_session_that_ends_takes_its_rows_along_and_a_new_one_keeps_its_own() {
        let batch = Batch::of(vec![row(1, "s"), Change::SessionGone("s".into()), row(2, "s"), row(3, "t")]);
        assert_eq!(batch.queued.keys().copied().collect::<Vec<_>>(), [2, 3]);
        assert!(batch.gone.contains("s"));
    }
}
