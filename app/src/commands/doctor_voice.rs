//! What `ieum doctor` tells of voice: who listens, speaks, understands and answers besides, and what is lost without.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use ieum_core::{SharedClock, system_clock, within};
use ieum_speech::{Say, SpeechError, Synthesizer, call_satellite};
use tokio::net::TcpStream;
use url::Url;

use super::doctor::{Finding, found, missing};
use super::remote;
use crate::config::{Answerer, Settings, VoiceSettings};
use crate::{plugins, speech};

/// How long it may take to reach somebody.
const PATIENCE: Duration = Duration::from_secs(3);
/// The languages of dialogues, with their names.
const TONGUES: [(&str, &str); 2] = [("ko", "Korean"), ("en", "English")];

/// Says that somebody cannot be reached.
#[derive(Debug, thiserror::Error)]
enum Unreached {
    #[error("connecting to {0}")]
    Connect(String, #[source] std::io::Error),
    #[error("connecting to {0}: no answer within 3 s")]
    Late(String),
    #[error("{0}")]
    Absent(String),
}

/// Looks at everything that `[voice]` names.
pub async fn findings(settings: &Settings) -> Vec<Finding> {
    let voice = &settings.voice;
    let mut findings = ears(voice).await;
    findings.extend(mouth(voice).await);
    findings.push(dialogflow(voice).await);
    findings.push(weather(voice).await);
    findings.extend(outsiders(voice).await);
    findings.extend(satellites(settings).await);
    findings.extend(doors(voice));
    findings
}

/// Opens each engine that listens; reading a model takes a second.
async fn ears(voice: &VoiceSettings) -> Vec<Finding> {
    let open = |url: String, clock: SharedClock| -> BoxFuture<'static, Result<Vec<String>, SpeechError>> {
        Box::pin(async move { Ok(speech::open_ear(url, clock).await?.engine().languages) })
    };
    let nothing = "lacks hearing: text alone is understood; see docs/guides/hear-and-speak.md";
    engines("voice.ears", &voice.ears, ["hearing", "hears"], nothing, open).await
}

/// Opens each engine that speaks, and lets it say a word.
async fn mouth(voice: &VoiceSettings) -> Vec<Finding> {
    let open = |url: String, clock: SharedClock| -> BoxFuture<'static, Result<Vec<String>, SpeechError>> {
        Box::pin(async move {
            let engine: Arc<dyn Synthesizer> = speech::open_voice(url, clock).await?;
            let languages = engine.engine().languages;
            let say = Say { text: "1".to_owned(), language: languages.first().cloned(), voice: None };
            engine.synthesize(&say).await.map(|_| languages)
        })
    };
    let nothing = "lacks speech: answers are text; see docs/guides/hear-and-speak.md";
    engines("voice.mouth", &voice.mouth, ["speech", "speaks"], nothing, open).await
}

async fn engines(
    key: &str,
    urls: &[String],
    [noun, verb]: [&str; 2],
    nothing: &str,
    open: impl Fn(String, SharedClock) -> BoxFuture<'static, Result<Vec<String>, SpeechError>>,
) -> Vec<Finding> {
    if urls.is_empty() {
        return vec![found(key, "", vec![nothing.to_owned()])];
    }
    let (mut findings, mut known) = (Vec::new(), Vec::new());
    for url in urls {
        match open(url.clone(), system_clock()).await {
            Ok(languages) => {
                let says = format!("gives {noun} in {}", languages.join(", "));
                findings.push(found(key, url, vec![says]));
                known.extend(languages);
            }
            Err(error) => {
                let mut finding = missing(key, "", &error);
                finding.url.clone_from(url);
                let alone = "the others do their part; what it alone does is refused with a sentence";
                finding.says.push(alone.to_owned());
                findings.push(finding);
            }
        }
    }
    let lacking = TONGUES.iter().filter(|(code, _)| !known.iter().any(|one| one == code));
    let lacking: Vec<String> = lacking.map(|(_, name)| format!("lacks {name}: nobody {verb} it")).collect();
    if !lacking.is_empty() {
        findings.push(found(key, "", lacking));
    }
    findings
}

async fn dialogflow(voice: &VoiceSettings) -> Finding {
    let key = "voice.dialogflow";
    let Some(address) = &voice.dialogflow else {
        let alone = "lacks a Dialogflow: what the platform understands itself counts alone";
        return found(key, "", vec![alone.to_owned()]);
    };
    let mut says =
        vec!["is asked first; where it does not answer in 1.5 s the platform understands itself".to_owned()];
    if address.lacks_credentials() {
        says.push("lacks credentials (?credentials=FILE): Google answers nobody without".to_owned());
    }
    reached(key, &address.base, says).await
}

