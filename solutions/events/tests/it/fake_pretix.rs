//! A stand-in for pretix that can be made to misbehave. Its answers have the shapes a real one gave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::StatusCode;
use ieum_core::{SharedClock, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};

#[derive(Clone)]
pub struct FakePretix {
    pub url: String,
    pub world: Arc<Mutex<World>>,
}

pub struct World {
    pub clock: SharedClock,
    pub orders: BTreeMap<String, Order>,
    pub checkins: BTreeMap<i64, Checkin>,
    pub webhooks: BTreeMap<i64, String>,
    next_id: i64,
    /// Added to the server's clock in every time it tells.
    pub clock_ahead: Duration,
    /// Added to `X-Page-Generated` alone.
    pub generated_ahead: Duration,
    pub mood: Mood,
    /// Paths asked for, in order.
    pub asked: Vec<String>,
    pub foreign_next: bool,
}

#[derive(Clone, PartialEq)]
pub enum Mood {
    Fine,
    /// Answers every list with this.
    Garbage(Value),
    /// Redirects every list there.
    Elsewhere(String),
    Down,
}

#[derive(Clone)]
pub struct Order {
    pub status: &'static str,
    pub bought: Timestamp,
    pub modified: Timestamp,
    pub positions: Vec<(i64, bool)>,
}

#[derive(Clone)]
pub struct Checkin {
    pub position: i64,
    pub created: Timestamp,
    pub kind: &'static str,
    pub successful: bool,
}

type Shared = Arc<Mutex<World>>;
type Ask = Query<BTreeMap<String, String>>;

