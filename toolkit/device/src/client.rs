//! A client within this process: the platform itself publishes and subscribes without a socket.

use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::RetainHandling;
use tokio::sync::Notify;

use crate::hub::{Departure, Hello, Taker};
use crate::packet::{Ack, Reason, Requested, Version};
use crate::router::SessionKey;
use crate::state::State;
use crate::topic::{self, Options, read_filter};
use crate::{Message, Quality};

/// Who owns the sessions of clients in this process. No device can be called so.
pub(crate) const PLATFORM: &str = "$platform";

/// How a client within this process is attached.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Whether its subscriptions and what waits for it outlive it, and the process.
    pub kept: bool,
    /// The most messages that it is handed before it acknowledges the first. While as many more wait as a queue
    /// holds, who publishes to it is refused: nothing is dropped.
    pub inflight: u16,
}

/// What happens where a client within this process does not keep up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Temper {
    /// Who publishes is refused once its queue is full.
    Strict,
    /// So is whoever publishes more to one topic than is left of its window.
    Fair,
    /// Its oldest message makes room.
    MayMiss,
}

/// A client within this process. Dropping it ends its connection.
pub struct Client {
    state: Arc<State>,
    key: SessionKey,
    generation: u64,
    wake: Arc<Notify>,
}

/// A message that was published, and is not synced yet.
#[derive(Debug)]
pub struct Published {
    /// Who took it: it is in their queues. Who has no more room for it, or is away without a session, did not.
    pub takers: Vec<Taker>,
    number: u64,
}

/// A message that was handed over.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The message.
    pub message: Arc<Message>,
    /// It may have been handed over before.
    pub again: bool,
    packet: Option<u16>,
}

/// Why a client within this process cannot go on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nothing can be published there.
    #[error("publishing to {topic:?}: it is no topic name")]
    Topic {
        /// The topic.
        topic: String,
    },
    /// Nothing can be subscribed to there.
    #[error("subscribing to {filter:?}: it is no topic filter")]
    Filter {
        /// The filter.
        filter: String,
    },
    /// Somebody who must not miss anything has no more room.
    #[error("publishing to {topic:?}: a subscriber has no more room; try again when it has caught up")]
    Full {
        /// The topic.
        topic: String,
    },
    /// Another client took its name, or the broker has ended.
    #[error("using the broker as a client that is no longer attached")]
    Gone,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { kept: false, inflight: 100 }
    }
}

impl Client {
    pub(crate) fn attach(state: Arc<State>, name: &str, options: &ClientOptions, temper: Temper) -> Self {
        let hello = Hello {
            owner: PLATFORM.into(),
            credential: None,
            client: name.into(),
            version: Version::V5,
            clean_start: !options.kept,
            expiry: if options.kept { u32::MAX } else { 0 },
            receive_maximum: options.inflight,
            packet_maximum: u32::MAX,
            alias_maximum: 0,
            will: None,
            strict: temper != Temper::MayMiss,
            fair: temper == Temper::Fair,
        };
        let now = state.clock.now();
        let attached = state.with(|hub| hub.attach(hello, now));
        Self { state, key: attached.key, generation: attached.generation, wake: attached.wake }
    }

    /// Publishes a message and returns once it is with everybody who is to have it: queued, and synced where
    /// somebody's session outlives the process.
    ///
    /// # Errors
    /// A topic that is none, or a subscriber with no more room who must not miss anything.
    pub async fn publish(&self, message: Message) -> Result<(), ClientError> {
        self.settled(&self.put(message)?).await
    }

    /// Publishes a message at once and tells who took it; it is safe once [`Client::settled`] returns. What is put
    /// first is first in every queue.
    ///
    /// # Errors
    /// As [`Client::publish`].
    pub fn put(&self, message: Message) -> Result<Published, ClientError> {
        if !topic::is_name(&message.topic) {
            return Err(ClientError::Topic { topic: message.topic.to_string() });
        }
        let now = self.state.clock.now();
        let topic = Arc::clone(&message.topic);
        let put = self.state.with(|hub| hub.put(self.key, &Arc::new(message), now));
        let (number, takers) = put.map_err(|_| ClientError::Full { topic: topic.to_string() })?;
        Ok(Published { takers, number })
    }

    /// Waits until a message is synced where somebody's session outlives the process.
    ///
    /// # Errors
    /// A broker that has ended.
    pub async fn settled(&self, published: &Published) -> Result<(), ClientError> {
        self.synced(published.number).await
    }

