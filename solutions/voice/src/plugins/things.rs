//! Switches and sets things that the person's devices control.

use async_trait::async_trait;
use ieum_contracts::voice::{
    ControlAction, DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription, SlotValue,
};
use ieum_core::{Cx, Fault};

use super::{asks, description, fails, says, tongue};
use crate::rules::words;
use crate::store::{Thing, VoiceStore};
use crate::tongue::{Tongue, toward, with};
use crate::understanding::LATER;

/// Controls things.
pub struct Things {
    pub store: VoiceStore,
}

impl Things {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["device.on", "device.off", "device.set", "device.query"];
}

/// What things are called besides: who says one of a row may mean any of it.
const SAME: [&[&str]; 4] = [
    &["불", "조명", "전등", "등", "light", "lamp"],
    &["tv", "티비", "텔레비전", "television", "telly"],
    &["에어컨", "air conditioner", "air con", "aircon"],
    &["커튼", "curtain", "drape"],
];

#[async_trait]
impl Plugin for Things {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("things", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        // What is carried over from the command before has no words.
        let is_said = |slot: &str| ask.meaning.slots.get(slot).is_some_and(|slot| !slot.text.is_empty());
        if ["when", LATER].into_iter().any(is_said) {
            return Ok(fails(not_later(tongue)));
        }
        let every = words(&ask.meaning, "every").is_some();
        let name = words(&ask.meaning, "name");
        if name.is_none() && !every {
            return Ok(asks("name", tongue.pick("무엇을요?", "Which one?")));
        }
        let said_area = words(&ask.meaning, "area");
        // Who says all of them means other rooms too.
        let area = said_area.or(ask.area.as_deref().filter(|_| !every));
        let all = self.store.things(&ask.user_id).await?;
        let found = choose(&all, Meant { name, area, strict: said_area.is_some(), every });
        if found.is_empty() {
            return Ok(fails(none_found(tongue, name, said_area)));
        }
        let name = name.unwrap_or_default();
        let (action, level) = match ask.meaning.intent.as_str() {
            "device.query" => return Ok(fails(unseen(tongue, name))),
            "device.off" => (ControlAction::Off, None),
            "device.set" => (ControlAction::Set, level(&ask)),
            _ => (ControlAction::On, None),
        };
        if action == ControlAction::Set && words(&ask.meaning, "relative").is_some() {
            return Ok(fails(unknown_level(tongue, name)));
        }
        if action == ControlAction::Set && level.is_none() {
            return Ok(asks("level", tongue.pick("얼마로 맞출까요?", "To which level?")));
        }
        let moved = words(&ask.meaning, "moved").is_some();
        let text = done(tongue, name, (action, level), moved, every);
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

// === What is said ===

fn done(
    tongue: Tongue,
    name: &str,
    (action, level): (ControlAction, Option<f64>),
    moved: bool,
    every: bool,
) -> String {
    let object = match (name.is_empty(), every) {
        (true, _) => "모두".to_owned(),
        (false, true) => format!("{} 모두", with(name, "을", "를")),
        (false, false) => with(name, "을", "를"),
    };
    let subject = match (name.is_empty(), every) {
        (true, _) => "Everything".to_owned(),
        (false, true) => format!("Every {}", singular(name)),
        (false, false) => format!("The {name}"),
    };
    let are = if !every && name.ends_with('s') { "are" } else { "is" };
    let (korean, english) = match (action, level, moved) {
        (ControlAction::Set, Some(level), _) => {
            return tongue.pick(
                format!("{object} {} 맞췄어요.", toward(&level.to_string())),
                format!("{subject} {are} set to {level}."),
            );
        }
        (ControlAction::Off, _, true) => ("닫았어요", "closed"),
        (ControlAction::Off, _, false) => ("껐어요", "off"),
        (_, _, true) => ("열었어요", "open"),
        (_, _, false) => ("켰어요", "on"),
    };
    tongue.pick(format!("{object} {korean}."), format!("{subject} {are} {english}."))
}

fn none_found(tongue: Tongue, name: Option<&str>, area: Option<&str>) -> String {
    let place =
        area.map(|area| tongue.pick(format!("{area}에서 "), format!(" in the {area}"))).unwrap_or_default();
    let (korean, english) = match name {
        Some(name) => (with(name, "을", "를"), name),
        None => ("켜고 끌 것을".to_owned(), "thing to switch"),
    };
    tongue.pick(format!("{place}{korean} 찾지 못했어요."), format!("I found no {english}{place}."))
}

/// Said where something is to become more or less: devices do not tell what it is now.
fn unknown_level(tongue: Tongue, name: &str) -> String {
    let (are, it) = if name.ends_with('s') { ("are", "them") } else { ("is", "it") };
    tongue.pick(
        format!("{} 지금 얼마인지 몰라서 더하거나 덜 수 없어요. 얼마로 맞출지 말씀해 주세요.", with(name, "이", "가")),
        format!("I do not know what the {name} {are} set to, so I cannot turn {it} up or down. Tell me the level instead."),
    )
}

/// Said to a command for another time than now.
fn not_later(tongue: Tongue) -> &'static str {
    tongue.pick(
        "나중에 켜거나 끄는 것은 아직 할 수 없어요. 아무것도 하지 않았어요.",
        "I cannot switch things later yet. I switched nothing.",
    )
}

/// Said to who asks whether something is on.
fn unseen(tongue: Tongue, name: &str) -> String {
    tongue.pick(
        format!("{} 켜져 있는지는 알 수 없어요. 켜거나 끌 수는 있어요.", with(name, "이", "가")),
        format!("I cannot see whether the {name} is on. I can turn it on or off."),
    )
}

// === Which things ===

/// Who is meant: a name, the room where it is or where it was said, and how strictly.
#[derive(Clone, Copy, Default)]
struct Meant<'a> {
    /// None for all things.
    name: Option<&'a str>,
    area: Option<&'a str>,
    /// Whether the room was named.
    strict: bool,
    /// Whether all that are called so are meant.
    every: bool,
}

