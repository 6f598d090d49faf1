//! A member of a Kafka consumer group: the group assigns partitions, the store says where to go on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::Moment;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::assignment::{Assigned, Assignment};
use super::record::Record;
use super::{FIRST_PART, KafkaLog, KafkaProblem};
use crate::feed::{Feed, Held, Member};
use crate::storage::{Delivery, Failure, Lease, Slot, Storage};

/// How much is taken from the client library in one round, in bytes.
const MOST_TAKEN: usize = 8 << 20;
/// How often the offsets known to Kafka follow those of the store.
const COMMITS: Duration = Duration::from_secs(1);
/// How long the client library may take to go to another offset.
const SEEKING: Duration = Duration::from_secs(10);

/// One member. Its consumer is opened when it is first needed, and anew when it broke.
pub(crate) struct GroupMember {
    log: Arc<KafkaLog>,
    session: Duration,
    consumer: Option<OpenConsumer>,
    assignment: Arc<Mutex<Assignment>>,
    arrived: Arc<Notify>,
    /// What was taken from the client library and not handled yet, by part.
    taken: Mutex<BTreeMap<i64, VecDeque<Delivery>>>,
    /// Parts that another member took although the group says they are ours: not taken back before then.
    fenced: BTreeMap<i64, Moment>,
    /// The positions that Kafka knows.
    committed: BTreeMap<i64, i64>,
    next_commit: Moment,
}

/// A consumer whose end, which waits for the broker, never holds up whoever drops it.
struct OpenConsumer(Option<Arc<BaseConsumer<Assigned>>>);

/// What the broker said beside records.
enum Trouble {
    /// The consumer is of no use any more.
    Broken,
    /// The topic is gone.
    NoTopic,
}

fn part_of(partition: i32) -> i64 {
    FIRST_PART + i64::from(partition)
}

fn partition_of(part: i64) -> i32 {
    i32::try_from(part - FIRST_PART).unwrap_or(i32::MAX)
}

// === GroupMember ===

impl GroupMember {
    /// Makes a member that others take for dead after `session` without a sign of life.
    pub(crate) fn new(log: Arc<KafkaLog>, session: Duration) -> Self {
        Self {
            log,
            session,
            consumer: None,
            assignment: Arc::default(),
            arrived: Arc::default(),
            taken: Mutex::default(),
            fenced: BTreeMap::new(),
            committed: BTreeMap::new(),
            next_commit: Moment::START,
        }
    }

    async fn open(&mut self, group: &str, topic: &str) -> Result<Arc<BaseConsumer<Assigned>>, Failure> {
        if let Some(OpenConsumer(Some(consumer))) = &self.consumer {
            return Ok(Arc::clone(consumer));
        }
        self.log.topics.ensure(topic).await.map_err(|problem| problem.failed("looking for the topic"))?;
        let opened = self.subscribe(group, topic);
        let consumer = Arc::new(opened.map_err(|source| {
            let brokers = self.log.address.brokers.clone();
            KafkaProblem::Client { brokers, source: source.into() }.failed("joining a group")
        })?);
        self.consumer = Some(OpenConsumer(Some(Arc::clone(&consumer))));
        Ok(consumer)
    }

    fn subscribe(&mut self, group: &str, topic: &str) -> Result<BaseConsumer<Assigned>, KafkaError> {
        self.assignment = Arc::default();
        let beat = (self.session / 10).clamp(Duration::from_millis(100), Duration::from_secs(3));
        let longest_round = (self.session * 10).max(Duration::from_secs(300));
        let mut settings = self.log.address.settings();
        settings
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            // Only the partitions that move are taken from anybody.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", self.session.as_millis().to_string())
            .set("heartbeat.interval.ms", beat.as_millis().to_string())
            .set("max.poll.interval.ms", longest_round.as_millis().to_string())
            // What waits in memory, and how soon it is filled again.
            .set("queued.max.messages.kbytes", "16384")
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.error.backoff.ms", "100");
        let mut consumer: BaseConsumer<Assigned> =
            settings.create_with_context(Assigned(Arc::clone(&self.assignment)))?;
        let arrived = Arc::clone(&self.arrived);
        consumer.set_nonempty_callback(move || arrived.notify_one());
        consumer.subscribe(&[topic])?;
        Ok(consumer)
    }

