//! What time and day it is.

use async_trait::async_trait;
use ieum_contracts::voice::{DescribePlugin, Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault};

use super::{description, says, tongue};
use crate::tongue::{date, time, with};
use crate::zone::{here, zone};

/// Tells time and date.
pub struct WallClock;

impl WallClock {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["time.query", "date.query"];
}

#[async_trait]
impl Plugin for WallClock {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("clock", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let (tongue, zone) = (tongue(&ask), zone(&ask.zone));
        Ok(says(match ask.meaning.intent.as_str() {
            "date.query" => {
                let today = date(tongue, here(&zone, ask.now).date());
                tongue.pick(format!("오늘은 {today}이에요."), format!("Today is {today}."))
            }
            _ => {
                let now = time(tongue, &zone, ask.now);
                // 시 ends in a vowel, 분 does not.
                let korean = with(&now, "이에요", "예요");
                tongue.pick(format!("지금은 {korean}."), format!("It is {now}."))
            }
        }))
    }
}
