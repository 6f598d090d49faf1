//! What people who run the platform ask over HTTP: it answers what its document says, to whom it may.

use std::path::Path;
use std::time::Duration;

use ieum_bus::{BusOptions, Event, open_bus};
use ieum_core::{Cx, system_clock};
use ieum_events::simulator::Simulator;
use ieum_store::{Store, StoreOptions};
use ieum_testkit::wait;
use serde_json::{Value, json};

use crate::{Running, simulator, up};

const LONG: Duration = Duration::from_secs(180);

/// Asks one running platform, and checks every answer against the committed document.
struct Desk {
    client: reqwest::Client,
    base: String,
    document: Value,
}

impl Desk {
    fn new(platform: &Running) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = include_str!("../../../contracts/openapi/operator.json");
        let document = serde_json::from_str(text).expect("is JSON");
        let base = format!("http://{}/api/operator", platform.address);
        Self { client: reqwest::Client::new(), base, document }
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = method.parse().expect("is a method");
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.json().await.expect("is JSON"))
    }

    /// Asks for what `template` documents, and returns the answer once it has the documented shape.
    async fn ask(&self, method: &str, template: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        let operation = &self.document["paths"][format!("/api/operator{template}")][method.to_lowercase()];
        let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {template} documents no {status}");
        self.agrees(&answer, schema, template);
        answer
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, path, None).await
    }

    /// Fails where `value` lacks what `schema` needs or has what it does not know.
    fn agrees(&self, value: &Value, schema: &Value, place: &str) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().expect("has a name");
            return self.agrees(value, &self.document["components"]["schemas"][name], place);
        }
        if let Some(either) = schema["oneOf"].as_array() {
            let other = either.iter().find(|one| one["type"] != "null").expect("is one or null");
            if !value.is_null() {
                self.agrees(value, other, place);
            }
            return;
        }
        match value {
            Value::Object(fields) => self.fields_agree(fields, schema, place),
            Value::Array(items) => {
                items.iter().for_each(|item| self.agrees(item, &schema["items"], place));
            }
            other => {
                let kind = match other {
                    Value::String(_) => "string",
                    Value::Bool(_) => "boolean",
                    Value::Null => "null",
                    _ => "number",
                };
                let allowed = schema["type"].to_string().replace("integer", "number");
                assert!(allowed.contains(kind), "{place} is {other}, expected {allowed}");
            }
        }
    }

    fn fields_agree(&self, fields: &serde_json::Map<String, Value>, schema: &Value, place: &str) {
        let parts: Vec<&Value> = match schema["allOf"].as_array() {
            Some(all) => all.iter().map(|part| self.resolved(part)).collect(),
            None => vec![schema],
        };
        for part in &parts {
            for needed in part["required"].as_array().into_iter().flatten() {
                let name = needed.as_str().expect("is a name");
                assert!(fields.contains_key(name), "{place} lacks {name}: {fields:?}");
            }
        }
        for (name, value) in fields {
            let known = parts.iter().find_map(|part| part["properties"].get(name));
            let more = parts.iter().map(|part| &part["additionalProperties"]).find(|more| more.is_object());
            let schema = known.or(more).unwrap_or_else(|| panic!("{place}.{name} is not documented"));
            self.agrees(value, schema, &format!("{place}.{name}"));
        }
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            Some(name) => &self.document["components"]["schemas"][name],
            None => schema,
        }
    }
}

/// Publishes what no consumer can read, from another process as it were.
async fn publish_nonsense(data: &Path) {
    let url = format!("sqlite:{}", data.join("ieum.db").display());
    let store = Store::open(&url, &StoreOptions::default()).await.expect("opens");
    let bus = open_bus("local:", store.clone(), system_clock(), BusOptions::default()).await.expect("opens");
    let nonsense = json!({ "nonsense": true });
    let event = Event::new(&Cx::root(), "tests", "events.event_data.updated.v1", "fair", nonsense);
    let event = event.expect("is JSON");
    bus.publish("event-data-updates", event).await.expect("is taken");
    bus.close();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_the_document_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[("IEUM__GATEWAY__PUBLIC_PER_MINUTE", "6000")]);
    let desk = Desk::new(&platform);
    // It must go on telling, or there is no news for webhooks to send.
    let _simulator = sources_come_and_go(&desk).await;
    let partner = keys_come_and_go(&desk).await;
    webhooks_are_shown(&desk, &platform, &partner).await;
    publish_nonsense(folder.path()).await;
    dead_letters_are_decided(&desk).await;
    let well = async || desk.get("/overview").await["health"]["status"] == "healthy";
    wait::until("all is well", LONG, well).await.expect("is");
    desk.get("/bus").await;
    let links = desk.get("/links").await;
    let names = links["links"].as_array().expect("is a list").iter().map(|link| &link["name"]);
    let names: Vec<_> = names.filter_map(Value::as_str).collect();
    assert!(names.contains(&"events.state") && names.contains(&"analytics.insights"), "{names:?}");
    let order = json!({ "order": "open", "reason": "an exercise" });
    let held = desk.ask("POST", "/links/{name}", "/links/events.state", Some(order)).await;
    assert_eq!(held["breaker"], json!({ "state": "held-open", "reason": "an exercise", "opened": 0 }));
    let (status, problem) = desk.send("POST", "/links/events.state", Some(json!({ "order": "hold" }))).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("platform.link.no_reason")));
    platform.stop();
}

