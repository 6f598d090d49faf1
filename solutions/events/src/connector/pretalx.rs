//! A pretalx server over its REST API (<https://docs.pretalx.org/api/>): the programme as it was last released.
//!
//! pretalx tells no changes and sends no webhooks, so that each read takes the whole; what the tables hold
//! already costs nothing there. A slot gets another id with every release, so slots are known by their talk.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method};
use ieum_client::{OutboundPolicy, Request};
use ieum_contracts::events::EventServiceConfig;
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::probe::Checked;
use super::source::{SourceClient, Told};
use super::{Connector, auth, base_url, client, slug};
use crate::facts::{Batch, Next};
use crate::programme::facts::{ProgrammeFacts, RoomFact, SlotFact, bounded_text};
use crate::rules::garbage;

/// The version of the API that is read here.
const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("pretalx-version"), HeaderValue::from_static("v1"));

/// Rows per page.
const PAGE_SIZE: usize = 50;

/// More pages than this mean that a list never ends.
const MOST_PAGES: usize = 400;

/// How often a list is read again that moved while it was read.
const ATTEMPTS: u32 = 3;

/// One event on a pretalx server.
pub struct Pretalx {
    client: SourceClient,
    event: String,
}

#[derive(Deserialize)]
struct List<T> {
    count: usize,
    next: Option<String>,
    results: Vec<T>,
}

/// A text in one language, or in several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    Many(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct Event {
    name: Text,
    timezone: String,
}

#[derive(Deserialize)]
struct Room {
    id: i64,
    name: Text,
    #[serde(default)]
    capacity: Option<i64>,
    #[serde(default)]
    position: Option<i64>,
}

#[derive(Deserialize)]
struct Slot {
    room: Option<i64>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    submission: Option<Submission>,
    #[serde(default)]
    description: Option<Text>,
    #[serde(default = "yes")]
    is_visible: bool,
    /// Which release it is of.
    #[serde(default)]
    schedule: Value,
}

#[derive(Deserialize)]
struct Submission {
    code: String,
    title: String,
    #[serde(default)]
    state: Option<String>,
}

fn yes() -> bool {
    true
}

impl Pretalx {
    /// Makes the connector. Fails with `events.source.invalid`, naming the field.
    pub fn open(
        config: &EventServiceConfig,
        outbound: &OutboundPolicy,
        clock: &SharedClock,
    ) -> Result<Self, Fault> {
        let api = base_url("endpoints.api", &config.endpoints.api)?;
        Ok(Self {
            client: client(config, "endpoints.api", api, auth(config, "Token")?, outbound, clock)?,
            event: slug(config, "event")?,
        })
    }

    fn path(&self, rest: &str) -> String {
        let base = self.client.config().base.path().trim_end_matches('/');
        let prefix = if base.ends_with("/api") { "" } else { "/api" };
        format!("{prefix}/events/{}/{rest}", self.event)
    }

    async fn get<T: DeserializeOwned>(&self, cx: &Cx, path: &str) -> Result<T, Fault> {
        let (name, version) = VERSION;
        let request = Request::new(Method::GET, path).header(name, version);
        self.client.send(cx, request).await?.json()
    }

    /// Reads a whole list. Pages are asked for by number on our own address: the address that an answer names
    /// may lead anywhere. A list of which rows came or went meanwhile is read again.
    async fn list<T: DeserializeOwned>(&self, cx: &Cx, path: &str) -> Result<Vec<T>, Fault> {
        for _ in 0..ATTEMPTS {
            let (mut rows, mut counts) = (Vec::new(), Vec::new());
            for page in 1..=MOST_PAGES {
                let path = self.path(&format!("{path}&page_size={PAGE_SIZE}&page={page}"));
                let answer: List<T> = self.get(cx, &path).await?;
                if answer.results.is_empty() && answer.next.is_some() {
                    return Err(garbage("next", "leads on from a page without rows"));
                }
                counts.push(answer.count);
                rows.extend(answer.results);
                if answer.next.is_none() {
                    break;
                }
            }
            if counts.iter().all(|count| *count == rows.len()) {
                return Ok(rows);
            }
        }
        Err(self.moving(path))
    }

