//! A session: what a client subscribed to, what waits for it, and how far each message under way has come.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use ieum_core::Timestamp;
use tokio::sync::Notify;

use crate::packet::{Ack, Reason, Version, Will};
use crate::receipt::Stub;
use crate::topic::Options;
use crate::{Message, Quality};

/// A session, with or without a connection.
pub(crate) struct Session {
    /// The name by which it is found: owner and client identifier.
    pub name: Arc<str>,
    pub owner: Arc<str>,
    pub client: Arc<str>,
    /// For how many seconds it outlives its connection; `u32::MAX` for ever.
    pub expiry: u32,
    pub subscriptions: HashMap<Arc<str>, Options>,
    /// Messages that wait, the oldest first.
    pub queue: VecDeque<Entry>,
    /// Messages under way, the oldest first.
    pub flights: VecDeque<Flight>,
    /// Packet identifiers of messages of quality 2 that were taken and not yet let go of.
    pub received: HashSet<u16>,
    pub next_packet: u16,
    pub will: Option<Will>,
    /// The store has it.
    pub recorded: bool,
    /// Who publishes is refused while its queue is full: nothing is dropped.
    pub strict: bool,
    /// No topic takes more of its window than it leaves to others.
    pub fair: bool,
    /// When the connection ended.
    pub gone_at: Option<Timestamp>,
    pub link: Option<Link>,
    /// When something last came from the client.
    pub seen_at: Timestamp,
}

/// A message for a session.
pub(crate) struct Entry {
    /// The key of its row, 0 where it has none.
    pub position: i64,
    pub message: Arc<Message>,
    pub quality: Quality,
    pub retain: bool,
    pub identifiers: Vec<u32>,
    /// Tells whoever published it what becomes of it.
    pub receipt: Option<Stub>,
}

/// A message of quality 1 or 2 under way.
pub(crate) struct Flight {
    pub entry: Entry,
    pub packet: u16,
    /// The receiver has it (PUBREC): what goes out is PUBREL.
    pub released: bool,
    /// May go out once a sync holds this change.
    pub after: u64,
    /// Is yet to go out on this connection.
    pub unsent: bool,
    /// Went out on an earlier connection.
    pub again: bool,
}

/// What a session has while its client is connected.
pub(crate) struct Link {
    /// Tells connections of one session apart.
    pub generation: u64,
    /// The id of the credential that let it in: it ends with it.
    pub credential: Option<Arc<str>>,
    pub version: Version,
    /// Wakes the task that writes.
    pub wake: Arc<Notify>,
    /// Was woken and has not looked yet.
    pub woken: bool,
    pub closing: Option<Reason>,
    /// The most messages under way.
    pub inflight: usize,
    pub packet_maximum: u32,
    pub alias_maximum: u16,
    pub aliases: HashMap<Arc<str>, u16>,
    /// Answers, in their order.
    pub control: VecDeque<Control>,
    /// Messages from the client that are not answered to their end.
    pub unanswered: u16,
    /// How many flights are unsent.
    pub unsent: usize,
}

/// An answer that may go out once a sync holds the change `after`.
pub(crate) struct Control {
    pub after: u64,
    pub answer: Answer,
}

/// An answer to a client's packet.
pub(crate) enum Answer {
    Ack { kind: Ack, packet: u16, reason: Option<u8> },
    Suback { packet: u16, codes: Vec<u8> },
    Unsuback { packet: u16, codes: Vec<u8> },
    Pong,
}

/// What a session has next for its client.
pub(crate) enum Next {
    /// The flight at this index goes out.
    Flight(usize),
    /// A message of quality 0.
    Once(Entry),
    /// The message at the head of the queue is to be put under way.
    Begin,
    /// Nothing, or nothing that may go out yet.
    Nothing,
}

impl Session {
    /// Tells whether it outlives its connection.
    pub fn is_kept(&self) -> bool {
        self.expiry > 0
    }

