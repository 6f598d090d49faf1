//! Work that outlives a process: sagas, which are undone in reverse where a later step is refused, and schedules.
//!
//! A saga (Garcia-Molina and Salem, *Sagas*, SIGMOD 1987) is a row: its state, the step it stands at, and whether it
//! goes forward or back. Each step is asked under the saga's own idempotency key and may be asked again after a
//! kill, so that whoever answers it does it once. A [`Schedule`] is a row with a time: what happens then commits in
//! one transaction with its end, so that it happens once.

mod background;
mod definition;
mod error;
mod rules;
mod sagas;
mod schedule;
mod schedules;
mod store;
mod tables;

pub use definition::{Ended, Saga};
pub use error::SagaError;
pub use rules::Phase;
pub use sagas::{ListSagas, SagaOptions, SagaStatus, Sagas};
pub use schedule::{Due, Next, OnDue, Schedule};
pub use schedules::{ScheduleStatus, Schedules};
pub use tables::migrations;
