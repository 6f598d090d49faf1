//! The events hub: one live picture over many event-management systems.
//!
//! A source is registered ([`Registry`]), read by the connector of its kind ([`connector`]), brought into one
//! form ([`rules`]) and shown ([`Realtime`]). Facts, sync position, state and news go into the store in one
//! transaction ([`Collector`]).

mod apply;
mod collector;
pub mod connector;
pub mod dashboard;
mod driver;
pub mod facts;
mod part;
mod realtime;
mod registry;
pub mod rules;
pub mod schedule;
pub mod simulator;
mod store;
mod tables;
mod web;

pub use collector::Collector;
pub use part::{EventsDeps, EventsOptions, EventsPart};
pub use realtime::{MEASUREMENT, Realtime};
pub use registry::Registry;
