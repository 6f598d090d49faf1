//! The settings as values, each checked where it is read.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ieum_bus::check_bus_url;
use ieum_client::OutboundPolicy;
use ieum_contracts::notify::Channel;
use ieum_core::{Secret, Timestamp, parse_duration};
use ieum_dialogflow::DialogflowAddress;
use ieum_gateway::{ForwardOptions, IssuerOptions, Plan};
use ieum_notify::{check_provider_url, is_sender};
use ieum_policy::PolicyConfig;
use ieum_speech::check_engine_url;
use ieum_telemetry::LogFormat;
use ieum_wires::tls::TlsFiles;
use ipnet::IpNet;
use toml::{Table, Value};
use url::Url;

use super::{AgentSettings, BridgeSettings, Mistake, agent, bridge, front, voice};

/// Every setting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[server]`
    pub server: ServerSettings,
    /// `data.dir`
    pub data: PathBuf,
    /// `[store]`
    pub store: StoreSettings,
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

/// `[notify]`
#[derive(Clone, Debug)]
pub struct NotifySettings {
    /// URLs of who takes messages, per channel in the order in which they are asked.
    pub providers: BTreeMap<Channel, Vec<Secret>>,
    /// Whom email comes from.
    pub from: String,
    /// A folder with templates beside those that come along.
    pub templates: Option<PathBuf>,
    /// How long messages stay that are over.
    pub keep: Duration,
}

/// `[device]`
#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// Where to listen for MQTT; `None` for WebSocket alone.
    pub listen: Option<SocketAddr>,
    /// Certificate and private key; `None` for plain connections.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether devices without credentials are let in.
    pub anonymous: bool,
    /// The most bytes of a packet.
    pub most_packet: u32,
    /// The most messages that wait for one device.
    pub most_queued: usize,
    /// How long a session waits for its device.
    pub keep_session: Duration,
    /// The outside broker that it is joined with; `None` for none.
    pub bridge: Option<BridgeSettings>,
}

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
    /// Whose tokens open the doors, beside keys.
    pub issuers: Vec<IssuerOptions>,
    /// What keys may be on.
    pub plans: Vec<Plan>,
    /// Paths that lead to other servers.
    pub routes: Vec<ForwardOptions>,
}

/// One entry of `[links]`.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Where the contract is answered.
    pub to: String,
    /// Its policies.
    pub policy: PolicyConfig,
}

const STORES: &[&str] = &["sqlite", "postgres", "postgresql", "mysql", "mariadb"];
const CACHES: &[&str] = &["memory", "sql", "redis"];
const BUSES: &[&str] = &["local", "kafka", "kafkas"];
const SERIES: &[&str] = &["sql", "influxdb"];
const LINKS: &[&str] =
    &["local", "http", "https", "grpc", "grpcs", "dns+http", "dns+https", "dns+grpc", "dns+grpcs", "bus"];

/// Reads values by key and collects what is wrong.
struct Reader<'a> {
    table: &'a Table,
    mistakes: &'a mut Vec<Mistake>,
}

impl Settings {
    /// Reads the merged table, adding a mistake for every value that is wrong. What is read beside a mistake
    /// must not be used.
    pub(super) fn read(table: &Table, mistakes: &mut Vec<Mistake>) -> Self {
        let links = links(table, mistakes);
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
            store,
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
            notify: reader.notify(),
            device: reader.device(),
            agent: agent::agent(table, reader.mistakes),
            voice: reader.voice(),
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
                issuers: front::issuers(table, reader.mistakes),
                plans: front::plans(table, reader.mistakes),
                routes: front::routes(table, reader.mistakes),
            },
            tls: reader.tls(),
            links,
        }
    }
}

