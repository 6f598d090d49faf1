//! Looking for one event in Kafka's log: from the time that its id tells, else among the newest records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ieum_core::{Timestamp, describe};
use ieum_store::StoreError;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::record::Record;
use super::{FIRST_PART, KafkaLog, KafkaProblem};
use crate::LogSearch;

/// How many records one search reads at most.
const MOST_SEARCHED: u64 = 100_000;
/// How long one search takes at most.
const LONGEST_SEARCH: Duration = Duration::from_secs(20);
/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How far clocks of publishers and brokers may differ.
const SKEW: Duration = Duration::from_secs(60);

/// A record that is the event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub at: Timestamp,
}

/// What one search has in hand.
struct Search {
    consumer: BaseConsumer,
    event_id: String,
    /// As it stands in JSON.
    needle: String,
    give_up: Instant,
    report: LogSearch,
    found: Vec<Found>,
}

/// How much of a topic was searched.
#[derive(PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

// === KafkaLog ===

impl KafkaLog {
    /// Searches the topics that this store or this process knows. A broker that does not answer is reported, and
    /// is no error: what the store knows is worth telling.
    pub(crate) async fn search(
        &self,
        event_id: &str,
        made_at: Option<Timestamp>,
    ) -> Result<(Vec<Found>, LogSearch), StoreError> {
        let topics = self.searched_topics().await?;
        let since = made_at.map(|made| made - SKEW);
        let report =
            LogSearch { bus: self.name(), topics, since, limit: MOST_SEARCHED, ..LogSearch::default() };
        let (mut settings, id, begun) = (self.address.settings(), event_id.to_owned(), report.clone());
        // The library wants a name, but only what subscribes joins a group: this disturbs nobody.
        settings
            .set("group.id", "ieum-where")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true");
        let searching = tokio::task::spawn_blocking(move || {
            let mut search = Search::new(settings.create()?, id, begun);
            search.run()?;
            Ok::<_, KafkaError>((search.found, search.report))
        });
        let searched = searching.await.unwrap_or(Err(KafkaError::Canceled));
        Ok(searched.unwrap_or_else(|source| {
            let brokers = self.address.brokers.clone();
            let problem = describe(&KafkaProblem::Asking { brokers, source: source.into() });
            (Vec::new(), LogSearch { problem: Some(problem), ..report })
        }))
    }

    /// Returns which groups have not read the record yet.
    pub(crate) async fn waiting(&self, found: &Found) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT group_name FROM ieum_bus_slot WHERE topic = ? AND part = ? AND position <= ?";
        let part = FIRST_PART + i64::from(found.partition);
        let values = [found.topic.as_str().into(), part.into(), found.offset.into()];
        self.store.fetch_all(sql, &values).await?.iter().map(|row| row.text("group_name")).collect()
    }

    async fn searched_topics(&self) -> Result<Vec<String>, StoreError> {
        let mut topics: BTreeSet<String> = self.topics.known().into_iter().collect();
        let sql = "SELECT DISTINCT topic FROM ieum_bus_slot WHERE part >= ?";
        for row in self.store.fetch_all(sql, &[FIRST_PART.into()]).await? {
            topics.insert(row.text("topic")?);
        }
        Ok(topics.into_iter().collect())
    }
}

// === Search ===

impl Search {
    fn new(consumer: BaseConsumer, event_id: String, report: LogSearch) -> Self {
        let quoted = serde_json::Value::from(event_id.as_str()).to_string();
        let needle = quoted.trim_matches('"').to_owned();
        #[allow(clippy::disallowed_methods, reason = "bounds blocking calls of the client library")]
        let give_up = Instant::now() + LONGEST_SEARCH;
        Self { consumer, event_id, needle, give_up, report, found: Vec::new() }
    }

    /// Searches topic by topic; blocks.
    fn run(&mut self) -> KafkaResult<()> {
        let topics = self.report.topics.clone();
        let share = MOST_SEARCHED / u64::try_from(topics.len().max(1)).unwrap_or(1);
        self.report.whole = true;
        for topic in topics {
            if self.topic(&topic, share.max(1))? == Extent::Part {
                self.report.whole = false;
            }
        }
        Ok(())
    }

