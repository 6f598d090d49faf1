//! The settings as values, each checked where it is read.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ieum_bus::check_bus_url;
use ieum_client::OutboundPolicy;
use ieum_core::Secret;
use ieum_documents::check_documents_url;
use ieum_gateway::{ForwardOptions, IssuerOptions, Origin, Plan};
use ieum_telemetry::LogFormat;
use ieum_wires::tls::TlsFiles;
use toml::Table;
use url::Url;

use super::reader::{Reader, check_scheme};
use super::{
    AgentSettings, DeviceSettings, LinkSettings, Mistake, NotifySettings, VoiceSettings, agent, device,
    front, links, notify, voice,
};

/// Every setting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[server]`
    pub server: ServerSettings,
    /// `data.dir`
    pub data: PathBuf,
    /// Whether somebody named it, by `--data`, in a file or in the environment.
    pub data_is_named: bool,
    /// `[store]`
    pub store: StoreSettings,
    /// `documents.main`
    pub documents: String,
    /// `cache.main`
    pub cache: String,
    /// `bus.main`
    pub bus: String,
    /// `series.main`
    pub series: String,
    /// `analytics.main`; `None` for "off"
    pub analytics: Option<String>,
    /// `analytics.privacy_answer`, `analytics.privacy_budget`, `analytics.privacy_budgets`
    pub privacy: ieum_analytics::PrivacyOptions,
    /// `[outbound]`
    pub outbound: OutboundPolicy,
    /// `[webhooks]`
    pub webhooks: ieum_webhook::Retention,
    /// `[notify]`
    pub notify: NotifySettings,
    /// `[device]`
    pub device: DeviceSettings,
    /// `[agent]`
    pub agent: AgentSettings,
    /// `[voice]`
    pub voice: VoiceSettings,
    /// `[telemetry]`
    pub telemetry: TelemetrySettings,
    /// `[gateway]`
    pub gateway: GatewaySettings,
    /// `[tls]`; `None` without certificates
    pub tls: Option<TlsFiles>,
    /// `[links]`, by contract
    pub links: BTreeMap<String, LinkSettings>,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How others reach this process.
    pub public_url: Option<Url>,
    /// How long running work may take to finish.
    pub drain: Duration,
    /// The longest request body, bytes.
    pub most_body: usize,
    /// Who may call the contracts answered here.
    pub links: LinkCallers,
}

/// Who may come without a key: to the contracts that a process answers, to the hub's pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkCallers {
    /// Processes of the same machine, and not through a proxy.
    Loopback,
    /// Whoever reaches the port.
    Anyone,
    /// Nobody.
    Nobody,
}

/// `[store]`
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The SQL store's URL.
    pub main: String,
    /// Connections at most.
    pub pool: u32,
    /// How long to wait for one.
    pub wait: Duration,
    /// The keys that seal secrets, the sealing one first; none names the one in the data folder.
    pub sealing_keys: Vec<KeySource>,
}

/// Where a sealing key stands.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// In the setting itself, as it comes from the environment.
    Text(Secret),
}

/// `[telemetry]`
#[derive(Clone, Debug)]
pub struct TelemetrySettings {
    /// The log filter.
    pub log: String,
    /// How lines are written.
    pub format: LogFormat,
    /// Where traces go.
    pub otlp: Option<Url>,
}

/// `[gateway]`, requests per minute
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Without a key, per address.
    pub public_per_minute: u32,
    /// A partner key's default.
    pub partner_per_minute: u32,
    /// A premium key's default.
    pub premium_per_minute: u32,
    /// How many wrong keys or tokens one address may try.
    pub wrong_keys_per_minute: u32,
    /// Who may see the hub's pages without a key.
    pub hub: LinkCallers,
    /// Whose pages may ask beside this server's own.
    pub origins: Vec<Origin>,
    /// Whose tokens open the doors, beside keys.
    pub issuers: Vec<IssuerOptions>,
    /// What keys may be on.
    pub plans: Vec<Plan>,
    /// Paths that lead to other servers.
    pub routes: Vec<ForwardOptions>,
}

