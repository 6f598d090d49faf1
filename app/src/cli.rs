//! The command line: what `ieum` can be asked to do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::parts;

/// Ieum (이음): joins between devices, services, brokers and partners, in one binary.
#[derive(Debug, Parser)]
#[command(name = "ieum", version, about, propagate_version = true)]
pub struct Cli {
    /// The settings file; without it `ieum.toml` in the working folder, if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder for everything that is kept (`data.dir`).
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Answers as JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the platform, or only the parts named.
    Up {
        #[arg(help = parts::help())]
        parts: Vec<String>,
    },
    /// Starts the platform with small simulated event systems, in a folder of its own.
    Demo,
    /// Checks the settings and names every mistake at once.
    Check {
        /// Prints every setting with its default instead.
        #[arg(long)]
        defaults: bool,
    },
    /// Tells what each chosen backend gives and loses, and whether it can be reached.
    Doctor,
    /// Brings the SQL store to this version.
    Migrate {
        /// Only tells what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Event-management systems that the hub reads.
    #[command(subcommand)]
    Source(SourceCommand),
    /// Devices that speak MQTT: the secrets they come with.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Partners' API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Tokens (JWT) that end before their time.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Links to other parts: how they fare, and their breakers in your hand.
    #[command(subcommand)]
    Link(LinkCommand),
    /// Events that failed for good.
    #[command(subcommand)]
    Dead(DeadCommand),
    /// Partners' webhook endpoints: what was sent, and again.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Tells where an event is: outbox, log, consumers, retry lanes, dead letters.
    Where {
        /// The event's id.
        event_id: String,
    },
}

/// Event-management systems that the hub reads.
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// Probes a system, saves it and reads it for the first time.
    Add(SourceAdd),
    /// Lists the sources with health and position.
    List,
    /// Probes a registered source again.
    Check {
        /// The event id it was registered under.
        event_id: String,
    },
    /// Stops and removes a source; its history stays.
    Remove {
        /// The event id it was registered under.
        event_id: String,
    },
}

/// A system to register: a JSON file in the shape of `EventServiceConfig`, or options.
#[derive(Debug, Args)]
pub struct SourceAdd {
    /// A JSON file with the whole configuration.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["event_id", "api"])]
    pub file: Option<PathBuf>,
    /// The id under which the hub knows the event.
    #[arg(long, required_unless_present = "file")]
    pub event_id: Option<String>,
    /// The system's name, for people.
    #[arg(long)]
    pub name: Option<String>,
    /// `generic`, `pretix`, `pretalx`, `icalendar`, `schedule-xml`, `declarative` or `push`.
    #[arg(long, default_value = "generic")]
    pub connector: String,
    /// The API's base URL.
    #[arg(long, required_unless_present = "file")]
    pub api: Option<String>,
    /// The health URL; the connector's own where left out.
    #[arg(long)]
    pub health: Option<String>,
    /// The hub's address as the source sees it, for the source's webhooks; `server.public_url` where left out.
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// A file that holds the API key or token, so that it appears in no process list.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Seconds between two reads.
    #[arg(long, default_value_t = 30)]
    pub interval: u32,
    /// What the connector needs beyond, as `name=value` or `name=@file`; pretix: `organizer=…`, `event=…`.
    #[arg(long = "option", value_name = "NAME=VALUE")]
    pub options: Vec<String>,
}

/// Devices that speak MQTT: the secrets they come with.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Makes the first secret of a device and shows it, once.
    Add {
        /// The device's id, which is its user name and stands in its topics (`device/{id}/…`).
        device: String,
    },
    /// Makes another secret for a device that has one; the first stays valid for the overlap.
    Rotate {
        /// The device's id, as `ieum device list` calls it.
        device: String,
        /// How long the first secret stays valid.
        #[arg(long, default_value = "1d")]
        overlap: String,
    },
    /// Takes all secrets of a device away.
    Revoke {
        /// The device's id.
        device: String,
    },
    /// Lists the devices, without their secrets.
    List,
    /// Runs on the device itself: says what is typed, heard or read, and shows and plays what comes back. What is said
    /// while there is no connection is kept. A line may be text, `/event TYPE {…}` or `/telemetry {…}`.
    Run(RunDevice),
}

/// The device to be; what is left out is in the settings' `[agent]`. Its secret is never given here, where others see it.
#[derive(Debug, Args)]
pub struct RunDevice {
    /// Where the platform listens: mqtt://host:1883, or mqtts://host:8883 over TLS.
    #[arg(long)]
    pub url: Option<String>,
    /// The device's id.
    #[arg(long)]
    pub device: Option<String>,
    /// A file whose first line is the device's secret.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// The folder for what is not delivered yet; agent/ID in the data folder where left out.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Sends this WAVE file first; repeat for several.
    #[arg(long = "wave", value_name = "FILE")]
    pub waves: Vec<PathBuf>,
    /// The standard input is 16-bit samples of one channel at 16000 hertz instead of lines.
    #[arg(long)]
    pub pcm: bool,
    /// A command that hears, writing such samples: "arecord -q -r 16000 -f S16_LE -c 1 -t raw".
    #[arg(long, value_name = "COMMAND")]
    pub hear: Option<String>,
    /// A command that plays a WAVE file from its standard input: "aplay -q -".
    #[arg(long, value_name = "COMMAND")]
    pub play: Option<String>,
    /// Ends once the input has ended, the platform has everything, and nothing came for this long, such as "5s".
    #[arg(long, value_name = "TIME")]
    pub linger: Option<String>,
}

