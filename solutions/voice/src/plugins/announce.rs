//! Says something on the person's other devices.

use async_trait::async_trait;
use ieum_contracts::voice::{DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault};

use super::{asks, description, says, tongue};
use crate::rules::words;

/// Announces.
pub struct Announcements;

impl Announcements {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["announce.say"];
}

#[async_trait]
impl Plugin for Announcements {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("announcements", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        let Some(message) = words(&ask.meaning, "message") else {
            return Ok(asks("message", tongue.pick("뭐라고 전할까요?", "What should I say?")));
        };
        let area = words(&ask.meaning, "area").map(str::to_owned);
        let text = message.to_owned();
        let said = tongue.pick("전했어요.", "I passed it on.");
        Ok(PluginAnswer { effects: vec![Effect::Announce { area, text }], ..says(said) })
    }
}
