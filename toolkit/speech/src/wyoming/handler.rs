//! What was heard elsewhere, answered here: Wyoming's services `handle` and `intent`, as Home Assistant's pipelines use
//! them.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::event::WyomingEvent;
use super::session::short;
use crate::SpeechError;

/// A sentence that was heard elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// The language, as two letters of ISO 639-1, where the other side knows it.
    pub language: Option<String>,
    /// Which conversation it belongs to, as the other side calls it.
    pub conversation: Option<String>,
    /// Which device heard it, as the other side calls it.
    pub device: Option<String>,
}

/// What became of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// What to say to it.
    pub text: String,
    /// Whether it was understood and done.
    pub is_done: bool,
    /// The conversation, where the other side named none.
    pub conversation: Option<String>,
}

/// What a sentence means.
#[derive(Clone, Debug, PartialEq)]
pub struct Intention {
    /// The intent.
    pub name: String,
    /// Its values by name.
    pub entities: Vec<(String, Value)>,
}

/// Answers what was heard elsewhere.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Returns its name and the languages it understands, as two letters of ISO 639-1.
    fn about(&self) -> crate::Engine;

    /// Does what is said, and says something to it.
    ///
    /// # Errors
    /// What kept it from being answered at all.
    async fn handle(&self, said: Said) -> Result<Handled, SpeechError>;

    /// Returns what is meant, and does nothing; `None` where it is not understood.
    ///
    /// # Errors
    /// Those of [`handle`](Self::handle).
    async fn recognise(&self, said: Said) -> Result<Option<Intention>, SpeechError>;
}

/// Reads `transcript` and `recognize`.
pub fn said(event: &WyomingEvent) -> Said {
    let context = context(event);
    let of_context = |field: &str| context.get(field).and_then(Value::as_str).map(str::to_owned);
    Said {
        text: event.text("text").unwrap_or_default().trim().to_owned(),
        language: event
            .text("language")
            .map(short)
            .or_else(|| of_context("language").map(|code| short(&code))),
        conversation: of_context("conversation_id"),
        device: of_context("device_id"),
    }
}

/// Returns what says what became of a sentence. Its context comes back, so that a client goes on with it.
pub fn handled(asked: &WyomingEvent, handled: &Handled) -> WyomingEvent {
    let mut context = context(asked);
    if let Some(conversation) = &handled.conversation {
        context.entry("conversation_id").or_insert_with(|| json!(conversation));
    }
    let kind = if handled.is_done { "handled" } else { "not-handled" };
    WyomingEvent::new(kind, json!({ "text": handled.text, "context": context }))
}

/// Returns what says what a sentence means.
pub fn recognised(asked: &WyomingEvent, intention: Option<&Intention>) -> WyomingEvent {
    let context = context(asked);
    let Some(intention) = intention else {
        return WyomingEvent::new("not-recognized", json!({ "context": context }));
    };
    let entity = |(name, value): &(String, Value)| json!({ "name": name, "value": value });
    let entities: Vec<Value> = intention.entities.iter().map(entity).collect();
    WyomingEvent::new("intent", json!({ "name": intention.name, "entities": entities, "context": context }))
}

fn context(event: &WyomingEvent) -> Map<String, Value> {
    event.data.get("context").and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_comes_back_and_names_the_conversation() {
        let data = json!({ "text": " hi ", "language": "en_US", "context": { "device_id": "hall", "x": 1 } });
        let asked = WyomingEvent::new("transcript", data);
        let read = said(&asked);
        assert_eq!((read.text.as_str(), read.language.as_deref()), ("hi", Some("en")));
        assert_eq!((read.device.as_deref(), read.conversation), (Some("hall"), None));
        let done = Handled { text: "hello".to_owned(), is_done: true, conversation: Some("c1".to_owned()) };
        let told = handled(&asked, &done);
        assert_eq!(told.kind, "handled");
        assert_eq!(told.data["context"], json!({ "device_id": "hall", "x": 1, "conversation_id": "c1" }));
        assert_eq!(recognised(&asked, None).kind, "not-recognized");
    }
}
