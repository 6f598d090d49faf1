//! A device's side of MQTT against a real broker in this process, over lines that are cut.

mod agents;
mod bridges;
mod full;
mod refusals;
mod world;
