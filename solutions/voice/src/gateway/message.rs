//! What devices say, in the JSON they say it in.

use ieum_core::{Fault, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::audio::AudioData;
use crate::rules::LONGEST_NAME;

/// What every message may carry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Tells messages of a device apart.
    pub message_id: Option<String>,
    /// When it was made: seconds since the epoch with a fraction, or milliseconds.
    pub timestamp: Option<f64>,
    /// The device, where it repeats its topic.
    pub device_id: Option<String>,
}

/// Text.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextMessage {
    pub text: String,
    pub session_id: Option<String>,
    pub language: Option<String>,
    pub area: Option<String>,
}

/// A recording, or a part of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioMessage {
    pub audio: AudioData,
    pub session_id: Option<String>,
    /// Which part, from 0; a whole recording has none.
    pub sequence: Option<u32>,
    /// Whether it is the last part.
    #[serde(default)]
    pub last: bool,
    pub language: Option<String>,
    pub area: Option<String>,
}

/// Something that a sensor noticed, or what a device controls.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMessage {
    pub event_type: String,
    #[serde(default)]
    pub data: Value,
}

/// The data of the event `things`: what a device controls.
#[derive(Clone, Debug, Deserialize)]
pub struct ThingsData {
    pub things: Vec<ThingData>,
}

/// A thing.
#[derive(Clone, Debug, Deserialize)]
pub struct ThingData {
    pub id: String,
    pub name: String,
    pub area: Option<String>,
}

/// Reads a message. Fails with `voice.message.invalid`, naming what is wrong.
pub fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(payload).map_err(|error| {
        // What a device said is not repeated: only where and why.
        let problem: String = error.to_string().chars().take(200).collect();
        Fault::invalid_argument("voice.message.invalid", format!("reading a device's message: {problem}"))
    })
}

impl Envelope {
    /// Checks that the message is of the device whose topic it came by, and has an id that tells it apart.
    pub fn check(&self, device: &str) -> Result<(), Fault> {
        let is_id = |id: &String| {
            (1..=LONGEST_NAME).contains(&id.chars().count()) && !id.chars().any(char::is_control)
        };
        if !self.message_id.as_ref().is_none_or(is_id) {
            let message = format!(
                "field messageId: must have 1 to {LONGEST_NAME} characters, none of them a control character"
            );
            return Err(Fault::invalid_argument("voice.message.invalid", message));
        }
        match &self.device_id {
            Some(named) if named != device => {
                let message = "field deviceId: names another device than the topic";
                Err(Fault::permission_denied("voice.message.foreign", message))
            }
            _ => Ok(()),
        }
    }

    /// Returns the id under which the message is worked on once: its own; else that of its content where it has a time
    /// or is known to come again; else none.
    pub fn id(&self, kind: &str, payload: &[u8], again: bool) -> Option<String> {
        if let Some(id) = &self.message_id {
            return Some(id.clone());
        }
        let is_same = self.timestamp.is_some() || again;
        is_same.then(|| hex::encode(Sha256::new().chain_update(kind).chain_update(payload).finalize()))
    }

    /// Returns when it was made: the device's own time where it is within a day of ours.
    pub fn at(&self, now: Timestamp) -> Timestamp {
        let Some(stamp) = self.timestamp else { return now };
        // Seconds until the year 5138, milliseconds from 1973 on.
        let micros = if stamp < 1e11 { stamp * 1e6 } else { stamp * 1e3 };
        let at = Timestamp::from_micros(micros as i64);
        let day = std::time::Duration::from_secs(86_400);
        if at.since(now) > day || now.since(at) > day { now } else { at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_without_an_id_is_known_by_its_content_where_it_has_a_time() {
        let bare: Envelope = read(b"{}").expect("is JSON");
        assert_eq!(bare.id("text", b"{}", false), None);
        assert!(bare.id("text", b"{}", true).is_some());
        let timed: Envelope = read(br#"{"timestamp": 1777604700.25}"#).expect("is JSON");
        assert_eq!(timed.id("event", b"x", false), timed.id("event", b"x", true));
        assert_ne!(timed.id("event", b"x", false), timed.id("audio", b"x", false));
        let now = Timestamp::from_seconds(1_777_604_701);
        assert_eq!(timed.at(now), Timestamp::from_millis(1_777_604_700_250));
        let wrong = Envelope { timestamp: Some(5.0), ..Envelope::default() };
        assert_eq!(wrong.at(now), now, "a device whose clock was never set");
    }

    #[test]
    fn an_id_that_tells_nothing_apart_is_refused_and_never_cut() {
        let named = |id: &str| Envelope { message_id: Some(id.to_owned()), ..Envelope::default() };
        let longest = "가".repeat(LONGEST_NAME);
        assert_eq!(named(&longest).check("kitchen"), Ok(()));
        assert_eq!(named(&longest).id("text", b"{}", false), Some(longest.clone()));
        for wrong in ["", "a\u{7}b", &format!("{longest}a")] {
            let fault = named(wrong).check("kitchen").expect_err("is refused");
            assert!(fault.message.starts_with("field messageId:"), "{fault}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused_without_being_repeated() {
        let fault = read::<TextMessage>(br#"{"text": 5, "secret": "canary"}"#).expect_err("is refused");
        assert_eq!(&*fault.reason, "voice.message.invalid");
        assert!(!fault.message.contains("canary"), "{fault}");
        let foreign = Envelope { device_id: Some("bath".into()), ..Envelope::default() };
        assert_eq!(&*foreign.check("kitchen").expect_err("is refused").reason, "voice.message.foreign");
    }
}
