//! Analytics within the binary: its contract over the wire, its pages behind the hub's door.

use std::time::Duration;

use ieum_testkit::wait;
use serde_json::{Value, json};

use crate::{Running, up, write};

async fn dashboard(platform: &Running) -> Value {
    let url = format!("http://{}/api/dashboard", platform.address);
    let answer = reqwest::get(url).await.expect("answers");
    assert_eq!(answer.status().as_u16(), 200);
    answer.json().await.expect("is JSON")
}

/// Waits until the dashboard tells so. It waits for history no longer than people like to, which may be too short for a
/// busy machine.
async fn until_told(platform: &Running, is: impl Fn(&Value) -> bool) {
    let told = async || is(&dashboard(platform).await);
    let waited = wait::until("the dashboard tells", Duration::from_secs(120), told).await;
    if let Err(error) = waited {
        panic!("{error}: {}", dashboard(platform).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_asks_analytics_wherever_it_runs_and_does_without_where_it_is_down() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let alone = up(folder.path(), &["events"], &[]);
    assert_eq!(dashboard(&alone).await["insightsAbsent"]["reason"], "events.insights.not_run");
    alone.stop();
    let together = up(folder.path(), &["events", "analytics"], &[]);
    until_told(&together, |told| told["insights"]["attendancePatterns"]["cells"].is_array()).await;
    together.stop();
    // Analytics on its own finds the hub later; nothing of it is asked here.
    let links =
        "[links]\n\"events.state\" = \"http://127.0.0.1:1\"\n\"events.visits\" = \"http://127.0.0.1:1\"\n";
    let analytics =
        up(folder.path(), &["analytics", "--config", &write(folder.path(), "analytics.toml", links)], &[]);
    let line = format!("[links]\n\"analytics.insights\" = \"http://{}\"\n", analytics.address);
    let hub = up(folder.path(), &["events", "--config", &write(folder.path(), "events.toml", &line)], &[]);
    until_told(&hub, |told| told["insights"]["performanceMetrics"]["eventDays"] == 0).await;
    analytics.stop();
    let told = dashboard(&hub).await;
    assert_eq!((&told["insights"], &told["summary"]["totalEvents"]), (&Value::Null, &json!(0)), "{told}");
    let reason = told["insightsAbsent"]["reason"].as_str().expect("says why");
    assert!(["events.insights.failed", "events.insights.late"].contains(&reason), "{told}");
    hub.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn insights_stand_behind_the_hubs_door() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (hub, status) in [("loopback", 200), ("nobody", 401)] {
        let folder = tempfile::tempdir().expect("a folder");
        let platform = up(folder.path(), &[], &[("IEUM__GATEWAY__HUB", hub)]);
        for path in
            ["/api/insights", "/api/insights/attendance", "/api/insights/roi", "/api/insights/openapi.json"]
        {
            let url = format!("http://{}{path}", platform.address);
            let answer = reqwest::get(url).await.expect("answers");
            assert_eq!(answer.status().as_u16(), status, "{hub}: {path}");
        }
        platform.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_described_over_the_wire_and_told_of_in_its_words() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[]);
    let profile = r#"{"eventId": "expo", "eventType": "박람회", "timeZone": "europe/berlin"}"#;
    let url = format!("http://{}/links/analytics.insights/describe", platform.address);
    let wish = reqwest::Client::new().post(url).header("content-type", "application/json").body(profile);
    assert_eq!(wish.send().await.expect("answers").status().as_u16(), 200);
    let url = format!("http://{}/api/events/expo/insights", platform.address);
    let told = reqwest::get(url).await.expect("answers").text().await.expect("is text");
    let told: serde_json::Value = serde_json::from_str(&told).expect("is JSON");
    assert_eq!(
        (&told["profile"]["eventType"], &told["profile"]["timeZone"]),
        (&"박람회".into(), &"Europe/Berlin".into())
    );
    platform.stop();
}
