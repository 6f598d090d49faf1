//! How far groups are behind on Kafka: positions from the store, the log's end from the broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ieum_core::Timestamp;
use ieum_store::StoreError;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::context::{Trouble, listen};
use super::{FIRST_PART, KafkaLog, KafkaProblem};
use crate::storage::Failure;
use crate::{BusError, Lag};

/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How soon brokers answer if they do at all.
const SOON: Duration = Duration::from_millis(500);

/// Where one group is in one partition.
#[derive(Clone, Debug)]
struct Place {
    topic: String,
    group: String,
    partition: i32,
    position: i64,
}

/// What one group has not read.
#[derive(Clone, Copy, Debug, Default)]
struct Unread {
    events: i64,
    oldest: Option<Timestamp>,
}

impl KafkaLog {
    /// Adds what waits in Kafka to what waits in the store.
    ///
    /// # Errors
    /// Fails where the store or the broker does.
    pub(crate) async fn add_unread(&self, lags: &mut [Lag]) -> Result<(), BusError> {
        let places = self.places().await.map_err(BusError::store("reading the positions of groups"))?;
        if places.is_empty() {
            return Ok(());
        }
        let unread = self.unread(places).await;
        let unread = unread.map_err(|failure| self.failed(failure))?;
        let now = self.clock.now();
        for lag in lags {
            let Some(unread) = unread.get(&(lag.topic.clone(), lag.group.clone())) else { continue };
            lag.unread += unread.events;
            lag.oldest = lag.oldest.max(unread.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest)));
        }
        Ok(())
    }

    /// Asks whether a broker answers.
    ///
    /// # Errors
    /// [`BusError::Unreachable`].
    pub(crate) async fn ping(&self) -> Result<(), BusError> {
        let answer = tokio::select! {
            biased;
            answer = self.topics.metadata(None) => answer.map(drop),
            trouble = self.trouble() => Err(KafkaProblem::unwilling(&self.address, trouble)),
        };
        answer.map_err(|problem| self.failed(problem.failed("asking for the brokers")))
    }

    /// Returns why brokers that are there do not answer; where nothing is heard of that, never.
    async fn trouble(&self) -> Trouble {
        self.clock.sleep(SOON).await;
        let address = self.address.clone();
        let listened = tokio::task::spawn_blocking(move || listen(&address)).await;
        match listened {
            Ok(Ok(Some(trouble))) => trouble,
            _ => std::future::pending().await,
        }
    }

    fn failed(&self, failure: Failure) -> BusError {
        BusError::Unreachable { bus: self.name(), source: Arc::new(failure) }
    }

    async fn places(&self) -> Result<Vec<Place>, StoreError> {
        let sql = "SELECT topic, group_name, part, position FROM ieum_bus_slot WHERE part >= ?";
        let rows = self.store.fetch_all(sql, &[FIRST_PART.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Place {
                    topic: row.text("topic")?,
                    group: row.text("group_name")?,
                    partition: i32::try_from(row.int("part")? - FIRST_PART).unwrap_or(i32::MAX),
                    position: row.int("position")?,
                })
            })
            .collect()
    }

    async fn unread(&self, places: Vec<Place>) -> Result<BTreeMap<(String, String), Unread>, Failure> {
        let mut settings = self.address.settings();
        // The library wants a name, but only what subscribes joins a group: this disturbs nobody.
        settings.set("group.id", "ieum-lag").set("enable.auto.commit", "false");
        let looking = tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = settings.create()?;
            look(&consumer, places)
        });
        let looked = looking.await.unwrap_or(Err(KafkaError::Canceled));
        looked.map_err(|source| {
            let brokers = self.address.brokers.clone();
            KafkaProblem::Asking { brokers, source: source.into() }.failed("measuring what waits in kafka")
        })
    }
}

fn look(
    consumer: &BaseConsumer,
    places: Vec<Place>,
) -> Result<BTreeMap<(String, String), Unread>, KafkaError> {
    let mut found: BTreeMap<(String, String), Unread> = BTreeMap::new();
    let mut ends: BTreeMap<(String, i32), (i64, i64)> = BTreeMap::new();
    for place in places {
        let partition = (place.topic.clone(), place.partition);
        let (low, high) = match ends.get(&partition) {
            Some(ends) => *ends,
            None => *ends.entry(partition).or_insert(consumer.fetch_watermarks(
                &place.topic,
                place.partition,
                ANSWER,
            )?),
        };
        let unread = found.entry((place.topic.clone(), place.group.clone())).or_default();
        let from = place.position.max(low);
        if high > from {
            unread.events += high - from;
            let time = first_time(consumer, &place.topic, place.partition, from)?;
            unread.oldest = unread.oldest.into_iter().chain(time).min();
        }
    }
    Ok(found)
}

/// Returns the time of the first record from `offset` on.
fn first_time(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<Option<Timestamp>, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    consumer.assign(&list)?;
    #[allow(clippy::disallowed_methods, reason = "bounds a blocking call of the client library")]
    let give_up = Instant::now() + ANSWER;
    loop {
        #[allow(clippy::disallowed_methods, reason = "bounds a blocking call of the client library")]
        let left = give_up.saturating_duration_since(Instant::now());
        match consumer.poll(left) {
            Some(Ok(message)) if message.partition() == partition && message.topic() == topic => {
                return Ok(message.timestamp().to_millis().map(Timestamp::from_millis));
            }
            None if left.is_zero() => return Ok(None),
            Some(_) | None => {}
        }
    }
}