    /// Reads a topic until the event, its end or the limit comes.
    fn topic(&mut self, topic: &str, limit: u64) -> KafkaResult<Extent> {
        let metadata = self.consumer.fetch_metadata(Some(topic), ANSWER)?;
        let partitions: Vec<i32> = metadata
            .topics()
            .iter()
            .flat_map(|topic| topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id))
            .collect();
        let (list, mut ends, mut extent) = self.places(topic, &partitions, limit)?;
        self.consumer.assign(&list)?;
        let mut read = 0;
        while !ends.is_empty() {
            #[allow(clippy::disallowed_methods, reason = "bounds blocking calls of the client library")]
            let left = self.give_up.saturating_duration_since(Instant::now());
            if read >= limit || left.is_zero() {
                extent = Extent::Part;
                break;
            }
            let record = match self.consumer.poll(left.min(ANSWER)) {
                Some(Ok(message)) if message.topic() == topic => {
                    read += 1;
                    let end = ends.get(&message.partition()).copied().unwrap_or_default();
                    if message.offset() + 1 >= end {
                        ends.remove(&message.partition());
                    }
                    may_be(&message, &self.needle).then(|| Record::of(&message, Timestamp::default()))
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ends.remove(&partition);
                    None
                }
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) | None => None,
            };
            if let Some(found) = record.and_then(|record| self.is_it(&record)) {
                self.found.push(found);
                break;
            }
        }
        self.report.records += read;
        Ok(extent)
    }

    /// Returns where to begin in each partition and where each ended just now. Without a time these are the
    /// newest records, as many of each partition as the limit lets.
    fn places(
        &self,
        topic: &str,
        partitions: &[i32],
        limit: u64,
    ) -> KafkaResult<(TopicPartitionList, BTreeMap<i32, i64>, Extent)> {
        let mut first = TopicPartitionList::new();
        let mut ends = BTreeMap::new();
        let mut extent = Extent::Whole;
        let share = limit / u64::try_from(partitions.len().max(1)).unwrap_or(1);
        let share = i64::try_from(share.max(1)).unwrap_or(i64::MAX);
        for partition in partitions {
            let (low, high) = self.consumer.fetch_watermarks(topic, *partition, ANSWER)?;
            if high <= low {
                continue;
            }
            ends.insert(*partition, high);
            let place = match self.report.since {
                Some(since) => since.as_millis().max(0),
                None => low.max(high - share),
            };
            if self.report.since.is_none() && place > low {
                extent = Extent::Part;
            }
            first.add_partition_offset(topic, *partition, Offset::Offset(place))?;
        }
        if self.report.since.is_none() || first.count() == 0 {
            return Ok((first, ends, extent));
        }
        let found = self.consumer.offsets_for_times(first, ANSWER)?;
        let mut list = TopicPartitionList::new();
        for element in found.elements() {
            match element.offset() {
                offset @ Offset::Offset(_) => {
                    list.add_partition_offset(topic, element.partition(), offset)?;
                }
                // Nothing so young is there.
                _ => drop(ends.remove(&element.partition())),
            }
        }
        Ok((list, ends, extent))
    }

    /// Reads the record as an event and compares its id.
    fn is_it(&self, record: &Record) -> Option<Found> {
        let event = record.delivery().content.ok().filter(|event| event.id == self.event_id)?;
        let at = if record.at == Timestamp::default() { event.time } else { record.at };
        Some(Found { topic: record.topic.clone(), partition: record.partition, offset: record.offset, at })
    }
}

/// Tells whether the event's id stands anywhere in a record, which is quick to say.
fn may_be(message: &impl Message, needle: &str) -> bool {
    let holds = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| text.contains(needle));
    message.payload().is_some_and(holds)
        || message
            .headers()
            .is_some_and(|headers| headers.iter().any(|header| header.value.is_some_and(holds)))
}
