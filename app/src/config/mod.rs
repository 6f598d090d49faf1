//! Settings: the compiled-in defaults, one file, the environment; wrong ones are all named at once.

mod agent;
mod bridge;
mod device;
mod engines;
mod front;
mod links;
mod load;
mod notify;
mod plugins;
mod reader;
mod settings;
mod voice;
mod voice_lists;

pub use agent::AgentSettings;
pub use bridge::BridgeSettings;
pub use device::DeviceSettings;
pub use links::LinkSettings;
pub use load::{ConfigError, Mistake, Sources, load};
pub use notify::NotifySettings;
pub use plugins::{Answerer, CommandSettings, PluginSettings};
pub use settings::{KeySource, LinkCallers, Settings};
pub use voice::{SatelliteSettings, VoiceSettings};

/// The default of every setting, with its comment.
pub const DEFAULTS: &str = include_str!("../../../ieum.toml");
