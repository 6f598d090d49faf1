//! Topics are created before they are used, with the partitions that the bus's URL asks for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::SharedClock;
use parking_lot::Mutex;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

use super::KafkaProblem;
use super::address::Address;
use super::context::Quiet;

/// How long the broker may take for an answer about topics.
const ANSWER: Duration = Duration::from_secs(10);
/// How often a created topic is looked for, until every broker knows it.
const LOOK: Duration = Duration::from_millis(20);

/// What is known of the cluster's topics.
pub(super) struct Topics {
    admin: Arc<AdminClient<Quiet>>,
    address: Address,
    clock: SharedClock,
    known: Mutex<BTreeSet<String>>,
}

impl Topics {
    pub(super) fn new(address: &Address, clock: SharedClock) -> Result<Self, KafkaProblem> {
        let admin = address.settings().create_with_context(Quiet).map_err(|source| KafkaProblem::Client {
            brokers: address.brokers.clone(),
            source: source.into(),
        })?;
        Ok(Self { admin: Arc::new(admin), address: address.clone(), clock, known: Mutex::default() })
    }

    /// Returns once the topic is there.
    pub(super) async fn ensure(&self, topic: &str) -> Result<(), KafkaProblem> {
        if self.known.lock().contains(topic) {
            return Ok(());
        }
        let refused = self.create(topic).await?;
        let begun = self.clock.moment();
        while !self.is_there(topic).await? {
            if refused.is_some() || self.clock.moment().since(begun) > ANSWER {
                let problem = refused.map_or("it does not appear".to_owned(), |code| code.to_string());
                let brokers = self.address.brokers.clone();
                return Err(KafkaProblem::NoTopic { brokers, topic: topic.to_owned(), problem });
            }
            self.clock.sleep(LOOK).await;
        }
        self.known.lock().insert(topic.to_owned());
        Ok(())
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
        let answer = asked.unwrap_or(Err(rdkafka::error::KafkaError::Canceled));
        answer.map_err(|source| self.asking(source))
    }

    fn asking(&self, source: rdkafka::error::KafkaError) -> KafkaProblem {
        KafkaProblem::Asking { brokers: self.address.brokers.clone(), source: source.into() }
    }
}
