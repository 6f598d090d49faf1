//! Models listen to voices: what they understand, counted and printed, and what they refuse.

use std::path::PathBuf;
use std::sync::Arc;

use ieum_core::{Clock, SystemClock, system_clock};
use ieum_speech::{
    Audio, AudioLimits, ByLanguage, EngineOptions, Grammar, Hints, LocalOptions, Moonshine, RATE, Rejection,
    Repair, Sounds, SpeechError, Transcriber, Whisper, open_transcriber,
};
use ieum_testkit::server;

use crate::accuracy::{letter_errors, word_errors};
use crate::speaking::{espeak, spoken};

/// Commands as people give them, for the synthetic voice.
const ENGLISH: [&str; 8] = [
    "turn on the kitchen light",
    "what is the weather today",
    "set a timer for ten minutes",
    "wake me up at seven tomorrow morning",
    "turn off the lights in the bedroom",
    "play some music in the living room",
    "add milk to the shopping list",
    "stop",
];
const KOREAN: [&str; 8] = [
    "오늘 날씨 어때",
    "거실 불 켜 줘",
    "안방 에어컨 꺼 줘",
    "십 분 타이머 맞춰 줘",
    "내일 아침 일곱 시에 깨워 줘",
    "신나는 음악 틀어 줘",
    "지금 몇 시야",
    "창문 좀 닫아 줘",
];

/// What the recording beside the model says (S. Beckett, Worstward Ho).
const RECORDED: &str = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.";

/// Returns the folder of a model, or nothing where it was not fetched; the test is then reported as not run.
fn model(name: &str) -> Option<PathBuf> {
    let folder = server::speech_models();
    if folder.is_none() {
        server::not_run("speech models", "cargo xtask test has not fetched them");
    }
    Some(folder?.join(name))
}

fn moonshine() -> Option<(Moonshine, Audio)> {
    let folder = model("moonshine-tiny")?;
    let recording = std::fs::read(folder.join("sample.wav")).expect("it lies beside the model");
    let audio = Audio::from_wav(&recording, AudioLimits::default()).expect("it is a usual rate");
    Some((Moonshine::open(&folder, LocalOptions::default()).expect("it is one"), audio))
}

pub fn whisper(name: &str, languages: &[&str]) -> Option<Whisper> {
    Some(Whisper::open(&model(name)?, languages, LocalOptions::default()).expect("it is one"))
}

