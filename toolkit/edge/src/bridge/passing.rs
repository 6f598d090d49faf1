//! A connection of a bridge that stands: messages both ways, each acknowledged where it came from once it is where it
//! goes.

use std::collections::BTreeMap;
use std::convert::Infallible;

use ieum_core::describe;
use ieum_device::{ClientError, Delivery, Message};
use tokio_util::sync::CancellationToken;

use super::{Bridge, WINDOW};
use crate::ConnectError;
use crate::connection::{Connection, Greeting, Incoming};

/// Why a connection to the outside broker ended.
pub(super) enum End {
    Stopped,
    /// The embedded broker is no longer ours.
    Gone,
    Failed(String),
}

/// What is under way to the outside broker, in order.
#[derive(Default)]
pub(super) struct Flying {
    messages: BTreeMap<u64, Delivery>,
    next: u64,
}

/// While as many bytes are not written yet, nothing more is readied.
const UNSENT: usize = 256 * 1024;

impl From<ConnectError> for End {
    fn from(error: ConnectError) -> Self {
        Self::Failed(error.told_of_a_bridge().unwrap_or_else(|| describe(&error)))
    }
}

impl Bridge {
    /// Serves a connection until it ends.
    pub(super) async fn serve(
        &mut self,
        (mut connection, greeting, first): (Connection, Greeting, Vec<Incoming>),
        flying: &mut Flying,
        stop: &CancellationToken,
    ) -> End {
        // What was under way goes first, so that the order stays.
        for (number, delivery) in &flying.messages {
            if let Err(error) = self.send(&mut connection, *number, delivery, greeting.present) {
                return error.into();
            }
        }
        for incoming in first {
            if let Err(end) = self.incoming(&mut connection, incoming, flying).await {
                return end;
            }
        }
        let window = usize::from(WINDOW.min(greeting.receive).max(1));
        let Err(end) = self.pass(&mut connection, window, flying, stop).await;
        if matches!(end, End::Stopped) {
            connection.close().await;
        }
        end
    }

    /// Passes messages both ways, at most `window` of them under way to the outside.
    async fn pass(
        &mut self,
        connection: &mut Connection,
        window: usize,
        flying: &mut Flying,
        stop: &CancellationToken,
    ) -> Result<Infallible, End> {
        loop {
            let has_room = flying.messages.len() < window && connection.unsent() < UNSENT;
            tokio::select! {
                incoming = connection.next() => self.incoming(connection, incoming?, flying).await?,
                delivery = self.client.next(), if has_room => {
                    let delivery = delivery.map_err(|_| End::Gone)?;
                    flying.next += 1;
                    let number = flying.next;
                    let sent = self.send(connection, number, &delivery, false);
                    flying.messages.insert(number, delivery);
                    sent?;
                }
                () = stop.cancelled() => return Err(End::Stopped),
            }
        }
    }

    fn send(
        &self,
        connection: &mut Connection,
        number: u64,
        delivery: &Delivery,
        again: bool,
    ) -> Result<(), ConnectError> {
        let message = &delivery.message;
        let topic = format!("{}{}", self.options.prefix, message.topic);
        connection.publish(number_of(number), &topic, &message.payload, (message.retain, again))
    }

    async fn incoming(
        &self,
        connection: &mut Connection,
        incoming: Incoming,
        flying: &mut Flying,
    ) -> Result<(), End> {
        let (id, refusal) = match incoming {
            Incoming::Message { topic, payload, retain, id, .. } => {
                if let Some(here) = topic.strip_prefix(&self.options.prefix) {
                    self.publish(here, payload, retain).await?;
                }
                if let Some(id) = id {
                    connection.acknowledge(id);
                }
                return Ok(());
            }
            Incoming::Taken { id } => (id, None),
            Incoming::Refused { id, refusal } => (id, Some(refusal)),
        };
        let Some(number) = flying.messages.keys().copied().find(|number| number_of(*number) == id) else {
            return Ok(());
        };
        match refusal {
            // Sent again, with all that came after it, once there is a new connection.
            Some(refusal) if refusal.may_pass() => return Err(End::Failed(refusal.to_string())),
            Some(refusal) => {
                metrics::counter!("ieum_device_bridge_total", "way" => "refused").increment(1);
                let topic = flying.messages.get(&number).map(|delivery| delivery.message.topic.to_string());
                tracing::warn!(topic, refusal = %refusal, "the outside broker refuses a message for good");
            }
            None => metrics::counter!("ieum_device_bridge_total", "way" => "out").increment(1),
        }
        if let Some(delivery) = flying.messages.remove(&number) {
            self.client.acknowledge(&delivery).map_err(|_| End::Gone)?;
        }
        Ok(())
    }

    /// Publishes here what came from there. Returns once it is with everybody who is to have it.
    async fn publish(&self, topic: &str, payload: bytes::Bytes, retain: bool) -> Result<(), End> {
        let mut message = Message::new(topic, payload);
        message.retain = retain;
        match self.client.publish(message).await {
            Ok(()) => {
                metrics::counter!("ieum_device_bridge_total", "way" => "in").increment(1);
                Ok(())
            }
            Err(ClientError::Gone) => Err(End::Gone),
            // It comes again on the next connection, once there may be room.
            Err(error @ ClientError::Full { .. }) => Err(End::Failed(error.to_string())),
            Err(error) => {
                tracing::warn!(error = %error, "a message from the outside broker is passed over");
                Ok(())
            }
        }
    }
}

/// Returns a message's number in packets.
fn number_of(number: u64) -> u16 {
    u16::try_from(number % 65_534).unwrap_or_default() + 1
}
