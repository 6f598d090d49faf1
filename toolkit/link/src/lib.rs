//! A join as a contract: a plain trait, a client that meets it over a [`Link`], and the routes that serve it.
//!
//! [`contract`] leaves a trait as written and adds `…Client` (meets the trait over any link), `…Routes`
//! (serves any implementation) and `…_CONTRACT` (its name and operations). A link is in process
//! ([`local_link`]), in process but encoded ([`loopback`]), or one of the far wires of `ieum-wires`.

mod call;
mod link;
mod local;
mod operation;
mod payload;
mod routes;
mod unserved;

pub use async_trait::async_trait;
pub use call::{Call, Reply};
pub use ieum_link_macros::contract;
pub use ieum_policy::Guarded as Marked;
pub use link::{Answer, Incoming, Link, Outgoing, StreamLink, UnaryLink};
pub use local::{local_link, loopback};
pub use operation::{Contract, Kind, Operation};
pub use payload::{Message, Payload};
pub use routes::{Route, Routes, StreamHandler, UnaryHandler};
pub use unserved::{unserved, wrong_kind};
