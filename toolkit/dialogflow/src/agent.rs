//! Whoever understands a turn of a conversation, in our own words: what is asked and what was understood.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::{Cx, Fault};
use serde::{Deserialize, Serialize};

use crate::{SessionName, Sound};

/// Named values, as JSON has them.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// Understands turns of conversations. It keeps nothing of a session: contexts come with the question and go with
/// the answer.
#[async_trait]
pub trait Agent: Send + Sync + 'static {
    /// Understands one turn. Something not understood is no fault but a [`Detected`] whose intent is a fallback.
    ///
    /// # Errors
    /// `invalid_argument` for what can never be understood here (`dialogflow.no_audio` where the agent takes no
    /// sound), `unavailable` and `deadline_exceeded` where somebody else may answer.
    async fn detect(&self, cx: &Cx, query: Query) -> Result<Detected, Fault>;

    /// Tells whether the agent takes the sound of this turn as it is, though somebody here hears for it: such as a part
    /// of a recording that is heard once it is whole. The sound is not there yet where it comes as a stream.
    ///
    /// # Errors
    /// `invalid_argument` for a turn that is refused before its sound is waited for.
    fn takes_sound(&self, query: &Query) -> Result<bool, Fault> {
        let _ = query;
        Ok(false)
    }

    /// Returns what may be wanted, in `language`.
    ///
    /// # Errors
    /// Whatever keeps the agent from telling.
    async fn intents(&self, cx: &Cx, language: &str) -> Result<Vec<Intent>, Fault> {
        let _ = (cx, language);
        Ok(Vec::new())
    }

    /// Returns the kinds of values that sentences hold, in `language`.
    ///
    /// # Errors
    /// Whatever keeps the agent from telling.
    async fn entity_types(&self, cx: &Cx, language: &str) -> Result<Vec<EntityType>, Fault> {
        let _ = (cx, language);
        Ok(Vec::new())
    }
}

/// One turn.
#[derive(Clone, Debug)]
pub struct Query {
    /// Whose conversation.
    pub session: SessionName,
    /// Its language, such as `ko` or `en`.
    pub language: String,
    /// What came.
    pub input: Input,
    /// The contexts that are there, with the turns each still has, this one included.
    pub contexts: Vec<Context>,
    /// Forget every context of the session that is not in `contexts` before the turn.
    pub reset_contexts: bool,
    /// Where the speaker's clock is, such as `Asia/Seoul`.
    pub time_zone: Option<String>,
    /// Where the speaker is: latitude and longitude, degrees (WGS 84).
    pub location: Option<(f64, f64)>,
    /// Whatever else the caller wants to say.
    pub payload: Values,
    /// How the answer shall be spoken; `None` for text alone.
    pub speech: Option<SpeechWish>,
}

/// What came in a turn.
#[derive(Clone, Debug)]
pub enum Input {
    /// A sentence.
    Text(String),
    /// Something that happened, such as a button.
    Event {
        /// Its name.
        name: String,
        /// What is known of it.
        parameters: Values,
    },
    /// A sentence as sound.
    Sound(Sound),
}

/// Something a session remembers for some turns.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Context {
    /// Its id within the session, in lower case.
    pub id: String,
    /// For how many more turns it is there; 0 forgets it.
    pub lifespan: u32,
    /// What is remembered.
    pub parameters: Values,
}

/// What was understood in a turn, and what is said to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Detected {
    /// What was said, as text.
    pub query_text: String,
    /// How sure the ear was of the text, 0 to 1; 0 where nothing was heard.
    pub speech_confidence: f32,
    /// The language of the answer; the question's where it is empty.
    pub language: String,
    /// What is wanted; `None` where nothing was understood.
    pub intent: Option<IntentRef>,
    /// How sure the agent is, 0 to 1.
    pub confidence: f32,
    /// What shall be done, in the program's words.
    pub action: String,
    /// What is known of it.
    pub parameters: Values,
    /// Whether everything that must be known is.
    pub complete: bool,
    /// What is said; the first text of `messages` where there are some.
    pub text: String,
    /// What is said or shown. Empty: `text` alone.
    pub messages: Vec<Message>,
    /// The contexts to set, 0 turns to forget one; from a Dialogflow far away all that are there after the turn.
    pub contexts: Vec<Context>,
    /// Whatever else whoever carried it out wants to say.
    pub payload: Values,
    /// The answer as sound.
    pub speech: Option<Speech>,
    /// Whether this was no turn of the session: its contexts stay as they were, with the turns each still has.
    pub is_apart: bool,
}

/// Which intent it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IntentRef {
    /// Its id, the last part of its name.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether it stands for everything that was not understood.
    pub is_fallback: bool,
    /// Whether the conversation ends with it.
    pub ends: bool,
}

/// A part of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// One of these is said.
    Text(Vec<String>),
    /// A title and short answers to choose from.
    Choices(String, Vec<String>),
    /// Something only the caller's program understands.
    Payload(Values),
}

/// How an answer shall be spoken.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SpeechWish {
    /// How it is written.
    pub encoding: i32,
    /// Samples a second; 0 leaves it to the voice.
    pub sample_rate: u32,
    /// The voice's name; empty leaves it open.
    pub voice: String,
    /// How fast, 1 is usual; 0 leaves it open.
    pub rate: f64,
}

/// An answer as sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speech {
    /// How it is written: a number of `OutputAudioEncoding`.
    pub encoding: i32,
    /// Samples a second.
    pub sample_rate: u32,
    /// The sound itself.
    pub data: Bytes,
}

/// Something that may be wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Intent {
    /// Which one.
    pub reference: IntentRef,
    /// Sentences that ask for it.
    pub phrases: Vec<String>,
    /// Values it takes: name, kind, and whether it must be known.
    pub parameters: Vec<(String, String, bool)>,
    /// Events that ask for it.
    pub events: Vec<String>,
    /// Contexts that must be there.
    pub input_contexts: Vec<String>,
    /// What shall be done, in the program's words.
    pub action: String,
}

/// A kind of values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EntityType {
    /// Its id, the last part of its name.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// Its values, each with the words for it.
    pub values: Vec<(String, Vec<String>)>,
}

// === Query ===

impl Query {
    /// Makes a turn in which `text` was said.
    pub fn text(session: SessionName, language: &str, text: impl Into<String>) -> Self {
        Self {
            session,
            language: language.to_owned(),
            input: Input::Text(text.into()),
            contexts: Vec::new(),
            reset_contexts: false,
            time_zone: None,
            location: None,
            payload: Values::new(),
            speech: None,
        }
    }

    /// Returns the same turn with these contexts.
    #[must_use]
    pub fn with_contexts(mut self, contexts: Vec<Context>) -> Self {
        self.contexts = contexts;
        self
    }

    /// Returns the context `id`, where it is there.
    pub fn context(&self, id: &str) -> Option<&Context> {
        self.contexts.iter().find(|context| context.id == id)
    }
}

// === Context ===

impl Context {
    /// How long contexts last at most without a turn that was understood, as Dialogflow has it.
    pub const LONGEST: Duration = Duration::from_secs(20 * 60);

    /// Makes a context. Its id is kept in lower case.
    pub fn new(id: &str, lifespan: u32, parameters: Values) -> Self {
        Self { id: id.to_ascii_lowercase(), lifespan, parameters }
    }
}
