//! The Wyoming protocol (<https://github.com/OHF-Voice/wyoming>): events as a line of JSON, more JSON, and bytes, over
//! TCP. Home Assistant, voice satellites and many engines speak it.

mod client;
mod event;
mod handler;
mod info;
mod reach;
mod satellite;
mod server;
mod session;

pub use client::{WyomingSynthesizer, WyomingTranscriber};
pub use event::{WyomingEvent, WyomingReader, write_event};
pub use handler::{Handled, Handler, Intention, Said};
pub use reach::{SatelliteLost, call_satellite};
pub use satellite::{Conversation, SatelliteOptions, WyomingSatellite};
pub use server::{WyomingOptions, WyomingServer};
