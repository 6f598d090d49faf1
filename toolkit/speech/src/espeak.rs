//! Speaking by espeak-ng, a program of its own: its licence (GPL) and ours do not mix, so it is never linked.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{SharedClock, within};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use crate::SpeechError;
use crate::audio::read_wav;
use crate::engine::{Engine, Say, Spoken, Synthesizer};
use crate::ssml::Speech;

const NAME: &str = "espeak-ng";

/// Languages and what espeak-ng calls their voices.
const VOICES: [(&str, &str); 2] = [("ko", "ko"), ("en", "en-us")];

/// How espeak-ng is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EspeakOptions {
    /// The program, by name or path.
    pub program: PathBuf,
    /// Words per minute.
    pub speed: u16,
    /// How long it may take.
    pub patience: Duration,
    /// How many run at once; the next wait.
    pub most: usize,
}

/// Speaks Korean and English, plainly.
pub struct Espeak {
    options: EspeakOptions,
    clock: SharedClock,
    places: Semaphore,
}

// === EspeakOptions ===

impl Default for EspeakOptions {
    fn default() -> Self {
        Self { program: PathBuf::from(NAME), speed: 160, patience: Duration::from_secs(10), most: 4 }
    }
}

// === Espeak ===

impl Espeak {
    /// Makes an engine. Whether the program is there shows when it first speaks.
    pub fn new(options: EspeakOptions, clock: SharedClock) -> Self {
        let places = Semaphore::new(options.most.max(1));
        Self { options, clock, places }
    }

    fn start(&self, voice: &str) -> Result<Child, SpeechError> {
        let mut command = Command::new(&self.options.program);
        command.args(["-m", "--stdin", "--stdout", "-v", voice, "-s", &self.options.speed.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.spawn().map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                return SpeechError::Missing { program: self.options.program.display().to_string() };
            }
            failed("starting", error.to_string())
        })
    }

    async fn run(&self, ssml: String, voice: &str) -> Result<Spoken, SpeechError> {
        let mut child = self.start(voice)?;
        let mut input = child.stdin.take();
        // Side by side: a long answer would fill its pipe while the question is still being written.
        let write = async {
            if let Some(input) = &mut input {
                // It may have ended before it read everything; what it then printed says why.
                let _ = input.write_all(ssml.as_bytes()).await;
            }
            drop(input);
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), write);
        let output = output.map_err(|error| failed("running", error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing");
            return Err(failed("running", format!("it ended with {} and said {last}", output.status)));
        }
        let (format, pcm) = read_wav(&output.stdout).map_err(|error| failed("running", error.to_string()))?;
        Ok(Spoken { format, pcm: bytes::Bytes::copy_from_slice(pcm) })
    }
}

/// Returns the voice to ask for. Only names: what looks like an option or a path is refused.
fn voice(say: &Say) -> Result<String, SpeechError> {
    if let Some(voice) = &say.voice {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-+_".contains(letter);
        if voice.is_empty() || voice.len() > 40 || voice.starts_with('-') || !voice.chars().all(plain) {
            return Err(SpeechError::Text { problem: format!("{voice:?} is no name of a voice") });
        }
        return Ok(voice.clone());
    }
    let language = say.language.as_deref().unwrap_or(VOICES[0].0);
    let found = VOICES.iter().find(|(known, _)| *known == language);
    found.map(|(_, voice)| (*voice).to_owned()).ok_or_else(|| SpeechError::Language {
        language: language.to_owned(),
        known: VOICES.map(|(language, _)| language).join(", "),
    })
}

fn failed(step: &'static str, problem: String) -> SpeechError {
    SpeechError::Engine { engine: NAME.to_owned(), step, problem }
}

#[async_trait]
impl Synthesizer for Espeak {
    fn engine(&self) -> Engine {
        Engine { name: NAME.to_owned(), languages: VOICES.map(|(language, _)| language.to_owned()).to_vec() }
    }

    async fn synthesize(&self, say: &Say) -> Result<Spoken, SpeechError> {
        let speech = Speech::read(&say.text)?;
        let voice = voice(say)?;
        let end = self.clock.moment() + self.options.patience;
        let work = async {
            let place = self.places.acquire().await;
            let spoken = self.run(speech.to_ssml(), &voice).await;
            drop(place);
            spoken
        };
        // Dropping the work kills the program.
        within(&self.clock, end, work).await.unwrap_or_else(|| {
            Err(SpeechError::Late { engine: NAME.to_owned(), after: self.options.patience })
        })
    }
}
