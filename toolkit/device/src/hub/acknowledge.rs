//! Messages under way come to their end: PUBACK, PUBREC, PUBREL, PUBCOMP, PINGREQ (MQTT 5 §4.3).

use std::sync::Arc;

use super::Hub;
use crate::Quality;
use crate::journal::Change;
use crate::packet::{Ack, Reason};
use crate::router::SessionKey;
use crate::session::Answer;

impl Hub {
    /// Takes one of the four answers of a message under way.
    pub fn acknowledge(
        &mut self,
        key: SessionKey,
        generation: u64,
        kind: Ack,
        packet: u16,
        failed: bool,
    ) -> Result<(), Reason> {
        match kind {
            Ack::Puback => self.arrived(key, generation, packet, Quality::AtLeastOnce),
            Ack::Pubrec if failed => self.arrived(key, generation, packet, Quality::ExactlyOnce),
            Ack::Pubrec => self.received(key, generation, packet),
            Ack::Pubrel => self.release(key, generation, packet),
            Ack::Pubcomp => self.arrived(key, generation, packet, Quality::ExactlyOnce),
        }
    }

    /// A message has arrived. An identifier that nothing has is passed over: it may be of an earlier connection.
    fn arrived(
        &mut self,
        key: SessionKey,
        generation: u64,
        packet: u16,
        quality: Quality,
    ) -> Result<(), Reason> {
        let session = self.linked(key, generation)?;
        let at = session.flight(packet).filter(|at| session.flights[*at].entry.quality == quality);
        let Some(flight) = at.and_then(|at| session.flights.remove(at)) else { return Ok(()) };
        if let Some(link) = &mut session.link {
            link.unsent -= usize::from(flight.unsent);
        }
        self.forget_entry(&flight.entry);
        if let Some(receipt) = flight.entry.receipt {
            receipt.acknowledge();
        }
        Ok(())
    }

    /// The receiver has a message of quality 2: it is to let go of it.
    fn received(&mut self, key: SessionKey, generation: u64, packet: u16) -> Result<(), Reason> {
        let session = self.linked(key, generation)?;
        let found =
            session.flight(packet).filter(|at| session.flights[*at].entry.quality == Quality::ExactlyOnce);
        let Some(at) = found else {
            let reason = Some(Reason::UnknownPacketIdentifier.code());
            if let Some(link) = &mut session.link {
                link.answer(0, Answer::Ack { kind: Ack::Pubrel, packet, reason });
            }
            return Ok(());
        };
        let position = session.flights[at].entry.position;
        let mut after = 0;
        if position != 0 {
            after = self.journal.note(Change::Moved { position, packet, released: true });
        }
        let session = self.linked(key, generation)?;
        let flight = &mut session.flights[at];
        flight.released = true;
        flight.after = after;
        let was_unsent = std::mem::replace(&mut flight.unsent, true);
        if let Some(link) = &mut session.link {
            link.unsent += usize::from(!was_unsent);
        }
        Ok(())
    }

    /// A client lets go of a message of quality 2 that was taken from it.
    fn release(&mut self, key: SessionKey, generation: u64, packet: u16) -> Result<(), Reason> {
        let session = self.linked(key, generation)?;
        let known = session.received.remove(&packet);
        let (name, kept) = (Arc::clone(&session.name), session.is_kept());
        let after = if known && kept { self.journal.note(Change::Released(name, packet)) } else { 0 };
        let reason = (!known).then_some(Reason::UnknownPacketIdentifier.code());
        if let Some(link) = &mut self.linked(key, generation)?.link {
            link.answer(after, Answer::Ack { kind: Ack::Pubcomp, packet, reason });
        }
        Ok(())
    }

    /// Readies an answer that promises nothing.
    pub fn answer(&mut self, key: SessionKey, generation: u64, answer: Answer) -> Result<(), Reason> {
        if let Some(link) = &mut self.linked(key, generation)?.link {
            link.answer(0, answer);
        }
        Ok(())
    }
}
