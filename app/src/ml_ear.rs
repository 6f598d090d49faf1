//! Listens by an `MLService` of another process, over gRPC.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use ieum_core::{Cx, Fault, SharedClock, describe, redact_url};
use ieum_dialogflow::ml::{MlClient, MlOptions};
use ieum_dialogflow::{SoundFormat, Transcriber as _};
use ieum_speech::{Audio, Engine, Hints, RATE, SpeechError, Transcriber, Transcript, check_engine_url};
use url::Url;

/// How long it may take for one recording.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of samples sent at once: a tenth of a second.
const PIECE: usize = 3_200;
/// Bytes of a second.
const SECOND: usize = RATE as usize * 2;

/// An engine at `grpc://HOST:PORT?language=ko`, `grpcs://` with TLS; both languages where none is named.
pub struct MlEar {
    client: MlClient,
    clock: SharedClock,
    engine: Engine,
}

/// An address, taken apart.
struct Place {
    address: String,
    languages: Vec<String>,
}

impl MlEar {
    /// Makes the engine that `url` names; `None` where it is another kind's. Nothing is sent before it listens.
    ///
    /// # Errors
    /// A URL that cannot be read.
    pub fn open(url: &str, clock: SharedClock) -> Result<Option<Self>, SpeechError> {
        let Some(Place { address, languages }) = place(url)? else { return Ok(None) };
        let options = MlOptions { timeout: PATIENCE, ..MlOptions::default() };
        let client = MlClient::new(&address, options, clock.clone());
        let client = client.map_err(|error| wrong(url, &describe(&error)))?;
        Ok(Some(Self { client, clock, engine: Engine { name: address, languages } }))
    }
}

/// Checks without opening anything whether an engine that listens can have this URL, such a service or one of the speech
/// toolkit's.
///
/// # Errors
/// A URL that names none.
pub fn check_ear_url(url: &str) -> Result<(), SpeechError> {
    match place(url)? {
        Some(_) => Ok(()),
        None => check_engine_url(url),
    }
}

/// Tells which languages the service at `url` hears; `None` where the URL is another kind's.
pub fn languages(url: &str) -> Option<Vec<String>> {
    place(url).ok().flatten().map(|place| place.languages)
}

fn place(url: &str) -> Result<Option<Place>, SpeechError> {
    if !url.starts_with("grpc://") && !url.starts_with("grpcs://") {
        return Ok(None);
    }
    let parsed = Url::parse(url).map_err(|error| wrong(url, &error.to_string()))?;
    let (Some(host), Some(port)) = (parsed.host_str(), parsed.port()) else {
        return Err(wrong(url, "it names no host and port; write grpc://HOST:PORT"));
    };
    if !parsed.username().is_empty()
        || parsed.password().is_some()
        || !parsed.path().trim_matches('/').is_empty()
    {
        return Err(wrong(
            url,
            "it names a user, a password or a path, which an MLService has not; write grpc://HOST:PORT",
        ));
    }
    let mut languages = Vec::new();
    for (name, value) in parsed.query_pairs() {
        match (&*name, &*value) {
            ("language", "ko" | "en") => languages.push(value.into_owned()),
            ("language", _) => {
                return Err(wrong(url, "it names a language that is not spoken here; expected ko or en"));
            }
            _ => return Err(wrong(url, "it has a parameter that is not known; expected language")),
        }
    }
    if languages.is_empty() {
        languages = vec!["ko".to_owned(), "en".to_owned()];
    }
    Ok(Some(Place { address: format!("{}://{host}:{port}", parsed.scheme()), languages }))
}

fn wrong(url: &str, problem: &str) -> SpeechError {
    SpeechError::Url { url: redact_url(url), problem: problem.to_owned() }
}

/// Returns why the engine did not hear `length` of sound.
fn refused(engine: &str, fault: &Fault, length: Duration) -> SpeechError {
    let problem = fault.message.clone();
    match &*fault.reason {
        // How much it takes is not said; that it is less than was sent is.
        "voice.audio.too_long" => SpeechError::TooLong { limit: length },
        // There is a service, and it has no engine that can be opened.
        "voice.speech.missing" => SpeechError::Model { folder: engine.into(), problem },
        _ => SpeechError::Engine { engine: engine.to_owned(), step: "listening", problem },
    }
}

#[async_trait]
impl Transcriber for MlEar {
    fn engine(&self) -> Engine {
        self.engine.clone()
    }

    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
        let spoken = hints.language.as_ref().or(self.engine.languages.first());
        let language = spoken.cloned().unwrap_or_default();
        let pcm = Bytes::from(audio.to_pcm());
        let length = Duration::from_secs((pcm.len() / SECOND) as u64);
        let pieces = (0..pcm.len())
            .step_by(PIECE)
            .map(move |start| Ok(pcm.slice(start..(start + PIECE).min(pcm.len()))));
        let cx = Cx::root().with_timeout(self.clock.moment(), PATIENCE);
        let sound = stream::iter(pieces).boxed();
        let mut heard = self.client.transcribe(&cx, SoundFormat::linear(RATE, &language), sound);
        let mut text = None;
        while let Some(piece) = heard.next().await {
            let piece = piece.map_err(|fault| refused(&self.engine.name, &fault, length))?;
            if piece.is_final {
                text = Some(piece.text);
            }
        }
        // A stream that ends without the whole was cut off by its time.
        let late = || SpeechError::Late { engine: self.engine.name.clone(), after: PATIENCE };
        let text = hints.led_by_letters(text.ok_or_else(late)?.trim().to_owned());
        Ok(Transcript {
            text,
            language: Some(language).filter(|language| !language.is_empty()),
            ..Transcript::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_url_is_read_and_a_wrong_one_says_what_is_wrong() {
        let read =
            |url| place(url).map(|place| place.map(|place| (place.address, place.languages.join("+"))));
        assert_eq!(read("espeak:").expect("is another's"), None);
        let plain = read("grpc://ears:7000").expect("is one").expect("is one");
        assert_eq!(plain, ("grpc://ears:7000".to_owned(), "ko+en".to_owned()));
        let secure = read("grpcs://[::1]:7000?language=en").expect("is one").expect("is one");
        assert_eq!(secure, ("grpcs://[::1]:7000".to_owned(), "en".to_owned()));
        for (url, part) in [
            ("grpc://ears", "host and port"),
            ("grpc://ears:7000?language=de", "not spoken"),
            ("grpc://ears:7000?model=big", "not known"),
            ("grpc://ada@ears:7000", "a user"),
            ("grpc://ada:hunter2@ears:7000", "a password"),
            ("grpc://ears:7000/ears", "a path"),
        ] {
            let error = read(url).expect_err("is wrong").to_string();
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_the_far_service_says_of_a_recording_is_told_as_it_is() {
        let told = |reason: &'static str| {
            let fault = Fault::invalid_argument(reason, "listening: no");
            refused("grpc://ears:7000", &fault, Duration::from_secs(40))
        };
        assert!(matches!(told("voice.audio.too_long"), SpeechError::TooLong { .. }));
        assert!(matches!(told("voice.speech.missing"), SpeechError::Model { .. }));
        assert!(matches!(told("dialogflow.status"), SpeechError::Engine { .. }));
    }
}
