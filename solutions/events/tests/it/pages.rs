//! The front door of the hub's pages and hooks: who needs a key, what a key sees, how much may come.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use ieum_contracts::events::EventServiceRegistry;
use ieum_core::{Clock, Cx, ManualClock, SharedClock, SystemClock, system_clock};
use ieum_events::simulator::{SimulatedEvent, Simulator};
use ieum_events::{EventsOptions, Visitors};
use ieum_gateway::{EventAccess, GatewayOptions, Keys, KeysOptions, NewKey, Rate, Tier};
use ieum_testkit::wait::until;
use tower::ServiceExt;

use crate::base::on_every_backend;
use crate::hub::{ForTests, Hub, PATIENCE, from};
use ieum_testkit::backend::SqlStore;

on_every_backend!(
    from_another_machine_the_pages_need_a_key_which_sees_its_own_events,
    who_brings_no_key_is_limited_per_address,
    wrong_hook_addresses_are_limited_per_address,
);

const PAGES: [&str; 5] =
    ["/api/events", "/api/events/stream", "/api/events/one", "/api/events/one/history", "/api/dashboard"];

async fn two_events(hub: &Hub) -> Vec<Simulator> {
    let mut simulators = Vec::new();
    for (event_id, seed) in [("one", 1), ("two", 2)] {
        let event = SimulatedEvent {
            event_id: event_id.into(),
            name: event_id.into(),
            registered: 50,
            gates: vec!["door".into()],
            lasts: Duration::from_secs(60),
            seed,
        };
        let simulator = Simulator::start(event, system_clock()).await.expect("starts");
        hub.part.registry().register(&Cx::root(), simulator.config(1)).await.expect("registers");
        let seen = || async { hub.state(event_id).await.is_some() };
        until("the event is seen", PATIENCE, seen).await.expect("is seen");
        simulators.push(simulator);
    }
    simulators
}

async fn ask(router: &axum::Router, peer: &str, path: &str, key: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::get(path);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let request = from(peer, request.body(Body::empty()).expect("is a request"));
    let response = router.clone().oneshot(request).await.expect("answers");
    let status = response.status();
    if path.ends_with("stream") && status.is_success() {
        return (status, String::new());
    }
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("reads");
    (status, String::from_utf8(body.to_vec()).expect("is text"))
}

async fn from_another_machine_the_pages_need_a_key_which_sees_its_own_events(base: &SqlStore) {
    let hub = Hub::started(base, system_clock()).await;
    let _simulators = two_events(&hub).await;
    let router = hub.router();
    let keys = Keys::new(hub.store.clone(), system_clock(), KeysOptions::default());
    let new = |events: &[&str], scopes: &[&str]| NewKey {
        name: "screen".into(),
        tier: Tier::Partner,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        events: EventAccess::from(events.iter().map(|event| (*event).to_owned()).collect::<Vec<_>>()),
        expires_at: None,
        rate: None,
    };
    let (_, key) = keys.create(new(&["one"], &["events:read"])).await.expect("is made");
    let (_, blind) = keys.create(new(&["one"], &["attendance:read"])).await.expect("is made");
    for page in PAGES {
        assert_eq!(ask(&router, "127.0.0.1:9", page, None).await.0, StatusCode::OK, "{page}");
        let (status, body) = ask(&router, "10.0.0.7:9", page, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{page}");
        assert!(body.contains("events.key_missing") && body.contains("X-API-Key"), "{body}");
        assert_eq!(ask(&router, "10.0.0.7:9", page, Some(key.expose())).await.0, StatusCode::OK, "{page}");
        let (status, _) = ask(&router, "10.0.0.7:9", page, Some(blind.expose())).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
        let (status, _) = ask(&router, "10.0.0.7:9", page, Some("ieum_wrong")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{page}");
    }
    let (_, body) = ask(&router, "10.0.0.7:9", "/api/events", Some(key.expose())).await;
    assert!(body.contains("\"one\"") && !body.contains("\"two\""), "{body}");
    let (_, body) = ask(&router, "10.0.0.7:9", "/api/dashboard", Some(key.expose())).await;
    assert!(body.contains("\"one\"") && !body.contains("\"two\""), "{body}");
    for page in ["/api/events/two", "/api/events/two/history"] {
        let (status, _) = ask(&router, "10.0.0.7:9", page, Some(key.expose())).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
    }
    hub.stop().await;
}

/// A clock that stands still: who takes a long time over a few requests is given no new allowance meanwhile.
fn still() -> SharedClock {
    ManualClock::at(SystemClock.now()).shared()
}

async fn who_brings_no_key_is_limited_per_address(base: &SqlStore) {
    let options = EventsOptions { visitors: Visitors::Anyone, ..EventsOptions::default().for_tests() };
    let hub = Hub::open_at(&base.url, still(), options).await;
    let few = GatewayOptions { public: Rate::per_minute(3), ..GatewayOptions::default() };
    let router = hub.part.router(&hub.gateway(few), None);
    for _ in 0..3 {
        assert_eq!(ask(&router, "10.0.0.7:9", "/api/events", None).await.0, StatusCode::OK);
    }
    let (status, body) = ask(&router, "10.0.0.7:9", "/api/dashboard", None).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{body}");
    assert_eq!(ask(&router, "10.0.0.8:9", "/api/events", None).await.0, StatusCode::OK, "another address");
    hub.stop().await;
}

async fn wrong_hook_addresses_are_limited_per_address(base: &SqlStore) {
    let hub = Hub::started(base, still()).await;
    let router = hub.router();
    let mut statuses = Vec::new();
    for i in 0..40 {
        let request = Request::post(format!("/hooks/expo/{i}")).body(Body::from("{}")).expect("is a request");
        let response = router.clone().oneshot(from("10.0.0.7:9", request)).await.expect("answers");
        statuses.push(response.status());
    }
    assert_eq!(statuses[0], StatusCode::NOT_FOUND);
    assert_eq!(statuses[39], StatusCode::TOO_MANY_REQUESTS);
    let request = Request::post("/hooks/expo/x").body(Body::from("{}")).expect("is a request");
    let response = router.oneshot(from("10.0.0.8:9", request)).await.expect("answers");
    assert_eq!(response.status(), StatusCode::NOT_FOUND, "another address");
    hub.stop().await;
}