pub async fn heard(engine: &dyn Transcriber, audio: &Audio, language: &str) -> (String, f64) {
    let began = SystemClock.moment();
    let transcript = engine.transcribe(audio.clone(), &Hints::language(language)).await.expect("it listens");
    (transcript.text, SystemClock.moment().since(began).as_secs_f64() * 1_000.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test]
async fn a_recorded_voice_is_understood_by_both_models() {
    let Some((moonshine, audio)) = moonshine() else { return };
    let Some(whisper) = whisper("whisper-tiny", &["ko", "en"]) else { return };
    for (name, engine) in [("moonshine-tiny", &moonshine as &dyn Transcriber), ("whisper-tiny", &whisper)] {
        let (text, millis) = heard(engine, &audio, "en").await;
        let errors = word_errors(RECORDED, &text);
        println!(
            "{name}: {:.0} % word errors, {millis:.0} ms for {:.1} s: {text}",
            errors * 100.0,
            audio.seconds()
        );
        assert!(errors <= 0.1, "{text}");
    }
    // Nobody told it the language.
    let guessed = whisper.transcribe(audio, &Hints::default()).await.expect("it listens");
    assert_eq!(guessed.language.as_deref(), Some("en"));
}

#[tokio::test]
async fn english_commands_are_understood() {
    let (Some((engine, _)), Some(voice)) = (moonshine(), espeak()) else { return };
    let repair = Repair::new(Sounds::English, ENGLISH);
    let (mut wrong, mut led_back, mut times) = (Vec::new(), 0, Vec::new());
    for wanted in ENGLISH {
        let (text, millis) = heard(&engine, &spoken(&voice, wanted, "en").await, "en").await;
        wrong.push(word_errors(&wanted.replace("ten", "10"), &text.replace("ten", "10")));
        led_back += usize::from(repair.whole(&text).is_some_and(|found| found.text == wanted));
        times.push(millis);
        println!("{wanted} -> {text} ({millis:.0} ms)");
    }
    let errors = wrong.iter().sum::<f64>() / wrong.len() as f64;
    println!(
        "moonshine-tiny: {:.0} % word errors, {led_back} of {} led back, median {:.0} ms",
        errors * 100.0,
        ENGLISH.len(),
        median(times)
    );
    assert!(errors <= 0.25, "{errors}");
    assert!(led_back >= ENGLISH.len() - 1, "{led_back}");
}

#[tokio::test]
async fn english_commands_are_heard_with_their_sentences_in_hand_and_others_as_they_are() {
    let (Some((engine, recording)), Some(voice)) = (moonshine(), espeak()) else { return };
    let hints = Hints::language("en").with_grammar(Arc::new(Grammar::of_sentences(ENGLISH)));
    for wanted in ENGLISH {
        let audio = spoken(&voice, wanted, "en").await;
        let heard = engine.transcribe(audio, &hints).await.expect("it listens");
        assert_eq!(heard.text, wanted);
    }
    let heard = engine.transcribe(recording, &hints).await.expect("it listens");
    assert!(word_errors(RECORDED, &heard.text) <= 0.1, "none of the sentences was said: {}", heard.text);
}

#[tokio::test]
async fn korean_commands_of_a_crude_voice_are_led_back_by_their_sentences() {
    let Some(voice) = espeak() else { return };
    let repair = Repair::new(Sounds::Korean, KOREAN);
    // So crude a voice is far from everything; of what can be said the nearest is taken all the same.
    let grammar = Grammar::of_sentences(KOREAN).with_farthest(f32::INFINITY);
    let hints = Hints::language("ko").with_grammar(Arc::new(grammar));
    for (name, least) in [("whisper-tiny", 5), ("whisper-base", 5)] {
        let Some(engine) = whisper(name, &["ko"]) else { return };
        let (mut wrong, mut by_sound, mut by_grammar, mut times) = (Vec::new(), 0, 0, Vec::new());
        for wanted in KOREAN {
            let audio = spoken(&voice, wanted, "ko").await;
            let (text, millis) = heard(&engine, &audio, "ko").await;
            let led = engine.transcribe(audio, &hints).await.expect("it listens");
            wrong.push(letter_errors(wanted, &text));
            by_sound += usize::from(repair.whole(&text).is_some_and(|found| found.text == wanted));
            by_grammar += usize::from(led.text == wanted);
            times.push(millis);
            println!("{wanted} -> {text} ({millis:.0} ms) -> {}", led.text);
            // The voice is too crude for the words; what is heard is Korean all the same, without captions' signs.
            assert!(
                !text.contains(|letter: char| letter.is_ascii_alphabetic() || "([♪".contains(letter)),
                "{text}"
            );
        }
        let errors = wrong.iter().sum::<f64>() / wrong.len() as f64;
        println!(
            "{name}: {:.0} % letter errors, of {} {by_sound} led back by sound and {by_grammar} by the sentences, \
             median {:.0} ms",
            errors * 100.0,
            KOREAN.len(),
            median(times)
        );
        assert!(by_grammar >= least, "{by_grammar}");
    }
}

#[tokio::test]
async fn silence_and_noise_are_not_words() {
    let Some((engine, _)) = moonshine() else { return };
    let mut state = 1_u32;
    let noise = (0..RATE * 2).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as i16) / 4_000_000.0
    });
    for samples in [vec![0.0; RATE as usize], noise.collect(), Vec::new()] {
        let transcript =
            engine.transcribe(Audio::from_samples(samples), &Hints::default()).await.expect("it listens");
        assert_eq!((transcript.text.as_str(), transcript.rejected), ("", Some(Rejection::Silence)));
    }
}

