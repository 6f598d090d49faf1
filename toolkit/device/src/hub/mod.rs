//! The broker's whole state as one machine without input or output: sessions, subscriptions, kept messages.
//!
//! Every call takes the time it happens at and returns at once. What must survive the process is noted in the
//! [`Journal`]; an answer that promises it waits in its session until the journal is settled up to the change.

mod acknowledge;
mod attach;
mod drain;
mod expire;
mod publish;
mod restore;
mod subscribe;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use ieum_core::Timestamp;

pub(crate) use attach::{Attached, Departure, Hello};
pub(crate) use publish::Incoming;
pub(crate) use restore::{Saved, SavedSession};

use crate::journal::{Change, Journal, SessionRecord, WillRecord};
use crate::packet::Reason;
use crate::receipt::Receipt;
use crate::retained::Retained;
use crate::router::{Matches, Router, SessionKey};
use crate::session::{Link, Session};
use crate::settings::Limits;

/// The broker's whole state.
pub(crate) struct Hub {
    limits: Limits,
    sessions: Vec<Option<Box<Session>>>,
    free: Vec<SessionKey>,
    names: HashMap<Arc<str>, SessionKey>,
    router: Router,
    retained: Retained,
    pub journal: Journal,
    generations: u64,
    positions: i64,
    /// When something is due for a session without a connection. What became untrue is skipped.
    due: BTreeSet<(Timestamp, SessionKey)>,
    /// When kept messages were last looked through.
    swept_at: Timestamp,
    /// Whose answers wait for a sync.
    gated: Vec<(SessionKey, u64)>,
    /// Room for the search of subscribers.
    matches: Matches,
    connected: usize,
    /// Who took the message that was published last.
    takers: Vec<(SessionKey, Option<Receipt>)>,
    /// Whoever publishes now asks for receipts.
    gives_receipts: bool,
    /// Who began to listen since this was last taken.
    pub arrived: Vec<Arrival>,
    /// What happened since the counters were last read.
    pub counts: Counts,
}

/// A session that listens to a filter from now on, or again: its client subscribed, or came back to what it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whose session it is: the device's id, `$platform` for clients in this process, empty for anybody's.
    pub owner: Arc<str>,
    /// The client identifier.
    pub client: Arc<str>,
    /// The filter.
    pub filter: Arc<str>,
}

/// A session that took a message.
#[derive(Debug)]
pub struct Taker {
    /// Whose session it is: the device's id, `$platform` for clients in this process, empty for anybody's.
    pub owner: Arc<str>,
    /// The client identifier.
    pub client: Arc<str>,
    /// Tells what becomes of it. `None` where there is nothing to wait for: the session is on disk, the client within
    /// this process, or nobody acknowledges, for it subscribed with quality 0.
    pub receipt: Option<Receipt>,
}

/// What happened, for metrics.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub delivered: u64,
    pub dropped_full: u64,
    pub refused_full: u64,
    pub dropped_expired: u64,
    pub dropped_large: u64,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Whose session it is: the device's id.
    pub owner: String,
    /// The client identifier.
    pub client: String,
    /// Whether the client is connected.
    pub connected: bool,
    /// When something last came from the client.
    pub seen_at: Timestamp,
    /// How many messages wait or are under way.
    pub waiting: usize,
}

