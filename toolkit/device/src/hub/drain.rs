//! What goes out to a client: answers first, then what is under way, then what waits.

use bytes::BytesMut;
use ieum_core::Timestamp;

use super::Hub;
use crate::Quality;
use crate::journal::Change;
use crate::packet::{
    Ack, Outgoing, Reason, Version, size_of_publish, write_ack, write_acks, write_ping_answer, write_publish,
};
use crate::router::SessionKey;
use crate::session::{Answer, Entry, Flight, Link, Next};

/// How far a look into a session came.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Drained {
    /// The connection is to be closed once all is written.
    pub closing: Option<Reason>,
    /// More may go out as soon as there is room.
    pub more: bool,
    /// So many answers wait for a sync that no more packets should be taken.
    pub stalled: bool,
}

/// What the in-process side is handed: the message, and its packet identifier where it is to be acknowledged.
pub(crate) type Handed = (std::sync::Arc<crate::Message>, Option<u16>, bool);

impl Hub {
    /// Writes what may go out to `out`, until it holds `enough` bytes.
    pub fn drain(
        &mut self,
        key: SessionKey,
        generation: u64,
        out: &mut BytesMut,
        enough: usize,
        now: Timestamp,
    ) -> Drained {
        let durable = self.durable();
        let most_answers = usize::from(self.limits.receive);
        let Ok(session) = self.linked(key, generation) else {
            return Drained { closing: Some(Reason::SessionTakenOver), ..Drained::default() };
        };
        let Some(link) = &mut session.link else { return Drained::default() };
        link.woken = false;
        let version = link.version;
        write_answers(link, durable, out);
        if let Some(reason) = link.closing {
            return Drained { closing: Some(reason), ..Drained::default() };
        }
        let mut more = false;
        loop {
            if out.len() >= enough {
                more = true;
                break;
            }
            let Some(session) = self.session(key) else { break };
            match session.next(durable) {
                Next::Nothing => break,
                Next::Begin => self.begin_flight(key, now),
                Next::Once(entry) => self.write_once(key, &entry, out, now),
                Next::Flight(at) => {
                    let released = session.flights[at].released;
                    if released {
                        write_ack(version, Ack::Pubrel, session.flights[at].packet, None, out);
                    } else {
                        self.write_flight(key, at, out, now);
                    }
                }
            }
        }
        let Ok(session) = self.linked(key, generation) else { return Drained::default() };
        let waits = session.link.as_ref().map_or(0, |link| link.control.len());
        let unsent = session.link.as_ref().is_some_and(|link| link.unsent > 0);
        if waits > 0 || unsent && !more {
            self.gated.push((key, generation));
        }
        Drained { closing: None, more, stalled: waits > most_answers }
    }

    /// Returns the number up to which changes count as synced.
    fn durable(&self) -> u64 {
        if self.journal.is_active() { self.journal.durable() } else { u64::MAX }
    }

    /// Puts the message at the head of the queue under way.
    fn begin_flight(&mut self, key: SessionKey, now: Timestamp) {
        let Some(session) = self.session(key) else { return };
        let Some(entry) = session.queue.pop_front() else { return };
        if entry.message.is_expired(now) {
            self.counts.dropped_expired += 1;
            self.forget_entry(&entry);
            return;
        }
        let packet = session.free_packet();
        let mut after = 0;
        if entry.position != 0 {
            let moved = Change::Moved { position: entry.position, packet, released: false };
            let noted = self.journal.note(moved);
            // Sent before its identifier is on disk, a message of quality 2 could arrive twice after a crash.
            if entry.quality == Quality::ExactlyOnce {
                after = noted;
            }
        }
        let Some(session) = self.session(key) else { return };
        session.flights.push_back(Flight {
            entry,
            packet,
            released: false,
            after,
            unsent: true,
            again: false,
        });
        if let Some(link) = &mut session.link {
            link.unsent += 1;
        }
    }

    fn write_once(&mut self, key: SessionKey, entry: &Entry, out: &mut BytesMut, now: Timestamp) {
        if entry.message.is_expired(now) {
            self.counts.dropped_expired += 1;
            return;
        }
        let Some(link) = self.session(key).and_then(|session| session.link.as_mut()) else { return };
        if write(link, entry, (0, false), out, now) {
            self.counts.delivered += 1;
        } else {
            self.counts.dropped_large += 1;
        }
    }

