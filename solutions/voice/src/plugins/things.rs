//! Switches and sets things that the person's devices control.

use async_trait::async_trait;
use ieum_contracts::voice::{
    ControlAction, DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription, SlotValue,
};
use ieum_core::{Cx, Fault};

use super::{asks, description, fails, says, tongue};
use crate::colours::{self, COLOR, Colour, LIGHTS, SHADE, is_compound, is_light};
use crate::rules::{NEAR, words};
use crate::store::{Thing, VoiceStore};
use crate::tongue::{Tongue, toward, with};
use crate::understanding::{LATER, kinds};

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
    LIGHTS,
    &["tv", "티비", "텔레비전", "television", "telly"],
    &["에어컨", "air conditioner", "air con", "aircon"],
    &["커튼", "curtain", "drape"],
];
/// What is opened and closed and not switched, as names end.
const OPENED: [&str; 9] = ["커튼", "블라인드", "창문", "문", "curtain", "drape", "blind", "window", "door"];

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
        // Who says all of them means other rooms too, unless it is those here.
        let is_here = words(&ask.meaning, "here").is_some();
        if is_here && said_area.or(ask.area.as_deref()).is_none() {
            return Ok(fails(unknown_room(tongue)));
        }
        let area = said_area.or(ask.area.as_deref().filter(|_| !every || is_here));
        let all = self.store.things(&ask.user_id).await?;
        let meant = Meant { name, area, strict: said_area.is_some() || is_here, every };
        let near = words(&ask.meaning, NEAR).filter(|_| said_area.is_none());
        let near = near.map(|near| choose(&all, Meant { area: Some(near), strict: true, ..meant }));
        let found = near.filter(|near| !near.is_empty()).unwrap_or_else(|| choose(&all, meant));
        if found.is_empty() {
            return Ok(fails(none_found(tongue, name, said_area)));
        }
        let name = name.unwrap_or_default();
        let action = match ask.meaning.intent.as_str() {
            "device.query" if words(&ask.meaning, ABOUT) == Some(COLOR) => {
                return Ok(fails(unseen_colour(tongue, name)));
            }
            "device.query" => return Ok(fails(unseen(tongue, name))),
            "device.off" => ControlAction::Off,
            "device.set" => ControlAction::Set,
            _ => ControlAction::On,
        };
        let set = match action {
            ControlAction::Set => match Set::of(&ask, tongue, name) {
                Ok(set) => set,
                Err(answer) => return Ok(*answer),
            },
            _ => Set::default(),
        };
        // What is carried over to another thing holds for what is opened as well.
        let moved = words(&ask.meaning, "moved").is_some() && (is_said("moved") || is_opened(name));
        let text = done(tongue, name, (action, &set), moved, every);
        let effect = |thing: &Thing| Effect::Control {
            thing: thing.id.clone(),
            device_id: thing.device.clone(),
            action,
            level: set.level,
            color: set.colour.map(|colour| colour.css.to_owned()),
        };
        Ok(PluginAnswer { effects: found.into_iter().map(effect).collect(), ..says(text) })
    }
}

/// The slot of what a command or a question is about.
const ABOUT: &str = "about";
/// The slots of what something is set to.
const SET: [&str; 5] = ["level", "relative", COLOR, SHADE, ABOUT];

/// What something is set to.
#[derive(Default)]
struct Set {
    level: Option<f64>,
    colour: Option<&'static Colour>,
}

impl Set {
    /// Reads what `name` is to be set to; else what is answered instead.
    fn of(ask: &PluginAsk, tongue: Tongue, name: &str) -> Result<Self, Box<PluginAnswer>> {
        let slots = &ask.meaning.slots;
        let is_told = |slot: &&str| slots.get(*slot).is_some_and(|slot| !slot.text.is_empty());
        let is_new = SET.iter().any(is_told);
        // What is carried over from the command before has no words, and is not set again. Other engines give no words.
        let is_meant = |slot: &str| !is_new || is_told(&slot);
        let said = |slot: &str| words(&ask.meaning, slot).filter(|_| is_meant(slot));
        let (named, level) = (said(COLOR), level(ask).filter(|_| is_meant("level")));
        let colour = named.and_then(|named| colours::of(named).or_else(|| colours::named(tongue, named)));
        let unknown = said(SHADE).or(named).filter(|_| colour.is_none());
        if colour.is_none() && unknown.is_none() && said(ABOUT) != Some(COLOR) {
            if said("relative").is_some() {
                return Err(Box::new(fails(unknown_level(tongue, name))));
            }
            let asked = || Box::new(asks("level", tongue.pick("얼마로 맞출까요?", "To which level?")));
            return Ok(Self { level: Some(level.ok_or_else(asked)?), colour });
        }
        if is_no_light(name) {
            return Err(Box::new(fails(not_coloured(tongue, name))));
        }
        let Some(colour) = colour else {
            return Err(Box::new(asks(COLOR, which_colour(tongue, unknown))));
        };
        if colour.is_dark() {
            return Err(Box::new(fails(no_dark_light(tongue))));
        }
        Ok(Self { level, colour: Some(colour) })
    }
}

