//! Messages of the Hermes protocol, in the JSON that Snips defined and Rhasspy 2 extends
//! (<https://rhasspy.readthedocs.io/en/latest/reference/#mqtt-api>).

use ieum_contracts::voice::{Meaning, Slot, SlotValue};
use ieum_core::Fault;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::rules::LONGEST_NAME;

/// The site of a message that names none.
const USUAL_SITE: &str = "default";

/// Begins a session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StartSession {
    pub init: Init,
    pub site_id: Option<String>,
    pub custom_data: Option<String>,
    pub lang: Option<String>,
}

/// How a session begins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Init {
    /// `action` or `notification`.
    #[serde(rename = "type")]
    pub kind: String,
    pub text: Option<String>,
    pub can_be_enqueued: bool,
    pub intent_filter: Option<Vec<String>>,
    pub send_intent_not_recognized: bool,
}

/// Goes on with a session, or ends it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GoOn {
    pub session_id: String,
    pub text: Option<String>,
    pub custom_data: Option<String>,
    pub intent_filter: Option<Vec<String>>,
    pub send_intent_not_recognized: bool,
    pub lang: Option<String>,
}

/// What somebody else's ears heard.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TextCaptured {
    pub text: String,
    pub site_id: Option<String>,
    pub session_id: Option<String>,
    pub lang: Option<String>,
}

/// A wake word was said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Detected {
    pub site_id: Option<String>,
    pub lang: Option<String>,
}

/// A sentence that is to be understood.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Query {
    pub input: String,
    pub site_id: Option<String>,
    pub id: Option<String>,
    pub intent_filter: Option<Vec<String>>,
    pub session_id: Option<String>,
    pub custom_data: Option<String>,
    pub lang: Option<String>,
}

/// Something that is to be said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Say {
    pub text: String,
    pub site_id: Option<String>,
    pub lang: Option<String>,
    pub id: Option<String>,
    pub session_id: Option<String>,
}

/// Something was said, or played.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Finished {
    pub id: Option<String>,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// All was said.
    Nominal,
    /// Nobody said anything, or whoever leads it did not go on.
    Timeout,
    /// It was not understood.
    NotRecognized,
    /// It failed.
    Error,
}

impl Reason {
    /// Returns its name in the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nominal => "nominal",
            Self::Timeout => "timeout",
            Self::NotRecognized => "intentNotRecognized",
            Self::Error => "error",
        }
    }
}

/// Reads a message. Fails with `voice.hermes.invalid`, saying where and not what.
pub fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(payload).map_err(|error| {
        let problem: String = error.to_string().chars().take(200).collect();
        Fault::invalid_argument("voice.hermes.invalid", format!("reading a message of Hermes: {problem}"))
    })
}

/// Returns the site that a message names. Fails with `voice.hermes.invalid` for a name that can be no part of a topic.
pub fn site(named: Option<&str>) -> Result<String, Fault> {
    let site = named.filter(|site| !site.is_empty()).unwrap_or(USUAL_SITE);
    let is_wrong = |letter: char| letter.is_control() || ['/', '+', '#'].contains(&letter);
    if site.chars().count() > LONGEST_NAME || site.chars().any(is_wrong) {
        let message = format!("field siteId: must have 1 to {LONGEST_NAME} characters, none of them / + #");
        return Err(Fault::invalid_argument("voice.hermes.invalid", message));
    }
    Ok(site.to_owned())
}

/// Returns the JSON of an intent. `said`: the whole sentence; `more` lays its fields over.
pub fn intent(meaning: &Meaning, said: &str, more: Value) -> Value {
    let slots: Vec<Value> = meaning.slots.iter().map(|(name, value)| slot(name, value, said)).collect();
    let mut told = json!({
        "input": said, "rawInput": said, "slots": slots, "asrTokens": [],
        "intent": { "intentName": meaning.intent, "confidenceScore": meaning.confidence },
    });
    lay_over(&mut told, more);
    told
}

/// Lays the fields of `more` over `base`.
pub fn lay_over(base: &mut Value, more: Value) {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
}

fn slot(name: &str, slot: &Slot, said: &str) -> Value {
    let words = if slot.text.is_empty() { name } else { slot.text.as_str() };
    let mut told = json!({
        "entity": name, "slotName": name, "rawValue": words, "confidence": 1.0, "value": value(&slot.value),
    });
    // In letters, as Python counts them.
    let start = (!slot.text.is_empty()).then(|| said.find(&slot.text)).flatten();
    if let Some(start) = start.map(|at| said[..at].chars().count()) {
        let end = start + slot.text.chars().count();
        told["range"] = json!({ "start": start, "end": end, "rawStart": start, "rawEnd": end });
    }
    told
}

/// Returns a value as `{kind, value, …}`: whatever it stands for besides stays beside.
fn value(value: &SlotValue) -> Value {
    let mut told = json!(value);
    let kind = match value {
        SlotValue::Text { .. } => "Custom",
        SlotValue::Number { .. } => "Number",
        SlotValue::Duration { .. } => "Duration",
        SlotValue::Moment { .. } => "InstantTime",
        _ => "Unknown",
    };
    let first = |told: &Value| {
        let fields = told.as_object()?;
        fields.iter().find(|(name, _)| *name != "kind").map(|(_, value)| value.clone())
    };
    let plain = first(&told).unwrap_or(Value::Null);
    lay_over(&mut told, json!({ "kind": kind, "value": plain }));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_names_its_slots_and_where_they_were_said() {
        let slot = Slot { text: "십 분".into(), value: SlotValue::Duration { seconds: 600 } };
        let meaning = Meaning {
            intent: "timer.start".into(),
            confidence: 1.0,
            slots: [("duration".to_owned(), slot)].into(),
            ..Meaning::default()
        };
        let told = intent(&meaning, "지금 십 분 타이머", json!({ "siteId": "hall" }));
        assert_eq!((&told["intent"]["intentName"], &told["siteId"]), (&json!("timer.start"), &json!("hall")));
        let slot = &told["slots"][0];
        assert_eq!(slot["value"], json!({ "kind": "Duration", "seconds": 600, "value": 600 }));
        assert_eq!((&slot["range"]["start"], &slot["range"]["end"]), (&json!(3), &json!(6)));
    }

    #[test]
    fn a_site_that_would_be_another_topic_is_refused() {
        assert_eq!(site(None).expect("is the usual one"), "default");
        for wrong in ["a/b", "#", "+", "a\nb", &"x".repeat(121)] {
            let fault = site(Some(wrong)).expect_err("is refused");
            assert!(fault.message.starts_with("field siteId"), "{fault}");
        }
    }
}
