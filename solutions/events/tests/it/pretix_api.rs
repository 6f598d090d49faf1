//! What the tests ask a real pretix for: scans, annulments, orders, and its own totals.

use std::time::Duration;

use http::Method;
use ieum_client::{Auth, Request, RestClient, RestConfig};
use ieum_contracts::events::EventServiceConfig;
use ieum_core::{Clock, Cx, Secret, SystemClock, Timestamp, new_id, system_clock};
use ieum_testkit::server;
use ieum_testkit::wait::until_some;
use serde_json::{Value, json};

use crate::hub::{loopback, pretix_config};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// An order as it was sold.
pub struct Sale {
    pub code: String,
    pub tickets: Vec<Ticket>,
}

/// A ticket: its id and what its code says.
#[derive(Clone)]
pub struct Ticket {
    pub position: i64,
    pub secret: String,
}

/// A scan that counts, as pretix itself lists it.
pub struct Counted {
    pub position: i64,
    pub is_exit: bool,
    pub at: Timestamp,
}

pub struct Pretix {
    pub url: String,
    pub seed: Value,
    client: RestClient,
}

/// What came of a scan.
pub enum Scanned {
    /// The ticket was taken; the scan's id, and when pretix made it.
    Accepted(i64, Timestamp),
    /// The ticket is in already, or was cancelled, or is no longer known.
    Refused,
}

impl Pretix {
    /// Finds the shared pretix, or records that the test did not run.
    pub fn find() -> Option<Self> {
        let url = server::require("pretix")?;
        Some(Self::at(&url))
    }

    /// Talks to the pretix at `url`, which holds what the shared one was seeded with.
    pub fn at(url: &str) -> Self {
        let file = server::pretix_seed().expect("the runner says what pretix holds");
        let seed: Value =
            serde_json::from_slice(&std::fs::read(file).expect("reads the seed")).expect("is JSON");
        let token = Secret::new(format!("Token {}", seed["token"].as_str().expect("has a token")));
        let mut config = RestConfig::new("pretix", url.parse().expect("is a URL"));
        config.auth = Auth::Header { name: http::header::AUTHORIZATION, value: token };
        config.outbound = loopback();
        config.policy.timeout = PATIENCE;
        config.policy.first_byte = PATIENCE;
        // Tests try until it answers.
        config.policy.breaker = None;
        config.policy.retry.attempts = 1;
        let client = RestClient::new(config, system_clock()).expect("is a client");
        Self { url: url.to_owned(), seed, client }
    }

    pub fn text(&self, field: &str) -> &str {
        self.seed[field].as_str().expect("is text")
    }

    fn organizer(&self) -> String {
        format!("/api/v1/organizers/{}", self.text("organizer"))
    }

    fn event(&self) -> String {
        format!("{}/events/{}", self.organizer(), self.text("event"))
    }

    /// The list that the hub reads unless told otherwise.
    pub fn list(&self) -> i64 {
        self.seed["checkinList"].as_i64().expect("is a number")
    }

    /// Every check-in list.
    pub fn lists(&self) -> [i64; 2] {
        [self.list(), self.seed["gateList"].as_i64().expect("is a number")]
    }

    pub fn secrets(&self) -> Vec<String> {
        let positions = self.seed["positions"].as_array().expect("has positions");
        positions.iter().map(|row| row["secret"].as_str().expect("is text").to_owned()).collect()
    }

    /// Gets what pretix says. It ends connections that nobody used for two seconds, perhaps the one that is just used:
    /// that is asked again.
    async fn get(&self, path: &str) -> Value {
        let get = || async { self.client.get_json(&Cx::root(), path).await.ok() };
        until_some(&format!("{path} is answered"), PATIENCE, get).await.expect("answers")
    }

    /// Posts until pretix answers with one of `statuses`. Returns status and body. With a key, a repeat makes
    /// nothing twice.
    async fn insist(&self, path: &str, with_key: bool, body: &Value, statuses: &[u16]) -> (u16, Value) {
        self.insist_by(Method::POST, path, with_key, body, statuses).await
    }