impl Hub {
    /// Begins empty. Changes are noted where `durable`.
    pub fn new(limits: Limits, durable: bool) -> Self {
        Self {
            limits,
            sessions: Vec::new(),
            free: Vec::new(),
            names: HashMap::new(),
            router: Router::default(),
            retained: Retained::default(),
            journal: Journal::new(durable),
            generations: 0,
            positions: 0,
            due: BTreeSet::new(),
            swept_at: Timestamp::default(),
            gated: Vec::new(),
            matches: Matches::default(),
            connected: 0,
            takers: Vec::new(),
            gives_receipts: false,
            arrived: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Returns the session where the connection `generation` is still its own.
    fn linked(&mut self, key: SessionKey, generation: u64) -> Result<&mut Session, Reason> {
        let session = self.sessions.get_mut(key as usize).and_then(Option::as_mut);
        session
            .filter(|session| session.link.as_ref().is_some_and(|link| link.generation == generation))
            .map(|session| &mut **session)
            .ok_or(Reason::SessionTakenOver)
    }

    fn session(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.sessions.get_mut(key as usize).and_then(Option::as_mut).map(|session| &mut **session)
    }

    /// Ends the connections of `owner`'s sessions with `reason`.
    pub fn expel(&mut self, owner: &str, reason: Reason) {
        let sessions = self.sessions.iter_mut().flatten().filter(|session| &*session.owner == owner);
        for link in sessions.filter_map(|session| session.link.as_mut()) {
            link.closing = Some(reason);
            link.wake();
        }
    }

    /// Returns the ids of the credentials that let in who is connected.
    pub fn credentials_in_use(&self) -> HashSet<Arc<str>> {
        let links = self.sessions.iter().flatten().filter_map(|session| session.link.as_ref());
        links.filter_map(|link| link.credential.clone()).collect()
    }

    /// Ends the connections that one of `credentials` let in.
    pub fn expel_users_of(&mut self, credentials: &HashSet<Arc<str>>) {
        let links = self.sessions.iter_mut().flatten().filter_map(|session| session.link.as_mut());
        let ended = |link: &&mut Link| link.credential.as_ref().is_some_and(|id| credentials.contains(id));
        for link in links.filter(ended) {
            link.closing = Some(Reason::AdministrativeAction);
            link.wake();
        }
    }

    /// Returns what the session is subscribed to.
    pub fn filters_of(&mut self, key: SessionKey, generation: u64) -> Vec<String> {
        let session = self.linked(key, generation);
        session
            .map(|session| session.subscriptions.keys().map(ToString::to_string).collect())
            .unwrap_or_default()
    }

    /// Notes that something came from the client.
    pub fn saw(&mut self, key: SessionKey, generation: u64, now: Timestamp) -> Result<(), Reason> {
        self.linked(key, generation)?.seen_at = now;
        Ok(())
    }

    /// Tells that a sync holds all changes up to `number`, and wakes who waited for it.
    pub fn settle(&mut self, number: u64) {
        self.journal.settle(number);
        for (key, generation) in std::mem::take(&mut self.gated) {
            if let Ok(session) = self.linked(key, generation)
                && let Some(link) = &mut session.link
            {
                link.wake();
            }
        }
    }

    /// Returns all sessions.
    pub fn presences(&self) -> Vec<Presence> {
        let sessions = self.sessions.iter().flatten();
        sessions
            .map(|session| Presence {
                owner: session.owner.to_string(),
                client: session.client.to_string(),
                connected: session.link.is_some(),
                seen_at: session.seen_at,
                waiting: session.queue.len() + session.flights.len(),
            })
            .collect()
    }

    /// Returns how many sessions, connections and kept messages there are.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.names.len(), self.connected, self.retained.len())
    }

    /// Notes a session as it stands, where any of it is to survive the process.
    fn note_session(&mut self, key: SessionKey) -> u64 {
        let active = self.journal.is_active();
        let Some(session) = self.sessions.get_mut(key as usize).and_then(Option::as_mut) else { return 0 };
        if !active || !(session.recorded || session.is_kept() || session.will.is_some()) {
            return 0;
        }
        session.recorded = true;
        let record = record_of(session);
        let name = Arc::clone(&session.name);
        self.journal.note(Change::Session(name, Box::new(record)))
    }
}

fn record_of(session: &Session) -> SessionRecord {
    use base64::Engine;
    let base64 = &base64::engine::general_purpose::STANDARD;
    let subscription = |(filter, options): (&Arc<str>, &crate::topic::Options)| {
        let byte = options.quality.number()
            | u8::from(options.no_local) << 2
            | u8::from(options.retain_as_published) << 3;
        (filter.to_string(), byte, options.identifier)
    };
    SessionRecord {
        owner: session.owner.to_string(),
        client: session.client.to_string(),
        expiry: session.expiry,
        gone_at: session.gone_at.map(Timestamp::as_micros),
        subscriptions: session.subscriptions.iter().map(subscription).collect(),
        will: session.will.as_ref().map(|will| WillRecord {
            topic: will.message.topic.to_string(),
            payload: base64.encode(&will.message.payload),
            properties: base64.encode(&will.message.properties),
            quality: will.message.quality.number(),
            retain: will.message.retain,
            delay: will.delay,
            expiry: will.expiry,
        }),
    }
}
