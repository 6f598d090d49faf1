//! The far wires: links over HTTP, gRPC and the bus, the instances behind them, and the server that answers both.

pub mod balance;
pub mod bus;
pub mod connect;
pub mod discovery;
mod faults;
pub mod grpc;
pub mod http;
pub mod modes;
pub mod open;
pub mod pace;
mod quiet;
pub mod serve;
mod served;
pub mod tls;

pub use open::{LinkOptions, LinkUrlError, OpenedLink, open_link};