    async fn insist_by(
        &self,
        method: Method,
        path: &str,
        with_key: bool,
        body: &Value,
        statuses: &[u16],
    ) -> (u16, Value) {
        let mut key = new_id().to_string();
        let mut conflicts = 0;
        loop {
            let mut request = Request::new(method.clone(), path);
            if with_key {
                let name = http::HeaderName::from_static("x-idempotency-key");
                request = request.header(name, http::HeaderValue::from_str(&key).expect("is a header"));
            }
            let request = request.json(body).expect("is JSON").any_status();
            match self.client.send(&Cx::root(), request).await {
                Ok(answer) if statuses.contains(&answer.status.as_u16()) => {
                    return (answer.status.as_u16(), answer.json().unwrap_or_default());
                }
                // The same request is still under way, or a killed pretix never came to its end.
                Ok(answer) if answer.status == http::StatusCode::CONFLICT => conflicts += 1,
                Ok(answer) => panic!("{method} {path}: answered {}", answer.status),
                Err(_) => {}
            }
            if conflicts == 40 {
                (key, conflicts) = (new_id().to_string(), 0);
            }
            SystemClock.sleep(Duration::from_millis(50)).await;
        }
    }

    /// Scans a ticket at a list, trying until pretix answers; `nonce` names the scan.
    pub async fn scan_at(&self, secret: &str, list: i64, kind: &str, nonce: &str) -> Scanned {
        self.scan_told_later(secret, list, kind, nonce, None).await
    }

    /// Scans a ticket as a scanner without a connection does, which tells later when it was.
    pub async fn scan_told_later(
        &self,
        secret: &str,
        list: i64,
        kind: &str,
        nonce: &str,
        at: Option<Timestamp>,
    ) -> Scanned {
        let mut body = json!({"secret": secret, "lists": [list], "nonce": nonce, "type": kind,
                              "force": false, "ignore_unpaid": false, "questions_supported": false});
        if let Some(at) = at {
            body["datetime"] = at.to_string().into();
        }
        let path = format!("{}/checkinrpc/redeem/", self.organizer());
        // pretix knows a repeated scan by its nonce.
        let (status, answer) = self.insist(&path, false, &body, &[201, 400, 404]).await;
        if status != 201 {
            return Scanned::Refused;
        }
        let (scan, created) = self.newest_scan(list, kind, &answer["position"]["id"]).await;
        Scanned::Accepted(scan, created)
    }

    /// Finds the newest scan of a ticket, which the answer to the scan does not name.
    async fn newest_scan(&self, list: i64, kind: &str, position: &Value) -> (i64, Timestamp) {
        let path = format!(
            "{}/checkins/?list={list}&type={kind}&successful=true&ordering=-created&page_size=50",
            self.event()
        );
        loop {
            if let Ok(page) = self.client.get_json::<Value>(&Cx::root(), &path).await {
                let rows = page["results"].as_array().cloned().unwrap_or_default();
                let row = rows.iter().find(|row| row["position"] == *position).expect("the scan is there");
                let created = Timestamp::parse(row["created"].as_str().expect("is text"));
                return (row["id"].as_i64().expect("is a number"), created.expect("is a time"));
            }
            SystemClock.sleep(Duration::from_millis(50)).await;
        }
    }

    /// Scans a ticket; a ticket that is in already is refused, which is fine.
    pub async fn scan(&self, secret: &str, kind: &str) -> String {
        let nonce = new_id().to_string();
        self.scan_at(secret, self.list(), kind, &nonce).await;
        nonce
    }

    /// Takes a scan back, which pretix tells nobody of.
    pub async fn annul(&self, nonce: &str, list: i64) {
        let body = json!({"lists": [list], "nonce": nonce});
        let path = format!("{}/checkinrpc/annul/", self.organizer());
        // 400: it is annulled already, since an answer was lost.
        self.insist(&path, false, &body, &[200, 400]).await;
    }

    /// Sells one ticket and returns the order's code and the ticket's secret.
    pub async fn sell(&self) -> (String, String) {
        let mut sale = self.sell_some(1, false).await;
        (sale.code, sale.tickets.remove(0).secret)
    }

