//! The fault proxies in front of a small HTTP server that remembers what reached it.

mod http_proxy;
mod origin;
mod tcp_proxy;
