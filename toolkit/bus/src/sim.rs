//! Simulated machines for whole worlds: tasks, decisions, a disk and the bus on it, all from one seed.
//!
//! Everything runs on one thread under a [`ManualClock`](ieum_core::ManualClock). A [`Dice`] decides which
//! task goes next, how long the disk takes and what breaks, and keeps a digest of every decision: the same
//! seed is the same run, step by step. The engine that runs on it (writer, relay, worker, lanes) is the one
//! that runs on a database.

mod dice;
mod disk;
mod executor;
mod process;
mod storage;
mod tables;
#[cfg(test)]
mod tests;
mod trace;

pub use dice::Dice;
pub use disk::{Disk, Plant};
pub use executor::{Executor, Spawner};
pub use process::{SimBus, SimConsumer, SimGroup};
pub use storage::{SimStorage, SimTx};
pub use tables::{Dead, Tables};