async fn sources_come_and_go(desk: &Desk) -> Simulator {
    let simulator = simulator().await;
    let wish = serde_json::to_value(simulator.config(1)).expect("is JSON");
    desk.ask("POST", "/sources", "/sources", Some(wish)).await;
    let live = async || desk.get("/sources").await["sources"][0]["phase"] == "live";
    wait::until("the source is read", LONG, live).await.expect("is read");
    desk.ask("POST", "/sources/{eventId}/check", "/sources/fair/check", None).await;
    desk.ask("GET", "/sources/{eventId}/progress", "/sources/fair/progress", None).await;
    desk.ask("DELETE", "/sources/{eventId}", "/sources/fair", None).await;
    assert_eq!(desk.send("POST", "/sources/fair/check", None).await.0, 404);
    let wish = serde_json::to_value(simulator.config(1)).expect("is JSON");
    desk.ask("POST", "/sources", "/sources", Some(wish)).await;
    simulator
}

/// Returns the text of a key that stays.
async fn keys_come_and_go(desk: &Desk) -> String {
    let wish = json!({ "name": "Radio", "tier": "partner", "events": ["*"] });
    let made = desk.ask("POST", "/keys", "/keys", Some(wish.clone())).await;
    let id = made["key"]["keyId"].as_str().expect("has an id").to_owned();
    let rotated = json!({ "overlapSeconds": 60 });
    desk.ask("POST", "/keys/{keyId}/rotate", &format!("/keys/{id}/rotate"), Some(rotated)).await;
    let revoked = desk.ask("POST", "/keys/{keyId}/revoke", &format!("/keys/{id}/revoke"), None).await;
    assert_eq!(revoked["status"], "revoked");
    let made = desk.ask("POST", "/keys", "/keys", Some(wish)).await;
    assert!(made["key"].get("lastUsedAt").is_none(), "nobody used it yet");
    made["text"].as_str().expect("is shown once").to_owned()
}

async fn webhooks_are_shown(desk: &Desk, platform: &Running, partner: &str) {
    // Nobody listens there; what is sent stays to be looked at.
    let hook = json!({ "url": "http://127.0.0.1:9/hook" });
    let url = format!("http://{}/api/partner/webhooks", platform.address);
    let answer = desk.client.post(url).header("X-API-Key", partner).json(&hook).send().await;
    assert!(answer.expect("answers").status().is_success());
    let endpoint = desk.get("/webhooks").await["webhooks"][0].clone();
    assert_eq!(endpoint["partnerName"], "Radio");
    let used = async || desk.get("/keys").await["keys"][1].get("lastUsedAt").is_some();
    wait::until("the use is written down", LONG, used).await.expect("is");
    let text = |value: &Value, name: &str| value[name].as_str().expect("is text").to_owned();
    let (id, partner) = (text(&endpoint, "id"), text(&endpoint, "partner"));
    let of_endpoint = format!("/webhooks/{partner}/{id}");
    let log = format!("{of_endpoint}/deliveries");
    let tried = async || {
        let found = desk.ask("GET", "/webhooks/{partner}/{webhookId}/deliveries", &log, None).await;
        found["deliveries"].as_array()?.iter().find(|one| one["attempts"] == 1).cloned()
    };
    let tried = wait::until_some("something is sent", LONG, tried).await.expect("is sent");
    let of_delivery = format!("/deliveries/{partner}/{}", text(&tried, "id"));
    let shown = desk.ask("GET", "/deliveries/{partner}/{deliveryId}", &of_delivery, None).await;
    let body: Value = serde_json::from_str(shown["body"].as_str().expect("is text")).expect("is JSON");
    assert_eq!(body["data"]["eventId"], "fair", "{body}");
    let again = format!("{of_delivery}/resend");
    desk.ask("POST", "/deliveries/{partner}/{deliveryId}/resend", &again, None).await;
    for (action, state) in [("disable", "disabled"), ("enable", "active"), ("disable", "disabled")] {
        let template = format!("/webhooks/{{partner}}/{{webhookId}}/{action}");
        let changed = desk.ask("POST", &template, &format!("{of_endpoint}/{action}"), None).await;
        assert_eq!(changed["state"], state);
    }
    let (status, problem) = desk.send("GET", &format!("{log}?state=lost"), None).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("operator.query_malformed")));
}