    fn write_flight(&mut self, key: SessionKey, at: usize, out: &mut BytesMut, now: Timestamp) {
        let Some(session) = self.session(key) else { return };
        let Some(link) = &mut session.link else { return };
        let flight = &session.flights[at];
        let fits = write(link, &flight.entry, (flight.packet, flight.again), out, now);
        if fits {
            self.counts.delivered += 1;
            return;
        }
        // MQTT 5 §3.1.2.11.4: what is too large for the client is dropped as if it had arrived.
        self.counts.dropped_large += 1;
        if let Some(flight) = self.session(key).and_then(|session| session.flights.remove(at)) {
            self.forget_entry(&flight.entry);
            if let Some(receipt) = flight.entry.receipt {
                receipt.acknowledge();
            }
        }
    }

    /// Hands the next message to a client in this process.
    pub fn hand(
        &mut self,
        key: SessionKey,
        generation: u64,
        now: Timestamp,
    ) -> Result<Option<Handed>, Reason> {
        let durable = self.durable();
        loop {
            let session = self.linked(key, generation)?;
            let Some(link) = &mut session.link else { return Ok(None) };
            link.woken = false;
            link.control.clear();
            link.unanswered = 0;
            if let Some(reason) = link.closing {
                return Err(reason);
            }
            match session.next(durable) {
                Next::Nothing => {
                    if session.link.as_ref().is_some_and(|link| link.unsent > 0) {
                        self.gated.push((key, generation));
                    }
                    return Ok(None);
                }
                Next::Begin => self.begin_flight(key, now),
                Next::Once(entry) => {
                    self.counts.delivered += 1;
                    return Ok(Some((entry.message, None, false)));
                }
                Next::Flight(at) => {
                    let flight = &session.flights[at];
                    let (packet, released) = (flight.packet, flight.released);
                    let handed = (std::sync::Arc::clone(&flight.entry.message), Some(packet), flight.again);
                    if released {
                        // It has the message already: what is left is to let go of it.
                        self.acknowledge(key, generation, Ack::Pubcomp, packet, false)?;
                        continue;
                    }
                    self.counts.delivered += 1;
                    return Ok(Some(handed));
                }
            }
        }
    }
}

fn write_answers(link: &mut Link, durable: u64, out: &mut BytesMut) {
    let version = link.version;
    while link.control.front().is_some_and(|control| control.after <= durable) {
        let Some(control) = link.control.pop_front() else { return };
        match control.answer {
            Answer::Pong => write_ping_answer(out),
            Answer::Suback { packet, codes } => write_acks(version, 0x90, packet, &codes, out),
            Answer::Unsuback { packet, codes } => write_acks(version, 0xB0, packet, &codes, out),
            Answer::Ack { kind, packet, reason } => {
                let refused = reason.is_some_and(|code| code >= 0x80);
                // With these the exchange that the client began is at its end.
                if matches!(kind, Ack::Puback | Ack::Pubcomp) || kind == Ack::Pubrec && refused {
                    link.unanswered = link.unanswered.saturating_sub(1);
                }
                write_ack(version, kind, packet, reason, out);
            }
        }
    }
}

/// Writes a message, or returns false where the client takes none as large.
fn write(
    link: &mut Link,
    entry: &Entry,
    (id, again): (u16, bool),
    out: &mut BytesMut,
    now: Timestamp,
) -> bool {
    let mut outgoing = Outgoing {
        message: &entry.message,
        quality: entry.quality.number(),
        retain: entry.retain,
        again,
        id,
        alias: None,
        identifiers: &entry.identifiers,
        seconds_left: entry.message.seconds_left(now),
    };
    if link.version == Version::V5 {
        // Measured with the topic and with room for an alias: nothing is told that is then not sent.
        let size = size_of_publish(link.version, &outgoing) + 4;
        if link.packet_maximum != u32::MAX && size > link.packet_maximum as usize {
            return false;
        }
        outgoing.alias = link.alias(&entry.message.topic);
    }
    write_publish(link.version, &outgoing, out);
    true
}
