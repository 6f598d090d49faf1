//! How the contracts' messages look as JSON, for the API's description; handlers answer the messages themselves.
#![allow(dead_code, reason = "these describe what the contracts' own types write")]

use std::collections::BTreeMap;

use ieum_contracts::platform::LinkOrder;
use serde::Deserialize;
use utoipa::ToSchema;

/// For how long a key's text stays valid beside a new one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overlap {
    /// Seconds, at most 90 days; a day where left out.
    #[serde(default)]
    #[schema(maximum = 7_776_000)]
    pub overlap_seconds: Option<u64>,
}

/// What a breaker is told.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Steering {
    /// `open`, `close`, `hold` or `release`.
    #[schema(value_type = String)]
    pub order: LinkOrder,
    /// Why, for callers and other people; needed for every order but `release`.
    #[serde(default)]
    pub reason: String,
}

// === Sources ===

/// A system to register.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SourceWish {
    /// The id under which the hub knows the event: letters, digits, `-`, `_` and `.`, at most 64.
    event_id: String,
    /// The system's name, for people.
    service_name: String,
    /// `generic`, `pretix`, `pretalx`, `icalendar`, `schedule_xml`, `declarative` or `push`.
    connector: Option<String>,
    /// Its addresses.
    endpoints: EndpointsView,
    /// How to sign in there.
    authentication: AuthenticationView,
    /// How often to read.
    sync_settings: Option<SyncView>,
    /// What only one kind of connector needs.
    options: Option<BTreeMap<String, String>>,
}

/// A source's addresses.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct EndpointsView {
    /// The API's base URL.
    api: String,
    /// Where the source sends its webhooks.
    webhook: Option<String>,
    /// The health URL.
    health_check: Option<String>,
}

/// How to sign in at a source. Never part of an answer.
#[derive(ToSchema)]
pub struct AuthenticationView {
    /// `none`, `api_key`, `oauth2` or `jwt`.
    #[schema(rename = "type")]
    kind: String,
    /// What the scheme needs.
    credentials: Option<BTreeMap<String, String>>,
}

/// How often to read a source.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SyncView {
    /// Seconds between two reads.
    #[schema(minimum = 1, maximum = 86_400)]
    interval: Option<u32>,
    /// Requests per minute at most.
    requests_per_minute: Option<u32>,
}

/// Every source.
#[derive(ToSchema)]
pub struct SourcesView {
    /// Ordered by event id.
    sources: Vec<SourceView>,
}

/// A source as it stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SourceView {
    /// The event id.
    event_id: String,
    /// The system's name.
    service_name: String,
    /// Its connector.
    connector: String,
    /// The API's base URL, without credentials.
    api: String,
    /// Seconds between two reads.
    interval: u32,
    /// `initial_sync`, `live` or `removed`.
    phase: String,
    /// Whether the last health check passed.
    healthy: bool,
    /// When it was last read with success.
    #[schema(format = DateTime)]
    last_success_at: Option<String>,
    /// What the last failure said, until a read succeeds.
    last_error: Option<String>,
    /// What kind of failure it was and what to do about it, for any language.
    last_error_wording: Option<WordingView>,
    /// Failures in a row.
    failures: u32,
    /// Rows read so far by the initial sync.
    synced_rows: u64,
    /// The position of the incremental sync.
    cursor: Option<String>,
    /// How its scans came in.
    scans: ScansView,
    /// Orders that vanished at the source.
    gone_orders: Option<u64>,
    /// When the source was last looked through for what vanished.
    #[schema(format = DateTime)]
    swept_at: Option<String>,
}

/// How many scans came in by which way first.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ScansView {
    /// By the first sync.
    first_sync: u64,
    /// By reading what changed.
    poll: u64,
    /// By following webhooks.
    hook: u64,
    /// By reading everything anew.
    sweep: u64,
    /// By gates that push.
    push: u64,
}

/// What a probe found.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ProbeView {
    /// Whether every necessary check passed.
    ok: bool,
    /// The checks.
    checks: Vec<ProbeCheckView>,
    /// The source's clock minus ours, seconds.
    clock_skew_seconds: Option<f64>,
}

