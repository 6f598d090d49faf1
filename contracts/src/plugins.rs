//! Plugins: what answers an intent, how it tells which it answers, and what it has happen.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};

use crate::voice::Meaning;

/// Answers some intents. Plugins of the platform and plugins from outside are the same to a dialogue.
#[contract("voice.plugin")]
pub trait Plugin {
    /// Tells which intents it answers.
    #[query]
    async fn describe(&self, cx: &Cx, ask: DescribePlugin) -> Result<PluginDescription, Fault>;

    /// Answers a meaning. What is to happen besides is told as [effects](PluginAnswer::effects), which happen once,
    /// together with the answer.
    #[query]
    async fn handle(&self, cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault>;
}

/// Asks a plugin what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribePlugin {}

/// What a plugin does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginDescription {
    /// Its name, such as `weather`.
    pub name: String,
    /// The intents it answers.
    pub intents: Vec<String>,
    /// How its intents are said, by language (`ko`, `en`) and intent: sentence templates in the form of Home Assistant's
    /// hassil, such as `커피 {count} 잔 (주문|시켜)[ ]줘`. A slot in braces that no list is given for takes any words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sentences: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// What slots may hold, by language and slot.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, BTreeMap<String, PluginList>>,
}

/// What a slot may hold: words, or numbers from one to another, as digits and as words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginList {
    /// Words.
    Values(Vec<PluginWord>),
    /// Numbers, both ends included.
    Range {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
}

/// A word of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PluginWord {
    /// One that stands for itself.
    Plain(String),
    /// One that stands for something else.
    Standing {
        /// What is said.
        #[serde(rename = "in")]
        said: String,
        /// What it stands for.
        #[serde(rename = "out")]
        meant: String,
    },
}

/// A meaning that a plugin is to answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginAsk {
    /// The turn.
    pub turn_id: String,
    /// What is meant.
    pub meaning: Meaning,
    /// `ko` or `en`.
    pub language: String,
    /// Whose turn it is.
    pub user_id: String,
    /// The person's name, where one is known.
    #[serde(default)]
    pub user_name: String,
    /// Which device listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// When.
    pub now: Timestamp,
    /// The IANA time zone; UTC where it is empty.
    #[serde(default)]
    pub zone: String,
    /// What the commands before this one in the same sentence have happen; plugins from outside are told nothing of it. None
    /// of it is written yet; a
    /// [`Effect::Cancel`] names what one of them schedules by `#` and its place here, from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Effect>,
}

/// A plugin's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginAnswer {
    /// What is said.
    pub text: String,
    /// The slot that is missing: then the text asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Whether it could not be done.
    #[serde(default)]
    pub failed: bool,
    /// What is to happen besides, once, together with the answer.
    #[serde(default)]
    pub effects: Vec<Effect>,
}

/// Something that is to happen besides an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Effect {
    /// Something rings later.
    Schedule {
        /// What it is.
        kind: ScheduleKind,
        /// When.
        at: Timestamp,
        /// What it is about; may be empty.
        label: String,
        /// The days of the week on which it rings again at that time of day in the person's zone, Monday 1 to Sunday 7;
        /// none for what rings once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        days: Vec<i8>,
        /// From when its length counts, for one that goes on from another: that is cancelled in the same answer. From
        /// now where nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// Timers, alarms or reminders are forgotten.
    Cancel {
        /// Their ids; see [`PluginAsk::earlier`] for those of the same sentence.
        schedules: Vec<String>,
    },
    /// Something is said on the person's other devices.
    Announce {
        /// In this room only.
        area: Option<String>,
        /// What is said.
        text: String,
    },
    /// A thing is switched or set.
    Control {
        /// The thing's id, as the device named it.
        thing: String,
        /// The device that controls it.
        device_id: String,
        /// What to do.
        action: ControlAction,
        /// The level, 0 to 100, where it is set.
        level: Option<f64>,
        /// The colour where it is set, as CSS writes it: `#rrggbb`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<String>,
    },
}

/// What rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// After a length of time.
    #[default]
    Timer,
    /// At a time.
    Alarm,
    /// At a time, with words.
    Reminder,
}

/// What is done to a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlAction {
    /// Switched on.
    #[default]
    On,
    /// Switched off.
    Off,
    /// Set to a level, a colour, or both.
    Set,
}
