//! Speech in and out: what was said becomes text, text becomes speech, within this process or by an engine beside it.
//!
//! | URL | listens | speaks | what |
//! |---|---|---|---|
//! | `moonshine:/folder` | English | | Moonshine within this process, a folder of `cargo xtask models` |
//! | `whisper:/folder?language=ko` | Korean, English… | | Whisper within this process |
//! | `espeak:` or `espeak:/usr/bin/espeak-ng` | | Korean, English… | espeak-ng as a process of its own |
//! | `wyoming://host:port` | what it says | what it says | any engine that speaks the Wyoming protocol, such as Piper |
//!
//! [`open_transcriber`] and [`open_synthesizer`] take these. Several engines become one by language ([`ByLanguage`]).
//! [`Listener`] turns a stream of samples into the beginning of a turn, what was heard so far, and the whole;
//! [`Gate`] keeps our own voice from being heard; [`Repair`] leads what was misheard back to what can be said, by its
//! text alone, and [`Grammar`] does so while listening, with what the model heard.
//! [`WyomingServer`] offers our engines to others; [`WyomingSatellite`] serves a satellite's microphone and speaker.
//!
//! Without the feature `models` there is nothing that listens within this process; opening it says so.

mod audio;
mod by_language;
mod engine;
mod error;
mod espeak;
mod gate;
mod grammar;
mod listener;
mod open;
mod repair;
mod ssml;
mod voice_activity;
mod wyoming;

#[cfg(feature = "models")]
mod local;

pub use audio::{Audio, AudioFormat, AudioLimits, PcmReader, RATE, RATES, Resampler, read_wav, write_wav};
pub use by_language::ByLanguage;
pub use engine::{Engine, Hints, Rejection, Say, Spoken, Synthesizer, Transcriber, Transcript};
pub use error::SpeechError;
pub use espeak::{Espeak, EspeakOptions};
pub use gate::Gate;
pub use grammar::{Grammar, Link};
pub use listener::{Heard, Listener, ListenerOptions, Partials};
pub use open::{
    EngineOptions, EngineUrl, MODEL_FILES, SCHEMES, check_engine_url, open_synthesizer, open_transcriber,
    read_engine_url,
};
pub use repair::{Repair, Repaired, Sounds};
pub use ssml::{Part, Speech};
pub use voice_activity::{Endpointer, EndpointerOptions, Turn};
pub use wyoming::{
    Conversation, Handled, Handler, Intention, Said, SatelliteLost, SatelliteOptions, WyomingEvent,
    WyomingOptions, WyomingReader, WyomingSatellite, WyomingServer, WyomingSynthesizer, WyomingTranscriber,
    call_satellite, write_event,
};

#[cfg(feature = "models")]
pub use local::{LocalOptions, Moonshine, Whisper};
