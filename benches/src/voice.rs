//! How long somebody waits for an answer: typed in Korean and English, spoken in English and in Korean.
//!
//! Figures are parts of the limit that a person still takes for an immediate answer. Turns go through the whole
//! solution within this process over SQLite with every commit synced. Spoken ones are uploaded over loopback and heard as
//! a device's are: with the sentences that can be said in hand, and brought to one of them where they sound like it.
//! Speech is espeak-ng's, so that every run hears the same, and people's where there are recordings; whoever speaks has
//! lights, a fan and an air conditioner.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ieum_bus::{BusOptions, open_bus};
use ieum_cache::open_cache;
use ieum_client::OutboundPolicy;
use ieum_contracts::voice::{ContextEngineClient, DialogTurn, Dialogue, DialogueClient, UnderstandingClient};
use ieum_core::{Cx, Fault, system_clock};
use ieum_device::{Broker, BrokerOptions, ClientOptions, Message};
use ieum_documents::SqlDocuments;
use ieum_link::local_link;
use ieum_speech::{
    Espeak, EspeakOptions, Grammar, Hints, LocalOptions, Moonshine, Say, Synthesizer, Transcriber, Whisper,
    write_wav,
};
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use ieum_voice::{
    Audio, Contexts, Ears, Heard, LocalUnderstanding, SpeechError, Tongue, VoiceDeps, VoiceOptions,
    VoicePart, WeatherOptions,
};
use tokio::net::TcpListener;

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

/// What is in the home of whoever speaks: ids, names and rooms.
const HOUSE: [(&str, &str, &str); 4] =
    [("living", "불", "거실"), ("bed", "불", "침실"), ("fan", "선풍기", "거실"), ("air", "에어컨", "거실")];
/// How long it may take until that is known.
const PATIENCE: Duration = Duration::from_secs(10);

/// The voice solution over a file of its own.
struct Stage {
    dialogue: DialogueClient,
    /// Where recordings are uploaded to.
    url: String,
    _folder: tempfile::TempDir,
}

/// The engines, as the settings of a platform name them.
struct Engines {
    english: Moonshine,
    korean: Whisper,
}

/// Spoken turns.
#[derive(Default)]
struct Spoken {
    /// From the last sample to the answer, each.
    took: Vec<Duration>,
    /// How many were heard as a sentence that is understood.
    understood: usize,
}

/// Prints how long answers take as parts of what is wanted.
pub async fn run() -> Result<(), Fault> {
    let stage = Stage::open(None).await?;
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
    let (english, korean) = (moonshine.engine().name, whisper.engine().name);
    let ears = Arc::new(Engines { english: moonshine, korean: whisper });
    let stage = Stage::open(Some(ears)).await?;
    for (name, language, engine, sentences, limit) in
        [("English", "en", &english, ENGLISH, ENGLISH_LIMIT), ("Korean", "ko", &korean, KOREAN, KOREAN_LIMIT)]
    {
        let clips = crude(&voice, language, &sentences).await?;
        let spoken = stage.spoken(language, &clips).await?;
        spoken.print(&format!("a spoken turn in {name}, heard by {engine}"), limit);
    }
    // espeak-ng's Korean is not taken for Korean, so that it is not looked for among the sentences as people's is.
    let what = format!("a Korean turn spoken by people, heard by {korean}");
    match std::env::var_os("IEUM_BENCH_KOREAN").map(PathBuf::from) {
        Some(folder) => {
            let spoken = stage.spoken("ko", &recordings(&folder)?).await?;
            spoken.print(&what, KOREAN_LIMIT);
        }
        None => not_run(NAME, &what, "IEUM_BENCH_KOREAN names no folder of recordings"),
    }
    Ok(())
}

/// Returns sentences as espeak-ng speaks them, each a WAVE file.
async fn crude(voice: &Espeak, language: &str, sentences: &[&str]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut clips = Vec::new();
    for sentence in sentences {
        let say = Say { text: (*sentence).to_owned(), language: Some(language.to_owned()), voice: None };
        let said = voice.synthesize(&say).await.map_err(|error| failed("speaking", &error))?;
        clips.push(write_wav(said.format, &said.pcm));
    }
    Ok(clips)
}

/// Returns the WAVE files of a folder, in the order of their names.
fn recordings(folder: &Path) -> Result<Vec<Vec<u8>>, Fault> {
    let unread = |error: std::io::Error| failed(&format!("reading {}", folder.display()), &error);
    let files = std::fs::read_dir(folder).map_err(unread)?;
    let mut files: Vec<PathBuf> = files.filter_map(|file| file.ok().map(|file| file.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "wav"));
    files.sort();
    files.iter().map(|file| std::fs::read(file).map_err(unread)).collect()
}

