//! Programmes out of feeds: one document, asked for only if it changed (RFC 9110 §13).

use async_trait::async_trait;
use chrono_tz::Tz;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use ieum_client::{OutboundPolicy, Request, Response};
use ieum_contracts::events::{ConnectorKind, EventServiceConfig};
use ieum_core::{Cx, Fault, SharedClock};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use url::Url;

use super::probe::Checked;
use super::source::{SourceClient, Told};
use super::{Connector, auth, base_url, client, invalid};
use crate::facts::{Batch, Next};
use crate::programme::facts::{ProgrammeFacts, short_hash};
use crate::rules::garbage;

pub mod calendar;
pub mod schedule;
mod times;

/// The most slots of one programme.
pub const MOST_SLOTS: usize = 20_000;

/// The credential that is appended to the address as its query, for feeds whose address is the secret.
const SECRET_QUERY: &str = "query";

/// A feed that tells a programme.
pub struct Feed {
    client: SourceClient,
    /// The whole address; its query may be a secret.
    address: String,
    shown: Url,
    form: Form,
    zone: Option<Tz>,
    /// For health checks, which need not carry the whole document.
    last: Mutex<Option<Seen>>,
}

#[derive(Clone, Copy)]
enum Form {
    Calendar,
    Schedule,
}

/// What the document was when it was last read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    /// For feeds that tell neither: the document's hash.
    hash: String,
}

impl Feed {
    /// Makes the connector. Fails with `events.source.invalid`, naming the field.
    pub fn open(
        config: &EventServiceConfig,
        outbound: &OutboundPolicy,
        clock: &SharedClock,
    ) -> Result<Self, Fault> {
        let mut address = base_url("endpoints.api", &config.endpoints.api)?;
        address.set_fragment(None);
        let mut base = address.clone();
        base.set_query(None);
        if let Some(secret) = config.authentication.credentials.get(SECRET_QUERY) {
            address.set_query(Some(secret.trim_start_matches('?')));
        }
        let zone = match config.options.get("timeZone") {
            None => None,
            Some(text) => Some(
                times::zone(text)
                    .ok_or_else(|| invalid("options.timeZone", "is no IANA time zone, as Asia/Seoul is"))?,
            ),
        };
        let form = match config.connector {
            ConnectorKind::ScheduleXml => Form::Schedule,
            _ => Form::Calendar,
        };
        let mut sign_in = config.clone();
        sign_in.authentication.credentials.remove(SECRET_QUERY);
        let credentials = auth(&sign_in, "Bearer")?;
        Ok(Self {
            client: client(config, "endpoints.api", base.clone(), credentials, outbound, clock)?,
            address: address.to_string(),
            shown: base,
            form,
            zone,
            last: Mutex::default(),
        })
    }

    async fn fetch(&self, cx: &Cx, seen: Option<&Seen>) -> Result<Response, Fault> {
        let accept = match self.form {
            Form::Calendar => HeaderValue::from_static("text/calendar, text/plain;q=0.5"),
            Form::Schedule => HeaderValue::from_static("application/xml, text/xml"),
        };
        let mut request = Request::new(Method::GET, &self.address).header(header::ACCEPT, accept);
        let conditions = [
            (header::IF_NONE_MATCH, seen.and_then(|seen| seen.etag.as_deref())),
            (header::IF_MODIFIED_SINCE, seen.and_then(|seen| seen.last_modified.as_deref())),
        ];
        for (name, value) in conditions {
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(text).ok()) {
                request = request.header(name, value);
            }
        }
        self.client.send(cx, request).await
    }

    fn parse(&self, body: &[u8]) -> Result<ProgrammeFacts, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| garbage("the document", "is not in UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}');
        match self.form {
            Form::Calendar => calendar::read(text, self.zone),
            Form::Schedule => schedule::read(text, self.zone),
        }
    }

    async fn read(&self, cx: &Cx, seen: Option<Seen>) -> Result<Batch, Fault> {
        let response = self.fetch(cx, seen.as_ref()).await?;
        if response.status == StatusCode::NOT_MODIFIED {
            let seen =
                seen.ok_or_else(|| garbage("the document", "is not there: it answered 304 unasked"))?;
            return Ok(Batch { next: seen.to_next(), ..Batch::default() });
        }
        let hash = short_hash(&response.body);
        let now = Seen { hash, ..Seen::of(&response.headers) };
        *self.last.lock() = Some(now.clone());
        if seen.is_some_and(|seen| seen.hash == now.hash) {
            return Ok(Batch { next: now.to_next(), ..Batch::default() });
        }
        let programme = Some(self.parse(&response.body)?);
        Ok(Batch { programme, next: now.to_next(), ..Batch::default() })
    }
}

impl Seen {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let text = headers.get(name).and_then(|value| value.to_str().ok());
            text.filter(|text| text.len() <= 500).map(str::to_owned)
        };
        Self { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED), hash: String::new() }
    }

    fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn to_next(&self) -> Next {
        Next::Done(serde_json::to_string(self).unwrap_or_default())
    }
}

#[async_trait]
impl Connector for Feed {
    async fn probe(&self, cx: &Cx) -> Vec<Checked> {
        let answer = self.fetch(cx, None).await;
        let mut checks = Vec::new();
        let sample = answer.and_then(|answer| self.parse(&answer.body));
        let told = sample
            .map(|programme| format!("{} rooms, {} slots", programme.rooms.len(), programme.slots.len()));
        checks.push(Checked::of("sample", &self.shown, told));
        checks
    }

    fn told(&self) -> Told {
        self.client.told()
    }

    async fn health(&self, cx: &Cx) -> Result<(), Fault> {
        let last = self.last.lock().clone();
        self.fetch(cx, last.as_ref()).await.map(drop)
    }

    async fn initial(&self, cx: &Cx, _: Option<&str>) -> Result<Batch, Fault> {
        self.read(cx, None).await
    }

    async fn incremental(&self, cx: &Cx, cursor: &str) -> Result<Batch, Fault> {
        self.read(cx, Seen::parse(cursor)).await
    }
}
