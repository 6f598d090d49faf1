//! Voice: what is said to the platform, understood in its context, and answered; by plugins, and told on the bus.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};

pub use crate::dialog_events::*;
pub use crate::plugins::*;

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
    /// The words that the engine heard, where the turn was spoken and `text` has other words: the sentence that they were
    /// taken for. An engine that listens for sentences alone, and one that leads to them and tells only the end, has no
    /// such words; nothing stands here then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_heard: Option<String>,
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
    /// The engine's own words, where `heard` is a sentence that they were [taken for](DialogTurn::first_heard).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_heard: Option<String>,
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
