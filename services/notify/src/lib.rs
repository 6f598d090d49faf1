//! Notification: tells people what happened, on the channels they want, in their language and their waking hours.
//!
//! A message is a row of an outbox. Nobody is told twice: a process writes down which provider it is about to ask
//! before it asks, and what may have been taken is repeated only where the provider itself shows it once
//! ([`Repeat`]). What cannot be repeated safely is left as `uncertain` for a person to decide.
//!
//! | channel | provider | a kill between sending and writing it down |
//! |---|---|---|
//! | in the page | the store | nothing: message and acceptance are one transaction |
//! | email | `smtp:`, `smtps:` | at most once: SMTP has no idempotency key; the message becomes uncertain |
//! | SMS, push | `sns:` | at most once, the same |
//! | push | `ntfy:` | sent again under the same sequence id, by which the device shows it once |

mod alerts;
mod digest;
mod listener;
mod openapi;
mod outbox;
mod part;
mod providers;
mod rules;
mod service;
mod store;
mod tables;
mod templates;
mod web;
mod worker;
mod zone;

pub use openapi::openapi_json;
pub use part::{NotifyDeps, NotifyOptions, NotifyPart, PartError};
pub use providers::{
    Letter, Provider, ProviderContext, ProviderError, Receipt, Repeat, SendError, check_provider_url,
    is_sender, open_provider, open_providers, provider_schemes,
};
pub use templates::{TemplateError, check_templates};
