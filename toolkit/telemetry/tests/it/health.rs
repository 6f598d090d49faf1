//! Health as an orchestrator sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use ieum_core::{Fault, ManualClock, Timestamp};
use ieum_telemetry::{
    Critical, Health, HealthCheck, HealthOptions, Status, Telemetry, TelemetryConfig, health_routes,
    metrics_routes,
};
use tower::ServiceExt;

struct Switch {
    up: AtomicBool,
    asked: AtomicU32,
}

/// Hears itself of what changes.
struct Heard(Timestamp);

struct Hanging;

struct Panicking;

#[async_trait::async_trait]
impl HealthCheck for Switch {
    async fn check(&self) -> Result<(), Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.up.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(Fault::unavailable("test.down", "connecting to the switch: refused"))
        }
    }
}

#[async_trait::async_trait]
impl HealthCheck for Heard {
    async fn check(&self) -> Result<(), Fault> {
        Err(Fault::unavailable("test.gone", "it hung up"))
    }

    fn since(&self) -> Option<Timestamp> {
        Some(self.0)
    }
}

#[async_trait::async_trait]
impl HealthCheck for Hanging {
    async fn check(&self) -> Result<(), Fault> {
        std::future::pending().await
    }
}

#[async_trait::async_trait]
impl HealthCheck for Panicking {
    async fn check(&self) -> Result<(), Fault> {
        panic!("on purpose")
    }
}

fn switch() -> Arc<Switch> {
    Arc::new(Switch { up: AtomicBool::new(true), asked: AtomicU32::new(0) })
}

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::parse("2026-05-01T01:00:00Z").expect("is RFC 3339"))
}

async fn get(health: &Health, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).expect("is a request");
    let response = health_routes(health.clone()).oneshot(request).await.expect("never fails");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("is short");
    (status, String::from_utf8(body.to_vec()).expect("is text"))
}

fn pretty(body: &str) -> serde_json::Value {
    serde_json::from_str(body).expect("is JSON")
}

#[tokio::test]
async fn a_missing_extra_degrades_and_a_missing_need_stops_work() {
    let clock = clock();
    let health = Health::new(clock.shared(), HealthOptions::default());
    let (need, extra) = (switch(), switch());
    health.add("sql", Critical::Yes, need.clone());
    health.add("cache", Critical::No, extra.clone());
    assert_eq!(get(&health, "/health/startup").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&health, "/health/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&health, "/health/live").await.0, StatusCode::OK);
    health.started();
    assert_eq!(get(&health, "/health/startup").await.0, StatusCode::OK);
    let (code, healthy) = get(&health, "/health/ready").await;
    assert_eq!(code, StatusCode::OK);
    insta::assert_json_snapshot!("healthy", pretty(&healthy));

    extra.up.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(45));
    let (code, degraded) = get(&health, "/health/ready").await;
    assert_eq!(code, StatusCode::OK, "work may come");
    insta::assert_json_snapshot!("degraded", pretty(&degraded));

    need.up.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(45));
    let (code, unhealthy) = get(&health, "/health/ready").await;
    assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
    insta::assert_json_snapshot!("unhealthy", pretty(&unhealthy));
    assert_eq!(get(&health, "/health/live").await.0, StatusCode::OK, "a restart would not help");

    need.up.store(true, Ordering::SeqCst);
    health.stopping();
    clock.advance(Duration::from_secs(45));
    let report = health.report().await;
    assert_eq!(report.status, Status::Stopping);
    assert_eq!(get(&health, "/health/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn since_is_when_a_status_came_and_never_when_somebody_asked() {
    let clock = clock();
    let health = Health::new(clock.shared(), HealthOptions::default());
    let begun = Timestamp::parse("2026-05-01T01:00:00Z").expect("is RFC 3339");
    let (need, hung_up) = (switch(), begun + Duration::from_secs(5));
    health.add("sql", Critical::Yes, need.clone());
    health.add("satellite", Critical::No, Arc::new(Heard(hung_up)));
    health.started();
    let since =
        async || -> Vec<_> { health.report().await.checks.into_iter().map(|check| check.since).collect() };
    // Nobody has looked for an hour: what is so now may have come at any time.
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(since().await, [None, Some(hung_up)]);
    assert!(!get(&health, "/health/ready").await.1.contains("null"), "it is left out");
    need.up.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(10));
    let down = Some(clock.shared().now());
    assert_eq!(since().await, [down, Some(hung_up)], "the look before told another status");
    for _ in 0..3 {
        clock.advance(Duration::from_secs(10));
        assert_eq!(since().await[0], down);
    }
    need.up.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(61));
    assert_eq!(since().await[0], None);
}

#[tokio::test]
async fn however_many_ask_a_dependency_is_asked_once_per_fresh_span() {
    let clock = clock();
    let health = Health::new(clock.shared(), HealthOptions::default());
    let need = switch();
    health.add("sql", Critical::Yes, need.clone());
    health.started();
    for _ in 0..100 {
        health.report().await;
    }
    futures::future::join_all((0..100).map(|_| health.report())).await;
    assert_eq!(need.asked.load(Ordering::SeqCst), 1);
    clock.advance(Duration::from_secs(1));
    health.report().await;
    assert_eq!(need.asked.load(Ordering::SeqCst), 2);
    health.add("bus", Critical::No, switch());
    assert_eq!(health.report().await.checks.len(), 2, "an added dependency is seen at once");
}

#[tokio::test]
async fn a_check_that_hangs_or_panics_is_a_failed_check() {
    let clock = clock();
    let health = Health::new(clock.shared(), HealthOptions::default());
    health.add("hanging", Critical::No, Arc::new(Hanging));
    health.add("panicking", Critical::No, Arc::new(Panicking));
    health.started();
    let asked = tokio::spawn({
        let health = health.clone();
        async move { health.report().await }
    });
    while clock.next_wake().is_none() {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(2));
    let report = asked.await.expect("nothing breaks");
    assert_eq!(report.status, Status::Degraded);
    let details: Vec<_> = report.checks.iter().filter_map(|check| check.detail.as_deref()).collect();
    assert_eq!(details, ["gave no answer within 2000 ms", "the check itself broke"]);
}

#[tokio::test]
async fn metrics_are_shown_in_prometheus_text() {
    let (telemetry, _) = Telemetry::build(&TelemetryConfig::default()).expect("the defaults are right");
    metrics::with_local_recorder(telemetry.recorder(), || {
        metrics::counter!("ieum_test_total", "kind" => "query").increment(2);
        metrics::histogram!("ieum_test_seconds").record(0.02);
    });
    let request = Request::get("/metrics").body(Body::empty()).expect("is a request");
    let response = metrics_routes(telemetry.metrics()).oneshot(request).await.expect("never fails");
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("is short");
    let text = String::from_utf8(body.to_vec()).expect("is text");
    assert!(text.contains("ieum_test_total{kind=\"query\"} 2"), "{text}");
    assert!(text.contains("ieum_test_seconds_bucket{le=\"0.025\"} 1"), "{text}");
}