    /// Subscribes to a filter. What was kept for it is handed over first.
    ///
    /// # Errors
    /// A filter that is none, or a client that is no longer attached.
    pub async fn subscribe(&self, filter: &str, quality: Quality) -> Result<(), ClientError> {
        self.subscribe_as(filter, quality, false, RetainHandling::SendRetained).await
    }

    /// Subscribes to a filter for what is published from now on, retained or not. What was kept for it is not handed
    /// over: who carries out what it is told does so once, however often it comes back.
    ///
    /// # Errors
    /// A filter that is none, or a client that is no longer attached.
    pub async fn subscribe_from_now_on(&self, filter: &str, quality: Quality) -> Result<(), ClientError> {
        self.subscribe_as(filter, quality, false, RetainHandling::DoNotSendRetained).await
    }

    /// Subscribes to a filter for what others publish: what this client does never comes back to it. What was kept is
    /// handed over once, with a subscription that its session did not have.
    ///
    /// # Errors
    /// A filter that is none, or a client that is no longer attached.
    pub async fn subscribe_to_others(&self, filter: &str, quality: Quality) -> Result<(), ClientError> {
        self.subscribe_as(filter, quality, true, RetainHandling::SendRetainedIfNotExists).await
    }

    async fn subscribe_as(
        &self,
        filter: &str,
        quality: Quality,
        no_local: bool,
        retained: RetainHandling,
    ) -> Result<(), ClientError> {
        if read_filter(filter).is_none() {
            return Err(ClientError::Filter { filter: filter.to_owned() });
        }
        let options = Options { quality, no_local, retain_as_published: true, identifier: 0 };
        let requested = Requested { filter: filter.to_owned(), options, retained };
        let now = self.state.clock.now();
        let noted = self.state.with(|hub| {
            hub.subscribe(self.key, self.generation, 1, &[(requested, None)], now)?;
            Ok::<_, Reason>(hub.journal.noted())
        });
        self.synced(noted.map_err(|_| ClientError::Gone)?).await
    }

    /// Returns the filters that it is subscribed to, those of its session of before included.
    pub fn subscriptions(&self) -> Vec<String> {
        self.state.with(|hub| hub.filters_of(self.key, self.generation))
    }

    async fn synced(&self, number: u64) -> Result<(), ClientError> {
        if self.state.until_synced(number).await { Ok(()) } else { Err(ClientError::Gone) }
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// A client that is no longer attached.
    pub fn unsubscribe(&self, filter: &str) -> Result<(), ClientError> {
        let filters = [filter.to_owned()];
        let done = self.state.with(|hub| hub.unsubscribe(self.key, self.generation, 1, &filters));
        done.map_err(|_| ClientError::Gone)
    }

    /// Waits for the next message. One of quality 1 or 2 is to be acknowledged: while as many as the options allow
    /// are not, nothing more is handed over.
    ///
    /// # Errors
    /// A client that is no longer attached.
    pub async fn next(&mut self) -> Result<Delivery, ClientError> {
        loop {
            let now = self.state.clock.now();
            let handed = self.state.with(|hub| hub.hand(self.key, self.generation, now));
            if let Some((message, packet, again)) = handed.map_err(|_| ClientError::Gone)? {
                return Ok(Delivery { message, again, packet });
            }
            self.wake.notified().await;
        }
    }

    /// Tells that a message is dealt with and need not be handed over again.
    ///
    /// # Errors
    /// A client that is no longer attached: the message is handed to its successor.
    pub fn acknowledge(&self, delivery: &Delivery) -> Result<(), ClientError> {
        let Some(packet) = delivery.packet else { return Ok(()) };
        let done = self.state.with(|hub| {
            // An identifier is of quality 1 or 2; the other is passed over.
            hub.acknowledge(self.key, self.generation, Ack::Puback, packet, false)?;
            hub.acknowledge(self.key, self.generation, Ack::Pubcomp, packet, false)
        });
        // There may be room for the next one now.
        self.wake.notify_one();
        done.map_err(|_| ClientError::Gone)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let now = self.state.clock.now();
        let departure = Departure::Disconnect { without_will: true, expiry: None };
        self.state.with(|hub| hub.detach(self.key, self.generation, departure, now));
        self.state.left.notify_one();
    }
}
