//! Handing records to the client library: in batches that fit, and one by one where a batch was refused.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_core::SharedClock;
use parking_lot::Mutex;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer, PurgeConfig};

use super::address::Address;
use super::context::Quiet;
use super::{KafkaProblem, is_refusal, record};
use crate::storage::Entry;

/// The client library's own aim for a batch, in bytes.
const USUAL_BATCH: usize = 1_000_000;
/// Room that the client library demands beyond what a record takes, in bytes.
const ROOM: usize = 4_096;
/// The most that the client library can be set to take, in bytes.
const MOST: usize = 1_000_000_000;

/// How much goes to the broker as one batch, which it takes or refuses as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Batches {
    /// One record: what is refused takes no other with it.
    Single,
    /// At most so many bytes, which the broker is known to take.
    UpTo(usize),
}

/// The producers of one cluster, one for each size of batches. Each is opened when it is first needed, and anew
/// when anything that waited in it failed.
pub(super) struct Sender {
    address: Address,
    clock: SharedClock,
    /// How long acknowledgements are awaited.
    patience: Duration,
    producers: Mutex<BTreeMap<Batches, FutureProducer<Quiet>>>,
    /// What any of them complained about.
    heard: Quiet,
}

/// What became of one record.
type Fate = Result<(), KafkaError>;

// === Sender ===

impl Sender {
    pub(super) fn new(address: Address, clock: SharedClock, patience: Duration) -> Self {
        Self { address, clock, patience, producers: Mutex::default(), heard: Quiet::default() }
    }

    /// Sends entries and waits for the acknowledgement of each. Returns those, by index, that the broker
    /// refused for good.
    ///
    /// Where it refuses something, the producer stops at once (`enable.gapless.guarantee`), and all that was
    /// not acknowledged is sent again one by one: so neither is an event taken for refused that only shared
    /// the batch, nor does a later event of its key pass it.
    pub(super) async fn send(
        &self,
        entries: &[&Entry],
        batches: Batches,
    ) -> Result<Vec<(usize, RDKafkaErrorCode)>, KafkaProblem> {
        let fates = self.send_once(entries, batches).await?;
        let mut left: Vec<usize> =
            fates.iter().enumerate().filter(|(_, fate)| fate.is_err()).map(|(index, _)| index).collect();
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let mut fates: Vec<Fate> = left.iter().map(|index| fates[*index].clone()).collect();
        if batches != Batches::Single && fates.iter().any(|fate| refused(fate).is_some()) {
            let again: Vec<&Entry> = left.iter().map(|index| entries[*index]).collect();
            fates = self.send_once(&again, Batches::Single).await?;
        }
        let mut refusals = Vec::new();
        for (index, fate) in left.drain(..).zip(fates) {
            match (refused(&fate), fate) {
                (Some(code), _) => refusals.push((index, code)),
                (None, Err(source)) => return Err(self.not_taken(&entries[index].topic, source)),
                (None, Ok(())) => {}
            }
        }
        Ok(refusals)
    }

    async fn send_once(&self, entries: &[&Entry], batches: Batches) -> Result<Vec<Fate>, KafkaProblem> {
        let producer = self.producer(batches)?;
        let fates = tokio::select! {
            biased;
            fates = send_all(&producer, entries) => Ok(fates),
            () = self.clock.sleep(self.patience) => Err(self.no_answer()),
        };
        if fates.as_ref().map_or(true, |fates| fates.iter().any(Result::is_err)) {
            self.producers.lock().remove(&batches);
            discard(producer);
        }
        fates
    }

    fn producer(&self, batches: Batches) -> Result<FutureProducer<Quiet>, KafkaProblem> {
        let mut producers = self.producers.lock();
        if let Some(producer) = producers.get(&batches) {
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
        match batches {
            Batches::Single => {
                settings.set("batch.num.messages", "1").set("message.max.bytes", MOST.to_string());
            }
            Batches::UpTo(limit) => {
                settings
                    .set("batch.size", limit.clamp(1, USUAL_BATCH).to_string())
                    .set("message.max.bytes", (limit + ROOM).min(MOST).to_string())
                    .set("enable.gapless.guarantee", "true");
            }
        }
        let made = settings.create_with_context(self.heard.clone()).map_err(|source| {
            KafkaProblem::Client { brokers: self.address.brokers.clone(), source: source.into() }
        })?;
        Ok(producers.entry(batches).or_insert(made).clone())
    }

    /// Says why no broker answered, where that was heard.
    fn no_answer(&self) -> KafkaProblem {
        let brokers = self.address.brokers.clone();
        let silent = KafkaProblem::NoAnswer { brokers, waited: self.patience };
        self.heard.take().map_or(silent, |trouble| KafkaProblem::unwilling(&self.address, trouble))
    }

    fn not_taken(&self, topic: &str, source: KafkaError) -> KafkaProblem {
        KafkaProblem::NotTaken {
            brokers: self.address.brokers.clone(),
            topic: topic.to_owned(),
            source: source.into(),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        std::mem::take(&mut *self.producers.lock()).into_values().for_each(discard);
    }
}

fn refused(fate: &Fate) -> Option<RDKafkaErrorCode> {
    fate.as_ref().err().and_then(KafkaError::rdkafka_error_code).filter(|code| is_refusal(*code))
}

async fn send_all(producer: &FutureProducer<Quiet>, entries: &[&Entry]) -> Vec<Fate> {
    let mut waiting: Vec<Result<DeliveryFuture, KafkaError>> = Vec::with_capacity(entries.len());
    let mut is_open = true;
    for entry in entries {
        if !is_open {
            // Nothing may pass what was not even queued.
            waiting.push(Err(KafkaError::Canceled));
            continue;
        }
        let record: FutureRecord<'_, str, str> = FutureRecord::to(&entry.topic)
            .key(entry.key.as_str())
            .payload(entry.body.as_str())
            .headers(record::headers(&entry.body));
        let queued = producer.send_result(record).map_err(|(source, _)| Err::<(), _>(source));
        is_open = queued.as_ref().err().is_none_or(|fate| refused(fate).is_some());
        waiting.push(queued.map_err(|fate| fate.err().unwrap_or(KafkaError::Canceled)));
    }
    let mut fates = Vec::with_capacity(waiting.len());
    for delivery in waiting {
        fates.push(match delivery {
            Err(source) => Err(source),
            Ok(delivery) => match delivery.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((source, _))) => Err(source),
                Err(_) => Err(KafkaError::Canceled),
            },
        });
    }
    fates
}

/// Ends a producer with all that waits in it. Ending takes a while, so it has a thread of its own.
fn discard(producer: FutureProducer<Quiet>) {
    std::thread::spawn(move || {
        producer.purge(PurgeConfig::default().queue().inflight());
        drop(producer);
    });
}
