//! The broker from the outside.

mod conformance_five;
mod conformance_three;
mod durable;
mod inside;
mod kept;
mod limits;
mod originals;
mod raw;
mod secrets;
mod unmodified;
mod world;
