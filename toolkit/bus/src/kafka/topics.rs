//! Topics are created before they are used, with the partitions that the bus's URL asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Moment, SharedClock, describe};
use parking_lot::Mutex;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::KafkaProblem;
use super::address::Address;
use super::context::Quiet;

/// How long the broker may take for an answer about topics.
const ANSWER: Duration = Duration::from_secs(10);
/// How often a created topic is looked for, until every broker knows it.
const LOOK: Duration = Duration::from_millis(20);

/// How old an answer must be before the same is asked again because something does not fit.
const AGE: Duration = Duration::from_secs(1);
/// How often a topic's limit is asked for where the broker keeps it to itself.
const RETRY: Duration = Duration::from_secs(60);
/// The largest record that is taken whatever the broker says, in bytes: consumers fetch a record as a whole, and
/// take answers of 100 MB.
const LARGEST_RECORD: usize = 50_000_000;

/// What a topic takes.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The largest batch in bytes; `None` where the broker does not tell.
    limit: Option<usize>,
    asked: Moment,
}

/// What is known of the cluster's topics.
pub(super) struct Topics {
    admin: Arc<AdminClient<Quiet>>,
    address: Address,
    clock: SharedClock,
    known: Mutex<BTreeMap<String, Known>>,
}

impl Topics {
    pub(super) fn new(address: &Address, clock: SharedClock) -> Result<Self, KafkaProblem> {
        let admin = address.settings().create_with_context(Quiet::default()).map_err(|source| {
            KafkaProblem::Client { brokers: address.brokers.clone(), source: source.into() }
        })?;
        Ok(Self { admin: Arc::new(admin), address: address.clone(), clock, known: Mutex::default() })
    }

    /// Returns once the topic is there: the largest batch that it takes in bytes, where the broker tells.
    pub(super) async fn ensure(&self, topic: &str) -> Result<Option<usize>, KafkaProblem> {
        let known = self.known.lock().get(topic).copied();
        match known {
            Some(Known { limit: None, asked }) if self.clock.moment().since(asked) > RETRY => {
                return self.ask_limit(topic).await;
            }
            Some(known) => return Ok(known.limit),
            None => {}
        }
        let refused = self.create(topic).await?;
        let begun = self.clock.moment();
        while !self.is_there(topic).await? {
            if refused.is_some() || self.clock.moment().since(begun) > ANSWER {
                let problem = refused.map_or("it does not appear".to_owned(), |code| code.to_string());
                let brokers = self.address.brokers.clone();
                return Err(KafkaProblem::NoTopic {
                    brokers,
                    topic: topic.to_owned(),
                    problem,
                    code: refused,
                });
            }
            self.clock.sleep(LOOK).await;
        }
        self.ask_limit(topic).await
    }

    /// Returns the largest record that the topic takes, in bytes, as far as it is known.
    pub(super) fn limit(&self, topic: &str) -> usize {
        let known = self.known.lock().get(topic).and_then(|known| known.limit);
        known.unwrap_or(LARGEST_RECORD).min(LARGEST_RECORD)
    }

    /// Returns the topics that this process has used.
    pub(super) fn known(&self) -> Vec<String> {
        self.known.lock().keys().cloned().collect()
    }

    /// Asks a known topic's limit anew, unless that was just done. Where nobody answers, what was known stays.
    pub(super) async fn look_again(&self, topic: &str) {
        let known = self.known.lock().get(topic).copied();
        if known.is_some_and(|known| self.clock.moment().since(known.asked) > AGE)
            && let Err(problem) = self.ask_limit(topic).await
        {
            tracing::debug!(error = %describe(&problem), topic, "what the topic takes is as it was known before");
        }
    }

    /// Asks for the topic's `max.message.bytes`, which is the broker's `message.max.bytes` unless it has its own.
    async fn ask_limit(&self, topic: &str) -> Result<Option<usize>, KafkaProblem> {
        let options = AdminOptions::new().request_timeout(Some(ANSWER));
        let told = self.admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
        let told = match told {
            Ok(told) => told.into_iter().next().and_then(Result::ok),
            // Brokers before 0.11.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnsupportedFeature) => None,
            Err(error) => return Err(self.asking(error)),
        };
        let value = told.as_ref().and_then(|settings| settings.get("max.message.bytes")?.value.as_deref());
        let limit = value.and_then(|value| value.parse().ok());
        let known = Known { limit, asked: self.clock.moment() };
        self.known.lock().insert(topic.to_owned(), known);
        Ok(limit)
    }

    /// Makes the next [`Topics::ensure`] look again.
    pub(super) fn forget(&self, topic: &str) {
        self.known.lock().remove(topic);
    }

    /// Asks for the topic; returns why the broker did not create one that is missing.
    async fn create(&self, topic: &str) -> Result<Option<RDKafkaErrorCode>, KafkaProblem> {
        let replication = TopicReplication::Fixed(self.address.replication);
        let wanted = NewTopic::new(topic, self.address.partitions, replication);
        let options = AdminOptions::new().request_timeout(Some(ANSWER)).operation_timeout(Some(ANSWER));
        let created = self.admin.create_topics([&wanted], &options).await;
        let created = created.map_err(|source| self.asking(source))?;
        let refused = created.into_iter().find_map(Result::err).map(|(_, code)| code);
        Ok(refused.filter(|code| *code != RDKafkaErrorCode::TopicAlreadyExists))
    }

    async fn is_there(&self, topic: &str) -> Result<bool, KafkaProblem> {
        let metadata = self.metadata(Some(topic.to_owned())).await?;
        let is_whole = |topic: &rdkafka::metadata::MetadataTopic| {
            topic.error().is_none() && !topic.partitions().is_empty()
        };
        Ok(metadata.topics().iter().any(is_whole))
    }

    /// Returns what the brokers tell of themselves; fails where none answers.
    pub(super) async fn metadata(&self, topic: Option<String>) -> Result<Metadata, KafkaProblem> {
        let admin = Arc::clone(&self.admin);
        let asked =
            tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(topic.as_deref(), ANSWER)).await;
        let answer = asked.unwrap_or(Err(KafkaError::Canceled));
        answer.map_err(|source| self.asking(source))
    }

    fn asking(&self, source: KafkaError) -> KafkaProblem {
        KafkaProblem::Asking { brokers: self.address.brokers.clone(), source: source.into() }
    }
}
