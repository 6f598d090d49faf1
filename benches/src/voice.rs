//! How long somebody waits for an answer: typed in Korean and English, spoken in English and in Korean.
//!
//! Figures are parts of the limit that a person still takes for an immediate answer. Turns go through the whole
//! solution within this process over SQLite with every commit synced; speech is espeak-ng's, so that every run hears
//! the same, and is led to its answer as an engine set in the settings does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ieum_bus::{BusOptions, open_bus};
use ieum_cache::open_cache;
use ieum_client::OutboundPolicy;
use ieum_contracts::voice::{ContextEngineClient, DialogTurn, Dialogue, DialogueClient, UnderstandingClient};
use ieum_core::{Cx, Fault, system_clock};
use ieum_documents::SqlDocuments;
use ieum_link::local_link;
use ieum_speech::{
    Audio, AudioLimits, Espeak, EspeakOptions, Hints, LocalOptions, Moonshine, Say, Synthesizer, Transcriber,
    Whisper,
};
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use ieum_voice::{Contexts, LocalUnderstanding, VoiceDeps, VoiceOptions, VoicePart, WeatherOptions};

use crate::report::{Wanted, figures, not_run};

const NAME: &str = "voice";
const TURNS: usize = 400;
const SPOKEN: usize = 24;

const TYPED_LIMIT: Duration = Duration::from_millis(5);
const ENGLISH_LIMIT: Duration = Duration::from_millis(300);
const KOREAN_LIMIT: Duration = Duration::from_millis(1_500);

const KOREAN: [&str; 4] = ["지금 몇 시야?", "오 분 타이머 맞춰 줘", "타이머 얼마나 남았어?", "타이머 취소해"];
const ENGLISH: [&str; 4] =
    ["what time is it", "set a timer for five minutes", "how long is left on the timer", "cancel the timer"];

/// The voice solution over a file of its own.
struct Stage {
    dialogue: DialogueClient,
    _folder: tempfile::TempDir,
}

/// Prints how long answers take as parts of what is wanted.
pub async fn run() -> Result<(), Fault> {
    let stage = Stage::open().await?;
    for (language, sentences) in [("Korean", KOREAN), ("English", ENGLISH)] {
        let mut millis = Vec::new();
        for turn in 0..TURNS {
            let begun = Instant::now();
            stage.say(sentences[turn % sentences.len()]).await?;
            // The first ones fill caches.
            if turn >= sentences.len() {
                millis.push(begun.elapsed());
            }
        }
        print(&format!("a typed turn in {language}"), TYPED_LIMIT, millis);
    }
    let models = std::env::var_os("IEUM_BENCH_MODELS").map(PathBuf::from);
    let voice = Espeak::new(EspeakOptions::default(), system_clock());
    let there = voice.synthesize(&Say { text: "hello".to_owned(), ..Say::default() }).await.is_ok();
    let Some(models) = models.filter(|_| there) else {
        not_run(NAME, "a spoken turn", "it needs espeak-ng and the models of `cargo xtask models`");
        return Ok(());
    };
    let options = LocalOptions::default();
    let moonshine = Moonshine::open(&models.join("moonshine-tiny"), options);
    let whisper = Whisper::open(&models.join("whisper-tiny"), &["ko"], options);
    let opened = |error| failed("opening a model", &error);
    let (moonshine, whisper) = (moonshine.map_err(opened)?, whisper.map_err(opened)?);
    let english: (&dyn Transcriber, _, _) = (&moonshine, ENGLISH, ENGLISH_LIMIT);
    let korean: (&dyn Transcriber, _, _) = (&whisper, KOREAN, KOREAN_LIMIT);
    for (name, language, (ear, sentences, limit)) in [("English", "en", english), ("Korean", "ko", korean)] {
        let millis = stage.spoken(&voice, ear, language, &sentences).await?;
        print(&format!("a spoken turn in {name}, heard by {}", ear.engine().name), limit, millis);
    }
    Ok(())
}

