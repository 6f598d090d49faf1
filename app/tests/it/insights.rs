//! Analytics within the binary: its contract over the wire, its pages behind the hub's door.

use crate::up;

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
