//! Korean as people say it, from the sound to what happens: a recording of Picovoice's rhino, heard by Whisper, lights the
//! lamps of a house.
//!
//! Nothing of theirs is in this repository. `IEUM_TEST_KOREAN_SPEECH` names a folder that holds its clone as `rhino`;
//! without it, and without the models of `cargo xtask models`, this counts as not run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_speech::{Grammar, Hints, LocalOptions, Transcriber, Whisper};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::server;
use ieum_voice::{Audio, Ears, Heard, SpeechError, Tongue};
use serde_json::{Value, json};

use crate::stage::{Speaker, Stage};

/// What people's lights are called, and where they are; and something that is none.
const HOUSE: [(&str, &str, &str); 3] =
    [("living", "불", "거실"), ("bed", "불", "침실"), ("air", "에어컨", "거실")];

/// Whisper as a platform has it.
struct Listener(Whisper);

#[async_trait]
impl Ears for Listener {
    async fn hear(
        &self,
        audio: Audio,
        language: Option<Tongue>,
        grammar: Option<Arc<Grammar>>,
    ) -> Result<Heard, SpeechError> {
        let hints = Hints { language: language.map(|tongue| tongue.code().to_owned()), grammar };
        let failed = |error: ieum_speech::SpeechError| SpeechError::Engine {
            engine: self.0.engine().name,
            problem: error.to_string(),
        };
        Heard::by(&self.0, &audio, &hints).await.map_err(failed)
    }
}

#[allow(clippy::disallowed_methods, reason = "the test runner hands folders over in the environment")]
fn recordings() -> Option<PathBuf> {
    let folder = std::env::var("IEUM_TEST_KOREAN_SPEECH").ok().filter(|folder| !folder.is_empty());
    if folder.is_none() {
        server::not_run("Korean recordings", "IEUM_TEST_KOREAN_SPEECH names no folder");
    }
    folder.map(|folder| Path::new(&folder).join("rhino/resources"))
}

/// Returns the colour that its owners say is asked for.
fn wanted(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join(".test/test_data.json")).expect("it is there");
    let data: Value = serde_json::from_str(&text).expect("it is JSON");
    let entries = data["tests"]["within_context"].as_array().cloned().unwrap_or_default();
    let korean = entries.into_iter().find(|entry| entry["language"] == "ko").expect("it has Korean");
    korean["inference"]["slots"]["color"].as_str().expect("it is a word").to_owned()
}

/// Sends a recording as a device does. Returns the answer, and the commands that came with it.
async fn told(kitchen: &mut Speaker, folder: &Path, name: &str) -> (Value, Vec<Value>) {
    let file = std::fs::read(folder.join("audio_samples").join(name)).expect("it is there");
    let audio = json!({ "data": BASE64_STANDARD.encode(file), "format": "WAV" });
    kitchen.send("audio", json!({ "language": "ko", "audio": audio })).await;
    let mut commands = Vec::new();
    loop {
        let heard = kitchen.hear().await;
        match heard["type"].as_str() {
            Some("DEVICE_COMMAND") => commands.push(heard["payload"].clone()),
            _ => return (heard["payload"].clone(), commands),
        }
    }
}

#[tokio::test]
#[ignore = "needs Korean recordings and speech models"]
async fn what_somebody_asks_of_the_lights_in_korean_is_heard_answered_and_done() {
    let Some(folder) = recordings() else { return };
    let Some(models) = server::speech_models() else {
        return server::not_run("speech models", "cargo xtask test has not brought them");
    };
    let colour = wanted(&folder);
    for name in ["whisper-tiny", "whisper-base"] {
        let whisper = Whisper::open(&models.join(name), &["ko"], LocalOptions::default()).expect("it is one");
        let sql = SqlStore::sqlite();
        let stage = Stage::listening(&sql.url, Arc::new(Listener(whisper))).await;
        let mut kitchen = stage.device("kitchen").await;
        let things = HOUSE.map(|(id, name, area)| json!({ "id": id, "name": name, "area": area }));
        kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
        let (answer, mut commands) = told(&mut kitchen, &folder, "test_within_context_ko.wav").await;
        println!("{name}: {} <- {}, {}", answer["heard"], answer["firstHeard"], answer["text"]);
        commands.sort_by_key(|command| command["thing"].to_string());
        let lit = |thing| json!({ "thing": thing, "action": "set", "level": null, "color": "#0000ff" });
        assert_eq!(answer["text"], format!("불을 모두 {colour}으로 바꿨어요."), "{answer}");
        assert_eq!(commands, [lit("bed"), lit("living")]);
        // What is nothing for us stays that, with all our sentences in hand.
        let (answer, commands) = told(&mut kitchen, &folder, "test_out_of_context_ko.wav").await;
        println!("{name}: {} <- {}, {}", answer["heard"], answer["firstHeard"], answer["text"]);
        assert_eq!((&answer["outcome"], commands.len()), (&json!("not_understood"), 0), "{answer}");
    }
}
