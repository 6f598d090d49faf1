//! The seed's shape, spoken by the simulator, and what the public routes answer.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use http::{Request, StatusCode};
use ieum_contracts::events::{EventServiceRegistry, EventState, ListEvents};
use ieum_core::{Cx, system_clock};
use ieum_events::simulator::{SimulatedEvent, Simulator};
use ieum_testkit::wait::until;
use serde_json::Value;
use tower::ServiceExt;

use crate::base::on_every_backend;
use crate::hub::{Hub, PATIENCE, from};
use ieum_testkit::backend::SqlStore;

on_every_backend!(
    simulated_events_move_and_the_routes_show_them,
    the_stream_begins_with_the_whole_picture,
    a_source_that_is_not_healthy_is_not_registered,
);

fn simulated(event_id: &str, seed: u64) -> SimulatedEvent {
    SimulatedEvent {
        event_id: event_id.into(),
        name: format!("Event {event_id}"),
        registered: 5_000,
        gates: vec!["north".into(), "south".into()],
        lasts: Duration::from_secs(30),
        seed,
    }
}

async fn get(hub: &Hub, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).expect("is a request");
    let response = hub.router().oneshot(from("127.0.0.1:9", request)).await.expect("answers");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("reads");
    (status, serde_json::from_slice(&body).expect("is JSON"))
}

async fn simulated_events_move_and_the_routes_show_them(base: &SqlStore) {
    let hub = Hub::started(base, system_clock()).await;
    let mut simulators = Vec::new();
    for (event_id, seed) in [("one", 1), ("two", 2)] {
        let simulator = Simulator::start(simulated(event_id, seed), system_clock()).await.expect("starts");
        hub.part.registry().register(&Cx::root(), simulator.config(1)).await.expect("registers");
        simulators.push(simulator);
    }
    let moving = || async {
        let states = hub.part.state().list(&Cx::root(), ListEvents::default()).await.expect("lists");
        states.events.len() == 2 && states.events.iter().all(|event| event.data.metrics.checked_in > 0)
    };
    until("both events move", PATIENCE, moving).await.expect("they move");
    // A point is written into the time series once its state is told.
    let told = || async {
        let (_, dashboard) = get(&hub, "/api/dashboard?timeRange=24h").await;
        let rows = dashboard["charts"]["attendanceTrend"][0]["rows"].as_array().map_or(0, Vec::len);
        rows > 0
    };
    until("the time series tells the past", PATIENCE, told).await.expect("is told");
    let (status, dashboard) = get(&hub, "/api/dashboard?timeRange=24h").await;
    assert_eq!((status, dashboard["summary"]["totalEvents"].as_u64()), (StatusCode::OK, Some(2)));
    assert_eq!(dashboard["events"][0]["freshness"], "fresh");
    let (status, event) = get(&hub, "/api/events/two").await;
    assert_eq!((status, event["eventName"].as_str()), (StatusCode::OK, Some("Event two")));
    let (status, problem) = get(&hub, "/api/events/three").await;
    assert_eq!((status, problem["reason"].as_str()), (StatusCode::NOT_FOUND, Some("events.event.unknown")));
    let (status, problem) = get(&hub, "/api/dashboard?timeRange=soon").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("timeRange")));
    hub.stop().await;
}

async fn the_stream_begins_with_the_whole_picture(base: &SqlStore) {
    let hub = Hub::started(base, system_clock()).await;
    let simulator = Simulator::start(simulated("one", 1), system_clock()).await.expect("starts");
    hub.part.registry().register(&Cx::root(), simulator.config(1)).await.expect("registers");
    let seen = || async { hub.state("one").await.is_some() };
    until("the event is seen", PATIENCE, seen).await.expect("is seen");
    let request = Request::get("/api/events/stream").body(Body::empty()).expect("is a request");
    let response = hub.router().oneshot(from("127.0.0.1:9", request)).await.expect("answers");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let mut pictures = 0;
    while pictures < 2 {
        let piece = tokio::time::timeout(PATIENCE, body.next()).await.expect("comes").expect("goes on");
        let text = String::from_utf8(piece.expect("reads").to_vec()).expect("is text");
        // A comment keeps the connection alive where nothing was told for long.
        if text.starts_with(':') {
            continue;
        }
        pictures += 1;
        assert!(text.starts_with("event: states\ndata: {\"events\":[{"), "{text}");
    }
    hub.stop().await;
}

async fn a_source_that_is_not_healthy_is_not_registered(base: &SqlStore) {
    let hub = Hub::open(base, system_clock()).await;
    let simulator = Simulator::start(simulated("one", 1), system_clock()).await.expect("starts");
    let mut config = simulator.config(1);
    config.endpoints.health_check = Some(format!("{}/api/analytics/realtime", simulator.url()));
    let fault = hub.part.registry().register(&Cx::root(), config.clone()).await.expect_err("is not healthy");
    assert!(fault.message.contains("health"), "{}", fault.message);
    config.endpoints.health_check = None;
    let fault =
        hub.part.registry().register(&Cx::root(), config.clone()).await.expect_err("has no health URL");
    assert!(fault.message.contains("endpoints.healthCheck"), "{}", fault.message);
    config.sync_settings.interval = 0;
    let fault = hub.part.registry().register(&Cx::root(), config).await.expect_err("never reads");
    assert!(fault.message.contains("syncSettings.interval"), "{}", fault.message);
    assert_eq!(hub.published().await, 0);
}
