//! `MLService` (`contracts/proto/ieum/ml/ml.proto`): what a sentence wants, and text of sound, over gRPC both ways.

mod client;
mod server;

pub use client::{MlClient, MlError, MlOptions};
pub use server::MlServer;
