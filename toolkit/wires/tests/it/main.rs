//! One contract's suite over every way to meet it, and each wire's own manners.

mod bus;
mod clients;
mod hedge;
mod network;
mod policies;
mod raw_http;
mod sample;
mod server;
mod silence;
mod suite;
mod tls;