impl Spoken {
    fn print(self, what: &str, limit: Duration) {
        let understood = self.understood as f64 / self.took.len().max(1) as f64;
        print(what, limit, self.took);
        figures(NAME, &format!("{what}, understood"), "", vec![understood], Wanted::Nothing);
    }
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
    async fn open(ears: Option<Arc<Engines>>) -> Result<Self, Fault> {
        let hears = ears.is_some();
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
            store: store.clone(),
            bus: bus.map_err(|error| failed("opening the bus", &error))?,
            cache: cache.map_err(|error| failed("opening the cache", &error))?,
            clock: system_clock(),
            contexts: Arc::new(ContextEngineClient::new(contexts)),
            understanding: Arc::new(UnderstandingClient::new(local_link(local.routes(), system_clock()))),
            local: Some(local.clone()),
            users: None,
            devices: None,
            plugins: Vec::new(),
            listens_for: ears.is_some().then_some(local),
            ears: ears.map(|ears| ears as Arc<dyn Ears>),
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
        if hears {
            furnish(&part, &store).await?;
        }
        let dialogue = DialogueClient::new(local_link(part.routes(), system_clock()));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed("listening", &error))?;
        let address = listener.local_addr().map_err(|error| failed("listening", &error))?;
        // What a door gives to every request.
        let router = part.router().layer(axum::Extension(Cx::root()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { dialogue, url: format!("http://{address}/api/dialog/audio"), _folder: folder })
    }

    async fn say(&self, text: &str) -> Result<(), Fault> {
        let cx = Cx::root().with_idempotency_key(&ieum_core::new_id().to_string());
        let turn =
            DialogTurn { device_id: Some("kitchen".into()), text: text.into(), ..DialogTurn::default() };
        self.dialogue.say(&cx, turn).await.map(drop)
    }

    /// Uploads recordings over and over.
    async fn spoken(&self, language: &str, clips: &[Vec<u8>]) -> Result<Spoken, Fault> {
        // Only a second one is refused.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let mut spoken = Spoken::default();
        // The first round opens and makes what is used again.
        let rounds = SPOKEN.div_ceil(clips.len().max(1)) + 1;
        for (turn, clip) in (0..rounds).flat_map(|_| clips).enumerate() {
            let fields: [(&str, &[u8]); 3] =
                [("deviceId", b"kitchen"), ("language", language.as_bytes()), ("audio", clip)];
            let request = client.post(&self.url).header("content-type", "multipart/form-data; boundary=cut");
            let request = request.body(form(&fields));
            let begun = Instant::now();
            let answer = request.send().await.and_then(reqwest::Response::error_for_status);
            let answer = answer.map_err(|error| failed("asking", &error))?;
            let answer = answer.bytes().await.map_err(|error| failed("reading the answer", &error))?;
            let took = begun.elapsed();
            let answer: serde_json::Value =
                serde_json::from_slice(&answer).map_err(|error| failed("reading the answer", &error))?;
            if turn >= clips.len() {
                spoken.took.push(took);
                let understood = answer["heard"].is_string() && answer["outcome"] != "not_understood";
                spoken.understood += usize::from(understood);
            }
        }
        Ok(spoken)
    }
}

/// Has the device say what it switches.
async fn furnish(part: &VoicePart, store: &Store) -> Result<(), Fault> {
    let broker = Broker::open(store.clone(), BrokerOptions::default(), system_clock()).await;
    let broker = broker.map_err(|error| failed("opening the broker", &error))?;
    part.start(Some(broker.clone())).await.map_err(|error| failed("starting the solution", &error))?;
    let things = HOUSE.map(|(id, name, area)| serde_json::json!({ "id": id, "name": name, "area": area }));
    let event = serde_json::json!({ "eventType": "things", "data": { "things": things } });
    let client = broker.client("kitchen", &ClientOptions::default());
    let told = client.publish(Message::new("device/kitchen/event", event.to_string())).await;
    told.map_err(|error| failed("saying what is there", &error))?;
    let begun = Instant::now();
    let known = || store.fetch_one("SELECT COUNT(*) AS n FROM ieum_voice_thing", &[]);
    while known().await?.int("n")? < HOUSE.len() as i64 {
        if begun.elapsed() > PATIENCE {
            return Err(failed("furnishing", &"nobody learnt what is there"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

// === Engines ===

#[async_trait]
impl Ears for Engines {
    async fn hear(
        &self,
        audio: Audio,
        language: Option<Tongue>,
        grammar: Option<Arc<Grammar>>,
    ) -> Result<Heard, SpeechError> {
        let tongue = language.unwrap_or(Tongue::Korean);
        let engine: &dyn Transcriber = tongue.pick(&self.korean, &self.english);
        let hints = Hints { language: Some(tongue.code().to_owned()), grammar };
        Heard::by(engine, &audio, &hints)
            .await
            .map_err(|error| SpeechError::Engine { engine: engine.engine().name, problem: error.to_string() })
    }
}

/// Returns fields as `multipart/form-data`.
fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut--\r\n");
    body
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.voice", format!("{step}: {error}"))
}
