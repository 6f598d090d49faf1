//! What the pages ask, over HTTP.

use ieum_contracts::analytics::{
    EventProfile, Insights, MoneyEntries, MoneyEntry, MoneyKind, RefreshForecasts,
};
use ieum_core::Cx;
use serde_json::json;

use crate::stage::{Stage, at, days};

pub async fn filled(stage: &Stage) {
    stage.part.start().await.expect("starts");
    stage
        .describe(EventProfile {
            event_id: "fair".into(),
            event_type: Some("fair".into()),
            time_zone: None,
            capacity: Some(400),
        })
        .await;
    stage.live(&days("fair", at("2026-04-25T00:00:00+09:00"), 7, 80)).await;
    stage.part.drain().await;
    let entry = MoneyEntry {
        entry_id: "hall".into(),
        kind: MoneyKind::Cost,
        label: "hall".into(),
        amount_minor: 400,
        currency: "KRW".into(),
        at: None,
    };
    let money = MoneyEntries { event_id: "fair".into(), entries: vec![entry] };
    stage.insights.record_money(&Cx::root(), money).await.expect("is kept");
    stage.insights.refresh(&Cx::root(), RefreshForecasts {}).await.expect("is made");
}

pub async fn an_insight_has_the_seeds_shape_and_rows_for_what_it_recommends(stage: &Stage) {
    filled(stage).await;
    let (status, body) = stage.get("/api/events/fair/insights", None).await;
    assert_eq!(status, 200, "{body}");
    for part in ["attendancePatterns", "performanceMetrics", "predictions", "roiAnalysis", "recommendations"]
    {
        assert!(!body[part].is_null(), "{part} is missing: {body}");
    }
    for part in ["byEventType", "byTimeOfDay", "byDayOfWeek", "trends"] {
        assert!(body["attendancePatterns"][part].is_array(), "{part} is missing");
    }
    for part in ["attendanceForecast", "optimalTiming", "resourceRequirements", "riskFactors"] {
        assert!(body["predictions"][part].is_array(), "{part} is missing");
    }
    assert_eq!(body["profile"]["timeZone"], "Asia/Seoul");
    let found = body["recommendations"].as_array().expect("is a list");
    let kinds: Vec<_> = found.iter().map(|one| one["kind"].as_str().unwrap_or_default()).collect();
    assert!(kinds.contains(&"capacity.reached") && kinds.contains(&"money.loss"), "{kinds:?}");
    assert!(found.iter().all(|one| one["evidence"].as_array().is_some_and(|rows| !rows.is_empty())));
    let (status, body) = stage.get("/api/insights?eventType=fair", None).await;
    assert_eq!((status, &body["totalEvents"]), (200, &json!(1)), "{body}");
    let figures = &body["performanceMetrics"];
    assert_eq!(
        (&figures["checkedIn"], &figures["totalRegistered"]),
        (&json!(560), &json!(1_000)),
        "{figures}"
    );
    assert_eq!((&figures["mostInsideEventId"], &figures["mostInside"]), (&json!("fair"), &json!(560)));
    assert_eq!((&figures["busiestHour"]["arrivals"], &figures["eventDays"]), (&json!(10.0), &json!(7)));
    let (status, body) = stage.get("/api/insights?eventType=concert", None).await;
    assert_eq!((status, &body["totalEvents"]), (200, &json!(0)), "{body}");
    let nothing = json!({"totalRegistered": 0, "checkedIn": 0, "mostInside": 0, "eventDays": 0});
    assert_eq!(body["performanceMetrics"], nothing);
    let (status, body) = stage.get("/api/events/fair/forecast?step=hour&steps=5", None).await;
    assert_eq!((status, body["points"].as_array().map(Vec::len)), (200, Some(5)), "{body}");
    assert_eq!(stage.get("/api/events/none/insights", None).await.1["reason"], "analytics.event.unknown");
}

pub async fn a_key_sees_its_events_and_no_money_without_the_scope(stage: &Stage) {
    filled(stage).await;
    let plain = stage.key(&["fair"], &["analytics:read"]).await;
    let (status, body) = stage.get("/api/events/fair/insights", Some(&plain)).await;
    assert_eq!((status, &body["roiAnalysis"]["events"]), (200, &json!([])), "{body}");
    assert!(!body.to_string().contains("money.loss"));
    assert_eq!(stage.get("/api/insights/roi", Some(&plain)).await.0, 403);
    let rich = stage.key(&["fair"], &["analytics:read", "finance:read"]).await;
    let (status, body) = stage.get("/api/insights/roi", Some(&rich)).await;
    assert_eq!((status, &body["events"][0]["costMinor"]), (200, &json!(400)));
    let foreign = stage.key(&["other"], &["analytics:read", "finance:read"]).await;
    for path in ["/api/events/fair/insights", "/api/events/fair/forecast", "/api/events/none/insights"] {
        assert_eq!(stage.get(path, Some(&foreign)).await.0, 403, "{path}");
    }
    let (_, body) = stage.get("/api/insights/attendance", Some(&foreign)).await;
    assert_eq!(body["cells"], json!([]));
    let (_, body) = stage.get("/api/insights", Some(&foreign)).await;
    assert_eq!((&body["totalEvents"], &body["roiAnalysis"]["events"]), (&json!(0), &json!([])));
    let narrow = stage.key(&["*"], &["events:read"]).await;
    assert_eq!(stage.get("/api/insights", Some(&narrow)).await.0, 403);
}

pub async fn a_bad_question_names_its_field(stage: &Stage) {
    for (path, field) in [
        ("/api/insights?from=yesterday", "from"),
        ("/api/insights?until=soon", "until"),
        ("/api/events/fair/forecast?step=week", "step"),
        ("/api/events/fair/forecast?steps=0", "steps"),
        ("/api/events/fair/forecast?steps=many", "steps"),
        ("/api/insights/attendance?type=fair", "type"),
    ] {
        let (status, body) = stage.get(path, None).await;
        assert_eq!((status, &body["field"]), (400, &json!(field)), "{path}: {body}");
    }
    let (status, body) =
        stage.get("/api/insights?from=2026-05-02T00:00:00Z&until=2026-05-01T00:00:00Z", None).await;
    assert_eq!((status, &body["reason"]), (400, &json!("analytics.range.invalid")), "{body}");
}
