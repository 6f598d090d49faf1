//! `[voice]`: who listens and speaks, what is asked elsewhere, what is said without being asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ieum_core::{Secret, Timestamp};
use ieum_dialogflow::DialogflowAddress;
use url::Url;

use super::reader::Reader;
use super::{PluginSettings, engines, plugins, voice_lists};

/// `[voice]`
#[derive(Clone, Debug)]
pub struct VoiceSettings {
    /// The IANA zone of people who say none.
    pub zone: String,
    /// The place of people who name none.
    pub place: String,
    /// Where the weather comes from.
    pub weather: Url,
    /// Its key; `None` for none.
    pub weather_key: Option<Secret>,
    /// How long contexts are kept that another process answers.
    pub context_cache: Duration,
    /// From when on the API's first version answers 410.
    pub v1_sunset: Timestamp,
    /// The engines that listen, by their URLs; none for text alone.
    pub ears: Vec<String>,
    /// The engines that speak, by their URLs.
    pub mouth: Vec<String>,
    /// The Dialogflow that is asked first; `None` for none.
    pub dialogflow: Option<DialogflowAddress>,
    /// Where Wyoming is spoken; `None` for nowhere.
    pub wyoming: Option<SocketAddr>,
    /// Whether Hermes is spoken over the devices' broker.
    pub hermes: bool,
    /// The satellites that are called.
    pub satellites: Vec<SatelliteSettings>,
    /// When to speak up without being asked.
    pub rules: Vec<ieum_voice::ProactiveRule>,
    /// Plugins from outside, by name.
    pub plugins: BTreeMap<String, PluginSettings>,
}

/// One entry of `voice.satellites`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteSettings {
    /// Where it waits, as `host:port`.
    pub address: String,
    /// Which device it is.
    pub device: String,
    /// What is spoken there; `None` where that is found out.
    pub language: Option<String>,
    /// Where it stands; `None` for the place that its device is registered at.
    pub area: Option<String>,
}

/// Reads the section.
pub fn voice(reader: &mut Reader<'_>) -> VoiceSettings {
    let zone = reader.text("voice.zone");
    if !ieum_voice::is_zone(&zone) {
        reader.wrong("voice.zone", format!("{zone:?} is no time zone such as \"Asia/Seoul\""));
    }
    let place = reader.text("voice.place");
    if place.trim().is_empty() {
        reader.wrong("voice.place", "is empty; name the place that weather is told of, such as \"Seoul\"");
    }
    let weather = reader.optional_url("voice.weather");
    let key = reader.text("voice.weather_key");
    if reader.text("voice.weather").is_empty() {
        reader.wrong(
            "voice.weather",
            "is empty; leave it as it is and voice.weather_key empty for none".to_owned(),
        );
    }
    let (ears, mouth) = (engines::ears(reader), engines::mouth(reader));
    let satellites = voice_lists::satellites(reader.table, reader.mistakes);
    for (key, engines) in [("voice.ears", &ears), ("voice.mouth", &mouth)] {
        if !satellites.is_empty() && engines.is_empty() {
            reader.wrong(key, "is empty, but satellites are heard and spoken to (voice.satellites)");
        }
    }
    let wyoming = (!reader.text("voice.wyoming").is_empty()).then(|| reader.address("voice.wyoming"));
    VoiceSettings {
        zone,
        place,
        // Not used: the mistake stops the start.
        weather: weather.unwrap_or_else(|| Url::from_directory_path("/").expect("is a path")),
        weather_key: (!key.is_empty()).then(|| Secret::new(key)),
        context_cache: reader.duration("voice.context_cache"),
        v1_sunset: reader.moment("voice.v1_sunset"),
        ears,
        mouth,
        wyoming,
        hermes: reader.flag("voice.hermes"),
        satellites,
        dialogflow: dialogflow(reader, "voice.dialogflow"),
        rules: voice_lists::rules(reader.table, reader.mistakes),
        plugins: plugins::plugins(reader.table, reader.mistakes),
    }
}

fn dialogflow(reader: &mut Reader<'_>, key: &str) -> Option<DialogflowAddress> {
    let text = reader.text(key);
    let read = (!text.is_empty()).then(|| DialogflowAddress::parse(&text)).transpose();
    read.unwrap_or_else(|error| {
        reader.wrong(key, error.to_string());
        None
    })
}
