//! The one table from URL to engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::SharedClock;

use crate::engine::{Synthesizer, Transcriber};
use crate::wyoming::{WyomingSynthesizer, WyomingTranscriber};
use crate::{Espeak, EspeakOptions, SpeechError};

/// The schemes of engines.
pub const SCHEMES: [&str; 4] = ["moonshine", "whisper", "espeak", "wyoming"];

/// What any engine may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// How many are served at once.
    pub workers: usize,
    /// How many may wait; one more is refused.
    pub waiting: usize,
    /// Threads that calculate; 0 for as many as there are cores.
    pub threads: usize,
    /// The longest speech that is listened to.
    pub longest: Duration,
    /// How long a process beside us may take.
    pub patience: Duration,
}

/// What a URL tells of its engine before anything is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineUrl {
    /// Whether such an engine listens.
    pub listens: bool,
    /// Whether it speaks.
    pub speaks: bool,
    /// The languages it does, as two letters of ISO 639-1; `None` where only the engine knows.
    pub languages: Option<Vec<String>>,
    /// The folder of its model.
    pub folder: Option<PathBuf>,
    /// The program that is started, by name or path.
    pub program: Option<PathBuf>,
}

/// What a model's folder holds.
pub const MODEL_FILES: [&str; 3] = ["encoder.onnx", "decoder.onnx", "tokenizer.json"];

/// The languages that Whisper was trained on (its authors' `LANGUAGES`).
const WHISPERS: &str = "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr \
                        bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km \
                        sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba \
                        jw su";

/// A URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Local(Model),
    Espeak(PathBuf),
    Wyoming(String),
}

/// A model within this process.
#[derive(Debug, PartialEq, Eq)]
enum Model {
    Moonshine(PathBuf),
    Whisper(PathBuf, Vec<String>),
}

// === EngineOptions ===

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            waiting: 8,
            threads: 0,
            longest: Duration::from_secs(30),
            patience: Duration::from_secs(10),
        }
    }
}

/// Checks without opening anything whether an engine can have this URL; see the crate's table.
///
/// # Errors
/// [`SpeechError::Url`] when it names no engine of this build.
pub fn check_engine_url(url: &str) -> Result<(), SpeechError> {
    match read(url)? {
        Named::Local(_) if !cfg!(feature = "models") => Err(no_models(url)),
        _ => Ok(()),
    }
}

/// Tells what can be known of the engine at `url` without opening anything, whether this build has it or not.
///
/// # Errors
/// [`SpeechError::Url`] when it names no engine.
pub fn read_engine_url(url: &str) -> Result<EngineUrl, SpeechError> {
    let listens = EngineUrl { listens: true, speaks: false, languages: None, folder: None, program: None };
    Ok(match read(url)? {
        Named::Local(Model::Moonshine(folder)) => {
            EngineUrl { languages: Some(vec!["en".to_owned()]), folder: Some(folder), ..listens }
        }
        Named::Local(Model::Whisper(folder, languages)) => {
            EngineUrl { languages: Some(languages), folder: Some(folder), ..listens }
        }
        Named::Espeak(program) => {
            let languages = Some(vec!["ko".to_owned(), "en".to_owned()]);
            EngineUrl { listens: false, speaks: true, languages, program: Some(program), ..listens }
        }
        Named::Wyoming(_) => EngineUrl { speaks: true, ..listens },
    })
}

/// Opens an engine that listens.
///
/// # Errors
/// [`SpeechError::Url`] for a URL that names none of this build, and what opening it says.
pub async fn open_transcriber(
    url: &str,
    options: EngineOptions,
    clock: SharedClock,
) -> Result<Arc<dyn Transcriber>, SpeechError> {
    match read(url)? {
        Named::Wyoming(address) => {
            Ok(Arc::new(WyomingTranscriber::open(&address, options.patience, clock).await?))
        }
        Named::Espeak(_) => Err(wrong(url, "espeak speaks and does not listen".to_owned())),
        Named::Local(model) => open_local(url, model, options).await,
    }
}

/// Opens an engine that speaks.
///
/// # Errors
/// Those of [`open_transcriber`].
pub async fn open_synthesizer(
    url: &str,
    options: EngineOptions,
    clock: SharedClock,
) -> Result<Arc<dyn Synthesizer>, SpeechError> {
    match read(url)? {
        Named::Wyoming(address) => {
            Ok(Arc::new(WyomingSynthesizer::open(&address, options.patience, clock).await?))
        }
        Named::Espeak(program) => {
            let options = EspeakOptions { program, patience: options.patience, ..EspeakOptions::default() };
            Ok(Arc::new(Espeak::new(options, clock)))
        }
        Named::Local(_) => Err(wrong(url, "it listens and does not speak".to_owned())),
    }
}

#[cfg(feature = "models")]
async fn open_local(
    url: &str,
    model: Model,
    options: EngineOptions,
) -> Result<Arc<dyn Transcriber>, SpeechError> {
    use crate::local::{LocalOptions, Moonshine, Whisper};
    let EngineOptions { workers, waiting, threads, longest, .. } = options;
    let options = LocalOptions { workers, waiting, threads, longest };
    // Reading a model keeps a thread busy for a second.
    let opened = tokio::task::spawn_blocking(move || -> Result<Arc<dyn Transcriber>, SpeechError> {
        match model {
            Model::Whisper(folder, languages) => {
                let languages: Vec<&str> = languages.iter().map(String::as_str).collect();
                Ok(Arc::new(Whisper::open(&folder, &languages, options)?))
            }
            Model::Moonshine(folder) => Ok(Arc::new(Moonshine::open(&folder, options)?)),
        }
    });
    opened.await.map_err(|error| wrong(url, error.to_string()))?
}

