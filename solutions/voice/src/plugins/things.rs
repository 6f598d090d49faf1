//! Switches and sets things that the person's devices control.

use async_trait::async_trait;
use ieum_contracts::voice::{
    ControlAction, DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription, SlotValue,
};
use ieum_core::{Cx, Fault};

use super::{asks, description, fails, says, tongue};
use crate::rules::words;
use crate::store::{Thing, VoiceStore};
use crate::tongue::with;

/// Controls things.
pub struct Things {
    pub store: VoiceStore,
}

impl Things {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["device.on", "device.off", "device.set"];
}

#[async_trait]
impl Plugin for Things {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("things", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        let Some(name) = words(&ask.meaning, "name") else {
            return Ok(asks("name", tongue.pick("무엇을요?", "Which one?")));
        };
        let area = words(&ask.meaning, "area").or(ask.area.as_deref());
        let said_area = words(&ask.meaning, "area");
        let all = self.store.things(&ask.user_id).await?;
        let found = choose(&all, name, area, said_area.is_some());
        if found.is_empty() {
            let place = said_area
                .map(|area| tongue.pick(format!("{area}에 "), format!(" in the {area}")))
                .unwrap_or_default();
            return Ok(fails(tongue.pick(
                format!("{place}{} 찾지 못했어요.", with(name, "을", "를")),
                format!("I found no {name}{place}."),
            )));
        }
        let (action, level) = match ask.meaning.intent.as_str() {
            "device.off" => (ControlAction::Off, None),
            "device.set" => (ControlAction::Set, level(&ask)),
            _ => (ControlAction::On, None),
        };
        if action == ControlAction::Set && level.is_none() {
            return Ok(asks("level", tongue.pick("얼마로 맞출까요?", "To which level?")));
        }
        let object = with(name, "을", "를");
        let text = match (action, level) {
            (ControlAction::Off, _) => {
                tongue.pick(format!("{object} 껐어요."), format!("The {name} is off."))
            }
            (ControlAction::Set, Some(level)) => tongue
                .pick(format!("{object} {level}(으)로 맞췄어요."), format!("The {name} is set to {level}.")),
            _ => tongue.pick(format!("{object} 켰어요."), format!("The {name} is on.")),
        };
        let effect = |thing: &Thing| Effect::Control {
            thing: thing.id.clone(),
            device_id: thing.device.clone(),
            action,
            level,
        };
        Ok(PluginAnswer { effects: found.into_iter().map(effect).collect(), ..says(text) })
    }
}

fn level(ask: &PluginAsk) -> Option<f64> {
    match ask.meaning.slots.get("level")?.value {
        SlotValue::Number { number } => Some(number),
        _ => None,
    }
}

/// Returns the things that are meant: those of the room where one is named; else those of the room where it was said,
/// and where it has none, all of that name.
fn choose<'a>(all: &'a [Thing], name: &str, area: Option<&str>, strict: bool) -> Vec<&'a Thing> {
    let is_called = |thing: &&Thing| thing.name.to_lowercase() == name.to_lowercase();
    let is_there = |thing: &&Thing| area.is_none() || thing.area.as_deref() == area;
    let there: Vec<&Thing> = all.iter().filter(is_called).filter(is_there).collect();
    if there.is_empty() && !strict { all.iter().filter(is_called).collect() } else { there }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(id: &str, area: &str) -> Thing {
        Thing { device: "hub".into(), id: id.into(), name: "불".into(), area: Some(area.into()) }
    }

    #[test]
    fn the_room_of_the_speaker_decides_unless_another_is_named() {
        let all = [thing("1", "거실"), thing("2", "안방")];
        let ids = |area, strict| {
            choose(&all, "불", area, strict).iter().map(|thing| thing.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(Some("안방"), false), ["2"]);
        assert_eq!(ids(Some("주방"), false), ["1", "2"], "the kitchen has none");
        assert_eq!(ids(Some("주방"), true), Vec::<String>::new(), "it was named");
        assert_eq!(ids(None, false), ["1", "2"]);
    }
}
