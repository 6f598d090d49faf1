//! espeak-ng as it is: what it says, what it costs when it does not answer, and what is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Clock, ManualClock, system_clock};
use ieum_speech::{Audio, AudioLimits, Espeak, EspeakOptions, Say, SpeechError, Synthesizer};
use ieum_testkit::server;
use ieum_testkit::wait::until;

/// Returns an engine, or nothing where espeak-ng is not installed; the test is then reported as not run.
pub fn espeak() -> Option<Espeak> {
    let program = server::espeak();
    if program.is_none() {
        server::not_run("espeak-ng", "cargo xtask test has not installed it");
    }
    Some(Espeak::new(EspeakOptions { program: program?, ..EspeakOptions::default() }, system_clock()))
}

pub fn say(text: &str, language: &str) -> Say {
    Say { text: text.to_owned(), language: Some(language.to_owned()), voice: None }
}

pub async fn spoken(engine: &Espeak, text: &str, language: &str) -> Audio {
    let spoken = engine.synthesize(&say(text, language)).await.expect("it speaks");
    Audio::from_wav(&spoken.to_wav(), AudioLimits::default()).expect("it is a usual rate")
}

/// Writes a program that does as its lines say.
fn program(folder: &Path, lines: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let (text, path) = (folder.join("lines"), folder.join("engine"));
    std::fs::write(&text, format!("#!/bin/sh\n{lines}\n")).expect("the folder is ours");
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
    // By another process: what this one has open for writing its children hold until they are programs themselves, and
    // a program that anybody can write does not start.
    let copied = std::process::Command::new("cp").args([&text, &path]).status();
    assert!(copied.expect("cp is there").success());
    path
}

#[tokio::test]
async fn korean_and_english_are_spoken_and_markup_changes_how() {
    let Some(engine) = espeak() else { return };
    let plain = spoken(&engine, "오늘은 맑겠습니다", "ko").await;
    assert!(plain.seconds() > 0.8, "{} s", plain.seconds());
    let slow = "<speak><prosody rate=\"x-slow\">오늘은 맑겠습니다</prosody></speak>";
    assert!(spoken(&engine, slow, "ko").await.seconds() > 1.3 * plain.seconds());
    let paused = "<speak>오늘은 맑겠습니다<break time=\"2s\"/>오늘은 맑겠습니다</speak>";
    let paused = spoken(&engine, paused, "ko").await;
    assert!(paused.seconds() > 2.0 * plain.seconds() + 1.5, "{} s", paused.seconds());
    assert!(spoken(&engine, "It will be sunny", "en").await.seconds() > 0.5);
}

#[tokio::test]
async fn text_is_never_taken_for_markup_or_an_option() {
    let Some(engine) = espeak() else { return };
    for text in ["--help & <b>", "-w /tmp/x", "a\u{0}b", "]]> &amp; </speak>"] {
        assert!(spoken(&engine, text, "en").await.seconds() > 0.1, "{text}");
    }
    let say = Say { voice: Some("-w/tmp/x".to_owned()), ..say("hello", "en") };
    let refused = engine.synthesize(&say).await.expect_err("it is an option");
    assert_eq!(refused.to_string(), "reading the text to speak: \"-w/tmp/x\" is no name of a voice");
}

#[tokio::test]
async fn a_language_without_a_voice_is_refused_with_those_that_have_one() {
    let engine = Espeak::new(EspeakOptions::default(), system_clock());
    let refused = engine.synthesize(&say("hallo", "de")).await.expect_err("it has no voice");
    assert_eq!(refused.to_string(), "looking for an engine for \"de\": there are ko, en");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_a_sentence() {
    let options = EspeakOptions { program: "/nowhere/espeak-ng".into(), ..EspeakOptions::default() };
    let engine = Espeak::new(options, system_clock());
    let missing = engine.synthesize(&say("hello", "en")).await.expect_err("it is not there");
    assert_eq!(
        missing.to_string(),
        "starting /nowhere/espeak-ng: it is not installed; install espeak-ng or name a wyoming engine"
    );
}

#[tokio::test]
async fn an_engine_that_fails_says_what_it_said() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let program = program(folder.path(), "cat > /dev/null; echo no voice today >&2; exit 3");
    let engine = Espeak::new(EspeakOptions { program, ..EspeakOptions::default() }, system_clock());
    let failed = engine.synthesize(&say("hello", "en")).await.expect_err("it fails");
    assert_eq!(
        failed.to_string(),
        "running of espeak-ng: it ended with exit status: 3 and said no voice today"
    );
}

#[tokio::test]
async fn an_engine_that_hangs_is_given_up_and_killed() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let note = folder.path().join("process");
    let program = program(folder.path(), &format!("echo $$ > {}; exec sleep 1000", note.display()));
    let clock = ManualClock::default();
    let options = EspeakOptions { program, ..EspeakOptions::default() };
    let patience = options.patience;
    let engine = Arc::new(Espeak::new(options, Arc::new(clock.clone())));
    let asked = tokio::spawn(async move { engine.synthesize(&say("hello", "en")).await });
    let soon = Duration::from_secs(120);
    let written = || async { std::fs::read_to_string(&note).is_ok_and(|text| text.ends_with('\n')) };
    until("it runs", soon, written).await.expect("it starts");
    clock.advance(patience);
    let late = asked.await.expect("no panic").expect_err("it is given up");
    assert!(matches!(late, SpeechError::Late { .. }), "{late}");
    let process = std::fs::read_to_string(&note).expect("it was there");
    let gone = || async {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", process.trim()));
        // Dead, or dead and not yet buried by the runtime.
        status.map_or(true, |text| text.contains(") Z "))
    };
    until("it is killed", soon, gone).await.expect("it is killed");
    let _ = clock.now();
}