    /// Takes what the client library has; lets it tell of changed assignments meanwhile.
    fn take(&self, consumer: &BaseConsumer<Assigned>) -> Result<(), Trouble> {
        let mut size = 0;
        // The library answers "nothing" also after it told something else than a record.
        let mut nothing = 0;
        while nothing < 3 && size < MOST_TAKEN {
            match consumer.poll(Duration::ZERO) {
                None => nothing += 1,
                Some(Ok(message)) => {
                    let record = Record::of(&message, self.log.clock.now());
                    size += record.size();
                    let mut taken = self.taken.lock();
                    taken.entry(part_of(record.partition)).or_default().push_back(record.delivery());
                }
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                    tracing::warn!(error = %code, "the kafka consumer broke and is opened anew");
                    return Err(Trouble::Broken);
                }
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::UnknownTopic
                        | RDKafkaErrorCode::UnknownTopicOrPartition
                        | RDKafkaErrorCode::UnknownPartition,
                    ) => return Err(Trouble::NoTopic),
                    _ => tracing::warn!(
                        error = %error, brokers = self.log.address.brokers,
                        "kafka told of a failure; consuming goes on by itself"
                    ),
                },
            }
        }
        Ok(())
    }

    /// Gives up the consumer, so that the next round opens another.
    fn close(&mut self) {
        self.consumer = None;
        self.taken.lock().clear();
        self.committed.clear();
    }

    /// Takes the slots of what the group assigned and goes to where the store says.
    async fn claim<S: Storage>(
        &mut self,
        member: &Member<'_, S>,
        consumer: &Arc<BaseConsumer<Assigned>>,
        held: &mut BTreeMap<i64, Held>,
    ) -> Result<(), Failure> {
        let worker = member.worker;
        let moment = worker.clock.moment();
        self.fenced.retain(|_, until| *until > moment);
        let (wanted, started) = self.assignment.lock().now();
        let (mut fresh, mut sought) = (TopicPartitionList::new(), TopicPartitionList::new());
        let mut claimed = Vec::new();
        for partition in wanted {
            let part = part_of(partition);
            if held.contains_key(&part) || self.fenced.contains_key(&part) {
                continue;
            }
            let now = worker.clock.now();
            let slot = member.slot(part);
            let until = now + worker.lease_span;
            let Some(lease) = worker.storage.claim(&slot, member.owner, now, until, true).await? else {
                continue;
            };
            let list = if started.contains(&partition) { &mut sought } else { &mut fresh };
            // The store's positions are offsets, checked when they are read.
            let _ = list.add_partition_offset(member.topic, partition, Offset::Offset(lease.position));
            claimed.push(lease);
        }
        if sought.count() > 0 {
            self.seek(consumer, sought).await?;
        }
        // Between the seek and here nothing was taken, so what is left was read before it.
        claimed.iter().for_each(|lease| drop(self.taken.lock().remove(&lease.slot.part)));
        let answered = self.assignment.lock().start(consumer, &fresh);
        answered.map_err(|source| self.problem(source).failed("taking an assignment"))?;
        for lease in claimed {
            self.committed.remove(&lease.slot.part);
            held.insert(lease.slot.part, Held::taken(lease));
        }
        Ok(())
    }

    async fn seek(
        &self,
        consumer: &Arc<BaseConsumer<Assigned>>,
        list: TopicPartitionList,
    ) -> Result<(), Failure> {
        let consumer = Arc::clone(consumer);
        let sought = tokio::task::spawn_blocking(move || {
            let list = consumer.seek_partitions(list, SEEKING)?;
            list.elements().iter().try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)
        });
        let sought = sought.await.unwrap_or(Err(KafkaError::Canceled));
        sought.map_err(|source| self.problem(source).failed("going back to the position of the store"))
    }

    fn problem(&self, source: KafkaError) -> KafkaProblem {
        KafkaProblem::Asking { brokers: self.log.address.brokers.clone(), source: source.into() }
    }

    /// Gives back the slots of partitions that the group took away.
    async fn give_up<S: Storage>(&mut self, member: &Member<'_, S>, held: &mut BTreeMap<i64, Held>) {
        let revoked: BTreeSet<i32> = std::mem::take(&mut self.assignment.lock().revoked);
        for part in revoked.into_iter().map(part_of) {
            self.taken.lock().remove(&part);
            self.committed.remove(&part);
            let Some(given) = held.remove(&part) else { continue };
            if let Err(failure) = member.worker.storage.release(&given.lease).await {
                // Whoever gets the partition takes the slot by force.
                tracing::debug!(error = %failure, part, "a slot keeps the name of its former member");
            }
        }
    }

    /// Sets positions back where the topic begins anew, which happens when it was deleted and made again.
    async fn rewind<S: Storage>(
        &self,
        member: &Member<'_, S>,
        held: &mut BTreeMap<i64, Held>,
    ) -> Result<(), Failure> {
        let storage = &member.worker.storage;
        let first =
            |part: &i64| self.taken.lock().get(part).and_then(|taken| taken.front().map(|it| it.position));
        for (part, held) in held.iter_mut() {
            let Some(position) = first(part).filter(|position| *position <= held.lease.position) else {
                continue;
            };
            tracing::error!(
                topic = member.topic,
                partition = partition_of(*part),
                offset = position - 1,
                expected = held.lease.position,
                "the topic begins anew; its events are handled from there"
            );
            let until = member.worker.clock.now() + member.worker.lease_span;
            let mut tx = storage.begin().await?;
            if storage.advance(&mut tx, &held.lease, position - 1, until).await? {
                storage.commit(tx).await?;
                held.lease.position = position - 1;
            }
        }
        Ok(())
    }

    /// Lets Kafka's own tools see how far the group is.
    fn follow<'a>(&mut self, topic: &str, leases: impl Iterator<Item = &'a Lease>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for lease in leases {
            let (part, position) = (lease.slot.part, lease.position);
            if self.committed.get(&part) != Some(&position)
                && list.add_partition_offset(topic, partition_of(part), Offset::Offset(position)).is_ok()
            {
                self.committed.insert(part, position);
            }
        }
        list
    }
}