const STORES: &[&str] = &["sqlite", "postgres", "postgresql", "mysql", "mariadb"];
const CACHES: &[&str] = &["memory", "sql", "redis"];
const BUSES: &[&str] = &["local", "kafka", "kafkas"];
const SERIES: &[&str] = &["sql", "influxdb"];
impl Settings {
    /// Reads the merged table, adding a mistake for every value that is wrong. What is read beside a mistake
    /// must not be used.
    pub(super) fn read(table: &Table, mistakes: &mut Vec<Mistake>) -> Self {
        let links = links::links(table, mistakes);
        let mut reader = Reader { table, mistakes };
        let server = ServerSettings {
            listen: reader.address("server.listen"),
            public_url: reader.optional_url("server.public_url"),
            drain: reader.duration("server.drain"),
            most_body: usize::try_from(reader.number("server.most_body", 1, 1 << 30)).unwrap_or(usize::MAX),
            links: reader.callers("server.links"),
        };
        let store = StoreSettings {
            main: reader.backend("store.main", STORES),
            pool: reader.number("store.pool", 1, 1_000),
            wait: reader.duration("store.wait"),
            sealing_keys: reader.keys("store.sealing_keys"),
        };
        Self {
            server,
            data: PathBuf::from(reader.text("data.dir")),
            data_is_named: false,
            store,
            documents: reader.documents("documents.main"),
            cache: reader.backend("cache.main", CACHES),
            bus: reader.bus("bus.main"),
            series: reader.backend("series.main", SERIES),
            analytics: reader.analytics("analytics.main"),
            privacy: reader.privacy(),
            outbound: OutboundPolicy { allow: reader.networks("outbound.allow") },
            webhooks: ieum_webhook::Retention {
                delivered: reader.duration("webhooks.keep_delivered"),
                failed: reader.duration("webhooks.keep_failed"),
            },
            notify: notify::notify(&mut reader),
            device: device::device(&mut reader),
            agent: agent::agent(table, reader.mistakes),
            voice: voice::voice(&mut reader),
            telemetry: TelemetrySettings {
                log: reader.text("telemetry.log"),
                format: reader.format("telemetry.format"),
                otlp: reader.optional_url("telemetry.otlp"),
            },
            gateway: GatewaySettings {
                public_per_minute: reader.number("gateway.public_per_minute", 1, 10_000_000),
                partner_per_minute: reader.number("gateway.partner_per_minute", 1, 10_000_000),
                premium_per_minute: reader.number("gateway.premium_per_minute", 1, 10_000_000),
                wrong_keys_per_minute: reader.number("gateway.wrong_keys_per_minute", 1, 10_000_000),
                hub: reader.callers("gateway.hub"),
                origins: front::origins(table, reader.mistakes),
                issuers: front::issuers(table, reader.mistakes),
                plans: front::plans(table, reader.mistakes),
                routes: front::routes(table, reader.mistakes),
            },
            tls: reader.tls(),
            links,
        }
    }
}

impl Reader<'_> {
    fn bus(&mut self, key: &str) -> String {
        let text = self.text(key);
        let checked = check_scheme(&text, BUSES);
        if let Err(problem) = checked.and_then(|()| check_bus_url(&text).map_err(|error| error.to_string())) {
            self.wrong(key, problem);
        }
        text
    }

    fn documents(&mut self, key: &str) -> String {
        let text = self.text(key);
        if let Err(error) = check_documents_url(&text) {
            self.wrong(key, error.to_string());
        }
        text
    }

    fn analytics(&mut self, key: &str) -> Option<String> {
        match self.text(key).as_str() {
            "off" => None,
            _ => {
                let url = self.backend(key, &ieum_lake::SCHEMES);
                if let Err(error) = ieum_lake::check_engine_url(&url) {
                    self.wrong(key, error.to_string());
                }
                Some(url)
            }
        }
    }

    fn privacy(&mut self) -> ieum_analytics::PrivacyOptions {
        let plans_key = "analytics.privacy_budgets";
        let list = self.list(plans_key);
        let mut plans = Vec::new();
        for entry in list {
            let pair = entry.as_str().and_then(|text| text.split_once('='));
            let pair =
                pair.and_then(|(plan, budget)| Some((plan.trim().to_owned(), budget.trim().parse().ok()?)));
            match pair {
                Some((plan, budget)) if !plan.is_empty() => plans.push((plan, budget)),
                _ => {
                    self.wrong(plans_key, format!("{entry} is no plan and its budget, such as \"school=5\""))
                }
            }
        }
        let epsilon = |key: &str| {
            let value = self.value(key);
            value.and_then(|value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)))
        };
        let (answer, budget) = (epsilon("analytics.privacy_answer"), epsilon("analytics.privacy_budget"));
        let options =
            ieum_analytics::PrivacyOptions::of(answer.unwrap_or(0.0), budget.unwrap_or(0.0), &plans);
        options.unwrap_or_else(|problem| {
            self.wrong("analytics.privacy_budget", problem);
            ieum_analytics::PrivacyOptions::default()
        })
    }

    fn keys(&mut self, key: &str) -> Vec<KeySource> {
        let list = self.list(key);
        let mut keys = Vec::new();
        for (i, entry) in list.iter().enumerate() {
            match entry.as_str() {
                Some(text) if text.starts_with("base64:") => {
                    keys.push(KeySource::Text(Secret::new(&text["base64:".len()..])));
                }
                Some(path) if !path.is_empty() => keys.push(KeySource::File(PathBuf::from(path))),
                // Not repeated: it may be meant as a key.
                _ => self.wrong(key, format!("entry {} is neither a file nor base64:…", i + 1)),
            }
        }
        keys
    }

    /// Reads `[tls]`: three files or none.
    fn tls(&mut self) -> Option<TlsFiles> {
        let given = ["tls.certificate", "tls.key", "tls.authorities"].map(|key| (key, self.text(key)));
        if given.iter().all(|(_, path)| path.is_empty()) {
            return None;
        }
        for (key, _) in given.iter().filter(|(_, path)| path.is_empty()) {
            self.wrong(key, "is empty, but certificate, key and authorities are needed together");
        }
        let [certificate, key, authorities] = given.map(|(_, path)| PathBuf::from(path));
        Some(TlsFiles { certificate, key, authorities })
    }

    fn format(&mut self, key: &str) -> LogFormat {
        match self.text(key).as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            other => {
                let problem = format!("{other:?} is neither \"text\" nor \"json\"");
                self.wrong(key, problem);
                LogFormat::Text
            }
        }
    }
}