fn links(table: &Table, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, LinkSettings> {
    let Some(Value::Table(links)) = table.get("links") else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (contract, value) in links {
        let key = format!("links.{contract:?}");
        let mut wrong = |key: String, problem: String| mistakes.push(Mistake { key, problem });
        let (to, policy) = match value {
            Value::String(to) => (to.clone(), PolicyConfig::default()),
            Value::Table(own) => {
                let mut own = own.clone();
                let Some(Value::String(to)) = own.remove("to") else {
                    wrong(format!("{key}.to"), "is missing; name where the contract is answered".to_owned());
                    continue;
                };
                match policy(&own) {
                    Ok(policy) => (to, policy),
                    Err(problems) => {
                        for problem in problems {
                            wrong(key.clone(), problem);
                        }
                        (to, PolicyConfig::default())
                    }
                }
            }
            other => {
                wrong(key, format!("is a {}, expected a URL or a table with `to`", other.type_str()));
                continue;
            }
        };
        if let Err(problem) = check_scheme(&to, LINKS) {
            mistakes.push(Mistake { key, problem });
        }
        found.insert(contract.clone(), LinkSettings { to, policy });
    }
    found
}

fn policy(own: &Table) -> Result<PolicyConfig, Vec<String>> {
    let json = serde_json::to_value(own).map_err(|error| vec![error.to_string()])?;
    let table = json.as_object().cloned().unwrap_or_default();
    PolicyConfig::default().overlay(&table).map_err(|error| error.problems)
}

fn check_scheme(text: &str, known: &[&str]) -> Result<(), String> {
    let scheme = text.split(':').next().unwrap_or_default();
    if (text.contains(':') || text == "local") && known.contains(&scheme) {
        return Ok(());
    }
    let list: Vec<_> = known.iter().map(|scheme| format!("{scheme}:")).collect();
    Err(format!("begins with none of {}", list.join(" ")))
}

impl Reader<'_> {
    fn wrong(&mut self, key: &str, problem: impl Into<String>) {
        self.mistakes.push(Mistake { key: key.to_owned(), problem: problem.into() });
    }

    fn value(&self, key: &str) -> Option<&Value> {
        let (section, name) = key.split_once('.')?;
        self.table.get(section)?.get(name)
    }

    fn text(&self, key: &str) -> String {
        self.value(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn address(&mut self, key: &str) -> SocketAddr {
        let text = self.text(key);
        text.parse().unwrap_or_else(|_| {
            self.wrong(key, format!("{text:?} is not an address and port such as \"127.0.0.1:8080\""));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn optional_url(&mut self, key: &str) -> Option<Url> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url),
            _ => {
                self.wrong(key, format!("{text:?} is no http or https URL"));
                None
            }
        }
    }

    fn duration(&mut self, key: &str) -> Duration {
        let text = self.text(key);
        parse_duration(&text).unwrap_or_else(|error| {
            self.wrong(key, error.to_string());
            Duration::ZERO
        })
    }

    fn number(&mut self, key: &str, least: u32, most: u32) -> u32 {
        let number = self.value(key).and_then(Value::as_integer).unwrap_or_default();
        match u32::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.wrong(key, format!("is {number}, expected {least} to {most}"));
                least
            }
        }
    }

    fn backend(&mut self, key: &str, known: &[&str]) -> String {
        let text = self.text(key);
        if let Err(problem) = check_scheme(&text, known) {
            self.wrong(key, problem);
        }
        text
    }

    fn bus(&mut self, key: &str) -> String {
        let text = self.text(key);
        let checked = check_scheme(&text, BUSES);
        if let Err(problem) = checked.and_then(|()| check_bus_url(&text).map_err(|error| error.to_string())) {
            self.wrong(key, problem);
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
        let list = self.value(plans_key).and_then(Value::as_array).cloned().unwrap_or_default();
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

    fn networks(&mut self, key: &str) -> Vec<IpNet> {
        let list = self.value(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut networks = Vec::new();
        for entry in list {
            match entry.as_str().map(str::parse) {
                Some(Ok(network)) => networks.push(network),
                _ => self.wrong(key, format!("{entry} is no network such as \"10.1.0.0/16\"")),
            }
        }
        networks
    }

    fn keys(&mut self, key: &str) -> Vec<KeySource> {
        let list = self.value(key).and_then(Value::as_array).cloned().unwrap_or_default();
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

    fn notify(&mut self) -> NotifySettings {
        let mut providers = BTreeMap::new();
        for (key, channel) in
            [("notify.email", Channel::Email), ("notify.sms", Channel::Sms), ("notify.push", Channel::Push)]
        {
            let list = self.value(key).and_then(Value::as_array).cloned().unwrap_or_default();
            let mut urls = Vec::new();
            for (i, entry) in list.iter().enumerate() {
                let text = entry.as_str().unwrap_or_default();
                if let Err(error) = check_provider_url(text, channel) {
                    self.wrong(key, format!("entry {}: {error}", i + 1));
                }
                urls.push(Secret::new(text));
            }
            providers.insert(channel, urls);
        }
        let from = self.text("notify.from");
        if !is_sender(&from) {
            self.wrong(
                "notify.from",
                format!("{from:?} is no sender such as \"Ieum <no-reply@example.org>\""),
            );
        }
        let templates =
            Some(self.text("notify.templates")).filter(|path| !path.is_empty()).map(PathBuf::from);
        NotifySettings { providers, from, templates, keep: self.duration("notify.keep") }
    }

    fn device(&mut self) -> DeviceSettings {
        let listen = (!self.text("device.listen").is_empty()).then(|| self.address("device.listen"));
        let [certificate, key] = ["device.certificate", "device.key"].map(|key| self.text(key));
        if certificate.is_empty() != key.is_empty() {
            let lacking = if key.is_empty() { "device.key" } else { "device.certificate" };
            self.wrong(lacking, "is empty, but certificate and key are needed together");
        }
        let tls = !certificate.is_empty() && !key.is_empty();
        let anonymous = self.value("device.anonymous").and_then(Value::as_bool).unwrap_or_default();
        DeviceSettings {
            listen,
            tls: tls.then(|| (PathBuf::from(certificate), PathBuf::from(key))),
            anonymous,
            most_packet: self.number("device.most_packet", 1_024, 1 << 28),
            most_queued: self.number("device.most_queued", 1, 1_000_000) as usize,
            keep_session: self.duration("device.keep_session"),
            bridge: bridge::bridge(self.table, self.mistakes),
        }
    }

    fn voice(&mut self) -> VoiceSettings {
        let zone = self.text("voice.zone");
        if !ieum_voice::is_zone(&zone) {
            self.wrong("voice.zone", format!("{zone:?} is no time zone such as \"Asia/Seoul\""));
        }
        let weather = self.optional_url("voice.weather");
        let key = self.text("voice.weather_key");
        if weather.is_none() {
            self.wrong(
                "voice.weather",
                "is empty; leave it as it is and voice.weather_key empty for none".to_owned(),
            );
        }
        let (ears, mouth) = (self.engines("voice.ears"), self.engines("voice.mouth"));
        let satellites = voice::satellites(self.table, self.mistakes);
        for (key, engines) in [("voice.ears", &ears), ("voice.mouth", &mouth)] {
            if !satellites.is_empty() && engines.is_empty() {
                self.wrong(key, "is empty, but satellites are heard and spoken to (voice.satellites)");
            }
        }
        let wyoming = (!self.text("voice.wyoming").is_empty()).then(|| self.address("voice.wyoming"));
        VoiceSettings {
            zone,
            place: self.text("voice.place"),
            // Not used: the mistake stops the start.
            weather: weather.unwrap_or_else(|| Url::from_directory_path("/").expect("is a path")),
            weather_key: (!key.is_empty()).then(|| Secret::new(key)),
            context_cache: self.duration("voice.context_cache"),
            v1_sunset: self.moment("voice.v1_sunset"),
            ears,
            mouth,
            wyoming,
            hermes: self.value("voice.hermes").and_then(Value::as_bool).unwrap_or_default(),
            satellites,
            dialogflow: self.dialogflow("voice.dialogflow"),
            rules: voice::rules(self.table, self.mistakes),
        }
    }

    /// Reads the URLs of speech engines, with commas between them.
    fn engines(&mut self, key: &str) -> Vec<String> {
        let text = self.text(key);
        let urls = text.split(", ").map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned);
        let urls: Vec<String> = urls.collect();
        for url in &urls {
            if let Err(error) = check_engine_url(url) {
                self.wrong(key, error.to_string());
            }
        }
        urls
    }

    fn moment(&mut self, key: &str) -> Timestamp {
        let text = self.text(key);
        Timestamp::parse(&text).unwrap_or_else(|| {
            self.wrong(key, format!("{text:?} is no moment such as \"2027-11-30T00:00:00Z\""));
            Timestamp::default()
        })
    }

    fn dialogflow(&mut self, key: &str) -> Option<DialogflowAddress> {
        let text = self.text(key);
        let read = (!text.is_empty()).then(|| DialogflowAddress::parse(&text)).transpose();
        read.unwrap_or_else(|error| {
            self.wrong(key, error.to_string());
            None
        })
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

    fn callers(&mut self, key: &str) -> LinkCallers {
        match self.text(key).as_str() {
            "loopback" => LinkCallers::Loopback,
            "anyone" => LinkCallers::Anyone,
            "nobody" => LinkCallers::Nobody,
            other => {
                let problem = format!("{other:?} is none of \"loopback\", \"anyone\", \"nobody\"");
                self.wrong(key, problem);
                LinkCallers::Nobody
            }
        }
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
