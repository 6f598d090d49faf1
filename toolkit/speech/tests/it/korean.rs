//! Korean as people speak it: recordings of Picovoice's leopard and rhino, heard by Whisper.
//!
//! Nothing of theirs is in this repository. `IEUM_TEST_KOREAN_SPEECH` names a folder that holds both clones, as `leopard`
//! and `rhino`; without it the tests count as not run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ieum_speech::{Audio, AudioLimits, Grammar, Hints, Transcriber};
use ieum_testkit::server;
use serde_json::Value;

use crate::accuracy::letter_errors;
use crate::models::{heard, whisper};

/// What the lights of a house understand, for the two recordings that speak to lights, or do not.
const LIGHTS: [&str; 3] = ["모든", "거실", "침실"];
const COLOURS: [&str; 6] = ["빨간색", "주황색", "노란색", "초록색", "파란색", "보라색"];

#[allow(clippy::disallowed_methods, reason = "the test runner hands folders over in the environment")]
fn recordings() -> Option<PathBuf> {
    let folder = std::env::var("IEUM_TEST_KOREAN_SPEECH").ok().filter(|folder| !folder.is_empty());
    if folder.is_none() {
        server::not_run("Korean recordings", "IEUM_TEST_KOREAN_SPEECH names no folder");
    }
    folder.map(PathBuf::from)
}

fn recording(folder: &Path, name: &str) -> Audio {
    let path = folder.join("resources/audio_samples").join(name);
    let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Audio::from_wav(&file, AudioLimits::default()).expect("it is a usual rate")
}

/// What its owners say about the Korean recordings: the first entry of Korean below `tests.<group>`.
fn wanted(folder: &Path, group: &str) -> Value {
    let text = std::fs::read_to_string(folder.join("resources/.test/test_data.json")).expect("it is there");
    let data: Value = serde_json::from_str(&text).expect("it is JSON");
    let entries = data["tests"][group].as_array().cloned().unwrap_or_default();
    let korean = entries.into_iter().find(|entry| entry["language"] == "ko");
    korean.unwrap_or_else(|| panic!("{group} has no Korean"))
}

fn lights() -> Arc<Grammar> {
    let sentences: Vec<String> = LIGHTS
        .iter()
        .flat_map(|place| COLOURS.map(|colour| (place, colour)))
        .flat_map(|(place, colour)| {
            [
                format!("{place} 불을 {colour}으로 바꿔 줘"),
                format!("{place} 불 {colour}으로 바꿔 줘"),
                format!("{place} 불을 다 {colour}으로 바꿔 줘"),
                format!("{place} 불을 {colour}으로 다 바꿔 줘"),
                format!("{place} 불 켜 줘"),
                format!("{place} 불 꺼 줘"),
            ]
        })
        .collect();
    Arc::new(Grammar::of_sentences(sentences.iter().map(String::as_str)))
}

#[tokio::test]
#[ignore = "needs Korean recordings"]
async fn what_people_say_is_written_as_they_said_it() {
    let Some(folder) = recordings() else { return };
    let leopard = folder.join("leopard");
    let sentence = wanted(&leopard, "language_tests")["transcript"].as_str().expect("text").to_owned();
    let colour = wanted(&folder.join("rhino"), "within_context")["inference"]["slots"]["color"].clone();
    let colour = colour.as_str().expect("text").to_owned();
    for (name, most) in [("whisper-tiny", 0.35), ("whisper-base", 0.12)] {
        let Some(engine) = whisper(name, &["ko"]) else { return };
        let (text, millis) = heard(&engine, &recording(&leopard, "test_ko.wav"), "ko").await;
        let errors = letter_errors(&sentence, &text);
        println!("{name}: {:.0} % letter errors, {millis:.0} ms: {text}", errors * 100.0);
        assert!(errors <= most, "{text}");
        let command = recording(&folder.join("rhino"), "test_within_context_ko.wav");
        let (text, millis) = heard(&engine, &command, "ko").await;
        println!("{name}: {millis:.0} ms: {text}");
        if name == "whisper-base" {
            assert!(text.replace(' ', "").contains(&colour), "{text}");
        }
        let other = recording(&folder.join("rhino"), "test_out_of_context_ko.wav");
        let (text, millis) = heard(&engine, &other, "ko").await;
        println!("{name}: {millis:.0} ms: {text}");
        assert!(text.contains("커피"), "{text}");
        let with_lights = Hints::language("ko").with_grammar(lights());
        // With the sentences of a house in hand, both hear the colour, and neither what is none of them.
        let led = engine.transcribe(command, &with_lights).await.expect("it listens");
        println!("{name}, with sentences: {}", led.text);
        assert!(led.text.contains(&colour) && led.text.starts_with("모든 불"), "{}", led.text);
        let led = engine.transcribe(other, &with_lights).await.expect("it listens");
        println!("{name}, with sentences: {}", led.text);
        assert!(led.text.contains("커피"), "{}", led.text);
    }
}
