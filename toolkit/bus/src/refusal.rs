//! Why a log will never take an event, whatever is tried again.

use ieum_core::Fault;

/// Says why the log refused an event for good, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The event is larger than what the broker said that it takes. It was not sent.
    #[error(
        "an event of type {kind} makes a record of {size} bytes, and topic {topic} of {bus} takes {limit}; raise \
         max.message.bytes there, or keep the data elsewhere and publish where it is"
    )]
    TooLarge {
        /// The event's type.
        kind: String,
        /// The topic.
        topic: String,
        /// The bus, with its brokers.
        bus: String,
        /// How long the record is, in bytes.
        size: usize,
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// The broker does not let us write to the topic.
    #[error(
        "{bus} does not let topic {topic} be written to, so an event of type {kind} stays here: {problem}; allow \
         Write and Describe there, and Create or make the topic yourself"
    )]
    Forbidden {
        /// The event's type.
        kind: String,
        /// The topic.
        topic: String,
        /// The bus, with its brokers.
        bus: String,
        /// What the broker said.
        problem: String,
    },
    /// The broker was sent the event and refused it.
    #[error("{bus} refused an event of type {kind} and {size} bytes for topic {topic}: {problem}")]
    Refused {
        /// The event's type.
        kind: String,
        /// The topic.
        topic: String,
        /// The bus, with its brokers.
        bus: String,
        /// How long the record is, in bytes.
        size: usize,
        /// What the broker said.
        problem: String,
    },
}

impl From<&Refusal> for Fault {
    fn from(refusal: &Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::TooLarge { .. } => Self::invalid_argument("bus.too_large", message),
            Refusal::Forbidden { .. } => Self::failed_precondition("bus.forbidden_topic", message),
            Refusal::Refused { .. } => Self::invalid_argument("bus.refused", message),
        }
    }
}
