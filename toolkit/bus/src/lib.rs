//! The bus: facts as CloudEvents 1.0, published durably and handled with exactly one effect per group.
//!
//! - [`Bus::publish`] returns only once the events are on disk; [`Bus::outbox`] publishes with the caller's
//!   transaction.
//! - A [`Consumer`] gets each event in a transaction that also holds the inbox mark. Delivery is at least
//!   once, the effect happens once.
//! - Events of one key are handled in order, also through retries: what fails and may pass waits in a lane,
//!   later events of its key behind it, other keys go on.
//! - What no broker takes is refused when it is published, or becomes a dead letter of the outbox.
//! - What fails for good becomes a [`DeadLetter`]: it can be listed, shown, edited, replayed and discarded.

mod bus;
mod consumer;
mod dead;
mod error;
mod event;
mod feed;
#[cfg(feature = "kafka")]
mod kafka;
mod lag;
mod locate;
mod log;
mod refusal;
mod retention;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod sql;
mod storage;
mod subscriber;
mod worker;
mod writer;

pub use bus::{Bus, BusCapabilities, BusOptions, Durability, Events, check_bus_url, migrations, open_bus};
pub use consumer::{Consumer, RetryLanes, Subscribed, Subscription};
pub use dead::{DeadCause, DeadFilter, DeadLetter, DeadLetters, DeadState, DeadTrail, OUTBOX_GROUP};
pub use error::BusError;
pub use event::{Event, EventError, LONGEST_KEY, LONGEST_NAME};
pub use lag::Lag;
pub use locate::{Located, LogSearch, Sighting, Stage};
pub use refusal::Refusal;
pub use retention::{Purged, Retention};
pub use storage::Failure;
