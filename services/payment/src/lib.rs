//! Payment: a simple ledger of what people are charged for. A provider of payments joins behind the same contract.

mod part;
mod rules;
mod service;
mod store;
mod tables;

pub use part::{PaymentDeps, PaymentPart};
