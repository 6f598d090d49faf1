//! What a request leaves in traces and metrics.

use std::sync::Arc;

use http::{Method, StatusCode};
use ieum_gateway::{GatewayOptions, Tier};
use ieum_telemetry::{Telemetry, TelemetryConfig};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::stage::{Stage, TRACEPARENT, ask, get_with, request};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("starts")
}

/// Writes down the fields of every span of the gateway's.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{}={value:?} ", field.name()));
            }
        }
        let mut text = Text(String::new());
        attributes.record(&mut text);
        if text.0.contains("otel.name") {
            self.0.lock().push(text.0);
        }
    }
}

fn spans_of(options: GatewayOptions, level: &str) -> Vec<String> {
    let spans = Spans::default();
    let filter = tracing_subscriber::EnvFilter::new(level);
    let subscriber = tracing_subscriber::registry().with(filter).with(spans.clone());
    tracing::subscriber::with_default(subscriber, || {
        runtime().block_on(async {
            let stage = Stage::with(options).await;
            let (_, key) = stage.key(Tier::Partner).await;
            let site = stage.site();
            let asked = || get_with("/api/partner/events/e1/attendance", key.expose());
            ask(&site, asked()).await;
            // Tests beside this one may have met the same places at the same moment with nobody listening.
            tracing::callsite::rebuild_interest_cache();
            spans.0.lock().clear();
            assert_eq!(ask(&site, asked()).await.status, StatusCode::OK);
        });
    });
    spans.0.lock().clone()
}

#[test]
fn a_request_has_one_span_named_by_its_route_within_the_callers_trace() {
    let spans = spans_of(GatewayOptions::default(), "info");
    assert_eq!(spans.len(), 1, "{spans:?}");
    let trace = TRACEPARENT.split('-').nth(1).expect("has a trace id");
    assert!(spans[0].contains("GET /api/partner/events/{event}/attendance"), "{spans:?}");
    assert!(spans[0].contains(trace), "{spans:?}");
}

#[test]
fn no_span_is_opened_where_nobody_listens() {
    let unheard = || GatewayOptions { spans: false, ..GatewayOptions::default() };
    assert!(spans_of(unheard(), "info").is_empty());
    assert!(spans_of(GatewayOptions::default(), "error").is_empty());
    assert_eq!(
        spans_of(unheard(), "ieum_gateway=debug,ieum_telemetry=info").len(),
        1,
        "for whoever looks closely"
    );
}

#[test]
fn requests_are_counted_by_route_and_refusals_by_reason() {
    let (telemetry, _) = Telemetry::build(&TelemetryConfig::default()).expect("is built");
    metrics::with_local_recorder(telemetry.recorder(), || {
        runtime().block_on(async {
            let stage = Stage::new().await;
            let (_, key) = stage.key(Tier::Partner).await;
            let site = stage.site();
            for event in ["e1", "e1", "e2"] {
                ask(&site, get_with(&format!("/api/partner/events/{event}/attendance"), key.expose())).await;
            }
            for i in 0..20 {
                ask(&site, request(Method::GET, &format!("/nowhere/{i}"))).await;
            }
            ask(&site, request(Method::GET, "/api/partner/whoami")).await;
        });
    });
    let text = telemetry.render_metrics();
    let value = |name: &str, labels: &[&str]| {
        let fits = |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
        text.lines().find(fits).and_then(|line| line.rsplit(' ').next()).unwrap_or("none").to_owned()
    };
    let route = "route=\"/api/partner/events/{event}/attendance\"";
    assert_eq!(
        value("ieum_gateway_requests_total", &[route, "status=\"2xx\"", "method=\"GET\""]),
        "2",
        "{text}"
    );
    assert_eq!(value("ieum_gateway_requests_total", &[route, "status=\"4xx\""]), "1", "{text}");
    assert_eq!(
        value("ieum_gateway_requests_total", &["route=\"unknown\""]),
        "20",
        "strangers make no labels"
    );
    assert_eq!(value("ieum_gateway_request_seconds_count", &[route]), "3", "{text}");
    assert_eq!(value("ieum_gateway_refusals_total", &["reason=\"gateway.key_missing\""]), "1", "{text}");
    assert_eq!(value("ieum_gateway_refusals_total", &["reason=\"gateway.event_forbidden\""]), "1", "{text}");
}
