//! Small talk, and what the platform says of its own state.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::voice::{DescribePlugin, Plugin, PluginAnswer, PluginAsk, PluginDescription};
use ieum_core::{Cx, Fault};

use super::{description, fails, says, tongue};
use crate::rules::{GREETED, REPEATED};
use crate::sentences;
use crate::tongue::Tongue;
use crate::understanding::{CONDITIONAL, EXCEPTED, NEGATED, PARTLY};

/// What the platform knows of itself.
#[async_trait]
pub trait PlatformState: Send + Sync + 'static {
    /// Returns how many devices are connected, where somebody counts them.
    fn devices(&self) -> Option<usize>;

    /// Returns whether what everything stands on answers.
    async fn is_well(&self) -> bool;
}

/// Talks about itself.
pub struct SmallTalk {
    pub state: Arc<dyn PlatformState>,
}

impl SmallTalk {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &[
        "platform.status",
        "platform.battery",
        "dialog.help",
        GREETED,
        "dialog.thanks",
        "dialog.name",
        "dialog.here",
        "dialog.night",
        "dialog.leave",
        "dialog.home",
        "dialog.cancel",
        REPEATED,
        NEGATED,
        EXCEPTED,
        CONDITIONAL,
        PARTLY,
    ];

    async fn status(&self, tongue: Tongue) -> String {
        let devices = self.state.devices().map(|count| match tongue {
            Tongue::Korean => format!(" 기기 {count}대가 연결되어 있어요."),
            Tongue::English if count == 1 => " One device is connected.".to_owned(),
            Tongue::English => format!(" {count} devices are connected."),
        });
        let well = match self.state.is_well().await {
            true => tongue.pick("모두 정상이에요.", "Everything is fine."),
            false => tongue.pick("저장소가 응답하지 않아요.", "The store does not answer."),
        };
        format!("{well}{}", devices.unwrap_or_default())
    }
}

#[async_trait]
impl Plugin for SmallTalk {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("small talk", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        let text = match ask.meaning.intent.as_str() {
            "platform.status" => return Ok(says(self.status(tongue).await)),
            "platform.battery" => {
                return Ok(fails(tongue.pick(
                    "배터리가 얼마나 남았는지는 몰라요.",
                    "I do not know how much battery is left.",
                )));
            }
            "dialog.help" => tongue.pick(
                "날씨, 시간, 타이머, 알람, 알림, 기기 켜고 끄기, 방송, 시스템 상태를 물어보실 수 있어요.",
                "You can ask me about weather, time, timers, alarms, reminders, switching things, announcements and my state.",
            ),
            GREETED => tongue.pick("안녕하세요.", "Hello."),
            "dialog.thanks" => tongue.pick("천만에요.", "You are welcome."),
            "dialog.name" => tongue.pick("저는 이음이에요.", "I am Ieum."),
            "dialog.here" => tongue.pick("네, 듣고 있어요.", "Yes, I am listening."),
            "dialog.night" => tongue.pick("안녕히 주무세요.", "Good night."),
            "dialog.leave" => tongue.pick("다녀오세요.", "See you later."),
            "dialog.home" => tongue.pick("어서 오세요.", "Welcome home."),
            // What was said before is known to the dialogue; here nothing was.
            REPEATED => tongue.pick("아직 말씀드린 것이 없어요.", "I have not said anything yet."),
            NEGATED => sentences::nothing_changed(tongue),
            EXCEPTED => return Ok(fails(sentences::no_exceptions(tongue))),
            CONDITIONAL => return Ok(fails(sentences::no_conditions(tongue))),
            PARTLY => return Ok(fails(sentences::not_that(tongue, &ask.meaning.text))),
            _ => tongue.pick("알겠어요.", "All right."),
        };
        Ok(says(text))
    }
}
