//! A stand-in for Eventbrite's API v3: an event and its attendees, in the shapes that its documentation shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use ieum_core::{SharedClock, Timestamp, system_clock};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Few per page, so that pages follow each other.
const PAGE: usize = 7;

#[derive(Clone)]
pub struct FakeEventbrite {
    pub url: String,
    pub world: Arc<Mutex<World>>,
}

pub struct World {
    clock: SharedClock,
    pub attendees: BTreeMap<u64, Attendee>,
    /// Requests for lists, with their queries.
    pub asked: Vec<String>,
    /// Answers one attendee by id; otherwise all are unknown there.
    pub quota: Option<u32>,
}

#[derive(Clone)]
pub struct Attendee {
    pub status: &'static str,
    pub checked_in: bool,
    pub cancelled: bool,
    pub changed: Timestamp,
}

type Shared = Arc<Mutex<World>>;

impl FakeEventbrite {
    pub async fn start() -> Self {
        let world = Arc::new(Mutex::new(World {
            clock: system_clock(),
            attendees: BTreeMap::new(),
            asked: Vec::new(),
            quota: None,
        }));
        let router = Router::new()
            .route("/v3/events/77/", get(event))
            .route("/v3/events/77/attendees/", get(attendees))
            .route("/v3/events/77/attendees/{id}/", get(attendee))
            .with_state(world.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let url = format!("http://{}/v3", listener.local_addr().expect("has an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, world }
    }

    /// Sells tickets with these ids.
    pub fn sell(&self, ids: std::ops::Range<u64>) {
        for id in ids {
            let mut world = self.world.lock();
            let changed = world.now();
            let attendee = Attendee { status: "Attending", checked_in: false, cancelled: false, changed };
            world.attendees.insert(id, attendee);
        }
    }

    pub fn change(&self, id: u64, what: impl FnOnce(&mut Attendee)) {
        let mut world = self.world.lock();
        let changed = world.now();
        let attendee = world.attendees.get_mut(&id).expect("was sold");
        what(attendee);
        attendee.changed = changed;
    }

    pub fn check_in(&self, id: u64) {
        self.change(id, |attendee| (attendee.checked_in, attendee.status) = (true, "Checked In"));
    }

    /// Takes a ticket away without a word.
    pub fn vanish(&self, id: u64) {
        self.world.lock().attendees.remove(&id).expect("was sold");
    }

    /// Registered, checked in, inside.
    pub fn truth(&self) -> (u64, u64, u64) {
        let world = self.world.lock();
        let counted = world
            .attendees
            .values()
            .filter(|attendee| !attendee.cancelled && ["Attending", "Checked In"].contains(&attendee.status));
        let came = counted.clone().filter(|attendee| attendee.checked_in).count() as u64;
        (counted.count() as u64, came, came)
    }
}

impl World {
    /// Whole seconds, as Eventbrite tells times.
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.clock.now().as_seconds())
    }

    fn allows(&mut self, headers: &HeaderMap) -> Option<Response> {
        let known = headers.get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer private-token");
        if !known {
            let body = json!({"error": "INVALID_AUTH", "error_description": "The OAuth token is invalid.",
                              "status_code": 401});
            return Some((StatusCode::UNAUTHORIZED, Json(body)).into_response());
        }
        let quota = self.quota.as_mut()?;
        if *quota == 0 {
            let headers = [("retry-after", "1")];
            self.quota = None;
            return Some((StatusCode::TOO_MANY_REQUESTS, headers).into_response());
        }
        *quota -= 1;
        None
    }
}

fn text(time: Timestamp) -> String {
    time.to_string().replace(".000Z", "Z")
}

fn attendee_json(id: u64, attendee: &Attendee) -> Value {
    let changed = text(attendee.changed);
    let used = if attendee.checked_in { "used" } else { "unused" };
    json!({"team": null, "resource_uri": format!("https://www.eventbriteapi.com/v3/events/77/attendees/{id}/"),
           "id": id.to_string(), "changed": changed, "created": changed, "quantity": 1, "affiliate": null,
           "profile": {"name": "A Guest", "email": "guest@example.org"},
           "barcodes": [{"status": used, "barcode": format!("{id}001"), "created": changed, "changed": changed}],
           "checked_in": attendee.checked_in, "cancelled": attendee.cancelled, "refunded": attendee.cancelled,
           "status": attendee.status, "ticket_class_name": "Day", "event_id": "77",
           "order_id": (id / 2).to_string(), "ticket_class_id": "9"})
}

async fn event(State(world): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(refusal) = world.lock().allows(&headers) {
        return refusal;
    }
    Json(json!({"id": "77", "name": {"text": "Expo", "html": "Expo"}, "status": "live", "capacity": 500,
                "start": {"timezone": "Asia/Seoul", "local": "2026-12-01T18:00:00", "utc": "2026-12-01T09:00:00Z"},
                "end": {"timezone": "Asia/Seoul", "local": "2026-12-02T02:00:00", "utc": "2026-12-01T17:00:00Z"}}))
    .into_response()
}

async fn attendees(
    State(world): State<Shared>,
    headers: HeaderMap,
    ask: Query<BTreeMap<String, String>>,
) -> Response {
    let mut world = world.lock();
    if let Some(refusal) = world.allows(&headers) {
        return refusal;
    }
    let query: Vec<String> = ask.iter().map(|(key, value)| format!("{key}={value}")).collect();
    world.asked.push(query.join("&"));
    let since = ask.get("changed_since").map(|text| Timestamp::parse(text).expect("is a time"));
    let begin: usize = ask
        .get("continuation")
        .map_or(0, |text| text.strip_prefix("c-").and_then(|at| at.parse().ok()).expect("is one of ours"));
    let rows: Vec<Value> = world
        .attendees
        .iter()
        .filter(|(_, attendee)| since.is_none_or(|since| attendee.changed >= since))
        .map(|(id, attendee)| attendee_json(*id, attendee))
        .collect();
    let more = begin + PAGE < rows.len();
    let mut pagination = json!({"object_count": rows.len(), "page_number": begin / PAGE + 1, "page_size": PAGE,
                                "page_count": rows.len().div_ceil(PAGE), "has_more_items": more});
    if more {
        pagination["continuation"] = json!(format!("c-{}", begin + PAGE));
    }
    let rows: Vec<Value> = rows.into_iter().skip(begin).take(PAGE).collect();
    Json(json!({"pagination": pagination, "attendees": rows})).into_response()
}

async fn attendee(State(world): State<Shared>, headers: HeaderMap, Path(id): Path<u64>) -> Response {
    let mut world = world.lock();
    if let Some(refusal) = world.allows(&headers) {
        return refusal;
    }
    match world.attendees.get(&id) {
        Some(attendee) => Json(attendee_json(id, attendee)).into_response(),
        None => {
            (StatusCode::NOT_FOUND, Json(json!({"error": "NOT_FOUND", "status_code": 404}))).into_response()
        }
    }
}
