//! Recordings from devices: whole and in parts, with an engine that a test scripts, and without one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ieum_speech::Grammar;
use ieum_testkit::backend::SqlStore;
use ieum_voice::{Audio, Ears, Heard, Mouth, SpeechError, Tongue};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Hears the samples themselves as letters, and speaks so.
#[derive(Default)]
pub struct Parrot {
    pub lengths: Mutex<Vec<usize>>,
    /// How often it spoke.
    pub spoken: Mutex<usize>,
    /// The language it was told, and the sentence it was led to.
    pub told: Mutex<Vec<(Option<Tongue>, Option<String>)>>,
}

#[async_trait]
impl Ears for Parrot {
    async fn hear(
        &self,
        audio: Audio,
        tongue: Option<Tongue>,
        grammar: Option<Arc<Grammar>>,
    ) -> Result<Heard, SpeechError> {
        self.lengths.lock().push(audio.samples.len());
        let text = String::from_utf8_lossy(&audio.samples).trim_end_matches('\0').to_owned();
        let led = grammar.and_then(|grammar| grammar.sentence(&text));
        self.told.lock().push((tongue, led.clone()));
        // As an engine does that listens for sentences.
        let (text, first) = match led {
            Some(led) => (led, Some(text)),
            None => (text, None),
        };
        match text.as_str() {
            "broken" => Err(SpeechError::Engine { engine: "parrot".into(), problem: "it coughs".into() }),
            "it goes on and on." => {
                Err(SpeechError::TooLong { engine: "parrot".into(), longest: Duration::from_secs(30) })
            }
            "no model" => {
                Err(SpeechError::Missing { engine: "parrot".into(), problem: "no feathers".into() })
            }
            "stall!" => std::future::pending().await,
            _ => Ok(Heard { text, first, language: None, confidence: Some(1.0) }),
        }
    }
}

#[async_trait]
impl Mouth for Parrot {
    async fn speak(&self, text: &str, _: Tongue) -> Result<Audio, SpeechError> {
        *self.spoken.lock() += 1;
        Ok(Audio { samples: padded(text), rate: 22_050 })
    }
}

/// Samples are pairs of bytes.
fn padded(text: &str) -> Bytes {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.into()
}

pub fn whole(text: &str) -> Value {
    let data = BASE64_STANDARD.encode(padded(text));
    let audio = json!({ "data": data, "format": "PCM", "sampleRate": 16000, "duration": 9.0 });
    json!({ "deviceId": "kitchen", "timestamp": 1_777_604_400.5, "audio": audio,
        "metadata": { "noiseLevel": 0.1, "wifiStrength": -50 } })
}

