//! Speech against real models, a real voice and other people's programs.

mod accuracy;
mod hearing;
#[cfg(feature = "models")]
mod korean;
#[cfg(feature = "models")]
mod models;
mod originals;
mod own_voice;
mod satellites;
mod speaking;
mod wyoming;
