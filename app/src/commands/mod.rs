//! The commands that act once and end.

pub mod check;
pub mod dead;
pub mod device;
pub mod doctor;
mod doctor_voice;
pub mod key;
pub mod link;
pub mod locate;
pub mod migrate;
pub mod remote;
pub mod source;
pub mod token;
pub mod webhook;