/// One check of a probe.
#[derive(ToSchema)]
pub struct ProbeCheckView {
    /// Such as `health`.
    name: String,
    /// Whether it passed.
    ok: bool,
    /// What was tried and what came of it.
    detail: String,
    /// `ok`, `warn` or `fail`.
    level: Option<String>,
    /// What to do about it.
    advice: Option<String>,
    /// What `advice` says, for other languages.
    #[schema(rename = "adviceWording")]
    advice_wording: Option<WordingView>,
}

/// What a sentence says: a stable code, and the values that stand in it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct WordingView {
    /// Stable, such as `source.unreachable`.
    code: String,
    /// Numbers and texts by the names that stand in the sentence.
    values: BTreeMap<String, serde_json::Value>,
}

/// What came of registering.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RegisteredView {
    /// The event id.
    event_id: String,
    /// What the probe found.
    probe: ProbeView,
    /// Whether the source was known before.
    replaced: bool,
}

/// What came of removing.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RemovedView {
    /// The event id.
    event_id: String,
}

/// How far a registration is.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ProgressView {
    /// The event id.
    event_id: String,
    /// The steps in their order.
    steps: Vec<StepView>,
    /// What was read so far.
    read: ReadView,
}

/// One step of a registration.
#[derive(ToSchema)]
pub struct StepView {
    /// `probed`, `saved`, `initial_sync`, `scheduled` or `health_watched`.
    step: String,
    /// `waiting`, `running`, `done` or `failed`.
    state: String,
    /// For people.
    detail: String,
}

/// What was read of a source.
#[derive(ToSchema)]
pub struct ReadView {
    /// Events.
    events: u64,
    /// Check-in lists.
    lists: u64,
    /// Orders.
    orders: u64,
    /// Tickets.
    tickets: u64,
    /// Scans that count.
    checkins: u64,
    /// Rooms of a programme.
    rooms: u64,
    /// Slots of a programme.
    slots: u64,
}

// === Keys ===

/// A wish for a key.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct KeyWish {
    /// Whose it is, for people.
    name: String,
    /// `public`, `partner` or `premium`.
    tier: String,
    /// What it may do; what its tier is for where left out.
    scopes: Option<Vec<String>>,
    /// Which events it may see; `*` is all, none where left out.
    events: Option<Vec<String>>,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Requests per minute.
    #[schema(minimum = 1)]
    per_minute: Option<u32>,
}

/// Every key.
#[derive(ToSchema)]
pub struct KeysView {
    /// The oldest first.
    keys: Vec<KeyView>,
}

/// A key as it stands.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct KeyView {
    /// The id within the key's text.
    key_id: String,
    /// Whose it is.
    name: String,
    /// `public`, `partner` or `premium`.
    tier: String,
    /// What it may do.
    scopes: Vec<String>,
    /// Which events it may see.
    events: Vec<String>,
    /// `active`, `expired` or `revoked`.
    status: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Until when the text before the last rotation is valid.
    #[schema(format = DateTime)]
    previous_valid_until: Option<String>,
    /// When it was last used.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// A key with its text.
#[derive(ToSchema)]
pub struct IssuedKeyView {
    /// The text, shown this once.
    text: String,
    /// The key.
    key: KeyView,
}

// === Dead letters ===

/// Dead letters.
#[derive(ToSchema)]
pub struct DeadLettersView {
    /// The latest first.
    letters: Vec<DeadLetterView>,
}

/// One dead letter and who did what to it.
#[derive(ToSchema)]
pub struct DeadShownView {
    /// The dead letter.
    letter: DeadLetterView,
    /// The earliest first.
    trail: Vec<TrailView>,
}

