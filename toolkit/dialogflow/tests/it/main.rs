//! Dialogflow and `MLService` over real sockets, with our own clients and with Google's.

mod client;
mod google;
mod grpc;
mod ml;
mod rest;
mod world;
