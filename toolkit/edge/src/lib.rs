//! The device's side of MQTT 5: an agent that loses nothing while it is offline, and a bridge to an outside broker.
//!
//! - [`Queue`] takes what a device says: synced before it counts as taken, in order, bounded by bytes and age.
//! - [`Agent`] sends it, each message until it is acknowledged and under the same id, and hands over what comes back
//!   once. A connection that is lost is made again, after waits that grow.
//! - [`Bridge`] joins the platform's broker and an outside one, both ways, without an echo.
//! - [`Connection`] is what both speak through.
//!
//! The standard is MQTT 5.0 (OASIS).

mod address;
mod agent;
mod bridge;
mod connection;
mod error;
mod kind;
mod packets;
mod queue;
mod schema;
mod stream;
mod worker;

pub use address::{Address, AddressError};
pub use agent::{Agent, AgentError, AgentOptions, Notice};
pub use bridge::{Bridge, BridgeError, BridgeOptions, FlowError, check_flows};
pub use connection::{Connection, Greeting, Hello, Incoming};
pub use error::{ConnectError, Refusal};
pub use kind::Kind;
pub use queue::{Queue, QueueError, QueueLimits, Taken, Why, full_disk};
pub use stream::{Trust, TrustError};
pub use worker::{Answer, Listener};
