//! What the parts of Ieum promise each other: one file per service, messages and traits only.
//!
//! Messages grow by optional fields only; a break is a new method, the old one answered by conversion.
//! JSON fields are camelCase. Nothing here does input or output.

pub mod analytics;
mod dialog_events;
pub mod events;
mod gates;
pub mod identity;
pub mod notify;
pub mod partners;
pub mod payment;
pub mod platform;
mod plugins;
mod programme;
mod visits;
pub mod voice;
pub mod wording;
