//! Recordings from devices: whole and in parts, with an engine that a test scripts, and without one.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ieum_testkit::backend::SqlStore;
use ieum_voice::{Audio, Ears, Heard, Mouth, SpeechError, Tongue};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Hears the samples themselves as letters, and speaks so.
#[derive(Default)]
pub struct Parrot {
    pub lengths: Mutex<Vec<usize>>,
}

#[async_trait]
impl Ears for Parrot {
    async fn hear(&self, audio: Audio, _: Option<Tongue>) -> Result<Heard, SpeechError> {
        self.lengths.lock().push(audio.samples.len());
        let text = String::from_utf8_lossy(&audio.samples).trim_end_matches('\0').to_owned();
        match text.as_str() {
            "broken" => Err(SpeechError::Engine { engine: "parrot".into(), problem: "it coughs".into() }),
            _ => Ok(Heard { text, language: None, confidence: Some(1.0) }),
        }
    }
}

#[async_trait]
impl Mouth for Parrot {
    async fn speak(&self, text: &str, _: Tongue) -> Result<Audio, SpeechError> {
        Ok(Audio { samples: padded(text), rate: 22_050 })
    }
}

/// Samples are pairs of bytes.
fn padded(text: &str) -> Bytes {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.into()
}

fn whole(text: &str) -> Value {
    let data = BASE64_STANDARD.encode(padded(text));
    let audio = json!({ "data": data, "format": "PCM", "sampleRate": 16000, "duration": 9.0 });
    json!({ "deviceId": "kitchen", "timestamp": 1_777_604_400.5, "audio": audio,
        "metadata": { "noiseLevel": 0.1, "wifiStrength": -50 } })
}

fn part(session: &str, sequence: u32, last: bool, text: &str) -> Value {
    let data = BASE64_STANDARD.encode(padded(text));
    json!({ "sessionId": session, "sequence": sequence, "last": last, "audio": { "data": data } })
}

async fn stage() -> (SqlStore, Stage, Arc<Parrot>) {
    let (sql, parrot) = (SqlStore::sqlite(), Arc::new(Parrot::default()));
    let stage = Stage::hearing(&sql.url, parrot.clone()).await;
    (sql, stage, parrot)
}

#[tokio::test]
async fn a_recording_in_the_known_shape_is_heard_answered_and_spoken() {
    let (_sql, stage, _parrot) = stage().await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", whole("what time is it ")).await;
    let answer = kitchen.hear().await;
    assert_eq!(
        (&answer["type"], &answer["payload"]["text"]),
        (&json!("DIALOG_RESPONSE"), &json!("It is 12:00 PM."))
    );
    assert_eq!(answer["payload"]["stages"][0]["stage"], "heard");
    let spoken = kitchen.hear().await;
    assert_eq!((&spoken["type"], &spoken["payload"]["last"]), (&json!("DIALOG_AUDIO"), &json!(true)));
    assert_eq!(spoken["payload"]["turnId"], answer["payload"]["turnId"]);
    // The same again, as after a lost acknowledgement: nothing more is said.
    kitchen.send("audio", whole("what time is it ")).await;
    assert_eq!(kitchen.ask("오늘 며칠이야").await["intent"], "date.query");
}

#[tokio::test]
async fn parts_come_in_any_order_and_twice_and_are_one_turn() {
    let (_sql, stage, parrot) = stage().await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", part("r1", 2, true, "is it?")).await;
    let missing = kitchen.hear().await;
    assert_eq!((&missing["type"], &missing["payload"]["missing"]), (&json!("AUDIO_MISSING"), &json!([0, 1])));
    for _ in 0..2 {
        kitchen.send("audio", part("r1", 1, false, "time  ")).await;
    }
    kitchen.send("audio", part("r1", 0, false, "what  ")).await;
    assert_eq!(kitchen.hear().await["payload"]["text"], "It is 12:00 PM.");
    assert_eq!(kitchen.hear().await["type"], "DIALOG_AUDIO");
    // A part that comes late is of a turn that is over.
    kitchen.send("audio", part("r1", 0, false, "what  ")).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    assert_eq!(*parrot.lengths.lock(), [18]);
}

#[tokio::test]
async fn what_cannot_be_heard_is_answered_with_a_sentence() {
    let (_sql, stage, _parrot) = stage().await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", whole("broken")).await;
    assert_eq!(
        kitchen.hear().await["payload"]["text"],
        "지금은 말씀을 들을 수 없어요. 잠시 후에 다시 말씀해 주세요."
    );
    kitchen.send("audio", whole("  ")).await;
    assert_eq!(kitchen.hear().await["payload"]["text"], "아무 말씀도 듣지 못했어요.");
    for (audio, field) in [
        (json!({ "data": "%" }), "field audio.data"),
        (json!({ "data": "AAA=", "sampleRate": 1 }), "field audio.sampleRate"),
        (json!({ "data": "AAA=", "format": "MP3" }), "field audio.format"),
    ] {
        kitchen.send("audio", json!({ "audio": audio })).await;
        let refused = kitchen.hear().await;
        assert_eq!(
            (&refused["type"], &refused["payload"]["reason"]),
            (&json!("DIALOG_ERROR"), &json!("voice.audio.invalid"))
        );
        assert!(
            refused["payload"]["message"].as_str().is_some_and(|text| text.starts_with(field)),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn without_an_engine_a_device_is_told_and_text_still_works() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", whole("what time is it ")).await;
    let told = kitchen.hear().await["payload"].clone();
    assert!(told["text"].as_str().is_some_and(|text| text.contains("음성 인식 엔진")), "{told}");
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
}
