//! Voice: devices that are spoken to, the dialogues they lead, and what is done about them.
//!
//! A turn comes by MQTT, Hermes, HTTP or WebSocket; who speaks is asked of the directory, what it is about of the context
//! engine, what is meant of the understanding engine, and a plugin answers. Answer, what is to be sent to devices,
//! what is to ring later and the event on `dialog-events` are one transaction under the turn's id, so that a turn that
//! comes twice, before or after a kill, happens once.

mod answers;
mod audio;
mod cached;
mod cities;
mod colours;
mod context;
mod dialogflow;
mod dialogue;
mod directory;
mod effects;
mod gateway;
mod hearing;
mod hermes;
mod leading;
mod leaving;
mod listening;
mod measured;
mod openapi;
mod part;
mod parts;
mod plugins;
mod replaying;
mod replies;
mod ring;
mod rules;
mod said;
mod sentences;
#[cfg(test)]
mod silent;
mod speech;
mod stages;
mod store;
mod streaming;
mod streams;
mod tables;
mod tongue;
mod trail;
mod understanding;
mod understood;
mod views;
mod web;
mod zone;

pub use audio::LONGEST as LONGEST_RECORDING;
pub use cached::CachedContexts;
pub use context::Contexts;
pub use dialogflow::DialogflowUnderstanding;
pub use gateway::Letter;
pub use listening::ProactiveRule;
pub use measured::{LastSaid, Measured, Tally};
pub use openapi::openapi_json;
pub use part::{StartError, VoiceDeps, VoiceOptions, VoicePart};
pub use plugins::{OutsidePlugin, PluginReport, PluginWatch, WeatherOptions};
pub use replaying::{Difference, Replay, ReplayContext, ReplayMeaning};
pub use speech::{Audio, Ears, Heard, Mouth, SpeechError};
pub use tongue::Tongue;
pub use trail::{Trail, TrailTurn};
pub use understanding::{LocalUnderstanding, SentencesError};

pub use web::versions::Versions;
pub use zone::time_of_day;

/// Tells whether there is an IANA time zone of this name.
pub fn is_zone(name: &str) -> bool {
    zone::known_zone(name).is_some()
}