async fn dead_letters_are_decided(desk: &Desk) {
    let died = async || desk.get("/dead").await["letters"].as_array().is_some_and(|all| !all.is_empty());
    wait::until("a consumer gives up", LONG, died).await.expect("gives up");
    let letter = desk.get("/dead").await["letters"][0].clone();
    let id = letter["id"].as_str().expect("has an id");
    let (status, problem) =
        desk.send("POST", &format!("/dead/{id}/discard"), Some(json!({ "reason": " " }))).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("operator.no_reason")));
    desk.ask("GET", "/dead/{id}", &format!("/dead/{id}"), None).await;
    let shown = desk.ask("POST", "/dead/{id}/replay", &format!("/dead/{id}/replay"), None).await;
    assert_eq!(shown["trail"][0]["who"], "console");
    let back = async || {
        let shown = desk.ask("GET", "/dead/{id}", &format!("/dead/{id}"), None).await;
        shown["letter"]["state"] == "parked"
    };
    wait::until("it fails again", LONG, back).await.expect("fails again");
    let event = letter["eventId"].as_str().expect("has an id");
    let seen = desk.ask("GET", "/where/{eventId}", &format!("/where/{event}"), None).await;
    assert!(seen["sightings"].as_array().is_some_and(|all| all.iter().any(|one| one["stage"] == "dead")));
    let reason = Some(json!({ "reason": "it is nonsense" }));
    let shown = desk.ask("POST", "/dead/{id}/discard", &format!("/dead/{id}/discard"), reason).await;
    assert_eq!(shown["letter"]["state"], "discarded");
    let none = desk.ask("POST", "/dead/replay", "/dead/replay", Some(json!({ "topic": "no-such" }))).await;
    assert_eq!(none["replayed"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_elsewhere_only_a_key_made_for_it_may_operate() {
    let folder = tempfile::tempdir().expect("a folder");
    // Everybody may see the hub's pages here, and still not operate.
    let platform = up(folder.path(), &[], &[("IEUM__GATEWAY__HUB", "anyone")]);
    let desk = Desk::new(&platform);
    let key = async |scopes: &[&str]| {
        let wish = json!({ "name": "Radio", "tier": "partner", "scopes": scopes });
        let made = desk.send("POST", "/keys", Some(wish)).await.1;
        made["text"].as_str().expect("is shown once").to_owned()
    };
    let (seeing, operating) = (key(&["events:read"]).await, key(&["events:read", "hub:operate"]).await);
    let from_elsewhere = async |key: Option<&str>| {
        let mut request =
            desk.client.get(format!("{}/keys", desk.base)).header("x-forwarded-for", "192.0.2.7");
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        request.send().await.expect("answers").status().as_u16()
    };
    assert_eq!(from_elsewhere(None).await, 401);
    assert_eq!(from_elsewhere(Some(&seeing)).await, 403);
    assert_eq!(from_elsewhere(Some(&operating)).await, 200);
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_get_their_secrets_here_and_lose_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let desk = Desk::new(&platform);
    // Whose secret it is, may speak as the device.
    let may = async |secret: &Value| {
        let url = format!("http://{}/api/v2/dialog/text", platform.address);
        let turn = json!({ "turnId": secret, "deviceId": "attic", "text": "what time is it" });
        let asked = desk.client.post(url).basic_auth("attic", secret.as_str()).json(&turn);
        asked.send().await.expect("answers").status().as_u16()
    };
    let made =
        desk.ask("POST", "/voice/devices", "/voice/devices", Some(json!({ "deviceId": "attic" }))).await;
    let first = made["secret"].clone();
    assert_eq!((&made["deviceId"], first.as_str().map(str::len)), (&json!("attic"), Some(43)));
    assert_eq!((may(&first).await, may(&json!("guessed")).await), (200, 401));
    assert_eq!(desk.get("/voice/devices").await["devices"][0]["hasSecret"], true);
    let (status, problem) = desk.send("POST", "/voice/devices", Some(json!({ "deviceId": "attic" }))).await;
    assert_eq!((status, &problem["reason"]), (409, &json!("device.known")), "{problem}");
    let detail = problem["detail"].as_str().expect("is told");
    assert!(detail.ends_with("; rotate it, or revoke it first"), "{detail}");
    let (status, problem) = desk.send("POST", "/voice/devices", Some(json!({ "deviceId": "at/tic" }))).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("device.name")), "{problem}");

    let rotate = async |device: &str, overlap: Value| {
        let path = format!("/voice/devices/{device}/rotate");
        let wish = json!({ "overlapSeconds": overlap });
        desk.send("POST", &path, Some(wish)).await
    };
    let template = "/voice/devices/{deviceId}/rotate";
    let second = desk.ask("POST", template, "/voice/devices/attic/rotate", Some(json!({}))).await;
    assert!(second["formerValidUntil"].is_string(), "{second}");
    assert_eq!((may(&first).await, may(&second["secret"]).await), (200, 200));
    let (status, third) = rotate("attic", json!(0)).await;
    assert_eq!((status, &third["formerValidUntil"]), (200, &Value::Null), "{third}");
    assert_eq!(
        (may(&first).await, may(&second["secret"]).await, may(&third["secret"]).await),
        (401, 401, 200)
    );
    let (status, problem) = rotate("attic", json!(7_776_001)).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("device.overlap")), "{problem}");
    let (status, problem) = rotate("cellar", json!(0)).await;
    assert_eq!((status, &problem["reason"]), (404, &json!("device.unknown")), "{problem}");

    let template = "/voice/devices/{deviceId}/revoke";
    let gone = desk.ask("POST", template, "/voice/devices/attic/revoke", None).await;
    assert_eq!(gone, json!({ "deviceId": "attic", "revoked": 3 }));
    assert_eq!(may(&third["secret"]).await, 401);
    let (status, problem) = desk.send("POST", "/voice/devices/attic/revoke", None).await;
    assert_eq!((status, &problem["reason"]), (404, &json!("device.unknown")), "{problem}");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_replayed_beside_what_it_was_and_nothing_comes_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let desk = Desk::new(&platform);
    let say = async |turn: &str, text: &str| {
        let url = format!("http://{}/api/v2/dialog/text", platform.address);
        let said = json!({ "turnId": turn, "userId": "ada", "text": text });
        let answer = desk.client.post(url).json(&said).send().await.expect("answers");
        answer.json::<Value>().await.expect("is JSON")["text"].clone()
    };
    assert_eq!(say("1", "set a timer for 50 minutes").await, "Timer set for 50 minutes.");
    let kept = desk.send("GET", "/voice/turns", None).await.1["turns"].clone();
    let path = format!("/voice/turns/{}/replay", kept[0]["id"].as_str().expect("has an id"));
    let (status, again) = desk.send("POST", &path, None).await;
    assert_eq!((status, &again["kept"], &again["context"]), (200, &kept[0], &json!("kept")), "{again}");
    assert_eq!((&again["now"], &again["differences"]), (&kept[0]["at"], &json!([])), "{again}");
    assert_eq!(again["answer"]["text"], "Timer set for 50 minutes.");
    assert_eq!(
        (&again["effects"][0]["effect"], &again["effects"][0]["kind"]),
        (&json!("schedule"), &json!("timer"))
    );
    assert_eq!(again["effects"], kept[0]["effects"]);
    assert_eq!(again["meanings"][0]["slots"]["duration"], json!({ "kind": "duration", "seconds": 3_000 }));
    let view = &desk.document["components"]["schemas"]["ReplayView"]["properties"];
    let (told, documented) = (again.as_object().expect("is one"), view.as_object().expect("is documented"));
    assert!(told.keys().eq(documented.keys()), "{told:?}");
    let (status, today) = desk.send("POST", &format!("{path}?now=true"), None).await;
    assert_eq!((status, &today["differences"]), (200, &json!(["effects"])), "{today}");
    assert_eq!(desk.send("GET", "/voice/turns", None).await.1["turns"], kept, "no turn is kept of it");
    let one = say("2", "cancel all my timers").await;
    assert_eq!(one, "The timer is cancelled.", "only the one was set");
    let (status, problem) = desk.send("POST", "/voice/turns/none/replay", None).await;
    assert_eq!((status, &problem["reason"]), (404, &json!("voice.turn.unknown")));
    let (status, problem) = desk.send("POST", &format!("{path}?now=maybe"), None).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("gateway.query_invalid")));
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_part_here_answers_is_said_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["events"], &[]);
    let desk = Desk::new(&platform);
    for path in ["/keys", "/webhooks", "/voice/devices", "/voice/turns"] {
        let (status, problem) = desk.send("GET", path, None).await;
        assert_eq!((status, &problem["reason"]), (501, &json!("operator.part_absent")), "{path}");
    }
    for (path, body) in [
        ("/voice/turns/1/replay", None),
        ("/voice/devices", Some(json!({ "deviceId": "attic" }))),
        ("/voice/devices/attic/rotate", Some(json!({}))),
        ("/voice/devices/attic/revoke", None),
    ] {
        let (status, problem) = desk.send("POST", path, body).await;
        assert_eq!((status, &problem["reason"]), (501, &json!("operator.part_absent")), "{path}");
    }
    desk.get("/sources").await;
    platform.stop();
}