#[tokio::test]
async fn noise_and_another_language_are_no_commands_in_korean() {
    let Some(folder) = model("moonshine-tiny") else { return };
    let english = std::fs::read(folder.join("sample.wav")).expect("it lies beside the model");
    let english = Audio::from_wav(&english, AudioLimits::default()).expect("it is a usual rate");
    let mut state = 1_u32;
    let mut white = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as i16) / 32_768.0
    };
    let sine = |hertz: f32, at: usize| (std::f32::consts::TAU * hertz * at as f32 / RATE as f32).sin();
    let two_seconds = 0..2 * RATE as usize;
    let sounds: [(&str, Vec<f32>); 4] = [
        ("white noise", two_seconds.clone().map(|_| 0.1 * white()).collect()),
        ("a tone", two_seconds.clone().map(|at| 0.4 * sine(440.0, at)).collect()),
        (
            "a tone that comes and goes",
            two_seconds.clone().map(|at| 0.2 * sine(180.0, at) * (1.0 + sine(3.0, at))).collect(),
        ),
        ("noise in bursts", two_seconds.map(|at| 0.3 * white() * sine(5.0, at).max(0.0)).collect()),
    ];
    let hints = Hints::language("ko").with_grammar(Arc::new(Grammar::of_sentences(KOREAN)));
    for name in ["whisper-tiny", "whisper-base"] {
        let Some(engine) = whisper(name, &["ko"]) else { return };
        let heard = engine.transcribe(english.clone(), &hints).await.expect("it listens");
        assert_eq!((heard.text.as_str(), heard.rejected), ("", Some(Rejection::Foreign)), "{name}");
        for (sound, samples) in &sounds {
            let audio = Audio::from_samples(samples.clone());
            let heard = engine.transcribe(audio, &hints).await.expect("it listens");
            println!("{name}: {sound} -> {:?} {:?}", heard.text, heard.rejected);
            assert!(!KOREAN.contains(&heard.text.as_str()), "{name} takes {sound} for {}", heard.text);
        }
    }
}

#[tokio::test]
async fn too_much_at_once_is_refused_and_the_rest_is_served() {
    let Some(folder) = model("moonshine-tiny") else { return };
    let options = LocalOptions { waiting: 1, ..LocalOptions::default() };
    let engine = Arc::new(Moonshine::open(&folder, options).expect("it is one"));
    let recording = std::fs::read(folder.join("sample.wav")).expect("it lies beside the model");
    let audio = Audio::from_wav(&recording, AudioLimits::default()).expect("it is a usual rate");
    let asked: Vec<_> = (0..6)
        .map(|_| {
            let (engine, audio) = (Arc::clone(&engine), audio.clone());
            tokio::spawn(async move { engine.transcribe(audio, &Hints::default()).await })
        })
        .collect();
    let mut served = 0;
    for asked in asked {
        match asked.await.expect("no panic") {
            Ok(transcript) => {
                assert!(word_errors(RECORDED, &transcript.text) <= 0.1, "{}", transcript.text);
                served += 1;
            }
            Err(error) => assert!(matches!(error, SpeechError::Busy { waiting: 1, .. }), "{error}"),
        }
    }
    assert_eq!(served, 2, "one was listened to, and one waited");
}

#[tokio::test]
async fn each_language_goes_to_its_engine_and_others_are_refused() {
    let (Some(english), Some(korean)) = (model("moonshine-tiny"), model("whisper-tiny")) else { return };
    let urls =
        [format!("moonshine:{}", english.display()), format!("whisper:{}?language=ko", korean.display())];
    let mut engines = Vec::new();
    for url in &urls {
        engines
            .push(open_transcriber(url, EngineOptions::default(), system_clock()).await.expect("it is one"));
    }
    let both: ByLanguage<dyn Transcriber> = ByLanguage::new(engines).falling_back_to("ko");
    assert_eq!(both.engine().languages, ["en", "ko"]);
    // Nobody names a language: Whisper says nothing of silence, Moonshine that it was English.
    let korean = both.transcribe(Audio::default(), &Hints::default()).await.expect("it listens");
    assert_eq!(korean.language, None);
    let refused =
        both.transcribe(Audio::default(), &Hints::language("de")).await.expect_err("nobody does it");
    assert_eq!(refused.to_string(), "looking for an engine for \"de\": there are en, ko");
}

#[test]
fn a_folder_without_a_model_is_refused_with_what_to_do() {
    let missing =
        Moonshine::open("/nowhere".as_ref(), LocalOptions::default()).err().expect("it is not there");
    assert_eq!(
        missing.to_string(),
        "opening the speech model in /nowhere: there is no such folder; run `cargo xtask models` and name one it \
         prints"
    );
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let empty = Whisper::open(folder.path(), &["ko"], LocalOptions::default()).err().expect("it is empty");
    assert!(empty.to_string().contains("reading tokenizer.json: "), "{empty}");
}
