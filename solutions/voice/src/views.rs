//! What the API takes and gives, as its description shows it.

use std::collections::BTreeMap;

use ieum_contracts::voice::{DialogAnswer, DialogOutcome, DialogTurn, SlotValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A turn of the first version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnV1 {
    /// Who speaks; one of both is needed.
    #[schema(min_length = 1, max_length = 120)]
    pub user_id: Option<String>,
    /// Which device listens; one of both is needed.
    #[schema(min_length = 1, max_length = 120)]
    pub device_id: Option<String>,
    /// Which conversation.
    #[schema(min_length = 1, max_length = 120)]
    pub session_id: Option<String>,
    /// What was said.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
}

/// An answer of the first version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerV1 {
    /// The conversation.
    pub session_id: String,
    /// What is said back.
    pub text: String,
    /// What was meant.
    pub intent: String,
}

/// A turn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnV2 {
    /// Tells turns apart: a second one of the same id gets the first one's answer.
    #[schema(min_length = 1, max_length = 120)]
    pub turn_id: Option<String>,
    /// Who speaks; one of this and `deviceId` is needed.
    #[schema(min_length = 1, max_length = 120)]
    pub user_id: Option<String>,
    /// Which device listens.
    #[schema(min_length = 1, max_length = 120)]
    pub device_id: Option<String>,
    /// Which conversation.
    #[schema(min_length = 1, max_length = 120)]
    pub session_id: Option<String>,
    /// What was said.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// `ko` or `en`; found out where left out.
    pub language: Option<String>,
    /// What else is known of the turn.
    pub context: Option<TurnContext>,
    /// The caller's own words; read by nobody here.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
}

/// What else is known of a turn.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnContext {
    /// Where it was said.
    #[schema(min_length = 1, max_length = 120)]
    pub area: Option<String>,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerV2 {
    /// The turn.
    pub turn_id: String,
    /// The conversation.
    pub session_id: String,
    /// Whose it is.
    pub user_id: String,
    /// What was heard, where the turn was spoken: the words that the answer is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    /// The engine's own words, where `heard` is a sentence that they were taken for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_heard: Option<String>,
    /// What is said back.
    pub text: String,
    /// The language of the answer.
    pub language: String,
    /// What was meant first, such as `weather.query`; `unknown` where it was not understood.
    pub intent: String,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// The values of what was meant first.
    #[schema(value_type = Object)]
    pub slots: BTreeMap<String, Value>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether something was asked back.
    pub expects_answer: bool,
    /// How many turns the conversation has.
    pub turn_count: u64,
    /// Milliseconds of each stage.
    pub stages: Vec<Stage>,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// Something is missing, and was asked for.
    Asked,
    /// It was not understood.
    NotUnderstood,
    /// It could not be done.
    Failed,
    /// The person is blocked.
    Blocked,
    /// There is no such person.
    UserNotFound,
}

/// How long a stage took.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stage {
    /// The stage.
    pub stage: String,
    /// Milliseconds.
    pub ms: f64,
}

/// A recording.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes a form that is read part by part")]
pub struct Recording {
    /// A WAVE file, or 16-bit samples of one channel, little-endian.
    #[schema(value_type = String, format = Binary)]
    pub audio: Vec<u8>,
    /// Which device listens.
    pub device_id: Option<String>,
    /// Who speaks.
    pub user_id: Option<String>,
    /// Which conversation.
    pub session_id: Option<String>,
    /// `ko` or `en`.
    pub language: Option<String>,
    /// Where it was said.
    pub area: Option<String>,
    /// Tells turns apart.
    pub turn_id: Option<String>,
    /// Samples a second, where it is no WAVE file; 16000 where left out.
    pub sample_rate: Option<u32>,
    /// Which part of the recording that `sessionId` names, from 0; left out for a whole one.
    pub sequence: Option<u32>,
    /// Whether it is the last part.
    pub last: Option<bool>,
}

/// A part of a recording that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartKept {
    /// The recording.
    pub session_id: String,
    /// Which parts are missing; empty while the last one is not there.
    pub missing: Vec<u32>,
}