pub fn part(session: &str, sequence: u32, last: bool, text: &str) -> Value {
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
    assert_eq!(answer["payload"]["heard"], "what time is it", "a device has no other way to know");
    let spoken = kitchen.hear().await;
    assert_eq!((&spoken["type"], &spoken["payload"]["last"]), (&json!("DIALOG_AUDIO"), &json!(true)));
    assert_eq!(spoken["payload"]["turnId"], answer["payload"]["turnId"]);
    let trail = stage.part.trail().turns(Some("kitchen"), 1).await.expect("is read");
    let stages: Vec<&str> = trail[0].answer["stages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["stage"].as_str())
        .collect();
    assert_eq!(stages, ["heard", "known", "remembered", "understood", "answered", "said"]);
    // The same again, as after a lost acknowledgement: nothing more is said.
    kitchen.send("audio", whole("what time is it ")).await;
    let typed = kitchen.ask("오늘 며칠이야").await;
    assert_eq!(
        (&typed["intent"], &typed["heard"]),
        (&json!("date.query"), &Value::Null),
        "nothing was heard"
    );
}

#[tokio::test]
async fn what_was_heard_is_told_beside_what_it_was_taken_for_where_the_words_differ() {
    let (_sql, stage, _parrot) = stage().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "star", "name": "별빛 램프", "area": "거실" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    for (spoken, first) in [
        ("별빗 램프 켜 줘.", json!("별빗 램프 켜 줘.")),
        // Blanks and marks are the engine's taste.
        ("별빛램프켜줘", Value::Null),
        ("what time is it ", Value::Null),
    ] {
        kitchen.send("audio", whole(spoken)).await;
        let answer = loop {
            let told = kitchen.hear().await;
            if told["type"] == "DIALOG_RESPONSE" {
                break told["payload"].clone();
            }
        };
        assert_eq!(answer["firstHeard"], first, "{spoken}");
        let trail = stage.part.trail().turns(Some("kitchen"), 10).await.expect("is read");
        let kept = trail.iter().find(|turn| answer["heard"] == turn.said).expect("is kept");
        assert_eq!(kept.answer["firstHeard"], first, "{spoken}");
        if first != Value::Null {
            assert_eq!((&*kept.said, &answer["intent"]), ("별빛 램프 켜 줘.", &json!("device.on")));
        }
    }
}

#[tokio::test]
async fn what_can_be_said_is_listened_for_with_the_speakers_own_things() {
    let (_sql, stage, parrot) = stage().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "star", "name": "별빛 램프", "area": "거실" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    kitchen.send("audio", whole("별빛램프켜줘")).await;
    let (command, answer) = (kitchen.hear().await, kitchen.hear().await);
    let told = [&command, &answer].map(|told| told["type"].as_str().unwrap_or_default().to_owned());
    assert!(told.contains(&"DEVICE_COMMAND".to_owned()), "{command} {answer}");
    let (tongue, led) = parrot.told.lock().pop().expect("it was asked");
    assert_eq!((tongue, led.as_deref()), (None, Some("별빛 램프 켜줘")), "nobody says which language it is");
    assert_eq!(kitchen.hear().await["type"], "DIALOG_AUDIO");
    // A thing that nobody here has is none of what can be said.
    kitchen.send("audio", whole("노트북 켜 줘")).await;
    let told = kitchen.hear().await;
    assert_eq!(
        (&told["payload"]["outcome"], parrot.told.lock().pop()),
        (&json!("not_understood"), Some((None, None)))
    );
    assert_eq!(kitchen.hear().await["type"], "DIALOG_AUDIO");
    // One that was misheard sounds like hers.
    kitchen.send("audio", whole("별삣 램프 꺼 줘")).await;
    let (command, answer) = (kitchen.hear().await, kitchen.hear().await);
    assert_eq!(parrot.told.lock().pop().expect("it was asked").1, None, "no engine led it back");
    assert!([&command, &answer].iter().any(|told| told["payload"]["thing"] == "star"), "{command} {answer}");
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
    for (said, begins) in
        [("it goes on and on.", "말씀이 너무 길어서"), ("no model", "이 언어의 음성 인식 모델이")]
    {
        let mut body = whole(said);
        body["messageId"] = json!(said);
        kitchen.send("audio", body).await;
        let mut told = kitchen.hear().await;
        while told["type"] == "DIALOG_AUDIO" {
            told = kitchen.hear().await;
        }
        let text = told["payload"]["text"].as_str().unwrap_or_default();
        assert!(text.starts_with(begins) && !text.contains("잠시"), "{said}: {text}");
    }
    kitchen.send("audio", whole("  ")).await;
    let mut told = kitchen.hear().await;
    while told["type"] == "DIALOG_AUDIO" {
        told = kitchen.hear().await;
    }
    assert_eq!(told["payload"]["text"], "아무 말씀도 듣지 못했어요.");
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
async fn who_speaks_english_is_told_in_english_that_nothing_was_heard() {
    let (_sql, stage, _parrot) = stage().await;
    *stage.people.language.lock() = Some("en".to_owned());
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", whole("  ")).await;
    let told = kitchen.hear().await["payload"].clone();
    assert_eq!((&told["text"], &told["language"]), (&json!("I did not hear anything."), &json!("en")));
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
