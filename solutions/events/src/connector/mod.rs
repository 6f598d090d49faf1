//! Connectors: how each kind of event-management system is read, and the table that picks one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, header};
use ieum_client::{Auth, OutboundPolicy, RestClient, RestConfig};
use ieum_contracts::events::{AuthenticationKind, ConnectorKind, EventServiceConfig};
use ieum_core::{Cx, Fault, Secret, SharedClock, describe};
use ieum_policy::{Gcra, PolicyConfig};
use url::Url;

use self::probe::Checked;
use self::source::{Pace, SourceClient, Told};
use crate::facts::{Batch, Totals};

pub(crate) mod advice;
pub mod declarative;
pub mod feed;
pub mod generic;
mod headers;
pub mod pretalx;
pub mod pretix;
pub(crate) mod probe;
pub mod push;
pub(crate) mod source;

/// The longest any call to a source may take, retries included.
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// A source's word that something changed. It is unsigned: only a reason to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The source's id of the notification; each is taken once.
    pub notification_id: String,
    /// What happened, in the source's words.
    pub action: String,
    /// The order it is about, where it names one.
    pub order_code: Option<String>,
}

/// One kind of event-management system.
///
/// Reading goes page by page: [`Connector::initial`] from nothing, [`Connector::incremental`] from a cursor.
/// Each page comes with the position after it, which is saved together with the page's facts, so that a
/// sync cut off anywhere goes on where it stood.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Tries connection, credentials and a sample, check by check, and ends at the first that it cannot do without.
    async fn probe(&self, cx: &Cx) -> Vec<Checked>;

    /// Returns what the source's answers told of its clock and limits so far.
    fn told(&self) -> Told;

    /// Returns what this connector can do beyond the rest.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// Fails where the source is not healthy.
    async fn health(&self, cx: &Cx) -> Result<(), Fault>;

    /// Reads the next page of a first sync; `checkpoint` is what the page before left.
    async fn initial(&self, cx: &Cx, checkpoint: Option<&str>) -> Result<Batch, Fault>;

    /// Reads the next page of what changed since `cursor`.
    async fn incremental(&self, cx: &Cx, cursor: &str) -> Result<Batch, Fault>;

    // What follows is for sources that send webhooks or count themselves; others leave it as it stands here.

    /// Reads what the hints name, and nothing else. The position stays.
    async fn hinted(&self, _: &Cx, _: &[Hint]) -> Result<Batch, Fault> {
        Ok(Batch::default())
    }

    /// Reads a webhook's body as a hint. Fails with `events.hook.body`, naming the field.
    fn read_hint(&self, _: &[u8]) -> Result<Option<Hint>, Fault> {
        Ok(None)
    }

    /// Returns the source's own totals, where it counts itself.
    async fn totals(&self, _: &Cx) -> Result<Option<Totals>, Fault> {
        Ok(None)
    }

    /// Asks the source to send webhooks to `url`. Returns the source's id of the webhook.
    async fn attach_webhook(&self, _: &Cx, _: &str) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    /// Asks the source to send no more webhooks to the one it named `id`.
    async fn detach_webhook(&self, _: &Cx, _: &str) -> Result<(), Fault> {
        Ok(())
    }
}

/// What only some connectors can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// A first sync tells every order there is, so that what it does not tell is gone.
    pub tells_all: bool,
    /// [`Connector::hinted`] finds out whether a single order is still there.
    pub looks_up: bool,
}

/// Makes the connector for `config`. Fails with `events.source.invalid`, naming the field.
pub fn open(
    config: &EventServiceConfig,
    outbound: &OutboundPolicy,
    clock: &SharedClock,
) -> Result<Arc<dyn Connector>, Fault> {
    Ok(match config.connector {
        ConnectorKind::Generic => Arc::new(generic::Generic::open(config, outbound, clock)?),
        ConnectorKind::Pretix => Arc::new(pretix::Pretix::open(config, outbound, clock)?),
        ConnectorKind::Push => Arc::new(push::Push::open(config)?),
        ConnectorKind::Icalendar | ConnectorKind::ScheduleXml => {
            Arc::new(feed::Feed::open(config, outbound, clock)?)
        }
        ConnectorKind::Pretalx => Arc::new(pretalx::Pretalx::open(config, outbound, clock)?),
        ConnectorKind::Declarative => Arc::new(declarative::Declarative::open(config, outbound, clock)?),
    })
}

