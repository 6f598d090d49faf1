//! Connections come and go: sessions begun, resumed, taken over, left and ended (MQTT 5 §3.1.4, §4.1).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::Timestamp;
use tokio::sync::Notify;

use super::{Arrival, Hub};
use crate::Quality;
use crate::client::PLATFORM;
use crate::journal::Change;
use crate::packet::{Version, Will};
use crate::router::SessionKey;
use crate::session::{Link, Session};
use crate::topic::read_filter;

/// A client that was let in.
pub(crate) struct Hello {
    /// Whose session it is: sessions of different owners never meet, whatever their clients call themselves.
    pub owner: Arc<str>,
    /// The id of the credential that proved it, where one did.
    pub credential: Option<Arc<str>>,
    pub client: Arc<str>,
    pub version: Version,
    pub clean_start: bool,
    pub expiry: u32,
    pub receive_maximum: u16,
    pub packet_maximum: u32,
    pub alias_maximum: u16,
    pub will: Option<Will>,
    /// Who publishes is refused while the session's queue is full.
    pub strict: bool,
    /// No topic takes more of its window than it leaves to others.
    pub fair: bool,
}

/// A connection that has a session.
pub(crate) struct Attached {
    pub key: SessionKey,
    pub generation: u64,
    /// The session was there before.
    pub present: bool,
    pub wake: Arc<Notify>,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Departure {
    /// The client took its leave.
    Disconnect {
        /// It asks for its will not to be published.
        without_will: bool,
        /// It changes for how many seconds its session is kept.
        expiry: Option<u32>,
    },
    /// It is gone, or was sent away.
    Lost,
}

impl Hub {
    /// Gives a connection its session, new or resumed. A connection that had it is ended.
    pub fn attach(&mut self, hello: Hello, now: Timestamp) -> Attached {
        let name: Arc<str> = format!("{}\n{}", hello.owner, hello.client).into();
        // A session whose time is over is not resumed, even where nobody has come to end it yet.
        self.tick(now);
        let present = self.names.get(&name).copied();
        if let Some(key) = present {
            self.take_over(key, hello.clean_start, now);
        }
        let resumed = self.names.get(&name).copied();
        let key = resumed.unwrap_or_else(|| self.begin(&hello, Arc::clone(&name), now));
        self.generations += 1;
        let generation = self.generations;
        let wake = Arc::new(Notify::new());
        // Clients in this process say themselves how much they can have in hand.
        let most = if &*hello.owner == PLATFORM { u16::MAX } else { self.limits.inflight };
        let inflight = usize::from(hello.receive_maximum.min(most).max(1));
        let link = Link {
            generation,
            credential: hello.credential,
            version: hello.version,
            wake: Arc::clone(&wake),
            woken: false,
            closing: None,
            inflight,
            packet_maximum: hello.packet_maximum,
            alias_maximum: hello.alias_maximum.min(self.limits.aliases),
            aliases: HashMap::new(),
            control: VecDeque::new(),
            unanswered: 0,
            unsent: 0,
        };
        let expiry = self.expiry_within_limits(hello.expiry);
        if let Some(session) = self.session(key) {
            session.expiry = expiry;
            session.strict = hello.strict;
            session.fair = hello.fair;
            session.will = hello.will;
            session.gone_at = None;
            session.seen_at = now;
            session.link = Some(link);
            session.resume();
            let (owner, client) = (Arc::clone(&session.owner), Arc::clone(&session.client));
            let filters: Vec<Arc<str>> = session.subscriptions.keys().cloned().collect();
            let arrival = |filter| Arrival { owner: Arc::clone(&owner), client: Arc::clone(&client), filter };
            self.arrived.extend(filters.into_iter().map(arrival));
        }
        self.connected += 1;
        self.note_session(key);
        self.note_seen(key);
        Attached { key, generation, present: resumed.is_some(), wake }
    }

    /// Returns the session expiry that is granted where `asked` is asked for.
    pub fn expiry_within_limits(&self, asked: u32) -> u32 {
        let longest = u32::try_from(self.limits.session.as_secs()).unwrap_or(u32::MAX);
        asked.min(longest)
    }

    fn begin(&mut self, hello: &Hello, name: Arc<str>, now: Timestamp) -> SessionKey {
        let session = Session {
            name: Arc::clone(&name),
            owner: Arc::clone(&hello.owner),
            client: Arc::clone(&hello.client),
            expiry: 0,
            subscriptions: HashMap::new(),
            queue: VecDeque::new(),
            flights: VecDeque::new(),
            received: HashSet::new(),
            next_packet: 0,
            will: None,
            recorded: false,
            strict: false,
            fair: false,
            gone_at: None,
            link: None,
            seen_at: now,
        };
        self.place(session)
    }