    /// Tells whether it has no more room for a message of `topic` where `most` may wait: where it is fair also once as
    /// many of that topic are there as its window has left (Choudhury and Hahne, "Dynamic queue length thresholds",
    /// 1998), so that whoever talks most never fills it.
    pub fn is_full(&self, topic: &str, most: usize) -> bool {
        let is_long = self.queue.len() >= most;
        let Some(link) = self.link.as_ref().filter(|_| self.fair && !is_long) else { return is_long };
        let there = self.queue.len() + self.flights.len();
        let left = link.inflight.saturating_sub(there);
        if there < left {
            return false;
        }
        let flying = self.flights.iter().map(|flight| &flight.entry);
        let same = self.queue.iter().chain(flying).filter(|entry| *entry.message.topic == *topic);
        same.count() >= left.max(1)
    }

    /// Returns when it ends without its client coming back.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let gone_at = self.gone_at?;
        (self.expiry != u32::MAX).then(|| gone_at + std::time::Duration::from_secs(self.expiry.into()))
    }

    /// Returns when its will is published: after its delay, or when the session ends before.
    pub fn will_at(&self) -> Option<Timestamp> {
        let (will, gone_at) = (self.will.as_ref()?, self.gone_at?);
        let delay = will.delay.min(self.expiry);
        Some(gone_at + std::time::Duration::from_secs(delay.into()))
    }

    /// Returns what goes out next, where all changes up to `durable` are synced.
    pub fn next(&mut self, durable: u64) -> Next {
        let Some(link) = &mut self.link else { return Next::Nothing };
        if link.unsent > 0 {
            let Some(index) = self.flights.iter().position(|flight| flight.unsent) else {
                link.unsent = 0;
                return self.next(durable);
            };
            if self.flights[index].after > durable {
                return Next::Nothing;
            }
            self.flights[index].unsent = false;
            link.unsent -= 1;
            return Next::Flight(index);
        }
        match self.queue.front() {
            None => Next::Nothing,
            Some(entry) if entry.quality == Quality::AtMostOnce => {
                self.queue.pop_front().map_or(Next::Nothing, Next::Once)
            }
            Some(_) if self.flights.len() < link.inflight => Next::Begin,
            Some(_) => Next::Nothing,
        }
    }

    /// Returns a packet identifier that no message under way has.
    pub fn free_packet(&mut self) -> u16 {
        loop {
            self.next_packet = self.next_packet.checked_add(1).unwrap_or(1);
            if !self.flights.iter().any(|flight| flight.packet == self.next_packet) {
                return self.next_packet;
            }
        }
    }

    /// Returns where the message with this packet identifier is.
    pub fn flight(&self, packet: u16) -> Option<usize> {
        self.flights.iter().position(|flight| flight.packet == packet)
    }

    /// Readies what is under way for a new connection: all of it goes out again (MQTT 5 §4.4).
    pub fn resume(&mut self) {
        for flight in &mut self.flights {
            flight.again |= !flight.unsent;
            flight.unsent = true;
        }
        let unsent = self.flights.len();
        if let Some(link) = &mut self.link {
            link.unsent = unsent;
        }
    }
}

impl Link {
    /// Wakes the task that writes, once until it looks.
    pub fn wake(&mut self) {
        if !self.woken {
            self.woken = true;
            self.wake.notify_one();
        }
    }

    /// Adds an answer.
    pub fn answer(&mut self, after: u64, answer: Answer) {
        self.control.push_back(Control { after, answer });
    }

    /// Returns the alias for `topic` and whether the client is to be told of it, or `None` where it has none.
    pub fn alias(&mut self, topic: &Arc<str>) -> Option<(u16, bool)> {
        if self.alias_maximum == 0 {
            return None;
        }
        if let Some(alias) = self.aliases.get(topic) {
            return Some((*alias, false));
        }
        let alias =
            u16::try_from(self.aliases.len() + 1).ok().filter(|alias| *alias <= self.alias_maximum)?;
        self.aliases.insert(Arc::clone(topic), alias);
        Some((alias, true))
    }
}
