//! Traces as a collector sees them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use ieum_core::{Caller, Cx, TraceContext};
use ieum_telemetry::{Telemetry, TelemetryConfig, TelemetryError, cx_within, span_for};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Starts a collector; what it gets arrives at the receiver with its content type.
async fn collector() -> (url::Url, UnboundedReceiver<(String, Bytes)>) {
    async fn take(State(arrived): State<UnboundedSender<(String, Bytes)>>, headers: HeaderMap, body: Bytes) {
        let kind = headers["content-type"].to_str().expect("is text").to_owned();
        arrived.send((kind, body)).expect("the test listens");
    }
    let (sender, receiver) = unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("is bound"));
    let routes = Router::new().route("/v1/traces", post(take)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url.parse().expect("is a URL"), receiver)
}

fn holds(body: &[u8], wanted: &[u8]) -> bool {
    body.windows(wanted.len()).any(|window| window == wanted)
}

fn exporting(url: url::Url) -> TelemetryConfig {
    TelemetryConfig { otlp: Some(url), log: "info".into(), ..TelemetryConfig::default() }
}

#[tokio::test]
async fn a_collector_gets_the_callers_trace_with_the_caller_as_parent() {
    let (url, mut arrived) = collector().await;
    let (telemetry, logs) = Telemetry::build(&exporting(url)).expect("the settings are right");
    let trace: TraceContext = TRACE.parse().expect("is a traceparent");
    let cx = Cx::with_trace(trace).with_caller(Caller::new("events"));
    let onward = tracing::dispatcher::with_default(&logs, || {
        let span = span_for(&cx, "events.registry/get");
        span.in_scope(|| cx_within(&span, &cx))
    });
    assert_eq!(onward.trace().trace_id, trace.trace_id);
    assert_ne!(onward.trace().span_id, trace.span_id, "what is sent onward has the span as parent");
    telemetry.shutdown().await.expect("the collector is there");
    let (kind, body) = arrived.recv().await.expect("one batch arrives");
    assert_eq!(kind, "application/x-protobuf");
    assert!(holds(&body, &trace.trace_id.as_u128().to_be_bytes()), "the trace id arrives");
    assert!(holds(&body, &trace.span_id.as_u64().to_be_bytes()), "the caller's span is the parent");
    assert!(holds(&body, &onward.trace().span_id.as_u64().to_be_bytes()), "the span itself arrives");
    assert!(holds(&body, b"events.registry/get"));
}

#[tokio::test]
async fn a_trace_that_nobody_upstream_records_is_not_exported() {
    let (url, mut arrived) = collector().await;
    let (telemetry, logs) = Telemetry::build(&exporting(url)).expect("the settings are right");
    let unsampled: TraceContext = TRACE.replace("-01", "-00").parse().expect("is a traceparent");
    tracing::dispatcher::with_default(&logs, || {
        drop(span_for(&Cx::with_trace(unsampled), "left out"));
        drop(span_for(&Cx::root(), "taken"));
    });
    telemetry.flush().await.expect("the collector is there");
    let (_, body) = arrived.recv().await.expect("one batch arrives");
    assert!(holds(&body, b"taken") && !holds(&body, b"left out"));
}

#[tokio::test]
async fn without_a_collector_a_span_changes_nothing() {
    let (_telemetry, logs) = Telemetry::build(&TelemetryConfig::default()).expect("the defaults are right");
    let cx = Cx::root();
    let onward = tracing::dispatcher::with_default(&logs, || cx_within(&span_for(&cx, "work"), &cx));
    assert_eq!(onward.trace(), cx.trace());
}

#[test]
fn wrong_settings_say_what_is_wrong() {
    let config = TelemetryConfig { log: "info=loud=x".into(), ..TelemetryConfig::default() };
    let told = Telemetry::build(&config).err().expect("is wrong");
    assert_eq!(told.to_string(), "reading the log filter \"info=loud=x\"");
    let config = exporting("http://127.0.0.1:1".parse().expect("is a URL"));
    assert!(matches!(Telemetry::build(&config), Err(TelemetryError::NoRuntime)));
}