/// An event that a group could not handle.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DeadLetterView {
    /// The dead letter's own id.
    id: String,
    /// The topic.
    topic: String,
    /// The group.
    group: String,
    /// The event's key.
    key: String,
    /// The event's id.
    event_id: String,
    /// The event's source.
    source: String,
    /// The event in CloudEvents JSON, or the body as it was found.
    body: String,
    /// The last fault's code.
    code: String,
    /// The last fault's reason.
    reason: String,
    /// The last fault's message.
    message: String,
    /// How often it was handled in all.
    attempts: u32,
    /// When it was handled first.
    #[schema(format = DateTime)]
    first_at: String,
    /// When it was handled last.
    #[schema(format = DateTime)]
    last_at: String,
    /// The sender's W3C trace position.
    traceparent: Option<String>,
    /// SHA-256 of the body as it first failed, in hex.
    payload_hash: String,
    /// `parked`, `replaying`, `in_lane`, `resolved` or `discarded`.
    state: String,
}

/// Who did what to a dead letter.
#[derive(ToSchema)]
pub struct TrailView {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who.
    who: String,
    /// `edit`, `replay` or `discard`.
    action: String,
    /// More of it.
    detail: String,
}

// === The process ===

/// The process as a whole.
#[derive(ToSchema)]
pub struct OverviewView {
    /// The version.
    version: String,
    /// The parts of this process.
    parts: Vec<String>,
    /// The time here.
    #[schema(format = DateTime)]
    now: String,
    /// How well it is.
    health: HealthView,
}

/// The health of the process.
#[derive(ToSchema)]
pub struct HealthView {
    /// `healthy`, `degraded`, `unhealthy`, `starting` or `stopping`.
    status: String,
    /// What it stands on.
    checks: Vec<CheckView>,
}

/// The health of one dependency.
#[derive(ToSchema)]
pub struct CheckView {
    /// Its name.
    name: String,
    /// `healthy` or `unhealthy`.
    status: String,
    /// Whether no work may come without it.
    critical: bool,
    /// What is wrong.
    detail: Option<String>,
    /// Since when; left out where nobody looked when that came.
    #[schema(format = DateTime)]
    since: Option<String>,
}

/// The links of this process.
#[derive(ToSchema)]
pub struct LinksView {
    /// Ordered by name.
    links: Vec<LinkView>,
}

/// A link and how it fares.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct LinkView {
    /// The contract's name; `…/coffee` for one of several of the same contract.
    name: String,
    /// Where it leads.
    to: String,
    /// `local`, `http`, `grpc`, `bus`, or `process` where this process started the answerer.
    wire: String,
    /// What stands in for a query's answer.
    fallback: String,
    /// Calls, retries not included.
    calls: u64,
    /// Calls under way.
    in_flight: u64,
    /// Calls that ended in a failure of the answerer; that something does not exist, or was asked wrongly, is an answer.
    failures: u64,
    /// Calls that were not sent, by who refused.
    rejected: BTreeMap<String, u64>,
    /// Calls that a fallback answered, by its kind.
    fallbacks: BTreeMap<String, u64>,
    /// Retries that were sent.
    retries: u64,
    /// Retries that the budget holds now.
    budget: u64,
    /// The time below which 95 % of the calls stayed, milliseconds.
    p95_ms: Option<f64>,
    /// The breaker; none where it is off.
    breaker: Option<BreakerView>,
    /// The instances behind it.
    instances: Vec<InstanceView>,
    /// The process that answers, where this one started it.
    process: Option<ProcessView>,
}

/// A process that was started to answer.
#[derive(ToSchema)]
pub struct ProcessView {
    /// `starting`, `running`, `waiting` to be started again, or `stopped`.
    state: String,
    /// Where it answers, while it runs.
    address: Option<String>,
    /// How often it was started again.
    restarts: u64,
    /// Why it ended last, for people.
    ended: Option<String>,
}

/// A breaker as it stands.
#[derive(ToSchema)]
pub struct BreakerView {
    /// `closed`, `open`, `half-open`, `held-open` or `forced-closed`.
    state: String,
    /// What opened it, or the person's reason.
    reason: Option<String>,
    /// How often it opened.
    opened: u64,
}

/// One instance of an answerer.
#[derive(ToSchema)]
pub struct InstanceView {
    /// Its address.
    address: String,
    /// Calls under way.
    running: u32,
    /// Whether it is left out for a while.
    ejected: bool,
}
