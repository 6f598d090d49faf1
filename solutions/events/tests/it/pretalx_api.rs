//! What the tests ask a real pretalx for: talks made, moved, cancelled and released, and its own programme.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use ieum_client::{Auth, Request, RestClient, RestConfig};
use ieum_contracts::events::{ConnectorKind, EventServiceConfig};
use ieum_core::{Cx, Secret, Timestamp, system_clock};
use ieum_testkit::server;
use serde_json::{Value, json};

use crate::hub::{loopback, pretix_config};

/// Tests change the programme of one event, so they take turns.
pub static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub struct Pretalx {
    pub url: String,
    pub seed: Value,
    client: RestClient,
    releases: u64,
}

/// A talk as pretalx itself tells it: its room, when it begins and ends.
pub type Told = BTreeMap<String, (String, Timestamp, Timestamp)>;

impl Pretalx {
    /// Finds the shared pretalx, or records that the test did not run.
    pub fn find() -> Option<Self> {
        let url = server::require("pretalx")?;
        let file = server::pretalx_seed().expect("the runner says what pretalx holds");
        let seed: Value =
            serde_json::from_slice(&std::fs::read(file).expect("reads the seed")).expect("is JSON");
        let token = Secret::new(format!("Token {}", seed["token"].as_str().expect("has a token")));
        let mut config = RestConfig::new("pretalx", url.parse().expect("is a URL"));
        config.auth = Auth::Header { name: http::header::AUTHORIZATION, value: token };
        config.outbound = loopback();
        config.policy.timeout = Duration::from_secs(180);
        config.policy.first_byte = Duration::from_secs(180);
        let client = RestClient::new(config, system_clock()).expect("is a client");
        Some(Self { url, seed, client, releases: 0 })
    }

    pub fn config(&self, event_id: &str) -> EventServiceConfig {
        let token = self.seed["token"].as_str().expect("has a token");
        let mut config = pretix_config(event_id, &self.url, "unused", "conf", token);
        config.connector = ConnectorKind::Pretalx;
        config.options.remove("organizer");
        config
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let asked = format!("{method} {path}");
        let mut request = Request::new(method, format!("/api/events/conf/{path}"));
        if let Some(body) = body {
            request = request.json(&body).expect("is JSON");
        }
        let answer = self.client.send(&Cx::root(), request).await;
        answer.and_then(|answer| answer.json()).unwrap_or_else(|fault| panic!("{asked}: {fault}"))
    }

    pub fn talks(&self) -> Vec<String> {
        let talks = self.seed["talks"].as_array().expect("has talks");
        talks.iter().map(|talk| talk["code"].as_str().expect("is text").to_owned()).collect()
    }

    pub fn rooms(&self) -> Vec<i64> {
        let rooms = self.seed["rooms"].as_array().expect("has rooms");
        rooms.iter().map(|room| room["id"].as_i64().expect("is a number")).collect()
    }

    /// Proposes, accepts and confirms a talk and returns its code. It has no time yet.
    pub async fn add(&self, title: &str) -> String {
        let types = self.ask(Method::GET, "submission-types/", None).await;
        let body = json!({"title": title, "submission_type": types["results"][0]["id"], "content_locale": "en",
                          "abstract": "It joins."});
        let made = self.ask(Method::POST, "submissions/", Some(body)).await;
        let code = made["code"].as_str().expect("has a code").to_owned();
        for step in ["accept", "confirm"] {
            self.ask(Method::POST, &format!("submissions/{code}/{step}/"), Some(json!({}))).await;
        }
        code
    }

    /// Puts a talk into a room at a time of the programme that is not released yet.
    pub async fn place(&self, code: &str, room: i64, begins_at: Timestamp, minutes: u64) {
        let wip = self.ask(Method::GET, "schedules/wip/?expand=slots", None).await;
        let slots = wip["slots"].as_array().expect("has slots");
        let slot = slots.iter().find(|slot| slot["submission"] == code).expect("has a slot");
        let body = json!({"room": room, "start": begins_at.to_string()});
        self.ask(Method::PATCH, &format!("slots/{}/", slot["id"]), Some(body)).await;
        // Only a change of its length moves its end: first another, then the one that is meant.
        for minutes in [minutes + 1, minutes] {
            let body = json!({"duration": minutes});
            self.ask(Method::PATCH, &format!("submissions/{code}/"), Some(body)).await;
        }
    }

    pub async fn cancel(&self, code: &str) {
        self.ask(Method::POST, &format!("submissions/{code}/cancel/"), Some(json!({}))).await;
    }

    /// Deletes a talk with all that is known of it.
    pub async fn delete(&self, code: &str) {
        let request = Request::new(Method::DELETE, format!("/api/events/conf/submissions/{code}/"));
        self.client
            .send(&Cx::root(), request)
            .await
            .unwrap_or_else(|fault| panic!("deleting {code}: {fault}"));
    }

    pub async fn set_capacity(&self, room: i64, capacity: u32) {
        self.ask(Method::PATCH, &format!("rooms/{room}/"), Some(json!({"capacity": capacity}))).await;
    }

    pub async fn release(&mut self) {
        self.releases += 1;
        let version = format!("r{}-{}", self.releases, ieum_core::new_id());
        self.ask(Method::POST, "schedules/release/", Some(json!({"version": version}))).await;
    }

    /// Returns what pretalx shows the public: its own schedule in JSON, made by its exporter.
    pub async fn truth(&self) -> Told {
        let path = "/conf/schedule/export/schedule.json";
        let answer: Value = self.client.get_json(&Cx::root(), path).await.expect("is exported");
        let days = answer["schedule"]["conference"]["days"].as_array().expect("has days").clone();
        let mut told = Told::new();
        for (room, talks) in days.iter().flat_map(|day| day["rooms"].as_object().expect("has rooms").clone())
        {
            for talk in talks.as_array().expect("has talks") {
                let text = |field: &str| talk[field].as_str().expect("is text").to_owned();
                let begins_at = Timestamp::parse(&text("date")).expect("is a time");
                let (hours, minutes) = text("duration")
                    .split_once(':')
                    .map(|(hours, minutes)| {
                        (
                            hours.parse::<u64>().expect("is a number"),
                            minutes.parse::<u64>().expect("is a number"),
                        )
                    })
                    .expect("is a span");
                let ends_at = begins_at + Duration::from_secs(hours * 3_600 + minutes * 60);
                told.insert(text("code"), (room.clone(), begins_at, ends_at));
            }
        }
        told
    }
}
