//! The HTTP wire: `POST /links/{contract}/{method}`, JSON both ways, faults as problem+json (RFC 9457).

mod answer;
mod client;
mod server;

pub use client::{HttpWire, HttpWireConfig};
pub use server::{LinkServerOptions, serve_link, serve_links, serve_links_with};

/// The header that tells that an answer is no live one but a fallback's.
pub const ORIGIN_HEADER: &str = "ieum-origin";
