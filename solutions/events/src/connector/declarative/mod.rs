//! A JSON API that a mapping describes, so that another system is joined without writing Rust.
//!
//! A round reads the event, the pages of tickets, then those of scans. Since when the next round reads is the
//! latest change that was seen, never later than the source's own time; it begins a little earlier, and ids sort
//! out what was read twice. What vanishes without a change is found by sweeps.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use ieum_client::{Auth, OutboundPolicy, Request, Response};
use ieum_contracts::events::{AuthenticationKind, EventServiceConfig};
use ieum_core::{Cx, Fault, Secret, SharedClock, Timestamp};
use serde_json::Value;

use self::mapping::{ListMap, Mapping, Since, TimeForm};
use self::position::{Position, Step};
use self::rows::{LIST, Row};
use super::probe::Checked;
use super::source::{SourceClient, Told};
use super::{Abilities, Connector, Hint, base_url, check_header_value, client, headers, invalid};
use crate::facts::{Batch, Next, Profile, Totals};
use crate::programme::facts::bounded_text;
use crate::rules::{Figures, garbage};

mod form;
mod hook;
mod mapping;
mod pages;
mod position;
mod reading;
mod rows;

/// A source that a mapping describes.
pub struct Declarative {
    client: SourceClient,
    clock: SharedClock,
    mapping: Mapping,
}

/// One page of a list.
struct Page {
    rows: Vec<Value>,
    next: Option<String>,
    /// The source's time, or ours where it tells none.
    now: Timestamp,
}

impl Declarative {
    /// Makes the connector. Fails with `events.source.invalid`, naming the field, or every mistake of the mapping.
    pub fn open(
        config: &EventServiceConfig,
        outbound: &OutboundPolicy,
        clock: &SharedClock,
    ) -> Result<Self, Fault> {
        let text = config.options.get("mapping").ok_or_else(|| invalid("options.mapping", "is missing"))?;
        let mapping = Mapping::read(text, &config.options)?;
        let base = match (&mapping.base, config.endpoints.api.as_str()) {
            (Some(base), "") => base_url("base of the mapping", base)?,
            (_, api) => base_url("endpoints.api", api)?,
        };
        let auth = sign_in(config, &mapping)?;
        let client = client(config, "endpoints.api", base, auth, outbound, clock)?;
        Ok(Self { client, clock: clock.clone(), mapping })
    }

    async fn get(&self, cx: &Cx, path: &str) -> Result<Response, Fault> {
        let accept = HeaderValue::from_static("application/json");
        self.client.send(cx, Request::new(Method::GET, path).header(header::ACCEPT, accept)).await
    }

    async fn page<F>(&self, cx: &Cx, list: &ListMap<F>, position: &Position) -> Result<Page, Fault> {
        let page = position.page.as_deref();
        let path = pages::path_of(list, page, position.since());
        let response = self.get(cx, &path).await?;
        let answer: Value = response.json()?;
        let rows = match answer.pointer(&list.rows) {
            Some(Value::Array(rows)) => rows.clone(),
            _ => return Err(garbage(&format!("rows {:?}", list.rows), "is no list")),
        };
        let base = &self.client.config().base;
        let next = pages::next_of(list, page, rows.len(), (&answer, &response.headers), base)?;
        let now = headers::date(&response.headers).unwrap_or_else(|| self.clock.now());
        Ok(Page { rows, next, now })
    }

    async fn profile(&self, cx: &Cx) -> Result<Profile, Fault> {
        let mut profile = Profile { list_id: LIST, list_name: "all".into(), ..Profile::default() };
        let Some(map) = &self.mapping.event else { return Ok(profile) };
        let answer: Value = self.get(cx, &map.path).await?.json()?;
        let row = Row { list: "event", number: 0, value: &answer };
        let time = |pointer: &Option<String>| {
            pointer.as_ref().map_or(Ok(None), |pointer| row.time(pointer, TimeForm::Rfc3339))
        };
        profile.begins_at = time(&map.begins_at)?;
        profile.ends_at = time(&map.ends_at)?;
        if let Some(pointer) = &map.name {
            let name = answer.pointer(pointer).and_then(Value::as_str);
            profile.event_name = bounded_text(name.ok_or_else(|| garbage(pointer, "is no text"))?, 200);
        }
        Ok(profile)
    }

