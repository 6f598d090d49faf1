//! The events hub: one live picture over many event-management systems.
//!
//! A source is registered ([`Registry`]), read by the connector of its kind ([`connector`]), brought into one
//! form ([`rules`]) and shown ([`Realtime`]). Facts, sync position, state and news go into the store in one
//! transaction ([`Collector`]).

mod apply;
mod collector;
pub mod connector;
mod cursor;
pub mod dashboard;
mod door;
mod driver;
mod exporter;
pub mod facts;
pub mod gates;
mod hints;
mod hook;
mod insights;
mod intake;
mod openapi;
mod part;
mod points;
pub mod programme;
mod progress;
mod realtime;
mod reconcile;
mod registry;
pub mod rules;
pub mod schedule;
mod secrets;
pub mod simulator;
mod states;
mod store;
mod stream;
mod sweep;
mod tables;
mod views;
mod visits;
mod web;

pub use collector::Collector;
pub use door::{Visitors, guard, is_from_foreign_page, may_be_rebound};
pub use openapi::openapi_json;
pub use part::{EventsDeps, EventsOptions, EventsPart};
pub use points::MEASUREMENT;
pub use realtime::Realtime;
pub use reconcile::Sweep;
pub use registry::Registry;
pub use visits::Visits;
