//! Who answers which intent: the plugins that come along, then those from outside.

mod announce;
mod clock;
mod described;
mod outside;
mod platform;
mod things;
mod timers;
mod weather;

use std::sync::Arc;

use ieum_contracts::voice::{Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault};

use crate::dialogflow::SAID;
pub use announce::Announcements;
pub use clock::WallClock;
pub use outside::{Outside, OutsidePlugin, PluginReport, PluginWatch};
pub use platform::{PlatformState, SmallTalk};
pub use things::Things;
pub use timers::{
    BESIDES, CANCELLED, Choice, EVERYTHING, NEWEST, TOLD, Timers, cancelled, choice, says_others,
};
pub use weather::{Weather, WeatherOptions};

/// The plugins of a dialogue.
#[derive(Default)]
pub struct Plugins {
    own: Vec<(&'static [&'static str], Arc<dyn Plugin>)>,
    outside: Vec<Arc<Outside>>,
}

impl Plugins {
    /// Adds a plugin of this process.
    #[must_use]
    pub fn with(mut self, intents: &'static [&'static str], plugin: Arc<dyn Plugin>) -> Self {
        self.own.push((intents, plugin));
        self
    }

    /// Adds a plugin from outside. It answers what no plugin before it does, once it said that it does.
    #[must_use]
    pub fn with_outside(mut self, plugin: OutsidePlugin) -> Self {
        self.outside.push(Arc::new(Outside::new(plugin)));
        self
    }

    /// Returns the plugins from outside.
    pub fn outside(&self) -> &[Arc<Outside>] {
        &self.outside
    }

    /// Returns the intents that plugins of this process answer.
    pub fn own_intents(&self) -> Vec<&'static str> {
        self.own.iter().flat_map(|(intents, _)| intents.iter().copied()).collect()
    }

    /// Returns the intents that are answered, in order, as far as plugins from outside have told theirs.
    pub fn intents(&self) -> Vec<String> {
        let own = self.own_intents().into_iter().map(str::to_owned);
        let outside = self.outside.iter().flat_map(|outside| outside.report().intents);
        let mut intents: Vec<String> = own.chain(outside).collect();
        intents.sort();
        intents.dedup();
        intents
    }

    /// Returns the first words of these intents.
    pub fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> =
            self.intents().iter().map(|intent| crate::rules::topic(intent)).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// Returns the answer of whoever answers the intent, else that of who understood it, or `None` where there is none.
    pub async fn handle(&self, cx: &Cx, ask: PluginAsk) -> Option<Result<PluginAnswer, Fault>> {
        let intent = ask.meaning.intent.as_str();
        if let Some((_, plugin)) = self.own.iter().find(|(intents, _)| intents.contains(&intent)) {
            return Some(plugin.handle(cx, ask).await);
        }
        if let Some(outside) = self.outside.iter().find(|outside| outside.answers(intent)) {
            return Some(outside.handle(cx, ask).await);
        }
        // Who understood may have an answer of its own.
        crate::rules::words(&ask.meaning, SAID).map(|text| Ok(says(text)))
    }
}

/// Returns the answer that only says something.
pub fn says(text: impl Into<String>) -> PluginAnswer {
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
    PluginDescription { name: name.to_owned(), intents, ..PluginDescription::default() }
}

/// Returns the language of an ask.
fn tongue(ask: &PluginAsk) -> crate::tongue::Tongue {
    crate::tongue::Tongue::of(&ask.language).unwrap_or(crate::tongue::Tongue::Korean)
}

#[cfg(test)]
mod tests {
    use ieum_contracts::voice::{Meaning, Slot, SlotValue};

    use super::*;

    #[tokio::test]
    async fn an_intent_that_nobody_answers_is_answered_by_who_understood_it() {
        let said = Slot { value: SlotValue::Text { text: "왜 웃어요".into() }, text: String::new() };
        let ask = |intent: &str, slots| PluginAsk {
            meaning: Meaning { intent: intent.into(), slots, ..Meaning::default() },
            language: "ko".into(),
            ..PluginAsk::default()
        };
        let plugins = Plugins::default().with(WallClock::INTENTS, Arc::new(WallClock));
        let told = async |ask| plugins.handle(&Cx::root(), ask).await.map(|told| told.expect("answers").text);
        let slots = [(SAID.to_owned(), said)];
        assert_eq!(told(ask("joke", slots.clone().into())).await.as_deref(), Some("왜 웃어요"));
        assert_ne!(
            told(ask("time.query", slots.into())).await.as_deref(),
            Some("왜 웃어요"),
            "a plugin answers"
        );
        assert_eq!(told(ask("joke", Default::default())).await, None);
    }
}
