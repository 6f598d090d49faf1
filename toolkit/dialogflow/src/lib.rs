//! Dialogflow's v2 API from both sides, and the smaller `MLService` beside it: protocol only, no agent of its own.
//!
//! - [`Agent`] is whoever understands: a local engine, or a Dialogflow far away ([`DialogflowClient`]).
//! - [`DialogflowServer`] answers Google's clients over gRPC and REST with any agent, and keeps sessions' contexts.
//! - [`DialogflowClient`] asks a Dialogflow within a time limit, behind a breaker, with an agent that stands in.
//! - [`ml`] serves and calls `MLService` over the same traits.

mod agent;
mod channel;
mod client;
mod contexts;
mod convert;
pub mod ml;
mod name;
pub mod proto;
mod server;
mod sound;
mod status;

pub use agent::{
    Agent, Context, Detected, EntityType, Input, Intent, IntentRef, Message, Query, Speech, SpeechWish,
    Values,
};
pub use client::{
    AddressError, ClientError, ClientOptions, CredentialsError, DialogflowAddress, DialogflowClient, Heard,
    Transport,
};
pub use contexts::{CacheContexts, Change, ContextStore, Kept, MOST_CONTEXTS, MemoryContexts};
pub use name::{AgentName, NameError, SessionName, context_id};
pub use server::{DialogflowServer, ServerOptions, is_rest, rest_refusal};
pub use sound::{Encoding, Sound, SoundFormat, SoundStream, Transcriber, Transcript, TranscriptStream};
