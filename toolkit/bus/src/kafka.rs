//! Apache Kafka as the log: published events go to a broker, what groups know stays in the SQL store.
//!
//! The store remembers per group and partition how far it is, in the transaction of the effects. That position
//! is the truth; the offsets committed to Kafka follow it, for Kafka's own tools.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{SharedClock, Timestamp};
use ieum_store::Store;
use parking_lot::Mutex;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer, PurgeConfig};

use crate::log::Log;
use crate::sql;
use crate::storage::{Entry, Failure};
use address::Address;
use context::Quiet;
use topics::Topics;

mod address;
mod assignment;
mod context;
mod lag;
mod member;
mod record;
mod topics;

pub(crate) use member::GroupMember;

/// From where on the store numbers the partitions of Kafka, so that positions of the local log and of Kafka
/// never mix in one store.
pub(crate) const FIRST_PART: i64 = 1 << 20;
/// The longest key and body that are taken, in bytes: what brokers take by default, less room for headers.
pub(crate) const LONGEST_RECORD: usize = 1_000_000;
/// How many records are handed to the client library before their acknowledgements are awaited.
const MOST_QUEUED: usize = 10_000;

/// A Kafka cluster that events are published to.
pub(crate) struct KafkaLog {
    address: Address,
    store: Store,
    clock: SharedClock,
    topics: Topics,
    producer: Mutex<Option<FutureProducer<Quiet>>>,
    /// How long acknowledgements are awaited.
    patience: Duration,
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
    NoTopic { brokers: String, topic: String, problem: String },
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
        Ok(Self { address, store, clock, topics, producer: Mutex::new(None), patience })
    }

    /// Names the brokers as they were given.
    pub(crate) fn name(&self) -> String {
        format!("kafka://{}", self.address.brokers)
    }

    fn producer(&self) -> Result<FutureProducer<Quiet>, KafkaProblem> {
        let mut producer = self.producer.lock();
        if let Some(producer) = &*producer {
            return Ok(producer.clone());
        }
        let mut settings = self.address.settings();
        settings
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // Java's choice, so that other clients find the same partition for a key.
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "1")
            // Never given up one by one, which could let a later event of a key pass an earlier one: after
            // our own patience all that waits is dropped together.
            .set("message.timeout.ms", "0");
        let made = settings.create_with_context(Quiet);
        let made: FutureProducer<Quiet> = made.map_err(|source| self.client_problem(source))?;
        Ok(producer.insert(made).clone())
    }

    fn client_problem(&self, source: KafkaError) -> KafkaProblem {
        KafkaProblem::Client { brokers: self.address.brokers.clone(), source: source.into() }
    }

    /// Sends entries and waits for the acknowledgement of each.
    async fn send(&self, entries: &[Entry]) -> Result<(), Failure> {
        let producer = self.producer().map_err(|problem| problem.failed("opening a producer"))?;
        let sent = tokio::select! {
            biased;
            sent = self.send_all(&producer, entries) => sent,
            () = self.clock.sleep(self.patience) => Err(KafkaProblem::NoAnswer {
                brokers: self.address.brokers.clone(),
                waited: self.patience,
            }),
        };
        sent.map_err(|problem| {
            *self.producer.lock() = None;
            discard(producer);
            if problem.is_missing_topic() {
                entries.iter().for_each(|entry| self.topics.forget(&entry.topic));
            }
            problem.failed("sending to kafka")
        })
    }

    async fn send_all(
        &self,
        producer: &FutureProducer<Quiet>,
        entries: &[Entry],
    ) -> Result<(), KafkaProblem> {
        let mut waiting: Vec<(&str, DeliveryFuture)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let record: FutureRecord<'_, str, str> = FutureRecord::to(&entry.topic)
                .key(entry.key.as_str())
                .payload(entry.body.as_str())
                .headers(record::headers(&entry.body));
            let queued = producer.send_result(record);
            let queued = queued.map_err(|(source, _)| self.not_taken(&entry.topic, source))?;
            waiting.push((&entry.topic, queued));
        }
        for (topic, delivery) in waiting {
            let canceled = |_| self.not_taken(topic, KafkaError::Canceled);
            delivery.await.map_err(canceled)?.map_err(|(source, _)| self.not_taken(topic, source))?;
        }
        Ok(())
    }

    fn not_taken(&self, topic: &str, source: KafkaError) -> KafkaProblem {
        KafkaProblem::NotTaken {
            brokers: self.address.brokers.clone(),
            topic: topic.to_owned(),
            source: source.into(),
        }
    }
}