    /// Puts a session into the table.
    pub(super) fn place(&mut self, session: Session) -> SessionKey {
        let name = Arc::clone(&session.name);
        let session = Some(Box::new(session));
        let key = match self.free.pop() {
            Some(key) => {
                self.sessions[key as usize] = session;
                key
            }
            None => {
                self.sessions.push(session);
                u32::try_from(self.sessions.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.names.insert(name, key);
        key
    }

    /// Ends the connection that a session has, and the session too where the newcomer wants to start clean.
    fn take_over(&mut self, key: SessionKey, clean_start: bool, now: Timestamp) {
        let Some(session) = self.session(key) else { return };
        let taken = session.link.take();
        let was_linked = taken.is_some();
        if let Some(link) = taken {
            // The task sees by its generation that the session is no longer its own.
            link.wake.notify_one();
            session.gone_at = Some(now);
        }
        if clean_start || session.expiry == 0 {
            if was_linked {
                self.connected -= 1;
            }
            self.end(key, now);
            return;
        }
        // MQTT 5 §3.1.3.2.2: a will that waits is given up when the session is resumed in time.
        let due = session.will_at().is_some_and(|at| at <= now);
        let will = session.will.take();
        if was_linked {
            self.connected -= 1;
        }
        if due && let Some(will) = will {
            self.publish_will(&will, now);
        }
    }

    /// Leaves a session at the end of its connection.
    pub fn detach(&mut self, key: SessionKey, generation: u64, departure: Departure, now: Timestamp) {
        let granted = match departure {
            Departure::Disconnect { expiry: Some(expiry), .. } => Some(self.expiry_within_limits(expiry)),
            _ => None,
        };
        let Ok(session) = self.linked(key, generation) else { return };
        session.link = None;
        session.gone_at = Some(now);
        if let Departure::Disconnect { without_will, .. } = departure {
            if without_will {
                session.will = None;
            }
            if let Some(expiry) = granted {
                session.expiry = expiry;
            }
        }
        let kept = session.is_kept();
        // Messages of quality 0 are for who is there.
        session.queue.retain(|entry| entry.quality > Quality::AtMostOnce);
        self.connected -= 1;
        self.note_seen(key);
        if kept {
            self.note_session(key);
            self.publish_due_will(key, now);
            self.schedule(key);
        } else {
            self.end(key, now);
        }
    }

    /// Ends a session; its will is published before.
    pub(super) fn end(&mut self, key: SessionKey, now: Timestamp) {
        let will = self.session(key).and_then(|session| session.will.take());
        if let Some(will) = &will {
            self.publish_will(will, now);
        }
        let Some(session) = self.sessions.get_mut(key as usize).and_then(Option::take) else { return };
        for filter in session.subscriptions.keys() {
            if let Some(filter) = read_filter(filter) {
                self.router.remove(filter, key);
            }
        }
        self.names.remove(&session.name);
        self.free.push(key);
        if session.recorded {
            self.journal.note(Change::SessionGone(Arc::clone(&session.name)));
        }
    }

    pub(super) fn publish_will(&mut self, will: &Will, now: Timestamp) {
        let mut message = will.message.clone();
        message.expires_at = will.expiry.map(|seconds| now + Duration::from_secs(seconds.into()));
        // A will that finds no room is lost as if its client had never spoken: nobody is there to be told.
        let _ = self.publish(None, &Arc::new(message), now);
    }

    fn note_seen(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get(key as usize).and_then(Option::as_ref) else { return };
        if !session.owner.is_empty() {
            let seen = Change::Seen(Arc::clone(&session.owner), session.seen_at);
            self.journal.note(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;

    fn hello(expiry: u32) -> Hello {
        Hello {
            owner: "".into(),
            credential: None,
            client: "a".into(),
            version: Version::V5,
            clean_start: false,
            expiry,
            receive_maximum: 1,
            packet_maximum: u32::MAX,
            alias_maximum: 0,
            will: None,
            strict: false,
            fair: false,
        }
    }

    #[test]
    fn a_session_is_not_resumed_past_its_time_though_nobody_has_ended_it_yet() {
        let mut hub = Hub::new(Limits::default(), false);
        let at = |seconds: i64| Timestamp::from_seconds(1_800_000_000 + seconds);
        let first = hub.attach(hello(5), at(0));
        hub.detach(first.key, first.generation, Departure::Lost, at(0));
        let second = hub.attach(hello(5), at(4));
        assert!(second.present, "it is back in time");
        hub.detach(second.key, second.generation, Departure::Lost, at(4));
        assert!(!hub.attach(hello(5), at(9)).present, "its five seconds are over");
    }
}
