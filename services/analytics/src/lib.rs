//! Analytics: the history of every event, forecasts, returns, and what to do, each with the rows that say so.
//!
//! The service knows no other: it listens to the bus topic `event-data-updates`, keeps a compact history in the
//! SQL store, and asks `events.state` over a link when that history is to be made anew, `events.visits` when
//! somebody asks what visitors do.

mod behaviour;
mod budget;
mod forecasting;
mod forecasts;
mod history;
mod landing;
mod ledger;
mod listener;
mod money;
mod openapi;
mod part;
mod patterns;
mod rebuild;
mod report;
mod reports;
mod rules;
mod service;
mod store;
mod tables;
mod web;
mod zone;

pub use budget::PrivacyOptions;
pub use listener::GROUP;
pub use openapi::openapi_json;
pub use part::{AnalyticsDeps, AnalyticsOptions, AnalyticsPart, PartError};
pub use zone::UnknownZone;