    /// Sells so many tickets in one order. Only a trial order can be deleted later.
    pub async fn sell_some(&self, count: u64, is_trial: bool) -> Sale {
        let position = |number: u64| {
            json!({"positionid": number, "item": self.seed["item"], "variation": null, "price": "25.00",
                   "attendee_name_parts": {"full_name": "New"}, "answers": [], "subevent": null})
        };
        let positions: Vec<Value> = (1..=count).map(position).collect();
        let body = json!({"email": "new@example.org", "locale": "en", "status": "p", "payment_provider": "manual",
                          "sales_channel": "web", "fees": [], "positions": positions, "testmode": is_trial});
        let (_, order) = self.insist(&format!("{}/orders/", self.event()), true, &body, &[201]).await;
        let text = |value: &Value| value.as_str().expect("is text").to_owned();
        let ticket = |row: &Value| Ticket {
            position: row["id"].as_i64().expect("is a number"),
            secret: text(&row["secret"]),
        };
        let tickets = order["positions"].as_array().expect("has positions").iter().map(ticket).collect();
        Sale { code: text(&order["code"]), tickets }
    }

    /// Takes a ticket out of its order.
    pub async fn cancel_ticket(&self, position: i64) {
        let path = format!("{}/orderpositions/{position}/", self.event());
        // 404: it is out already, since an answer was lost. 400: it is the order's last one.
        self.insist_by(Method::DELETE, &path, false, &json!({}), &[204, 400, 403, 404]).await;
    }

    /// Deletes a trial order with all that is known of it, of which pretix tells nobody.
    pub async fn delete(&self, code: &str) {
        let path = format!("{}/orders/{code}/", self.event());
        self.insist_by(Method::DELETE, &path, false, &json!({}), &[204, 404]).await;
    }

    /// Reads all rows of a list, page by page.
    async fn rows(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let path = format!("{}/{path}&page_size=100&page={page}", self.event());
            let answer = self.get(&path).await;
            rows.extend(answer["results"].as_array().expect("has rows").iter().cloned());
            if answer["next"].is_null() {
                break;
            }
        }
        rows
    }

    /// Returns the scans of a list that count: taken, not annulled, of tickets that are paid and not cancelled.
    pub async fn counted(&self, list: i64) -> Vec<Counted> {
        let orders = self.rows("orders/?ordering=datetime&include_canceled_positions=true").await;
        let paid = orders.iter().filter(|order| order["status"] == "p");
        let positions = paid.flat_map(|order| order["positions"].as_array().expect("has positions"));
        let standing: std::collections::BTreeSet<i64> = positions
            .filter(|position| position["canceled"] != true)
            .map(|position| position["id"].as_i64().expect("is a number"))
            .collect();
        let scans = self.rows(&format!("checkins/?list={list}&successful=true&ordering=created")).await;
        let counted = |row: &Value| {
            let position = row["position"].as_i64().filter(|position| standing.contains(position))?;
            let at = Timestamp::parse(row["datetime"].as_str()?).expect("is a time");
            Some(Counted { position, is_exit: row["type"] == "exit", at })
        };
        scans.iter().filter_map(counted).collect()
    }

    /// Cancels an order.
    pub async fn cancel(&self, code: &str) {
        let path = format!("{}/orders/{code}/mark_canceled/", self.event());
        let body = json!({"send_email": false});
        self.insist(&path, false, &body, &[200, 400]).await;
    }

    /// Registered, checked in, inside, as a check-in list's own status says.
    pub async fn truth_of(&self, list: i64) -> (u64, u64, u64) {
        let path = format!("{}/checkinlists/{list}/status/", self.event());
        let status = self.get(&path).await;
        let number = |field: &str| status[field].as_u64().expect("is a number");
        (number("position_count"), number("checkin_count"), number("inside_count"))
    }

    pub async fn truth(&self) -> (u64, u64, u64) {
        self.truth_of(self.list()).await
    }

    pub fn config(&self, api: &str, webhook: Option<String>) -> EventServiceConfig {
        self.config_of("conf", self.list(), api, webhook)
    }

    /// Returns how the hub registers one check-in list.
    pub fn config_of(
        &self,
        event_id: &str,
        list: i64,
        api: &str,
        webhook: Option<String>,
    ) -> EventServiceConfig {
        let mut config =
            pretix_config(event_id, api, self.text("organizer"), self.text("event"), self.text("token"));
        config.options.insert("checkinList".into(), list.to_string());
        config.endpoints.webhook = webhook;
        config
    }
}
