//! What arrives on a connection: packets, decided about as far as that needs no lock, then acted upon within the hub's.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::Timestamp;

use super::Connection;
use crate::Message;
use crate::hub::{Departure, Hub, Incoming};
use crate::packet::{Ack, Packet, Publish, Reason, Requested, Version, next_frame, read};
use crate::session::Answer;

/// What a packet asks of the hub, after all that needs no lock is decided.
pub(super) enum Action {
    Publish(Incoming),
    Acknowledge(Ack, u16, bool),
    Subscribe(u16, Vec<(Requested, Option<Reason>)>),
    Unsubscribe(u16, Vec<String>),
    Ping,
}

impl<S> Connection<S> {
    /// Reads packets as far as they are whole. What came before a mistake is still acted upon.
    pub(super) fn read_actions(
        &mut self,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Result<Option<Departure>, Reason> {
        let most = self.shared.limits.packet as usize;
        while let Some(frame) = next_frame(&mut self.inbound, most)? {
            let action = match read(self.version, &frame)? {
                Packet::Publish(publish) => Action::Publish(self.incoming(publish, now)?),
                Packet::Acknowledge { kind, id, failed } => Action::Acknowledge(kind, id, failed),
                Packet::Subscribe(subscribe) => {
                    let decide = |requested: Requested| {
                        let refused = self.permissions.subscribe(&requested.filter).err();
                        (requested, refused)
                    };
                    Action::Subscribe(subscribe.id, subscribe.entries.into_iter().map(decide).collect())
                }
                Packet::Unsubscribe { id, filters } => Action::Unsubscribe(id, filters),
                Packet::Ping => Action::Ping,
                Packet::Disconnect { without_will, expiry } => {
                    // MQTT 5 §3.14.2.2.2: a session that was to end now cannot be prolonged.
                    if self.ends_with_connection && expiry.is_some_and(|seconds| seconds > 0) {
                        return Err(Reason::ProtocolError);
                    }
                    return Ok(Some(Departure::Disconnect { without_will, expiry }));
                }
            };
            actions.push(action);
        }
        Ok(None)
    }

    /// Resolves the alias of a PUBLISH and decides whether it may be published.
    fn incoming(&mut self, publish: Publish, now: Timestamp) -> Result<Incoming, Reason> {
        let topic = match publish.alias {
            None => publish.topic,
            Some(alias) if alias > self.shared.limits.aliases => return Err(Reason::TopicAliasInvalid),
            Some(alias) if publish.topic.is_empty() => {
                let known = self.aliases.get(&alias).ok_or(Reason::TopicAliasInvalid)?;
                Arc::clone(known)
            }
            Some(alias) => {
                self.aliases.insert(alias, Arc::clone(&publish.topic));
                publish.topic
            }
        };
        let refused = self.permissions.publish(&topic).err();
        if let Some(reason) = refused {
            self.shared.counters.refused_message(&topic, reason);
            // Without a reason code in the answer, the end of the connection is the only no there is.
            if self.version == Version::V4 || publish.id == 0 {
                self.counted = true;
                return Err(reason);
            }
        }
        self.shared.counters.received(&topic, publish.payload.len());
        let message = Message {
            topic,
            payload: publish.payload,
            quality: publish.quality,
            retain: publish.retain,
            expires_at: publish.expiry.map(|seconds| now + Duration::from_secs(seconds.into())),
            properties: publish.properties,
        };
        Ok(Incoming { message: Arc::new(message), packet: publish.id, refused })
    }
}

/// Does what a packet asks.
pub(super) fn act(
    hub: &mut Hub,
    key: u32,
    generation: u64,
    action: Action,
    now: Timestamp,
) -> Result<(), Reason> {
    match action {
        Action::Publish(incoming) => hub.receive(key, generation, &incoming, now),
        Action::Acknowledge(kind, id, failed) => hub.acknowledge(key, generation, kind, id, failed),
        Action::Subscribe(id, entries) => hub.subscribe(key, generation, id, &entries, now),
        Action::Unsubscribe(id, filters) => hub.unsubscribe(key, generation, id, &filters),
        Action::Ping => hub.answer(key, generation, Answer::Pong),
    }
}
