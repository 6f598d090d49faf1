//! What tests share: real servers by environment, fault proxies, waiting, temporary folders, child processes.
//!
//! A dev-dependency only. [`server`] says where `cargo xtask test` started the real servers, [`fault`] stands
//! between a client and a server and breaks what passes, [`wait`] waits for a condition instead of sleeping.

pub mod backend;
pub mod disk;
pub mod fault;
pub mod openapi;
pub mod port;
pub mod power;
pub mod pretix;
pub mod process;
pub mod server;
pub mod sound;
pub mod temp;
pub mod wait;
