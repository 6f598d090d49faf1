//! The service as a whole: keys, doors, answers, webhooks, the committed API description.

mod api;
mod description;
mod stage;
mod told;
