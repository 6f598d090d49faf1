//! Which partitions the group gave to this member, as the client library tells it.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

use super::context::tell;

/// The state of the group's decisions and of our answers.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// What the group gave.
    wanted: BTreeSet<i32>,
    /// What is fetched.
    started: BTreeSet<i32>,
    /// What the group took away and the member has not given up yet.
    pub revoked: BTreeSet<i32>,
    /// What was given and not answered yet.
    unanswered: Option<TopicPartitionList>,
}

/// Writes down what the group decides. An assignment is answered later, by [`Assignment::start`], once the
/// store has said where to go on.
pub(super) struct Assigned(pub Arc<Mutex<Assignment>>);

// === Assignment ===

impl Assignment {
    /// Returns what the group gave, and what of it is fetched.
    pub(super) fn now(&self) -> (BTreeSet<i32>, BTreeSet<i32>) {
        (self.wanted.clone(), self.started.clone())
    }

    /// Begins to fetch `list` at its offsets, which also answers the group.
    pub(super) fn start(
        &mut self,
        consumer: &BaseConsumer<Assigned>,
        list: &TopicPartitionList,
    ) -> KafkaResult<()> {
        if list.count() == 0 && self.unanswered.is_none() {
            return Ok(());
        }
        consumer.incremental_assign(list)?;
        self.unanswered = None;
        self.started.extend(list.elements().iter().map(|element| element.partition()));
        Ok(())
    }

    fn give(&mut self, list: &TopicPartitionList) {
        self.wanted.extend(list.elements().iter().map(|element| element.partition()));
        self.unanswered = Some(list.clone());
    }

    /// Stops fetching `list`. What it holds is no longer ours whatever happens, and its slots are fenced
    /// by whoever gets it.
    fn withdraw(&mut self, consumer: &BaseConsumer<Assigned>, list: &TopicPartitionList) -> KafkaResult<()> {
        if let Some(unanswered) = self.unanswered.take() {
            consumer.incremental_assign(&unanswered)?;
        }
        for element in list.elements() {
            self.wanted.remove(&element.partition());
            self.started.remove(&element.partition());
            self.revoked.insert(element.partition());
        }
        consumer.incremental_unassign(list)
    }
}

// === Assigned ===

impl ClientContext for Assigned {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tell(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(error = %error, reason, "kafka consumer");
    }
}

impl ConsumerContext for Assigned {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let mut assignment = self.0.lock();
        if what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            assignment.give(list);
            return;
        }
        if let Err(error) = assignment.withdraw(consumer, list) {
            tracing::debug!(error = %error, "giving partitions back one by one failed; giving all back");
            assignment.revoked = assignment.started.iter().chain(&assignment.revoked).copied().collect();
            assignment.started.clear();
            // Only a consumer that ends anyway refuses this as well.
            let _ = consumer.unassign();
        }
    }
}
