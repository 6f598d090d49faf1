//! Apache Kafka as the log: published events go to a broker, what groups know stays in the SQL store.
//!
//! The store remembers per group and partition how far it is, in the transaction of the effects. That position
//! is the truth; the offsets committed to Kafka follow it, for Kafka's own tools.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{SharedClock, Timestamp, describe};
use ieum_store::Store;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::log::Log;
use crate::storage::{Entry, Failure};
use crate::{Refusal, sql};
use address::Address;
use context::Trouble;
use sending::{Batches, Sender};
use topics::Topics;

mod address;
mod assignment;
mod context;
mod lag;
mod member;
mod record;
mod relay;
mod search;
mod sending;
mod topics;

pub(crate) use member::GroupMember;

/// From where on the store numbers the partitions of Kafka, so that positions of the local log and of Kafka
/// never mix in one store.
pub(crate) const FIRST_PART: i64 = 1 << 20;
/// How many records are handed to the client library before their acknowledgements are awaited.
const MOST_QUEUED: usize = 10_000;

/// A Kafka cluster that events are published to.
pub(crate) struct KafkaLog {
    address: Address,
    store: Store,
    clock: SharedClock,
    topics: Topics,
    sender: Sender,
}

/// Why the broker did not do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaProblem {
    #[error("making a client of kafka at {brokers}")]
    Client {
        brokers: String,
        #[source]
        source: Box<KafkaError>,
    },
    #[error("kafka at {brokers} did not answer within {waited:?}")]
    NoAnswer { brokers: String, waited: Duration },
    #[error("kafka at {brokers} did not take an event of topic {topic}")]
    NotTaken {
        brokers: String,
        topic: String,
        #[source]
        source: Box<KafkaError>,
    },
    #[error("kafka at {brokers} has no topic {topic} and did not create it: {problem}")]
    NoTopic { brokers: String, topic: String, problem: String, code: Option<RDKafkaErrorCode> },
    #[error("talking to kafka at {brokers}{user}")]
    Unwilling {
        brokers: String,
        /// As whom, in words.
        user: String,
        #[source]
        source: Trouble,
    },
    #[error("asking kafka at {brokers}")]
    Asking {
        brokers: String,
        #[source]
        source: Box<KafkaError>,
    },
}

/// Checks the URL of a Kafka bus without connecting.
pub(crate) fn check(url: &str) -> Result<(), String> {
    Address::parse(url).map(drop)
}

// === KafkaLog ===

impl KafkaLog {
    /// Makes the clients; nothing is sent yet.
    pub(crate) fn open(
        url: &str,
        store: Store,
        clock: SharedClock,
        patience: Duration,
    ) -> Result<Self, String> {
        let address = Address::parse(url)?;
        let topics = Topics::new(&address, clock.clone()).map_err(|error| error.to_string())?;
        let sender = Sender::new(address.clone(), clock.clone(), patience);
        Ok(Self { address, store, clock, topics, sender })
    }

    /// Names the brokers as they were given.
    pub(crate) fn name(&self) -> String {
        self.address.name()
    }

    /// Returns why an entry is refused, as far as that is known without asking.
    pub(crate) fn known_refusal(&self, kind: &str, entry: &Entry) -> Option<Refusal> {
        let limit = self.topics.limit(&entry.topic);
        record::size_above(entry, limit).map(|size| Refusal::TooLarge {
            kind: kind.to_owned(),
            topic: entry.topic.clone(),
            bus: self.name(),
            size,
            limit,
        })
    }

    /// Asks anew what a topic takes.
    pub(crate) async fn look_again(&self, topic: &str) {
        self.topics.look_again(topic).await;
    }

    /// Says why entries of a topic cannot be sent at all, or how they can.
    async fn prepare(&self, topic: &str, entries: &[&Entry]) -> Result<Result<Batches, String>, Failure> {
        let mut limit = match self.topics.ensure(topic).await {
            Ok(limit) => limit,
            Err(problem) if problem.code().is_some_and(is_refusal) => return Ok(Err(describe(&problem))),
            Err(problem) => return Err(problem.failed("creating a topic")),
        };
        let known = self.topics.limit(topic);
        if entries.iter().any(|entry| record::size_above(entry, known).is_some()) {
            self.topics.look_again(topic).await;
            let again = self.topics.ensure(topic).await;
            limit = again.map_err(|problem| problem.failed("asking what a topic takes"))?;
        }
        Ok(Ok(limit.map_or(Batches::Single, Batches::UpTo)))
    }

    /// Says what the broker refused an entry for.
    fn refusal(&self, entry: &Entry, code: RDKafkaErrorCode) -> Refusal {
        use RDKafkaErrorCode::{MessageBatchTooLarge, MessageSizeTooLarge, TopicAuthorizationFailed};
        let kind = record::Traced::of(&entry.body).kind;
        let (topic, bus, problem) = (entry.topic.clone(), self.name(), code.to_string());
        if code == TopicAuthorizationFailed {
            return Refusal::Forbidden { kind, topic, bus, problem };
        }
        let too_large = matches!(code, MessageSizeTooLarge | MessageBatchTooLarge);
        let advice =
            "; raise the topic's max.message.bytes, or keep the data elsewhere and publish where it is";
        let problem = if too_large { problem + advice } else { problem };
        let size = record::size_above(entry, 0).unwrap_or_default();
        Refusal::Refused { kind, topic, bus, size, problem }
    }