/// An answer, and where an engine speaks, its sound.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpokenAnswer {
    /// The answer.
    #[serde(flatten)]
    pub answer: AnswerV2,
    /// Its sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Spoken>,
}

/// A sound.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spoken {
    /// `WAV`.
    pub format: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// The file in base64.
    pub data: String,
}

/// A sentence as Home Assistant asks it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ProcessAsk {
    /// What was said.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
    /// `ko` or `en`.
    pub language: Option<String>,
    /// Which conversation.
    #[schema(min_length = 1, max_length = 120)]
    pub conversation_id: Option<String>,
    /// Which device listens.
    #[schema(min_length = 1, max_length = 120)]
    pub device_id: Option<String>,
    /// Where it was said.
    #[schema(min_length = 1, max_length = 120)]
    pub area: Option<String>,
}

/// An answer as Home Assistant gives it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessAnswer {
    /// Whether something was asked back.
    pub continue_conversation: bool,
    /// What is said and was done.
    pub response: ProcessResponse,
    /// The conversation.
    pub conversation_id: String,
}

/// What is said and was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessResponse {
    /// `action_done`, `query_answer` or `error`.
    pub response_type: String,
    /// The language.
    pub language: String,
    /// What was done to what.
    pub data: ProcessData,
    /// What is said.
    pub speech: Speech,
}

/// What was done to what.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ProcessData {
    /// Why it was not: `no_intent_match`, `failed_to_handle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was meant; nothing is told here.
    #[schema(value_type = Vec<Object>)]
    pub targets: Vec<Value>,
    /// What it was done to; nothing is told here.
    #[schema(value_type = Vec<Object>)]
    pub success: Vec<Value>,
    /// What it could not be done to; nothing is told here.
    #[schema(value_type = Vec<Object>)]
    pub failed: Vec<Value>,
}

/// What is said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Speech {
    /// As text.
    pub plain: Plain,
}

/// Text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plain {
    /// The sentence.
    pub speech: String,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    pub extra_data: Option<Value>,
}

impl From<TurnV2> for DialogTurn {
    fn from(turn: TurnV2) -> Self {
        Self {
            turn_id: turn.turn_id,
            user_id: turn.user_id,
            device_id: turn.device_id,
            session_id: turn.session_id,
            text: turn.text,
            language: turn.language,
            area: turn.context.and_then(|context| context.area),
            ..Self::default()
        }
    }
}

impl From<DialogAnswer> for AnswerV1 {
    fn from(answer: DialogAnswer) -> Self {
        Self { session_id: answer.session_id, text: answer.text, intent: answer.intent }
    }
}

impl From<DialogAnswer> for AnswerV2 {
    fn from(answer: DialogAnswer) -> Self {
        let slot = |value: &SlotValue| json!(value);
        Self {
            turn_id: answer.turn_id,
            session_id: answer.session_id,
            user_id: answer.user_id,
            heard: answer.heard,
            first_heard: answer.first_heard,
            text: answer.text,
            language: answer.language,
            intent: answer.intent,
            confidence: answer.confidence,
            slots: answer.slots.iter().map(|(name, found)| (name.clone(), slot(&found.value))).collect(),
            outcome: answer.outcome.into(),
            expects_answer: answer.expects_answer,
            turn_count: answer.turn_count,
            stages: answer.stages.into_iter().map(|time| Stage { stage: time.stage, ms: time.ms }).collect(),
        }
    }
}

impl From<DialogOutcome> for Outcome {
    fn from(outcome: DialogOutcome) -> Self {
        match outcome {
            DialogOutcome::Answered => Self::Answered,
            DialogOutcome::Asked => Self::Asked,
            DialogOutcome::NotUnderstood => Self::NotUnderstood,
            DialogOutcome::Failed => Self::Failed,
            DialogOutcome::Blocked => Self::Blocked,
            DialogOutcome::UserNotFound => Self::UserNotFound,
        }
    }
}
