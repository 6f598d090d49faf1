//! The state as a store held it when the process began.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use ieum_core::Timestamp;

use super::Hub;
use crate::client::PLATFORM;
use crate::journal::{QueuedRecord, SessionRecord, WillRecord};
use crate::packet::Will;
use crate::session::{Entry, Flight, Session};
use crate::topic::Options;
use crate::{Message, Quality};

/// All that a store held.
#[derive(Default)]
pub(crate) struct Saved {
    pub sessions: Vec<SavedSession>,
    pub retained: Vec<Message>,
    /// The highest position in use.
    pub position: i64,
}

/// One session.
pub(crate) struct SavedSession {
    pub record: SessionRecord,
    /// Messages that wait or are under way, by their position.
    pub queue: Vec<QueuedRecord>,
    pub received: Vec<u16>,
}

impl Hub {
    /// Takes over what a store held. Clients that were connected count as gone at `now`.
    pub fn restore(&mut self, saved: Saved, now: Timestamp) {
        self.positions = saved.position;
        for message in saved.retained {
            self.retained.insert(Arc::new(message));
        }
        for session in saved.sessions {
            self.restore_session(session, now);
        }
    }

    fn restore_session(&mut self, saved: SavedSession, now: Timestamp) {
        let record = saved.record;
        let name: Arc<str> = format!("{}\n{}", record.owner, record.client).into();
        let gone_at = record.gone_at.map_or(now, Timestamp::from_micros);
        let mut session = Session {
            strict: record.owner == PLATFORM,
            fair: false,
            name,
            owner: record.owner.into(),
            client: record.client.into(),
            expiry: record.expiry,
            subscriptions: HashMap::new(),
            queue: VecDeque::new(),
            flights: VecDeque::new(),
            received: saved.received.into_iter().collect::<HashSet<u16>>(),
            next_packet: 0,
            will: record.will.and_then(will_of),
            recorded: true,
            gone_at: Some(gone_at),
            link: None,
            seen_at: gone_at,
        };
        for queued in saved.queue {
            let Some(quality) = Quality::of(queued.quality) else { continue };
            let entry = Entry {
                position: queued.position,
                message: queued.message,
                quality,
                retain: queued.retain,
                identifiers: queued.identifiers,
                receipt: None,
            };
            match queued.packet {
                None => session.queue.push_back(entry),
                Some(packet) => {
                    session.next_packet = session.next_packet.max(packet);
                    session.flights.push_back(Flight {
                        entry,
                        packet,
                        released: queued.released,
                        after: 0,
                        unsent: false,
                        again: true,
                    });
                }
            }
        }
        let key = self.place(session);
        for (filter, byte, identifier) in record.subscriptions {
            let Some(quality) = Quality::of(byte & 3) else { continue };
            let options =
                Options { quality, no_local: byte & 4 != 0, retain_as_published: byte & 8 != 0, identifier };
            self.restore_subscription(key, &filter, options);
        }
        if record.gone_at.is_none() {
            self.note_session(key);
        }
        self.schedule(key);
    }
}

fn will_of(record: WillRecord) -> Option<Will> {
    let bytes = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).map(Bytes::from).ok();
    let message = Message {
        topic: record.topic.into(),
        payload: bytes(&record.payload)?,
        quality: Quality::of(record.quality)?,
        retain: record.retain,
        expires_at: None,
        properties: bytes(&record.properties)?,
    };
    Some(Will { message, delay: record.delay, expiry: record.expiry })
}
