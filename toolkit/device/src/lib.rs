//! Devices: an embedded broker for MQTT 3.1.1 and MQTT 5.
//!
//! - [`Broker`] listens by TCP, TLS and WebSocket. Over a store, sessions, subscriptions, waiting and kept messages,
//!   wills and the state of every message under way survive the process, and a publisher is answered only after a
//!   sync that holds its message for everybody whose session does.
//! - [`Rules`] say which topics a device may use: its own (`device/{own id}/#`) unless told otherwise.
//! - [`Credentials`] are what devices prove who they are with.
//! - [`Client`] publishes and subscribes within this process, with back-pressure.
//!
//! The standards are MQTT 3.1.1 and MQTT 5.0 (OASIS).

mod admission;
mod batch;
mod broker;
mod client;
mod connection;
mod counters;
mod credentials;
mod holder;
mod hub;
mod journal;
mod listener;
mod message;
mod packet;
mod receipt;
mod retained;
mod router;
mod rules;
mod schema;
mod session;
mod settings;
mod state;
mod store;
mod topic;
mod websocket;
mod writer;

pub use admission::Admission;
pub use broker::{Broker, BrokerOptions};
pub use client::{Client, ClientError, ClientOptions, Delivery, Published};
pub use counters::TopicClass;
pub use credentials::{Credential, CredentialError, Credentials, Issued, is_device_id};
pub use holder::Holder;
pub use hub::{Arrival, Presence, Taker};
pub use listener::{Bound, ListenError, tls_from_files};
pub use message::{Message, Quality};
pub use packet::{Frame, FrameError, cut_frame};
pub use receipt::Receipt;
pub use rules::{Act, Effect, Rule, RuleError, Rules, Who};
pub use schema::migrations;
pub use settings::{Limits, Overflow};
pub use store::DeviceStoreError;
pub use websocket::web_socket_of;
