//! Voice: what is said to the platform, understood in its context, answered by plugins, and told on the bus.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The bus topic of what happens in dialogues; the key is the person, or `device:{id}` for a device that is nobody's.
pub const DIALOG_EVENTS: &str = "dialog-events";

/// The CloudEvents type of a turn that was answered; the data is a [`DialogCompleted`].
pub const DIALOG_COMPLETED: &str = "voice.dialog.completed.v1";

/// The CloudEvents type of a timer, alarm or reminder that rang; the data is a [`ScheduleRang`].
pub const SCHEDULE_RANG: &str = "voice.schedule.rang.v1";

/// The CloudEvents type of what a device noticed, such as motion; the data is a [`DeviceNotice`].
pub const DEVICE_NOTICED: &str = "voice.device.noticed.v1";

/// The bus topic of what devices measure; the key is the device.
pub const DEVICE_EVENTS: &str = "device-events";

/// The CloudEvents type of what a device measured, its telemetry; the data is a [`DeviceMeasurement`].
pub const DEVICE_MEASURED: &str = "voice.device.measured.v1";

/// Leads dialogues: a turn comes in as text, the answer goes out as text.
#[contract("voice.dialogue")]
pub trait Dialogue {
    /// Answers one turn. Under the same [turn id](DialogTurn::turn_id), or the same idempotency key where there is
    /// none, it is one turn with one answer. A person who is blocked or not known, and words that are not understood,
    /// are answers too. Fails with `voice.turn.invalid`.
    #[command]
    async fn say(&self, cx: &Cx, turn: DialogTurn) -> Result<DialogAnswer, Fault>;
}

/// Keeps what a session is about.
#[contract("voice.context")]
pub trait ContextEngine {
    /// Returns a session's context; an empty one for a session that is not known.
    #[query]
    async fn get(&self, cx: &Cx, ask: GetContext) -> Result<Context, Fault>;

    /// Adds one turn to a session, counts it, and returns what the session then holds. A turn that is among the last
    /// ones already is not added again. Fails with `voice.context.invalid`.
    #[command]
    async fn record(&self, cx: &Cx, turn: RecordTurn) -> Result<Context, Fault>;

    /// Forgets every session of a person; nothing happens where none is known.
    #[command]
    async fn forget(&self, cx: &Cx, ask: ForgetPerson) -> Result<ForgetPerson, Fault>;
}

/// Understands what was said.
#[contract("voice.understanding")]
pub trait Understanding {
    /// Returns what a sentence means: one meaning per command in it, none where it is not understood. Fails with
    /// `voice.language.unknown`.
    #[query]
    async fn understand(&self, cx: &Cx, ask: Understand) -> Result<Understood, Fault>;
}

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

// === A turn ===

/// What was said to the platform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogTurn {
    /// Tells turns apart: a second one of the same id gets the first one's answer. At most 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<String>,
    /// Who speaks; the device's owner where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Which device listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Which conversation it belongs to; the device's or the person's own where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What was said, 1 to 2,000 characters.
    pub text: String,
    /// `ko` or `en`, with or without a region; found out from person and letters where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where it was said, such as `거실`; the device's place where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Milliseconds that hearing took, where the turn was spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_ms: Option<f64>,
    /// Whether the answer is also sent to the device, over MQTT.
    #[serde(default)]
    pub deliver: bool,
}

/// The answer to a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogAnswer {
    /// The turn.
    pub turn_id: String,
    /// The conversation.
    pub session_id: String,
    /// Whose it is.
    pub user_id: String,
    /// What was heard, where the turn was spoken: the words that the answer is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    /// What is said back.
    pub text: String,
    /// The language of the answer.
    pub language: String,
    /// What was meant first: an intent such as `weather.query`, or `unknown`.
    pub intent: String,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// The values of what was meant first.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
    /// What became of it.
    pub outcome: DialogOutcome,
    /// Whether the platform asked something and waits for the answer.
    #[serde(default)]
    pub expects_answer: bool,
    /// How many turns the session has, this one included.
    pub turn_count: u64,
    /// Milliseconds of each stage, in their order: `heard`, `known`, `remembered`, `understood`, `answered`.
    pub stages: Vec<StageTime>,
}

/// How long a stage of a turn took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageTime {
    /// The stage.
    pub stage: String,
    /// Milliseconds.
    pub ms: f64,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialogOutcome {
    /// It was answered.
    #[default]
    Answered,
    /// Something is missing, and the platform asked for it.
    Asked,
    /// It was not understood.
    NotUnderstood,
    /// A plugin could not do it.
    Failed,
    /// The person may not use what there is.
    Blocked,
    /// There is no such person.
    UserNotFound,
}

// === Context ===

/// Whose sessions are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForgetPerson {
    /// The person.
    pub user_id: String,
}

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetContext {
    /// Whose.
    pub user_id: String,
    /// The session.
    pub session_id: String,
}