impl FakePretix {
    pub async fn start(clock: SharedClock) -> Self {
        let world = Arc::new(Mutex::new(World {
            clock,
            orders: BTreeMap::new(),
            checkins: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            next_id: 1,
            clock_ahead: Duration::ZERO,
            generated_ahead: Duration::ZERO,
            mood: Mood::Fine,
            asked: Vec::new(),
            foreign_next: false,
        }));
        let event = "/api/v1/organizers/acme/events/expo";
        let router = Router::new()
            .route(&format!("{event}/"), get(show_event))
            .route(&format!("{event}/checkinlists/"), get(lists))
            .route(&format!("{event}/checkinlists/{{list}}/status/"), get(status))
            .route(&format!("{event}/orders/"), get(orders))
            .route(&format!("{event}/orders/{{code}}/"), get(order))
            .route(&format!("{event}/checkins/"), get(checkins))
            .route("/api/v1/organizers/acme/webhooks/", get(webhooks).post(add_webhook))
            .route("/api/v1/organizers/acme/webhooks/{id}/", delete(drop_webhook))
            .with_state(world.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let url = format!("http://{}", listener.local_addr().expect("has an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, world }
    }

    /// Sells `tickets` in one order and returns the positions' ids.
    pub fn sell(&self, code: &str, tickets: usize) -> Vec<i64> {
        let mut world = self.world.lock();
        let now = world.now();
        let positions: Vec<i64> = (0..tickets).map(|_| world.new_id()).collect();
        let order = Order {
            status: "p",
            bought: now,
            modified: now,
            positions: positions.iter().map(|id| (*id, false)).collect(),
        };
        world.orders.insert(code.into(), order);
        positions
    }

    pub fn scan(&self, position: i64, kind: &'static str) -> i64 {
        let mut world = self.world.lock();
        let created = world.now();
        world.touch(position);
        let id = world.new_id();
        world.checkins.insert(id, Checkin { position, created, kind, successful: true });
        id
    }

    /// Registered, checked in, inside: what the server's own status says.
    pub fn truth(&self) -> (u64, u64, u64) {
        self.world.lock().totals()
    }

    pub fn set_mood(&self, mood: Mood) {
        self.world.lock().mood = mood;
    }
}

impl World {
    pub fn now(&self) -> Timestamp {
        self.clock.now() + self.clock_ahead
    }

    pub fn new_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    pub fn touch(&mut self, position: i64) {
        let now = self.now();
        for order in self.orders.values_mut() {
            if order.positions.iter().any(|(id, _)| *id == position) {
                order.modified = now;
            }
        }
    }

    fn totals(&self) -> (u64, u64, u64) {
        let (mut registered, mut came, mut inside) = (0, 0, 0);
        for order in self.orders.values().filter(|order| order.status == "p") {
            for (position, _) in order.positions.iter().filter(|(_, canceled)| !canceled) {
                let last = |kind| {
                    let scans = self
                        .checkins
                        .values()
                        .filter(|scan| scan.successful && scan.position == *position && scan.kind == kind);
                    scans.map(|scan| scan.created).max()
                };
                registered += 1;
                came += u64::from(last("entry").is_some());
                inside += u64::from(last("entry").is_some() && last("exit") < last("entry"));
            }
        }
        (registered, came, inside)
    }

    fn order_json(&self, code: &str, order: &Order) -> Value {
        let positions: Vec<Value> = order
            .positions
            .iter()
            .map(|(id, canceled)| {
                let scans: Vec<Value> = self
                    .checkins
                    .iter()
                    .filter(|(_, scan)| scan.position == *id && scan.successful)
                    .map(|(id, scan)| {
                        json!({"id": id, "datetime": micros(scan.created), "list": 1, "auto_checked_in": false,
                               "gate": null, "device": null, "device_id": null, "type": scan.kind})
                    })
                    .collect();
                json!({"id": id, "order": code, "item": 1, "subevent": null, "canceled": canceled, "checkins": scans})
            })
            .collect();
        json!({"code": code, "status": order.status, "valid_if_pending": false,
               "last_modified": micros(order.modified), "positions": positions})
    }

    /// A page of `rows`, with the headers a real server sends.
    fn page(&mut self, path: &str, ask: &BTreeMap<String, String>, rows: Vec<Value>) -> Response {
        let query: Vec<String> = ask.iter().map(|(key, value)| format!("{key}={value}")).collect();
        self.asked.push(format!("{path}?{}", query.join("&")));
        match self.mood.clone() {
            Mood::Fine => {}
            Mood::Garbage(value) => return Json(value).into_response(),
            Mood::Elsewhere(url) => return Redirect::temporary(&url).into_response(),
            Mood::Down => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
        let number =
            |name: &str, default| ask.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let (page, size) = (number("page", 1_usize), number("page_size", 50_usize).min(50));
        let pages = rows.len().div_ceil(size).max(1);
        if page > pages {
            return (StatusCode::NOT_FOUND, Json(json!({"detail": "Invalid page."}))).into_response();
        }
        let next = match (page < pages, self.foreign_next) {
            (false, _) => Value::Null,
            (true, false) => json!(format!("http://here{path}?page={}", page + 1)),
            (true, true) => json!("http://169.254.169.254/latest/meta-data/"),
        };
        let count = rows.len();
        let rows: Vec<Value> = rows.into_iter().skip((page - 1) * size).take(size).collect();
        let body = Json(json!({"count": count, "next": next, "previous": null, "results": rows}));
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert("date", http_date(self.now()).parse().expect("is a header"));
        if path == "orders" {
            let generated = micros(self.now() + self.generated_ahead);
            headers.insert("x-page-generated", generated.parse().expect("is a header"));
        }
        response
    }
}

fn micros(time: Timestamp) -> String {
    let whole = Timestamp::from_seconds(time.as_seconds()).to_string();
    whole.replace(".000Z", &format!(".{:06}Z", time.as_micros().rem_euclid(1_000_000)))
}

fn http_date(time: Timestamp) -> String {
    let at = std::time::UNIX_EPOCH + Duration::from_micros(time.as_micros().unsigned_abs());
    httpdate::fmt_http_date(at)
}

fn since(ask: &BTreeMap<String, String>, name: &str) -> Timestamp {
    ask.get(name).map_or(Timestamp::default(), |text| Timestamp::parse(text).expect("is a time"))
}

async fn show_event(State(world): State<Shared>) -> Response {
    let world = world.lock();
    if world.mood == Mood::Down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    Json(
        json!({"name": {"en": "Expo"}, "slug": "expo", "date_from": "2026-01-01T09:00:00Z", "date_to": null}),
    )
    .into_response()
}

async fn lists(State(world): State<Shared>, ask: Ask) -> Response {
    let list = json!({"id": 1, "name": "Main", "all_products": true, "limit_products": [], "subevent": null,
                      "include_pending": false, "ignore_in_statistics": false});
    let mut world = world.lock();
    // Garbage and redirects are about orders and scans; without a list nothing is asked at all.
    let mood = std::mem::replace(&mut world.mood, Mood::Fine);
    let answer = world.page("checkinlists", &ask, vec![list]);
    world.mood = mood;
    answer
}

async fn status(State(world): State<Shared>) -> Json<Value> {
    let mut world = world.lock();
    world.asked.push("status".into());
    let (registered, came, inside) = world.totals();
    Json(json!({"checkin_count": came, "position_count": registered, "inside_count": inside, "items": []}))
}

async fn orders(State(world): State<Shared>, ask: Ask) -> Response {
    let mut world = world.lock();
    let since = since(&ask, "modified_since");
    let mut rows: Vec<_> = world.orders.iter().filter(|(_, order)| order.modified >= since).collect();
    rows.sort_by_key(|(code, order)| (order.bought, (*code).clone()));
    let rows = rows.into_iter().map(|(code, order)| world.order_json(code, order)).collect();
    world.page("orders", &ask, rows)
}

async fn order(State(world): State<Shared>, Path(code): Path<String>) -> Response {
    let mut world = world.lock();
    world.asked.push(format!("orders/{code}"));
    match world.orders.get(&code) {
        Some(order) => Json(world.order_json(&code, order)).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"detail": "Not found."}))).into_response(),
    }
}

async fn checkins(State(world): State<Shared>, ask: Ask) -> Response {
    let mut world = world.lock();
    let since = since(&ask, "created_since");
    let mut rows: Vec<_> = world.checkins.iter().filter(|(_, scan)| scan.created >= since).collect();
    rows.sort_by_key(|(id, scan)| (scan.created, **id));
    let rows = rows
        .into_iter()
        .map(|(id, scan)| {
            json!({"id": id, "successful": scan.successful, "position": scan.position,
                   "datetime": micros(scan.created), "created": micros(scan.created), "list": 1,
                   "gate": null, "device": null, "device_id": null, "type": scan.kind})
        })
        .collect();
    world.page("checkins", &ask, rows)
}

async fn webhooks(State(world): State<Shared>, ask: Ask) -> Response {
    let mut world = world.lock();
    let rows = world.webhooks.iter().map(|(id, url)| json!({"id": id, "target_url": url})).collect();
    world.page("webhooks", &ask, rows)
}

async fn add_webhook(State(world): State<Shared>, Json(wanted): Json<Value>) -> Response {
    let mut world = world.lock();
    let id = world.new_id();
    let url = wanted["target_url"].as_str().expect("has a target").to_owned();
    world.webhooks.insert(id, url.clone());
    (StatusCode::CREATED, Json(json!({"id": id, "target_url": url}))).into_response()
}

async fn drop_webhook(State(world): State<Shared>, Path(id): Path<i64>) -> StatusCode {
    world.lock().webhooks.remove(&id);
    StatusCode::NO_CONTENT
}