/// Partners' API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Makes a key and shows its text, once.
    Create {
        /// Whose it is.
        #[arg(long)]
        name: String,
        /// `public`, `partner`, `premium`, or the name of a plan (`gateway.plans`).
        #[arg(long, default_value = "partner")]
        tier: String,
        /// What it may do; repeat for several.
        #[arg(long = "scope", default_values = ["events:read", "attendance:read", "analytics:read", "webhooks:write"])]
        scopes: Vec<String>,
        /// Which events it may see; repeat for several, `*` for all.
        #[arg(long = "event", default_values = ["*"])]
        events: Vec<String>,
        /// How long it is valid, such as "90d".
        #[arg(long)]
        expires_in: Option<String>,
        /// Requests per minute.
        #[arg(long)]
        per_minute: Option<u32>,
    },
    /// Makes a second text for a key; the first stays valid for the overlap.
    Rotate {
        /// The key's id.
        key_id: String,
        /// How long the first text stays valid.
        #[arg(long, default_value = "1d")]
        overlap: String,
    },
    /// Ends a key.
    Revoke {
        /// The key's id.
        key_id: String,
    },
    /// Lists the keys, without their texts.
    List,
}

/// Links to other parts: how they fare, and their breakers in your hand.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Lists the links of the running platform.
    List,
    /// Tells every change of a breaker or an instance as it happens.
    Watch {
        /// Only these links.
        names: Vec<String>,
    },
    /// Lets no call through until released.
    Open {
        /// The link, as `ieum link list` calls it.
        name: String,
        /// Why; callers read it.
        #[arg(long)]
        reason: String,
    },
    /// Lets every call through until released.
    Close {
        /// The link, as `ieum link list` calls it.
        name: String,
        /// Why, for other people.
        #[arg(long)]
        reason: String,
    },
    /// Keeps the breaker as it is now until released.
    Hold {
        /// The link, as `ieum link list` calls it.
        name: String,
        /// Why, for other people.
        #[arg(long)]
        reason: String,
    },
    /// Lets the breaker decide by itself again.
    Release {
        /// The link, as `ieum link list` calls it.
        name: String,
    },
}

/// Events that failed for good.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// Lists them with their causes.
    List {
        /// Only of this topic.
        #[arg(long)]
        topic: Option<String>,
        /// Only of this consumer group.
        #[arg(long)]
        group: Option<String>,
    },
    /// Shows one with its body, attempts and trace.
    Show {
        /// The dead letter's id.
        id: String,
    },
    /// Hands one, or all of a topic and group, to its consumer again.
    Replay {
        /// The dead letter's id.
        id: Option<String>,
        /// All of this topic.
        #[arg(long, conflicts_with = "id", required_unless_present = "id")]
        topic: Option<String>,
        /// All of this consumer group.
        #[arg(long, conflicts_with = "id")]
        group: Option<String>,
    },
}

/// Partners' webhook endpoints: what was sent, and again.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Lists the endpoints.
    List {
        /// Only of this partner: the id or the name of its key.
        #[arg(long)]
        partner: Option<String>,
    },
    /// Shows an endpoint with its delivery log, or a delivery with its body and every attempt.
    Show {
        /// The endpoint's or the delivery's id.
        id: String,
        /// Which deliveries.
        #[command(flatten)]
        log: WebhookLog,
    },
    /// Sends an endpoint a trial message of the event `webhook.test`.
    Test {
        /// The endpoint's id.
        id: String,
    },
    /// Sends one delivery again, or what an endpoint missed since a time, under the same message ids.
    Resend {
        /// The delivery's id, or the endpoint's with --since.
        id: String,
        /// What was accepted from this time on: "2026-05-01T10:00:00Z", or a span back such as "2h".
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// What was accepted before this time; up to now where left out.
        #[arg(long, value_name = "TIME", requires = "since")]
        until: Option<String>,
        /// Sends again what arrived too, instead of only what did not.
        #[arg(long, requires = "since")]
        delivered: bool,
    },
    /// Enables a disabled endpoint; what was held back is sent.
    Enable {
        /// The endpoint's id.
        id: String,
    },
    /// Disables an endpoint; what comes is held back.
    Disable {
        /// The endpoint's id.
        id: String,
    },
}

/// Which deliveries of an endpoint to show.
#[derive(Debug, Args)]
pub struct WebhookLog {
    /// Only `pending`, `held`, `delivered`, `exhausted` or `cancelled` ones.
    #[arg(long)]
    pub state: Option<String>,
    /// Only of this event, such as `event.data.updated`.
    #[arg(long)]
    pub event: Option<String>,
    /// Only those accepted from this time on: "2026-05-01T10:00:00Z", or a span back such as "2h".
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only those accepted before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How many, the newest first.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
}

/// Tokens (JWT) that end before their time.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Ends one token by its id, or all that a subject was given before a moment; everywhere within half a second.
    Revoke(RevokeToken),
    /// Lists what is revoked.
    List,
}

/// Which tokens to revoke.
#[derive(Debug, Args)]
pub struct RevokeToken {
    /// The issuer (`iss`); may be left out where settings name only one.
    #[arg(long)]
    pub issuer: Option<String>,
    /// One token, by its id (`jti`).
    #[arg(long, value_name = "JTI", required_unless_present = "subject", conflicts_with = "subject")]
    pub id: Option<String>,
    /// Every token for this subject (`sub`).
    #[arg(long, value_name = "SUB")]
    pub subject: Option<String>,
    /// Only those issued (`iat`) before this time, or so long ago; now where left out.
    #[arg(long, value_name = "TIME", requires = "subject")]
    pub issued_before: Option<String>,
    /// Until when it is kept: when the tokens end by themselves, as a time or span; ten years where left out.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Why, for other people.
    #[arg(long, default_value = "")]
    pub reason: String,
}