    /// Reads the next page at `position`.
    async fn read(&self, cx: &Cx, position: Position) -> Result<Batch, Fault> {
        if let Some(map) = &self.mapping.figures {
            let answer: Value = self.get(cx, &map.path).await?.json()?;
            let counts = rows::counts(&answer, map)?;
            let figures = Figures {
                event_name: Some(self.profile(cx).await?.event_name).filter(|name| !name.is_empty()),
                total_registered: counts.registered,
                checked_in: counts.checked_in,
                current_attendees: counts.inside,
                ..Figures::default()
            };
            return Ok(Batch { figures: Some(figures), next: Next::Done("{}".into()), ..Batch::default() });
        }
        match position.step {
            Step::Begin => {
                let profile = Some(self.profile(cx).await?);
                let next = Position { step: Step::Tickets, page: None, latest: None, ..position };
                Ok(Batch { profile, next: next.to_next(), ..Batch::default() })
            }
            Step::Tickets => self.read_tickets(cx, position).await,
            Step::Checkins => self.read_checkins(cx, position).await,
        }
    }

    async fn read_tickets(&self, cx: &Cx, position: Position) -> Result<Batch, Fault> {
        let Some(list) = &self.mapping.tickets else { return Err(garbage("tickets", "are not mapped")) };
        let page = self.page(cx, list, &position).await?;
        let form = list.since.as_ref().map_or(TimeForm::Rfc3339, |since| since.form);
        let mut orders = Vec::new();
        let mut latest = None;
        for row in each("tickets", &page.rows) {
            let changed_at = changed(row, list.since.as_ref())?;
            latest = latest.max(changed_at);
            orders.push(rows::ticket(row, &list.fields, form, changed_at.unwrap_or(page.now))?);
        }
        let apart = self.mapping.checkins.is_some();
        let next = position.after(page.next, latest, page.now, apart).not_after(page.now);
        Ok(Batch { orders, scans_apart: apart, next: next.to_next(), ..Batch::default() })
    }

    async fn read_checkins(&self, cx: &Cx, position: Position) -> Result<Batch, Fault> {
        let Some(list) = &self.mapping.checkins else { return Err(garbage("checkins", "are not mapped")) };
        let page = self.page(cx, list, &position).await?;
        let form = list.since.as_ref().map_or(TimeForm::Rfc3339, |since| since.form);
        let mut batch = Batch::default();
        let mut latest = None;
        for row in each("checkins", &page.rows) {
            latest = latest.max(changed(row, list.since.as_ref())?);
            match rows::checkin(row, &list.fields, form)? {
                (fact, true) => batch.checkins.push(fact),
                (fact, false) => batch.void_checkins.push(fact.id),
            }
        }
        let next = position.after(page.next, latest, page.now, true).not_after(page.now);
        Ok(Batch { next: next.to_next(), ..batch })
    }

