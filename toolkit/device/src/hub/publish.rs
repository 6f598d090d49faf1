//! A message comes in and goes to everybody who subscribed to it (MQTT 5 §3.3.4).

use std::sync::Arc;

use ieum_core::Timestamp;

use super::{Hub, Taker};
use crate::client::PLATFORM;
use crate::journal::{Change, QueuedRecord};
use crate::packet::{Ack, Reason, Version};
use crate::receipt::Receipt;
use crate::router::SessionKey;
use crate::session::{Answer, Entry, Session};
use crate::settings::Overflow;
use crate::topic::Options;
use crate::{Message, Quality};

/// A PUBLISH from a client.
pub(crate) struct Incoming {
    pub message: Arc<Message>,
    /// The packet identifier, 0 for quality 0.
    pub packet: u16,
    /// Why it is not published, where it is not.
    pub refused: Option<Reason>,
}

impl Hub {
    /// Takes a message from a client and readies its answer.
    pub fn receive(
        &mut self,
        key: SessionKey,
        generation: u64,
        incoming: &Incoming,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let Incoming { message, packet, refused } = incoming;
        let most = self.limits.receive;
        let noted = self.journal.noted();
        let session = self.linked(key, generation)?;
        let repeated = message.quality == Quality::ExactlyOnce && session.received.contains(packet);
        let name = Arc::clone(&session.name);
        let kept = session.is_kept();
        let version = session.link.as_ref().map_or(Version::V5, |link| link.version);
        if message.quality > Quality::AtMostOnce
            && let Some(link) = &mut session.link
        {
            if repeated {
                // Whatever it changed the first time is among what is noted by now.
                link.answer(noted, Answer::Ack { kind: Ack::Pubrec, packet: *packet, reason: None });
                return Ok(());
            }
            if link.unanswered >= most && link.version == Version::V5 {
                return Err(Reason::ReceiveMaximumExceeded);
            }
            link.unanswered = link.unanswered.saturating_add(1);
        }
        let mut after = 0;
        let mut refused = *refused;
        if refused.is_none() {
            match self.publish(Some(key), message, now) {
                Ok(number) => after = number,
                Err(reason) if version == Version::V5 => refused = Some(reason),
                // Without a reason code in the answer, the end of the connection is the only no there is.
                Err(reason) => return Err(reason),
            }
        }
        if refused.is_none() && message.quality == Quality::ExactlyOnce {
            if kept {
                after = after.max(self.journal.note(Change::Received(name, *packet)));
            }
            self.linked(key, generation)?.received.insert(*packet);
        }
        let kind = match message.quality {
            Quality::AtMostOnce => return Ok(()),
            Quality::AtLeastOnce => Ack::Puback,
            Quality::ExactlyOnce => Ack::Pubrec,
        };
        let reason = refused.map(Reason::code);
        if let Some(link) = &mut self.linked(key, generation)?.link {
            link.answer(after, Answer::Ack { kind, packet: *packet, reason });
        }
        Ok(())
    }

    /// Publishes as [`Hub::publish`] does, and tells who took it, with receipts of those who may lose it.
    pub fn put(
        &mut self,
        origin: SessionKey,
        message: &Arc<Message>,
        now: Timestamp,
    ) -> Result<(u64, Vec<Taker>), Reason> {
        self.gives_receipts = true;
        let published = self.publish(Some(origin), message, now);
        self.gives_receipts = false;
        let sessions = &self.sessions;
        let taker = |(key, receipt): (SessionKey, Option<Receipt>)| {
            let session = sessions.get(key as usize)?.as_ref()?;
            Some(Taker { owner: Arc::clone(&session.owner), client: Arc::clone(&session.client), receipt })
        };
        let takers = self.takers.drain(..).filter_map(taker).collect();
        Ok((published?, takers))
    }

    /// Gives a message to everybody who subscribed to it, and keeps it where it says so. Returns the number of the
    /// change that must be synced before its publisher may be answered, or refuses it for everybody where somebody
    /// who must not miss it has no more room.
    pub fn publish(
        &mut self,
        origin: Option<SessionKey>,
        message: &Arc<Message>,
        now: Timestamp,
    ) -> Result<u64, Reason> {
        self.takers.clear();
        let mut found = std::mem::take(&mut self.matches);
        let sessions = &self.sessions;
        let is_there = |key: SessionKey| {
            sessions.get(key as usize).and_then(Option::as_ref).is_some_and(|session| session.link.is_some())
        };
        self.router.matches(&message.topic, &is_there, &mut found);
        if found.alone.len() > 1 {
            found.alone.sort_unstable_by_key(|(key, _)| *key);
        }
        if message.quality > Quality::AtMostOnce {
            let most = self.limits.queued;
            let is_full = |(key, _): &(SessionKey, Options)| {
                let session = self.sessions.get(*key as usize).and_then(Option::as_ref);
                session.is_some_and(|session| session.strict && session.is_full(&message.topic, most))
            };
            if found.alone.iter().chain(&found.shared).any(is_full) {
                self.counts.refused_full += 1;
                self.matches = found;
                return Err(Reason::QuotaExceeded);
            }
        }
        let mut after = if message.retain { self.retain(message) } else { 0 };
        for subscriptions in found.alone.chunk_by(|(one, _), (other, _)| one == other) {
            let key = subscriptions[0].0;
            let wanted = subscriptions
                .iter()
                .map(|(_, options)| options)
                .filter(|options| !(options.no_local && origin == Some(key)));
            after = after.max(self.offer(key, message, wanted, now).unwrap_or_default());
        }
        for (key, options) in &found.shared {
            after = after.max(self.offer(*key, message, std::iter::once(options), now).unwrap_or_default());
        }
        self.matches = found;
        Ok(after)
    }