async fn weather(voice: &VoiceSettings) -> Finding {
    let key = "voice.weather";
    if voice.weather_key.is_none() {
        let lacks = "lacks the weather: without voice.weather_key nobody is asked";
        return found(key, "", vec![lacks.to_owned()]);
    }
    reached(key, &voice.weather, vec!["gives the weather, half an hour old at most".to_owned()]).await
}

async fn outsiders(voice: &VoiceSettings) -> Vec<Finding> {
    if voice.plugins.is_empty() {
        let none = "lacks plugins from outside; see docs/guides/add-a-plugin.md";
        return vec![found("voice.plugins", "", vec![none.to_owned()])];
    }
    let mut findings = Vec::new();
    for (name, plugin) in &voice.plugins {
        let key = format!("voice.plugins.{name}");
        findings.push(match &plugin.answerer {
            Answerer::At(to) => match Url::parse(to.trim_start_matches("dns+")) {
                Ok(url) => reached(&key, &url, vec!["answers beside this process".to_owned()]).await,
                Err(error) => missing(&key, "", &error),
            },
            Answerer::Command(command) if plugins::is_found(command) => {
                let says = "is started here, and again when it ends";
                found(&key, &command.command.join(" "), vec![says.to_owned()])
            }
            Answerer::Command(command) => {
                let program = command.command.first().cloned().unwrap_or_default();
                missing(
                    &key,
                    "",
                    &Unreached::Absent(format!("starting {program:?}: there is no such program here")),
                )
            }
        });
    }
    findings
}

/// Tells of each satellite what health tells. Where the platform runs it is asked: it talks with the satellites already,
/// which talk with one at a time. Else each is called as the platform would call it.
async fn satellites(settings: &Settings) -> Vec<Finding> {
    let key = "voice.satellites";
    let satellites = &settings.voice.satellites;
    if satellites.is_empty() {
        return vec![found(key, "", vec!["lacks satellites".to_owned()])];
    }
    let health = remote::health(settings).await;
    let clock = system_clock();
    let looks = satellites.iter().map(async |satellite| {
        let shown = format!("tcp://{}?device={}", satellite.address, satellite.device);
        let name = format!("satellites.{}", satellite.device);
        let told = health.iter().flat_map(|health| &health.checks).find(|check| check.name == name);
        let problem = match told {
            Some(check) => check.detail.clone(),
            None => call_satellite(&satellite.address, &clock).await.err().map(|lost| lost.advised()),
        };
        match problem {
            None => found(key, &shown, vec!["is called, heard and answered aloud".to_owned()]),
            Some(problem) => {
                let mut finding = missing(key, "", &Unreached::Absent(problem));
                finding.url = shown;
                finding.says.push("is called again every 5 s; what it is to say waits".to_owned());
                finding
            }
        }
    });
    join_all(looks).await
}

fn doors(voice: &VoiceSettings) -> Vec<Finding> {
    let wyoming = match voice.wyoming {
        Some(address) => format!(
            "gives ears, mouth and dialogue to whoever reaches {address}: Wyoming knows no credentials"
        ),
        None => "lacks Wyoming: a Home Assistant finds nothing here".to_owned(),
    };
    let hermes = match voice.hermes {
        true => {
            "gives Hermes over the devices' broker: every device with a secret may read and write all of it"
        }
        false => "lacks Hermes (Snips, Rhasspy 2)",
    };
    vec![found("voice.wyoming", "", vec![wyoming]), found("voice.hermes", "", vec![hermes.to_owned()])]
}

/// Looks whether somebody listens at `url`, and says `says` where that is so.
async fn reached(key: &str, url: &Url, says: Vec<String>) -> Finding {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    let place = format!("{host}:{port}");
    let shown = format!("{}://{place}", url.scheme());
    match reach(&place).await {
        Ok(()) => found(key, &shown, says),
        Err(error) => {
            let mut finding = missing(key, "", &error);
            finding.url = shown;
            finding
        }
    }
}

/// Looks whether somebody listens at `place`, and hangs up.
async fn reach(place: &str) -> Result<(), Unreached> {
    let clock = system_clock();
    match within(&clock, clock.moment() + PATIENCE, TcpStream::connect(place)).await {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(Unreached::Connect(place.to_owned(), error)),
        None => Err(Unreached::Late(place.to_owned())),
    }
}
