//! Identity: people, their devices, and the registration of a device as a saga.
//!
//! A registration takes four steps, each of which can be undone: a place among the person's devices is taken (`quota`),
//! the device becomes the person's (`registry`), the account shows it (`account`), and a premium one is charged for
//! (`billing`, by the contract `payment.charges`). What a kill interrupts goes on where it stood.

mod openapi;
mod part;
mod registration;
mod rules;
mod service;
mod store;
mod tables;
mod views;
mod web;

pub use openapi::openapi_json;
pub use part::{IdentityDeps, IdentityPart};