#[async_trait]
impl Log for KafkaLog {
    async fn write(&self, entries: &[Entry], _now: Timestamp) -> Result<(), Failure> {
        let topics: BTreeSet<&str> = entries.iter().map(|entry| entry.topic.as_str()).collect();
        for topic in topics {
            self.topics.ensure(topic).await.map_err(|problem| problem.failed("creating a topic"))?;
        }
        for chunk in entries.chunks(MOST_QUEUED) {
            self.send(chunk).await?;
        }
        Ok(())
    }

    /// Sends the oldest rows and then removes them. No transaction is open while the broker works, so two
    /// relays may send a row twice, and so may one that ends in between: each sends in order, so the first
    /// copies stand in order.
    async fn empty_outbox(&self, limit: usize, now: Timestamp) -> Result<usize, Failure> {
        let failed = sql::failed;
        let reading = "reading the outbox";
        let mut tx = self.store.begin().await.map_err(failed(reading))?;
        let rows = sql::outbox_rows(&mut tx, limit).await.map_err(failed(reading))?;
        tx.rollback().await.map_err(failed(reading))?;
        let (ids, entries): (Vec<i64>, Vec<Entry>) = rows.into_iter().unzip();
        self.write(&entries, now).await?;
        let emptying = "emptying the outbox";
        let mut tx = self.store.begin_write().await.map_err(failed(emptying))?;
        sql::remove_outbox(&mut tx, &ids).await.map_err(failed(emptying))?;
        tx.commit().await.map_err(failed(emptying))?;
        Ok(ids.len())
    }

    async fn is_outbox_waiting(&self) -> Result<bool, Failure> {
        sql::outbox_waits(&self.store).await.map_err(sql::failed("looking into the outbox"))
    }
}

/// Ends a producer with all that waits in it. Ending takes a while, so it has a thread of its own.
fn discard(producer: FutureProducer<Quiet>) {
    std::thread::spawn(move || {
        producer.purge(PurgeConfig::default().queue().inflight());
        drop(producer);
    });
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.lock().take() {
            discard(producer);
        }
    }
}

// === KafkaProblem ===

impl KafkaProblem {
    fn failed(self, step: &'static str) -> Failure {
        Failure { step, retryable: self.is_retryable(), cause: Box::new(self) }
    }

    fn code(&self) -> Option<RDKafkaErrorCode> {
        match self {
            Self::NotTaken { source, .. } | Self::Asking { source, .. } => source.rdkafka_error_code(),
            Self::Client { .. } | Self::NoAnswer { .. } | Self::NoTopic { .. } => None,
        }
    }

    fn is_missing_topic(&self) -> bool {
        use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
        matches!(self.code(), Some(UnknownTopic | UnknownTopicOrPartition | UnknownPartition))
    }

    fn is_retryable(&self) -> bool {
        use RDKafkaErrorCode::{
            ClusterAuthorizationFailed, InvalidMessageSize, InvalidRecord, InvalidTopic, MessageSizeTooLarge,
            TopicAuthorizationFailed,
        };
        let for_good = matches!(
            self.code(),
            Some(
                ClusterAuthorizationFailed
                    | InvalidMessageSize
                    | InvalidRecord
                    | InvalidTopic
                    | MessageSizeTooLarge
                    | TopicAuthorizationFailed
            )
        );
        !for_good && !matches!(self, Self::Client { .. })
    }
}
