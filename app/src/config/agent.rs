//! `[agent]`: what `ieum device run` needs on the device.

use std::path::PathBuf;
use std::time::Duration;

use ieum_core::{Secret, parse_duration};
use ieum_edge::{Address, QueueLimits};
use toml::{Table, Value};

use super::Mistake;

/// `[agent]`
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// Where the platform listens for devices.
    pub url: Address,
    /// The device's id; empty for none.
    pub device: String,
    /// Its secret, where it stands in the settings.
    pub secret: Option<Secret>,
    /// The file that holds it.
    pub secret_file: Option<PathBuf>,
    /// Who signed the platform's certificate; `None` for whom this machine believes.
    pub authorities: Option<PathBuf>,
    /// What is kept while there is no connection.
    pub keep: QueueLimits,
    /// The command that hears; empty for none.
    pub hear: String,
    /// The command that plays; empty for none.
    pub play: String,
    /// What is spoken here; empty where that is found out.
    pub language: String,
    /// Where the device stands; empty where its registration says it.
    pub area: String,
}

/// Reads the section, adding a mistake for everything that is wrong.
pub fn agent(table: &Table, mistakes: &mut Vec<Mistake>) -> AgentSettings {
    let section = table.get("agent");
    let value = |name: &str| section.and_then(|section| section.get(name));
    let text = |name: &str| value(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let path = |name: &str| Some(text(name)).filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut wrong =
        |name: &str, problem: String| mistakes.push(Mistake { key: format!("agent.{name}"), problem });
    let url = Address::parse(&text("url")).unwrap_or_else(|error| {
        wrong("url", error.to_string());
        // Not used: the mistake stops the start.
        Address { host: String::new(), port: 0, tls: false, user: None, password: None }
    });
    let age = parse_duration(&text("keep")).unwrap_or_else(|error| {
        wrong("keep", error.to_string());
        Duration::ZERO
    });
    let bytes = value("keep_bytes").and_then(Value::as_integer).unwrap_or_default();
    if !(65_536..=1 << 40).contains(&bytes) {
        wrong("keep_bytes", format!("is {bytes}, expected 65536 to {}", 1_i64 << 40));
    }
    let language = text("language");
    if !matches!(language.as_str(), "" | "ko" | "en") {
        wrong("language", format!("{language:?} is neither \"ko\" nor \"en\""));
    }
    let secret = text("secret");
    AgentSettings {
        url,
        device: text("device"),
        secret: (!secret.is_empty()).then(|| Secret::new(secret)),
        secret_file: path("secret_file"),
        authorities: path("authorities"),
        keep: QueueLimits { bytes: usize::try_from(bytes).unwrap_or_default(), age },
        hear: text("hear"),
        play: text("play"),
        language,
        area: text("area"),
    }
}