/// What a session is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// Whose.
    pub user_id: String,
    /// The session.
    pub session_id: String,
    /// How many turns it had.
    pub turn_count: u64,
    /// What it is about, and what is still open.
    #[serde(default)]
    pub state: ContextState,
    /// The last turns, the oldest first; some of the oldest may be gone.
    #[serde(default)]
    pub conversation_history: Vec<PastTurn>,
    /// When the last turn was; none for a session without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
}

/// What a session is about at the moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextState {
    /// The topic, such as `weather`: the intent's first word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What was meant last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Its values, for a turn that says only what changes.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
    /// What the platform asked and nobody answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingQuestion>,
}

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingQuestion {
    /// What is to be done.
    pub intent: String,
    /// The slot that is missing.
    pub slot: String,
    /// What is known already.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
}

/// A turn as a session remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastTurn {
    /// The turn.
    pub turn_id: String,
    /// What was said.
    pub said: String,
    /// What was meant.
    pub intent: String,
    /// What was answered.
    pub answered: String,
    /// When.
    pub at: Timestamp,
}

/// A turn that a session is to remember.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordTurn {
    /// Whose: 1 to 120 characters.
    pub user_id: String,
    /// The session: 1 to 120 characters.
    pub session_id: String,
    /// The turn.
    pub turn: PastTurn,
    /// What the session is about from now on.
    pub state: ContextState,
}

// === Understanding ===

/// A sentence that is to be understood.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Understand {
    /// What was said.
    pub text: String,
    /// `ko` or `en`, with or without a region.
    pub language: String,
    /// When; words such as "tomorrow" are read against it.
    pub now: Timestamp,
    /// The IANA time zone of whoever speaks; UTC where it is empty.
    #[serde(default)]
    pub zone: String,
    /// Whose conversation it is, for an engine that keeps contexts itself.
    #[serde(default)]
    pub session_id: String,
    /// What the session is about.
    #[serde(default)]
    pub state: ContextState,
    /// Where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The names of things that can be controlled.
    #[serde(default)]
    pub things: Vec<String>,
    /// The names of rooms.
    #[serde(default)]
    pub areas: Vec<String>,
}

/// What a sentence means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Understood {
    /// One per command, in the order said; none where the sentence is not understood.
    pub meanings: Vec<Meaning>,
    /// Who understood it: `templates`, `classifier`, or an engine from outside.
    #[serde(default)]
    pub engine: String,
}

/// What one command means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meaning {
    /// The intent, such as `weather.query`.
    pub intent: String,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Its values by name.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
    /// The part of the sentence.
    #[serde(default)]
    pub text: String,
    /// Whether it says only what changes against the turn before.
    #[serde(default)]
    pub follows_up: bool,
}

/// A value that was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// The words; empty where the context gave it.
    #[serde(default)]
    pub text: String,
    /// What they stand for.
    pub value: SlotValue,
}

/// What words stand for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SlotValue {
    /// Words, or a name.
    Text {
        /// The words.
        text: String,
    },
    /// A number.
    Number {
        /// The number.
        number: f64,
    },
    /// A length of time.
    Duration {
        /// Seconds.
        seconds: u64,
    },
    /// A moment.
    Moment {
        /// When.
        at: Timestamp,
        /// Whether a time of day was said; else it is a day's beginning.
        exact: bool,
    },
    /// A day, or several.
    Day {
        /// The first one, such as `2026-05-01`.
        date: String,
        /// How many days, 1 for one.
        days: u32,
    },
}

// === Plugins ===

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
    /// Set to a level.
    Set,
}

// === Events ===

/// A turn that was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogCompleted {
    /// The turn.
    pub turn_id: String,
    /// Whose it was.
    pub user_id: String,
    /// The device that listened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The conversation.
    pub session_id: String,
    /// The language.
    pub language: String,
    /// What was meant, first.
    pub intent: String,
    /// What became of it.
    pub outcome: DialogOutcome,
    /// Milliseconds from the turn to its answer.
    pub took_ms: f64,
    /// When.
    pub at: Timestamp,
}

/// A timer, alarm or reminder that rang.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRang {
    /// Its id.
    pub schedule_id: String,
    /// What it is.
    pub kind: ScheduleKind,
    /// Whose it is.
    pub user_id: String,
    /// The device that rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub label: String,
    /// When it was to ring.
    pub at: Timestamp,
    /// Milliseconds that it rang too late, because nobody ran.
    pub late_ms: u64,
}

/// What a device noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceNotice {
    /// The device.
    pub device_id: String,
    /// Whose it is; `device:{id}` where nobody's.
    pub user_id: String,
    /// What it noticed, such as `motion_detected`.
    pub event_type: String,
    /// Where, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// All that it said of it, such as `{"location": "door", "intensity": 0.8}`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// When, by the device's own clock where that is within a day of ours. When it came is the event's own time.
    pub at: Timestamp,
}

/// What a device measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceMeasurement {
    /// The device.
    pub device_id: String,
    /// All that it said, such as `{"temperature": 21.5}`.
    pub data: Value,
    /// When, by the device's own clock where that is within a day of ours. When it came is the event's own time.
    pub at: Timestamp,
}