    /// Sends entries whose topics are there. What is refused joins `refused`.
    async fn send(
        &self,
        batches: Batches,
        entries: &[(usize, &Entry)],
        refused: &mut Vec<(usize, Refusal)>,
    ) -> Result<(), Failure> {
        for chunk in entries.chunks(MOST_QUEUED) {
            let bare: Vec<&Entry> = chunk.iter().map(|(_, entry)| *entry).collect();
            let sent = self.sender.send(&bare, batches).await.map_err(|problem| {
                if problem.is_missing_topic() {
                    bare.iter().for_each(|entry| self.topics.forget(&entry.topic));
                }
                problem.failed("sending to kafka")
            })?;
            for (place, code) in sent {
                let (index, entry) = chunk[place];
                // What was known of the topic was wrong.
                self.topics.forget(&entry.topic);
                refused.push((index, self.refusal(entry, code)));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Log for KafkaLog {
    async fn write(&self, entries: &[Entry], _now: Timestamp) -> Result<Vec<(usize, Refusal)>, Failure> {
        let mut topics: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        entries.iter().for_each(|entry| topics.entry(&entry.topic).or_default().push(entry));
        let mut ways = BTreeMap::new();
        for (topic, entries) in topics {
            ways.insert(topic, self.prepare(topic, &entries).await?);
        }
        let mut refused = Vec::new();
        let mut sendings: BTreeMap<Batches, Vec<(usize, &Entry)>> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let kind = || record::Traced::of(&entry.body).kind;
            match &ways[entry.topic.as_str()] {
                Err(problem) => {
                    let (topic, problem) = (entry.topic.clone(), problem.clone());
                    let refusal = Refusal::Forbidden { kind: kind(), topic, bus: self.name(), problem };
                    refused.push((index, refusal));
                }
                Ok(batches) => match self.known_refusal("", entry) {
                    Some(Refusal::TooLarge { topic, bus, size, limit, .. }) => {
                        refused.push((index, Refusal::TooLarge { kind: kind(), topic, bus, size, limit }));
                    }
                    _ => sendings.entry(*batches).or_default().push((index, entry)),
                },
            }
        }
        for (batches, entries) in sendings {
            self.send(batches, &entries, &mut refused).await?;
        }
        Ok(refused)
    }

    async fn empty_outbox(&self, limit: usize, now: Timestamp) -> Result<usize, Failure> {
        self.relay(limit, now).await
    }

    async fn is_outbox_waiting(&self) -> Result<bool, Failure> {
        let looking = "looking into the outbox";
        let waits = sql::outbox_waits(&self.store).await.map_err(sql::failed(looking))?;
        if waits {
            return Ok(true);
        }
        sql::is_outbox_asked(&self.store).await.map_err(sql::failed(looking))
    }
}

/// Tells whether a broker that answers so about a record or its topic would always do so.
pub(super) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        InvalidMessageSize, InvalidRecord, InvalidTimestamp, InvalidTopic, MessageBatchTooLarge,
        MessageSizeTooLarge, PolicyViolation, TopicAuthorizationFailed,
    };
    matches!(
        code,
        InvalidMessageSize
            | InvalidRecord
            | InvalidTimestamp
            | InvalidTopic
            | MessageBatchTooLarge
            | MessageSizeTooLarge
            | PolicyViolation
            | TopicAuthorizationFailed
    )
}

// === KafkaProblem ===

impl KafkaProblem {
    fn unwilling(address: &Address, source: Trouble) -> Self {
        let user = address.user().map_or(String::new(), |user| format!(" as {user:?}"));
        Self::Unwilling { brokers: address.brokers.clone(), user, source }
    }

    fn failed(self, step: &'static str) -> Failure {
        Failure { step, retryable: self.is_retryable(), cause: Box::new(self) }
    }

    fn code(&self) -> Option<RDKafkaErrorCode> {
        match self {
            Self::NotTaken { source, .. } | Self::Asking { source, .. } => source.rdkafka_error_code(),
            Self::NoTopic { code, .. } => *code,
            Self::Client { .. } | Self::NoAnswer { .. } | Self::Unwilling { .. } => None,
        }
    }

    fn is_missing_topic(&self) -> bool {
        use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
        matches!(self.code(), Some(UnknownTopic | UnknownTopicOrPartition | UnknownPartition))
    }

    fn is_retryable(&self) -> bool {
        let for_good = self
            .code()
            .is_some_and(|code| code == RDKafkaErrorCode::ClusterAuthorizationFailed || is_refusal(code));
        !for_good && !matches!(self, Self::Client { .. })
    }
}