    /// Offers a message to one session that asks for it by one or more subscriptions. Returns the number of the change
    /// to be synced, 0 where none is, or `None` where the session does not take it.
    fn offer<'a>(
        &mut self,
        key: SessionKey,
        message: &Arc<Message>,
        wanted: impl Iterator<Item = &'a Options>,
        now: Timestamp,
    ) -> Option<u64> {
        let mut quality = None;
        let mut retain = false;
        let mut identifiers = Vec::new();
        for options in wanted {
            quality = quality.max(Some(options.quality));
            retain |= options.retain_as_published && message.retain;
            if options.identifier > 0 && !identifiers.contains(&options.identifier) {
                identifiers.push(options.identifier);
            }
        }
        let quality = quality?.min(message.quality).min(self.limits.quality);
        let (stub, receipt) = match self.gives_receipts && quality > Quality::AtMostOnce && self.may_lose(key)
        {
            true => Some(Receipt::with_stub()).unzip(),
            false => (None, None),
        };
        let message = Arc::clone(message);
        let entry = Entry { position: 0, message, quality, retain, identifiers, receipt: stub };
        let taken = self.enqueue(key, entry, false, now)?;
        self.takers.push((key, receipt));
        Some(taken)
    }

    /// Tells whether what waits for a session is gone with its connection, or with the process. Clients within the
    /// process see to that themselves.
    fn may_lose(&self, key: SessionKey) -> bool {
        let session = self.sessions.get(key as usize).and_then(Option::as_ref);
        let is_safe = |session: &Session| session.is_kept() && self.journal.is_active();
        session.is_some_and(|session| !is_safe(session) && &*session.owner != PLATFORM)
    }

    /// Queues a message for a session. One that was kept (`kept`) is queued beyond the limit too: there are only as
    /// many as topics. Returns as [`Hub::offer`] does.
    pub(super) fn enqueue(
        &mut self,
        key: SessionKey,
        mut entry: Entry,
        kept: bool,
        now: Timestamp,
    ) -> Option<u64> {
        let (most, overflow) = (self.limits.queued, self.limits.overflow);
        let durable = self.journal.is_active();
        let session = self.sessions.get_mut(key as usize).and_then(Option::as_mut)?;
        if entry.message.is_expired(now) || session.link.is_none() && entry.quality == Quality::AtMostOnce {
            return None;
        }
        let mut removed = None;
        if session.queue.len() >= most && !kept {
            self.counts.dropped_full += 1;
            if overflow != Overflow::DropOldest || session.strict || entry.quality == Quality::AtMostOnce {
                return None;
            }
            removed = session.queue.pop_front();
        }
        let mut after = 0;
        if durable && session.is_kept() && entry.quality > Quality::AtMostOnce {
            self.positions += 1;
            entry.position = self.positions;
            after = self.journal.note(Change::Queued(Box::new(QueuedRecord {
                position: entry.position,
                session: Arc::clone(&session.name),
                message: Arc::clone(&entry.message),
                quality: entry.quality.number(),
                retain: entry.retain,
                identifiers: entry.identifiers.clone(),
                packet: None,
                released: false,
            })));
        }
        session.queue.push_back(entry);
        if let Some(link) = &mut session.link {
            link.wake();
        }
        if let Some(removed) = removed {
            self.forget_entry(&removed);
        }
        Some(after)
    }

    /// Notes that an entry needs no row any more.
    pub(super) fn forget_entry(&mut self, entry: &Entry) {
        if entry.position != 0 {
            self.journal.note(Change::Dequeued(entry.position));
        }
    }

    fn retain(&mut self, message: &Arc<Message>) -> u64 {
        if message.payload.is_empty() {
            if self.retained.remove(&message.topic) {
                return self.journal.note(Change::Forgotten(Arc::clone(&message.topic)));
            }
            return 0;
        }
        if self.retained.len() >= self.limits.retained && !self.retained.contains(&message.topic) {
            self.counts.dropped_full += 1;
            return 0;
        }
        self.retained.insert(Arc::clone(message));
        self.journal.note(Change::Retained(Arc::clone(message)))
    }
}
