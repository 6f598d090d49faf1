//! Settings: the compiled-in defaults, one file, the environment; wrong ones are all named at once.

mod agent;
mod bridge;
mod front;
mod load;
mod settings;
mod voice;

pub use agent::AgentSettings;
pub use bridge::BridgeSettings;
pub use load::{Mistake, Sources, load};
pub use settings::{
    DeviceSettings, KeySource, LinkCallers, LinkSettings, SatelliteSettings, Settings, VoiceSettings,
};

/// The default of every setting, with its comment.
pub const DEFAULTS: &str = include_str!("../../../ieum.toml");