fn level(ask: &PluginAsk) -> Option<f64> {
    match ask.meaning.slots.get("level")?.value {
        SlotValue::Number { number } => Some(number),
        _ => None,
    }
}

/// Tells whether a name is that of a kind of thing that is no light. What a thing of another name is nobody knows.
fn is_no_light(name: &str) -> bool {
    let name = singular(name);
    let is_of = |kind: &str| {
        let kind = singular(kind);
        name == kind || name.strip_suffix(&*kind).is_some_and(|before| before.ends_with(' '))
    };
    let kinds = SAME.iter().copied().flatten().copied().chain(kinds());
    kinds.filter(|kind| !is_light(kind)).any(is_of)
}

/// Tells whether a name is that of something that is opened.
fn is_opened(name: &str) -> bool {
    let name = singular(name);
    OPENED.iter().any(|opened| name.ends_with(opened))
}

// === What is said ===

fn done(
    tongue: Tongue,
    name: &str,
    (action, set): (ControlAction, &Set),
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
    let to = |level: f64| toward(&level.to_string());
    match (set.level, set.colour.map(|colour| colour.name(tongue))) {
        (None, None) => {}
        (Some(level), None) => {
            return tongue.pick(
                format!("{object} {} 맞췄어요.", to(level)),
                format!("{subject} {are} set to {level}."),
            );
        }
        (None, Some(colour)) => {
            return tongue.pick(
                format!("{object} {} 바꿨어요.", toward(colour)),
                format!("{subject} {are} {colour}."),
            );
        }
        (Some(level), Some(colour)) => {
            return tongue.pick(
                format!("{object} {} 바꾸고 {} 맞췄어요.", toward(colour), to(level)),
                format!("{subject} {are} {colour} and set to {level}."),
            );
        }
    }
    let (korean, english) = match (action, moved) {
        (ControlAction::Off, true) => ("닫았어요", "closed"),
        (ControlAction::Off, false) => ("껐어요", "off"),
        (_, true) => ("열었어요", "open"),
        (_, false) => ("켰어요", "on"),
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

/// Said where those here are meant and it is not known where that is.
fn unknown_room(tongue: Tongue) -> &'static str {
    tongue.pick(
        "여기가 어느 방인지 몰라요. 아무것도 바꾸지 않았어요. 방 이름을 말씀해 주세요.",
        "I do not know which room this is. I changed nothing. Tell me the name of the room.",
    )
}

/// Said where something is to become more or less: devices do not tell what it is now.
fn unknown_level(tongue: Tongue, name: &str) -> String {
    let (are, it) = if name.ends_with('s') { ("are", "them") } else { ("is", "it") };
    tongue.pick(
        format!("{} 지금 얼마인지 몰라서 더하거나 덜 수 없어요. 얼마로 맞출지 말씀해 주세요.", with(name, "이", "가")),
        format!("I do not know what the {name} {are} set to, so I cannot turn {it} up or down. Tell me the level instead."),
    )
}

/// Asks for a colour; `unknown` is one that was said and that nobody knows.
fn which_colour(tongue: Tongue, unknown: Option<&str>) -> String {
    let question = tongue.pick("무슨 색으로 바꿀까요?", "Which colour should it be?");
    let told = unknown.map(|shade| {
        tongue.pick(
            format!("{}은 제가 모르는 색이에요. ", in_full(shade)),
            format!("I do not know the colour {shade}. "),
        )
    });
    told.unwrap_or_default() + question
}

/// Returns the Korean name of a colour with the word for it.
fn in_full(shade: &str) -> String {
    let shade = shade.trim_end_matches('색').trim();
    format!("{shade}색")
}

/// Said where something that is no light is to have a colour.
fn not_coloured(tongue: Tongue, name: &str) -> String {
    tongue.pick(
        format!("{} 색을 바꿀 수 없어요. 조명의 색만 바꿀 수 있어요.", with(name, "은", "는")),
        format!("I can set the colour of lights, and not of the {name}."),
    )
}

fn no_dark_light(tongue: Tongue) -> &'static str {
    tongue.pick(
        "검은색 빛은 없어요. 끄려면 꺼 달라고 말씀해 주세요.",
        "No light is black. Tell me to turn it off instead.",
    )
}

/// Said to who asks what colour something has.
fn unseen_colour(tongue: Tongue, name: &str) -> String {
    tongue.pick(
        format!("{} 무슨 색인지는 알 수 없어요. 색을 바꿀 수는 있어요.", with(name, "이", "가")),
        format!(
            "I cannot see what colour the {name} {}. I can change it.",
            if name.ends_with('s') { "are" } else { "is" }
        ),
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
                let is_every = meant.every && name.is_ascii() && is_light(&known);
                let is_one = row == LIGHTS && (is_compound(&known) || is_every);
                known == name || row.contains(&&*known) || known.ends_with(&last) || is_one
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