/// Makes the fault for a configuration that can never work.
pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Fault {
    Fault::invalid_argument("events.source.invalid", format!("registering a source: {field} {problem}"))
}

pub(crate) fn base_url(field: &str, text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|error| invalid(field, format!("is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(field, "is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(field, "holds credentials; they belong into authentication.credentials"));
    }
    Ok(url)
}

/// Makes the HTTP client of a source at `base`.
pub(crate) fn client(
    config: &EventServiceConfig,
    field: &str,
    base: Url,
    auth: Auth,
    outbound: &OutboundPolicy,
    clock: &SharedClock,
) -> Result<SourceClient, Fault> {
    let per_minute = config.sync_settings.requests_per_minute;
    // A twelfth may come at once: a few pages need not wait for each other.
    let limit = Gcra::new(per_minute, Duration::from_secs(60), (per_minute / 12).max(1));
    let limit = limit.map_err(|error| invalid("syncSettings.requestsPerMinute", error))?;
    let client = rest_client(config, field, base, auth, outbound, clock)?;
    Ok(SourceClient::new(client, Pace::new(limit), clock.clone()))
}

/// Makes a client without a budget of its own, to stand beside another.
pub(crate) fn rest_client(
    config: &EventServiceConfig,
    field: &str,
    base: Url,
    auth: Auth,
    outbound: &OutboundPolicy,
    clock: &SharedClock,
) -> Result<RestClient, Fault> {
    let mut rest = RestConfig::new(config.event_id.clone(), base);
    rest.auth = auth;
    rest.outbound = outbound.clone();
    let mut policy = PolicyConfig { timeout: CALL_LIMIT, ..PolicyConfig::default() };
    policy.retry.attempts = config.sync_settings.retry_policy.attempts;
    policy.retry.first = Duration::from_millis(config.sync_settings.retry_policy.first_ms);
    rest.policy = policy;
    RestClient::new(rest, clock.clone()).map_err(|error| invalid(field, describe(&error)))
}

/// Returns how to sign in; `scheme` is the word before a bare token (`Bearer`, or pretix's `Token`).
pub(crate) fn auth(config: &EventServiceConfig, scheme: &str) -> Result<Auth, Fault> {
    let credentials = &config.authentication.credentials;
    let secret = |names: &[&str]| {
        let found = names.iter().find_map(|name| credentials.get(*name)).filter(|text| !text.is_empty());
        found.ok_or_else(|| invalid(&format!("authentication.credentials.{}", names[0]), "is missing"))
    };
    match config.authentication.kind {
        AuthenticationKind::None => Ok(Auth::None),
        AuthenticationKind::ApiKey if scheme == "Token" => {
            let value = Secret::new(format!("Token {}", secret(&["token", "apiKey"])?));
            check_header_value("authentication.credentials.token", value.expose())?;
            Ok(Auth::Header { name: header::AUTHORIZATION, value })
        }
        AuthenticationKind::ApiKey => {
            let name = credentials.get("header").map_or("X-API-Key", String::as_str);
            let name = HeaderName::try_from(name)
                .map_err(|_| invalid("authentication.credentials.header", "is no header name"))?;
            let value = secret(&["apiKey", "key"])?;
            check_header_value("authentication.credentials.apiKey", value)?;
            Ok(Auth::Header { name, value: Secret::new(value.as_str()) })
        }
        AuthenticationKind::Oauth2 | AuthenticationKind::Jwt => {
            let token = secret(&["token", "accessToken"])?;
            check_header_value("authentication.credentials.token", token)?;
            Ok(Auth::Bearer(Secret::new(token.as_str())))
        }
    }
}

/// Returns an option that stands in the source's paths.
pub(crate) fn slug(config: &EventServiceConfig, name: &str) -> Result<String, Fault> {
    let field = format!("options.{name}");
    let text = config.options.get(name).ok_or_else(|| invalid(&field, "is missing"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let dots_only = text.bytes().all(|byte| byte == b'.');
    if dots_only || text.len() > 100 || !text.bytes().all(plain) {
        return Err(invalid(&field, "is no slug: letters, digits, -, _ and ."));
    }
    Ok(text.clone())
}

fn check_header_value(field: &str, text: &str) -> Result<(), Fault> {
    HeaderValue::from_str(text)
        .map(drop)
        .map_err(|_| invalid(field, "holds characters that no header can carry"))
}
