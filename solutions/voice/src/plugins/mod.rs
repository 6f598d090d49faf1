//! Who answers which intent: the plugins that come along, then those from outside.

mod announce;
mod clock;
mod platform;
mod things;
mod timers;
mod weather;

use std::sync::Arc;

use ieum_contracts::voice::{DescribePlugin, Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault};
use tokio::sync::OnceCell;

pub use announce::Announcements;
pub use clock::WallClock;
pub use platform::{PlatformState, SmallTalk};
pub use things::Things;
pub use timers::Timers;
pub use weather::{Weather, WeatherOptions};

/// The plugins of a dialogue.
#[derive(Default)]
pub struct Plugins {
    own: Vec<(&'static [&'static str], Arc<dyn Plugin>)>,
    outside: Vec<Outside>,
}

/// A plugin that is asked once what it does, as soon as it answers.
struct Outside {
    plugin: Arc<dyn Plugin>,
    intents: OnceCell<Vec<String>>,
}

impl Plugins {
    /// Adds a plugin of this process.
    #[must_use]
    pub fn with(mut self, intents: &'static [&'static str], plugin: Arc<dyn Plugin>) -> Self {
        self.own.push((intents, plugin));
        self
    }

    /// Adds a plugin from outside. It answers what no plugin before it does.
    #[must_use]
    pub fn with_outside(mut self, plugin: Arc<dyn Plugin>) -> Self {
        self.outside.push(Outside { plugin, intents: OnceCell::new() });
        self
    }

    /// Returns the first words of the intents that are answered, as far as plugins from outside have told theirs.
    pub fn topics(&self) -> Vec<String> {
        let own = self.own.iter().flat_map(|(intents, _)| intents.iter().copied());
        let outside = self.outside.iter().filter_map(|outside| outside.intents.get()).flatten();
        let mut topics: Vec<String> =
            own.chain(outside.map(String::as_str)).map(crate::rules::topic).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// Returns the answer of whoever answers the intent, or `None` where nobody does.
    pub async fn handle(&self, cx: &Cx, ask: PluginAsk) -> Option<Result<PluginAnswer, Fault>> {
        let intent = ask.meaning.intent.as_str();
        if let Some((_, plugin)) = self.own.iter().find(|(intents, _)| intents.contains(&intent)) {
            return Some(plugin.handle(cx, ask).await);
        }
        for outside in &self.outside {
            let described = outside.intents.get_or_try_init(|| async {
                let description = outside.plugin.describe(cx, DescribePlugin::default()).await?;
                Ok::<_, Fault>(description.intents)
            });
            match described.await {
                Ok(intents) if intents.iter().any(|own| own == intent) => {
                    return Some(outside.plugin.handle(cx, ask).await);
                }
                Ok(_) => {}
                Err(fault) => {
                    tracing::warn!(error = %fault, "a plugin from outside does not say what it does")
                }
            }
        }
        None
    }
}

/// Returns the answer that only says something.
fn says(text: impl Into<String>) -> PluginAnswer {
    PluginAnswer { text: text.into(), ..PluginAnswer::default() }
}

/// Returns the answer that asks for a slot.
fn asks(slot: &str, text: impl Into<String>) -> PluginAnswer {
    PluginAnswer { text: text.into(), missing: Some(slot.to_owned()), ..PluginAnswer::default() }
}

/// Returns the answer that says why it cannot be done.
fn fails(text: impl Into<String>) -> PluginAnswer {
    PluginAnswer { text: text.into(), failed: true, ..PluginAnswer::default() }
}

/// Returns what a plugin that comes along says of itself.
fn description(name: &str, intents: &[&str]) -> PluginDescription {
    let intents = intents.iter().map(|intent| (*intent).to_owned()).collect();
    PluginDescription { name: name.to_owned(), intents }
}

/// Returns the language of an ask.
fn tongue(ask: &PluginAsk) -> crate::tongue::Tongue {
    crate::tongue::Tongue::of(&ask.language).unwrap_or(crate::tongue::Tongue::Korean)
}