/// Returns the things that are meant: those of the room where one is named; else those of the room where it was said,
/// and where it has none, all of that name. A thing is called by its name, else by another word for it or by the last
/// word of its name.
fn choose<'a>(all: &'a [Thing], meant: Meant<'_>) -> Vec<&'a Thing> {
    let is_there = |thing: &&Thing| meant.area.is_none() || thing.area.as_deref() == meant.area;
    let called: Vec<&Thing> = match meant.name.map(singular) {
        None => all.iter().collect(),
        Some(name) => {
            let row = SAME.iter().find(|row| row.contains(&&*name)).copied().unwrap_or_default();
            let last = format!(" {name}");
            let exactly = |thing: &&Thing| singular(&thing.name) == name;
            let likely = |thing: &&Thing| {
                let known = singular(&thing.name);
                known == name || row.contains(&&*known) || known.ends_with(&last)
            };
            let exact: Vec<&Thing> = all.iter().filter(exactly).collect();
            if meant.every || exact.is_empty() { all.iter().filter(likely).collect() } else { exact }
        }
    };
    let there: Vec<&Thing> = called.iter().copied().filter(is_there).collect();
    if there.is_empty() && !meant.strict { called } else { there }
}

/// Returns a name in lower case and without the ending of several.
fn singular(name: &str) -> String {
    let name = name.to_lowercase();
    let one = name.strip_suffix('s').filter(|one| !one.ends_with('s') && one.len() > 2);
    one.map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(id: &str, name: &str, area: &str) -> Thing {
        Thing { device: "hub".into(), id: id.into(), name: name.into(), area: Some(area.into()) }
    }

    #[test]
    fn the_room_of_the_speaker_decides_unless_another_is_named() {
        let all = [thing("1", "불", "거실"), thing("2", "불", "안방"), thing("3", "Desk Lights", "안방")];
        let ids = |name, area, strict| {
            let found = choose(&all, Meant { name, area, strict, every: false });
            found.iter().map(|thing| thing.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(Some("불"), Some("안방"), false), ["2"]);
        assert_eq!(ids(Some("불"), Some("주방"), false), ["1", "2"], "the kitchen has none");
        assert_eq!(ids(Some("불"), Some("주방"), true), Vec::<String>::new(), "it was named");
        assert_eq!(ids(Some("불"), None, false), ["1", "2"]);
        assert_eq!(ids(Some("전등"), None, false), ["1", "2"], "by another name");
        assert_eq!(ids(Some("desk light"), None, false), ["3"]);
        assert_eq!(ids(None, Some("안방"), true), ["2", "3"], "all of a room");
        let lights = choose(&all, Meant { name: Some("lights"), every: true, ..Meant::default() });
        assert_eq!(lights.len(), 3, "all that are lights, whatever else they are called");
    }
}