    /// Reads one ticket by the code of its order.
    async fn one(&self, cx: &Cx, code: &str, batch: &mut Batch) -> Result<(), Fault> {
        let Some(list) = &self.mapping.tickets else { return Ok(()) };
        let Some(path) = &list.one else { return Ok(()) };
        let path = path.replace("{id}", &in_path(code));
        let response = self.client.send(cx, Request::new(Method::GET, path).any_status()).await?;
        match response.status {
            StatusCode::OK => {
                let answer: Value = response.json()?;
                let row = Row { list: "ticket", number: 0, value: &answer };
                let form = list.since.as_ref().map_or(TimeForm::Rfc3339, |since| since.form);
                let changed_at = changed(row, list.since.as_ref())?.unwrap_or_else(|| self.clock.now());
                batch.orders.push(rows::ticket(row, &list.fields, form, changed_at)?);
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => batch.gone_orders.push(code.to_owned()),
            other => {
                let message = format!("reading ticket {code}, which a hint named: answered {other}");
                return Err(Fault::unavailable("events.declarative.hinted", message));
            }
        }
        Ok(())
    }
}

/// Writes an id so that it stays one segment of a path (RFC 3986 §3.3).
fn in_path(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    id.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn each<'a>(list: &'static str, rows: &'a [Value]) -> impl Iterator<Item = Row<'a>> {
    rows.iter().enumerate().map(move |(number, value)| Row { list, number, value })
}

/// Returns when a row changed; where only changes are asked for, each must say.
fn changed(row: Row<'_>, since: Option<&Since>) -> Result<Option<Timestamp>, Fault> {
    since.map(|since| row.required_time(&since.field, since.form)).transpose()
}

fn sign_in(config: &EventServiceConfig, mapping: &Mapping) -> Result<Auth, Fault> {
    if config.authentication.kind == AuthenticationKind::None {
        return Ok(Auth::None);
    }
    let credentials = &config.authentication.credentials;
    let found = ["token", "apiKey", "key", "accessToken"].into_iter().find_map(|name| credentials.get(name));
    let secret = found.filter(|text| !text.is_empty());
    let secret = secret.ok_or_else(|| invalid("authentication.credentials.token", "is missing"))?;
    let value = Secret::new(format!("{}{secret}", mapping.prefix));
    check_header_value("authentication.credentials.token", value.expose())?;
    let name = HeaderName::try_from(&mapping.header)
        .map_err(|_| invalid("options.mapping", "names a header that is none"))?;
    Ok(Auth::Header { name, value })
}

#[async_trait]
impl Connector for Declarative {
    async fn probe(&self, cx: &Cx) -> Vec<Checked> {
        let address = &self.client.config().base;
        let mut checks = Vec::new();
        if self.mapping.event.is_some() {
            let profile = self.profile(cx).await;
            checks.push(Checked::of(
                "event",
                address,
                profile.map(|profile| format!("found {:?}", profile.event_name)),
            ));
        }
        if checks.iter().all(Checked::passed) {
            let begin = Position { step: Step::Tickets, ..Position::default() };
            let sample = self.read(cx, begin).await.map(|batch| match batch.figures {
                Some(figures) => {
                    format!("{} registered, {} inside", figures.total_registered, figures.current_attendees)
                }
                None => format!("{} tickets on the first page fit the mapping", batch.orders.len()),
            });
            checks.push(Checked::of("sample", address, sample));
        }
        if self.mapping.checkins.is_some() && checks.iter().all(Checked::passed) {
            let begin = Position { step: Step::Checkins, ..Position::default() };
            let scans = self.read(cx, begin).await;
            let told =
                scans.map(|batch| format!("{} on the first page fit the mapping", batch.checkins.len()));
            checks.push(Checked::of("check-ins", address, told));
        }
        checks
    }

    fn told(&self) -> Told {
        self.client.told()
    }

    fn abilities(&self) -> Abilities {
        let tickets = self.mapping.tickets.as_ref();
        Abilities {
            tells_all: tickets.is_some(),
            looks_up: tickets.is_some_and(|tickets| tickets.one.is_some()),
        }
    }

    async fn health(&self, cx: &Cx) -> Result<(), Fault> {
        if self.mapping.event.is_some() || self.mapping.figures.is_some() {
            return self.read(cx, Position::default()).await.map(drop);
        }
        let Some(list) = &self.mapping.tickets else { return Ok(()) };
        self.page(cx, list, &Position { tickets_since: Some(self.clock.now()), ..Position::default() })
            .await
            .map(drop)
    }

    async fn initial(&self, cx: &Cx, checkpoint: Option<&str>) -> Result<Batch, Fault> {
        self.read(cx, checkpoint.map_or_else(|| Ok(Position::default()), Position::parse)?).await
    }

    async fn incremental(&self, cx: &Cx, cursor: &str) -> Result<Batch, Fault> {
        self.read(cx, Position::parse(cursor)?).await
    }

    async fn hinted(&self, cx: &Cx, hints: &[Hint]) -> Result<Batch, Fault> {
        let mut batch = Batch { scans_apart: self.mapping.checkins.is_some(), ..Batch::default() };
        let codes: BTreeSet<&str> = hints.iter().filter_map(|hint| hint.order_code.as_deref()).collect();
        for code in codes {
            self.one(cx, code, &mut batch).await?;
        }
        Ok(batch)
    }

    fn read_hint(&self, body: &[u8]) -> Result<Option<Hint>, Fault> {
        self.mapping.hook.as_ref().map_or(Ok(None), |map| hook::read(body, map))
    }

    async fn totals(&self, cx: &Cx) -> Result<Option<Totals>, Fault> {
        let Some(map) = &self.mapping.totals else { return Ok(None) };
        let answer: Value = self.get(cx, &map.path).await?.json()?;
        rows::counts(&answer, map).map(Some)
    }
}