    /// Reads the slots as they were last released. Pages of two releases are no programme: they are read again.
    async fn slots(&self, cx: &Cx) -> Result<Vec<Slot>, Fault> {
        let path = "slots/?expand=submission";
        for _ in 0..ATTEMPTS {
            let slots: Vec<Slot> = self.list(cx, path).await?;
            if slots.windows(2).all(|pair| pair[0].schedule == pair[1].schedule) {
                return Ok(slots);
            }
        }
        Err(self.moving(path))
    }

    fn moving(&self, path: &str) -> Fault {
        let message = format!("reading {path} of {}: it moved each of {ATTEMPTS} times", self.event);
        Fault::aborted("events.pretalx.moving", message)
    }

    async fn read(&self, cx: &Cx) -> Result<ProgrammeFacts, Fault> {
        let event: Event = self.get(cx, &self.path("")).await?;
        let mut rooms: Vec<Room> = self.list(cx, "rooms/?").await?;
        rooms.sort_by_key(|room| (room.position, room.id));
        let mut slots = self.slots(cx).await?;
        slots.sort_by_key(|slot| (slot.start, slot.room));
        let mut times_seen: BTreeMap<String, u32> = BTreeMap::new();
        let slots = slots.into_iter().filter(|slot| slot.is_visible).filter_map(|slot| {
            let (begins_at, ends_at) = (slot.start?, slot.end.or(slot.start)?);
            let (code, title, state) = match slot.submission {
                Some(talk) => (talk.code, talk.title, talk.state),
                None => {
                    let place = slot.room.unwrap_or(0);
                    let title = slot.description.map(Text::into_one).unwrap_or_default();
                    (format!("break-{place}-{}", begins_at.as_seconds()), title, None)
                }
            };
            let seen = times_seen.entry(code.clone()).or_insert(0);
            *seen += 1;
            Some(SlotFact {
                id: if *seen == 1 { code } else { format!("{code}#{seen}") },
                room_id: slot.room.map(|room| room.to_string()),
                title: bounded_text(&title, 500),
                begins_at,
                ends_at: ends_at.max(begins_at),
                time_zone: Some(bounded_text(&event.timezone, 60)),
                url: None,
                cancelled: state.is_some_and(|state| state == "canceled" || state == "withdrawn"),
            })
        });
        let slots = slots.collect();
        let rooms = rooms.into_iter().map(|room| RoomFact {
            id: room.id.to_string(),
            name: bounded_text(&room.name.into_one(), 200),
            capacity: room.capacity.and_then(|capacity| u32::try_from(capacity).ok()),
        });
        Ok(ProgrammeFacts { rooms: rooms.collect(), slots })
    }

    async fn batch(&self, cx: &Cx) -> Result<Batch, Fault> {
        let programme = Some(self.read(cx).await?);
        Ok(Batch { programme, next: Next::Done(String::new()), ..Batch::default() })
    }
}

impl Text {
    fn into_one(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Many(mut texts) => {
                texts.remove("en").or_else(|| texts.into_values().next()).unwrap_or_default()
            }
        }
    }
}

#[async_trait]
impl Connector for Pretalx {
    async fn probe(&self, cx: &Cx) -> Vec<Checked> {
        let address = &self.client.config().base;
        let event: Result<Event, Fault> = self.get(cx, &self.path("")).await;
        let found = event.map(|event| format!("found {:?}", event.name.into_one()));
        let mut checks = vec![Checked::of("event", address, found)];
        if checks[0].passed() {
            let sample = self.read(cx).await;
            let told = sample.map(|programme| {
                format!("{} rooms, {} released slots", programme.rooms.len(), programme.slots.len())
            });
            checks.push(Checked::of("sample", address, told));
        }
        checks
    }

    fn told(&self) -> Told {
        self.client.told()
    }

    async fn health(&self, cx: &Cx) -> Result<(), Fault> {
        self.get::<Event>(cx, &self.path("")).await.map(drop)
    }

    async fn initial(&self, cx: &Cx, _: Option<&str>) -> Result<Batch, Fault> {
        self.batch(cx).await
    }

    async fn incremental(&self, cx: &Cx, _: &str) -> Result<Batch, Fault> {
        self.batch(cx).await
    }
}