#[cfg(not(feature = "models"))]
async fn open_local(url: &str, _: Model, _: EngineOptions) -> Result<Arc<dyn Transcriber>, SpeechError> {
    Err(no_models(url))
}

fn no_models(url: &str) -> SpeechError {
    wrong(url, "this build listens by no model of its own; build with the feature `speech`".to_owned())
}

fn wrong(url: &str, problem: String) -> SpeechError {
    SpeechError::Url { url: url.to_owned(), problem }
}

fn read(url: &str) -> Result<Named, SpeechError> {
    let known = "expected moonshine:, whisper:, espeak: or wyoming://";
    let (scheme, rest) =
        url.split_once(':').ok_or_else(|| wrong(url, format!("it has no scheme; {known}")))?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let folder = || match path {
        "" => {
            Err(wrong(url, "it names no folder; run `cargo xtask models` and use one it prints".to_owned()))
        }
        path => Ok(PathBuf::from(path)),
    };
    match scheme {
        "moonshine" => Ok(Named::Local(Model::Moonshine(folder()?))),
        "whisper" => Ok(Named::Local(Model::Whisper(folder()?, languages(url, query)?))),
        "espeak" => Ok(Named::Espeak(if path.is_empty() { "espeak-ng".into() } else { path.into() })),
        "wyoming" => {
            let parsed = url::Url::parse(url).map_err(|error| wrong(url, error.to_string()))?;
            match (parsed.host(), parsed.port()) {
                (Some(host), Some(port)) => Ok(Named::Wyoming(format!("{host}:{port}"))),
                _ => Err(wrong(url, "expected wyoming://host:port".to_owned())),
            }
        }
        other => Err(wrong(url, format!("{other:?} is no scheme of speech; {known}"))),
    }
}

fn languages(url: &str, query: &str) -> Result<Vec<String>, SpeechError> {
    let mut languages = vec!["ko".to_owned(), "en".to_owned()];
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name != "language" {
            return Err(wrong(url, format!("{name:?} is no setting of whisper; expected language")));
        }
        languages = value.split(',').map(str::to_owned).collect();
    }
    match languages.iter().find(|&language| !WHISPERS.split(' ').any(|known| known == language)) {
        Some(unknown) => Err(wrong(
            url,
            format!("{unknown:?} is no language of whisper; expected such as ko, en or ko,en"),
        )),
        None => Ok(languages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_named_by_a_url() {
        assert_eq!(read("moonshine:/m").expect("it is one"), Named::Local(Model::Moonshine("/m".into())));
        let both = vec!["ko".to_owned(), "en".to_owned()];
        assert_eq!(read("whisper:/m").expect("it is one"), Named::Local(Model::Whisper("/m".into(), both)));
        let korean = vec!["ko".to_owned()];
        assert_eq!(
            read("whisper:/m?language=ko").expect("it is one"),
            Named::Local(Model::Whisper("/m".into(), korean))
        );
        assert_eq!(read("espeak:").expect("it is one"), Named::Espeak("espeak-ng".into()));
        assert_eq!(read("wyoming://[::1]:10200").expect("it is one"), Named::Wyoming("[::1]:10200".into()));
    }

    #[test]
    fn a_url_tells_what_its_engine_does_before_it_is_opened() {
        let told = |url: &str| {
            let told = read_engine_url(url).expect("is one");
            (told.listens, told.speaks, told.languages.map(|languages| languages.join("+")))
        };
        assert_eq!(told("moonshine:/m"), (true, false, Some("en".to_owned())));
        assert_eq!(told("whisper:/m?language=ko"), (true, false, Some("ko".to_owned())));
        assert_eq!(told("espeak:"), (false, true, Some("ko+en".to_owned())));
        assert_eq!(told("wyoming://a:1"), (true, true, None));
    }

    #[test]
    fn what_names_no_engine_is_refused_with_what_does() {
        let problem = |url: &str| check_engine_url(url).expect_err("it is none").to_string();
        assert_eq!(
            problem("vosk:/m"),
            "reading the speech url vosk:/m: \"vosk\" is no scheme of speech; expected moonshine:, whisper:, \
             espeak: or wyoming://"
        );
        assert_eq!(
            problem("moonshine:"),
            "reading the speech url moonshine:: it names no folder; run `cargo xtask models` and use one it prints"
        );
        assert_eq!(
            problem("wyoming://host"),
            "reading the speech url wyoming://host: expected wyoming://host:port"
        );
        assert_eq!(
            problem("whisper:/m?language=ko,kr"),
            "reading the speech url whisper:/m?language=ko,kr: \"kr\" is no language of whisper; expected such as ko, en or \
             ko,en"
        );
        assert_eq!(
            problem("whisper:/m?speed=9"),
            "reading the speech url whisper:/m?speed=9: \"speed\" is no setting of whisper; expected language"
        );
    }
}