#[async_trait]
impl<S: Storage> Feed<S> for GroupMember {
    async fn share(
        &mut self,
        member: &Member<'_, S>,
        held: &mut BTreeMap<i64, Held>,
    ) -> Result<bool, Failure> {
        let consumer = self.open(member.group, member.topic).await?;
        let moment = member.worker.clock.moment();
        if moment >= self.next_commit {
            let list = self.follow(member.topic, held.values().map(|held| &held.lease));
            if list.count() > 0
                && let Err(error) = consumer.commit(&list, CommitMode::Async)
            {
                tracing::debug!(error = %error, "kafka learns the offsets later");
            }
            self.next_commit = moment + COMMITS;
        }
        if let Err(trouble) = self.take(&consumer) {
            if matches!(trouble, Trouble::NoTopic) {
                self.log.topics.forget(member.topic);
            }
            drop(consumer);
            self.close();
            held.clear();
            return Ok(false);
        }
        self.give_up(member, held).await;
        self.claim(member, &consumer, held).await?;
        self.rewind(member, held).await?;
        Ok(self.taken.lock().values().any(|taken| !taken.is_empty()))
    }

    async fn read(&self, _: &S, slot: &Slot, after: i64, limit: usize) -> Result<Vec<Delivery>, Failure> {
        let mut taken = self.taken.lock();
        let Some(taken) = taken.get_mut(&slot.part) else { return Ok(Vec::new()) };
        let count = taken.len().min(limit);
        Ok(taken.drain(..count).filter(|delivery| delivery.position > after).collect())
    }

    /// What is held is held until the group says otherwise; a part that failed is claimed anew.
    fn doubt(&mut self) {}

    /// Either this member was taken for dead, of which the group will tell it soon, or the other was.
    fn fenced(&mut self, part: i64, now: Moment) {
        self.fenced.insert(part, now + self.session / 2);
    }

    async fn arrived(&self) {
        self.arrived.notified().await;
    }

    async fn leave(&mut self, member: &Member<'_, S>, held: Vec<Lease>) -> Result<(), Failure> {
        let list = self.follow(member.topic, held.iter());
        let Some(consumer) = self.consumer.take().and_then(|mut open| open.0.take()) else { return Ok(()) };
        let left = tokio::task::spawn_blocking(move || {
            let committed = if list.count() > 0 { consumer.commit(&list, CommitMode::Sync) } else { Ok(()) };
            drop(consumer);
            committed
        });
        let left = left.await.unwrap_or(Err(KafkaError::Canceled));
        left.map_err(|source| self.problem(source).failed("leaving a group"))
    }
}

// === OpenConsumer ===

impl Drop for OpenConsumer {
    fn drop(&mut self) {
        if let Some(consumer) = self.0.take() {
            std::thread::spawn(move || drop(consumer));
        }
    }
}