fn print(what: &str, limit: Duration, mut took: Vec<Duration>) {
    took.sort_unstable();
    let part = |share: f64| {
        let place = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
        vec![took.get(place).copied().unwrap_or_default().div_duration_f64(limit)]
    };
    figures(NAME, &format!("{what}, median / {limit:?}"), "", part(0.5), Wanted::AtMost(1.0));
    figures(NAME, &format!("{what}, 99 of 100 / {limit:?}"), "", part(0.99), Wanted::AtMost(1.0));
}

// === Stage ===

impl Stage {
    async fn open() -> Result<Self, Fault> {
        let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
        let url = format!("sqlite:{}", folder.path().join("voice.db").display());
        let options = StoreOptions { sqlite_synchronous: Synchronous::Full, ..StoreOptions::default() };
        let store = Store::open(&url, &options).await.map_err(|error| failed("opening the store", &error))?;
        let mut migrations = VoicePart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrations.extend(ieum_saga::migrations());
        migrations.extend(ieum_device::migrations());
        migrate(&store, &migrations, |_| {}).await.map_err(|error| failed("making the tables", &error))?;
        let bus = open_bus("local:", store.clone(), system_clock(), BusOptions::default()).await;
        let cache = open_cache("memory:", system_clock()).await;
        let local = LocalUnderstanding::new().map_err(|error| failed("reading sentences", &error))?;
        let contexts =
            local_link(Contexts::new(Arc::new(SqlDocuments::new(store.clone()))).routes(), system_clock());
        let base = "https://weather.invalid".parse().map_err(|error| failed("naming a server", &error))?;
        let part = VoicePart::new(VoiceDeps {
            store,
            bus: bus.map_err(|error| failed("opening the bus", &error))?,
            cache: cache.map_err(|error| failed("opening the cache", &error))?,
            clock: system_clock(),
            contexts: Arc::new(ContextEngineClient::new(contexts)),
            understanding: Arc::new(UnderstandingClient::new(local_link(local.routes(), system_clock()))),
            local: None,
            users: None,
            devices: None,
            plugins: Vec::new(),
            ears: None,
            listens_for: None,
            mouth: None,
            weather: WeatherOptions {
                base,
                key: None,
                place: "Seoul".to_owned(),
                outbound: OutboundPolicy { allow: Vec::new() },
            },
            options: VoiceOptions::default(),
        });
        let part = part.map_err(|error| failed("wiring the solution", &error))?;
        let dialogue = DialogueClient::new(local_link(part.routes(), system_clock()));
        Ok(Self { dialogue, _folder: folder })
    }

    async fn say(&self, text: &str) -> Result<(), Fault> {
        let cx = Cx::root().with_idempotency_key(&ieum_core::new_id().to_string());
        let turn =
            DialogTurn { device_id: Some("kitchen".into()), text: text.into(), ..DialogTurn::default() };
        self.dialogue.say(&cx, turn).await.map(drop)
    }

    /// Speaks the sentences, and returns how long each took from its last sample to its answer.
    async fn spoken(
        &self,
        voice: &Espeak,
        ear: &dyn Transcriber,
        language: &str,
        sentences: &[&str],
    ) -> Result<Vec<Duration>, Fault> {
        let mut took = Vec::new();
        for turn in 0..SPOKEN {
            let sentence = sentences[turn % sentences.len()];
            let say = Say { text: sentence.to_owned(), language: Some(language.to_owned()), voice: None };
            let said = voice.synthesize(&say).await.map_err(|error| failed("speaking", &error))?;
            let audio = Audio::from_pcm(&said.pcm, said.format, AudioLimits::default());
            let audio = audio.map_err(|error| failed("reading the speech", &error))?;
            let begun = Instant::now();
            let heard = ear.transcribe(audio, &Hints::language(language)).await;
            let heard = heard.map_err(|error| failed("listening", &error))?;
            // What was heard of a crude voice may be nothing; answering takes its time all the same.
            self.say(if heard.text.is_empty() { sentence } else { &heard.text }).await?;
            if turn > 0 {
                took.push(begun.elapsed());
            }
        }
        Ok(took)
    }
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.voice", format!("{step}: {error}"))
}
