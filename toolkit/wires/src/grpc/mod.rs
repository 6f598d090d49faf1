//! The gRPC wire: path `/{contract}/{method}`, JSON messages (`application/grpc+json`), one message each way
//! or a stream each way.

mod client;
mod codec;
mod server;
mod status;
mod timeout;

pub use client::{GrpcWire, GrpcWireConfig};
pub use server::{GrpcServerOptions, is_grpc, refusal, serve_link, serve_links, serve_links_with, unserved};
