//! Partners: API keys, the partner REST API behind the gateway, and webhooks on every change of an event.
//!
//! The service knows no other: it asks `events.state` over a link and listens to the bus topic
//! `event-data-updates`, so it runs in one process with the events hub or apart from it.

mod hooks;
mod keys;
mod listener;
mod managed;
mod openapi;
mod part;
mod rules;
mod usage;
mod views;
mod web;

pub use listener::{EVENT_DATA_UPDATED, GROUP};
pub use openapi::openapi_json;
pub use part::{PartError, PartnersDeps, PartnersPart};
pub use rules::scope;
pub use views::{AttemptView, DeliveryView, ProblemView, Webhook};
