//! The dashboard in the seed's shape: with what history says, and without where that cannot be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use ieum_contracts::analytics::{
    AttendanceRange, AttendanceReport, BehaviourAsk, CrossEventInsights, EventBehaviour, EventForecast,
    EventInsights, EventProfile, Evidence, ForecastAsk, ForecastsRefreshed, HistoryAnswer, HistoryQuestion,
    HistoryRebuilt, Insights, MoneyEntries, MoneyRecorded, OverallPerformance, RebuildHistory,
    Recommendation, RefreshForecasts, RoiAsk, RoiReport,
};
use ieum_contracts::events::{EventGates, EventId, GateDirection, GateScans, Severity};
use ieum_core::{Clock, Cx, Fault, ManualClock, SystemClock, system_clock};
use ieum_gateway::{EventAccess, Keys, KeysOptions, NewKey, Tier};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::base::on_every_backend;
use crate::gates::{pushing, scan};
use crate::hub::{Hub, PATIENCE, from};

on_every_backend!(
    the_dashboard_has_every_part_of_the_seeds_shape,
    without_analytics_the_rest_is_told_with_the_reason,
    who_answers_late_holds_nobody_up,
    a_key_sees_of_history_what_it_may,
);

/// How analytics behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answers,
    Fails,
    Hangs,
}

/// Analytics as far as the dashboard asks it.
struct History {
    mood: Mood,
    asked: Mutex<Vec<AttendanceRange>>,
    hangs: AtomicBool,
}

impl History {
    fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self { mood, asked: Mutex::default(), hangs: AtomicBool::new(false) })
    }
}

fn unasked<T>() -> Result<T, Fault> {
    Err(Fault::unimplemented("tests.unasked", "the dashboard asks across() alone"))
}

fn advice(kind: &str) -> Recommendation {
    Recommendation {
        kind: kind.into(),
        severity: Severity::Warning,
        event_id: Some("expo".into()),
        message: "look".into(),
        message_korean: "보십시오".into(),
        rule: "always".into(),
        evidence: vec![Evidence::default()],
    }
}

#[async_trait]
impl Insights for History {
    async fn across(&self, _cx: &Cx, ask: AttendanceRange) -> Result<CrossEventInsights, Fault> {
        self.asked.lock().push(ask);
        match self.mood {
            Mood::Answers => Ok(CrossEventInsights {
                attendance_patterns: AttendanceReport::default(),
                performance_metrics: Some(OverallPerformance { checked_in: 7, ..Default::default() }),
                recommendations: vec![advice("money.loss"), advice("type.rising")],
                ..CrossEventInsights::default()
            }),
            Mood::Fails => Err(Fault::unavailable("link.unreachable", "connecting to http://inner:7100")),
            Mood::Hangs => {
                self.hangs.store(true, Ordering::Release);
                std::future::pending().await
            }
        }
    }

    async fn describe(&self, _cx: &Cx, _profile: EventProfile) -> Result<EventProfile, Fault> {
        unasked()
    }

    async fn record_money(&self, _cx: &Cx, _money: MoneyEntries) -> Result<MoneyRecorded, Fault> {
        unasked()
    }

    async fn rebuild(&self, _cx: &Cx, _ask: RebuildHistory) -> Result<HistoryRebuilt, Fault> {
        unasked()
    }

    async fn refresh(&self, _cx: &Cx, _ask: RefreshForecasts) -> Result<ForecastsRefreshed, Fault> {
        unasked()
    }

    async fn attendance(&self, _cx: &Cx, _ask: AttendanceRange) -> Result<AttendanceReport, Fault> {
        unasked()
    }

    async fn forecast(&self, _cx: &Cx, _ask: ForecastAsk) -> Result<EventForecast, Fault> {
        unasked()
    }

    async fn event(&self, _cx: &Cx, _ask: EventId) -> Result<EventInsights, Fault> {
        unasked()
    }

    async fn ask(&self, _cx: &Cx, _ask: HistoryQuestion) -> Result<HistoryAnswer, Fault> {
        unasked()
    }

    async fn behaviour(&self, _cx: &Cx, _ask: BehaviourAsk) -> Result<EventBehaviour, Fault> {
        unasked()
    }

    async fn roi(&self, _cx: &Cx, _ask: RoiAsk) -> Result<RoiReport, Fault> {
        unasked()
    }
}

/// A hall for four with three people in it.
async fn crowded(base: &SqlStore) -> Hub {
    let hub = pushing(base, system_clock(), &[("registered", "12"), ("capacity", "4")]).await;
    let now = SystemClock.now();
    let people = ["a", "b", "c"];
    let scans = people.map(|who| scan(who, "north", GateDirection::In, now, Some(who))).to_vec();
    let scans = GateScans { event_id: "expo".into(), scans };
    hub.part.gates().record(&Cx::root(), scans).await.expect("are taken");
    hub.until_totals("expo", (12, 3, 3)).await;
    hub
}

async fn dashboard(router: &Router, key: Option<&str>) -> Value {
    let mut request = Request::get("/api/dashboard");
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let peer = if key.is_some() { "10.0.0.7:9" } else { "127.0.0.1:9" };
    let request = from(peer, request.body(Body::empty()).expect("is a request"));
    let response = router.clone().oneshot(request).await.expect("answers");
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("reads");
    serde_json::from_slice(&body).expect("is JSON")
}

async fn the_dashboard_has_every_part_of_the_seeds_shape(base: &SqlStore) {
    let begun = SystemClock.now();
    let hub = crowded(base).await;
    let history = History::new(Mood::Answers);
    let told = dashboard(&hub.router_with(Some(history.clone())), None).await;
    let summary = &told["summary"];
    for part in ["totalEvents", "totalAttendees", "averageAttendanceRate", "activeAlerts"] {
        assert!(summary[part].is_number(), "{part}: {told}");
    }
    for part in ["eventId", "eventName", "status", "metrics", "trend", "alerts"] {
        assert!(told["events"][0].get(part).is_some(), "{part}: {told}");
    }
    let insights = &told["insights"];
    assert!(insights["attendancePatterns"]["byEventType"].is_array(), "{told}");
    assert_eq!(insights["performanceMetrics"]["checkedIn"], 7);
    assert_eq!(insights["recommendations"].as_array().map(Vec::len), Some(2), "who needs no key sees money");
    assert!(told.get("insightsAbsent").is_none(), "{told}");
    assert_eq!(history.asked.lock().as_slice(), [AttendanceRange::default()]);
    let charts = &told["charts"];
    assert_eq!(charts["attendanceTrend"][0]["eventId"], "expo");
    let bar = json!({"eventId": "expo", "eventName": "Turnstiles", "currentAttendees": 3, "checkedIn": 3,
        "totalRegistered": 12, "attendanceRate": 0.25});
    assert_eq!(charts["eventComparison"], json!([bar]));
    let alert = &charts["alertsTimeline"][0];
    assert_eq!((&alert["eventId"], &alert["kind"]), (&json!("expo"), &json!("capacity.75")), "{told}");
    let since = alert["at"].as_str().and_then(ieum_core::Timestamp::parse).expect("is dated");
    assert!(since >= begun && since <= SystemClock.now(), "{since}");
    assert_eq!(told["events"][0]["alerts"][0]["since"], alert["at"], "the live state says the same");
    hub.stop().await;
}

async fn without_analytics_the_rest_is_told_with_the_reason(base: &SqlStore) {
    let hub = crowded(base).await;
    let down: Arc<dyn Insights> = History::new(Mood::Fails);
    for (source, reason) in [(None, "events.insights.not_run"), (Some(down), "events.insights.failed")] {
        let told = dashboard(&hub.router_with(source), None).await;
        assert_eq!((&told["insights"], &told["insightsAbsent"]["reason"]), (&Value::Null, &json!(reason)));
        assert!(!told.to_string().contains("inner:7100"), "an inner address is nobody's: {told}");
        assert_eq!(told["summary"]["totalAttendees"], 3, "{told}");
        assert_eq!(told["charts"]["eventComparison"].as_array().map(Vec::len), Some(1));
    }
    hub.stop().await;
}

async fn who_answers_late_holds_nobody_up(base: &SqlStore) {
    let clock = ManualClock::at(SystemClock.now());
    let hub = Hub::open(base, clock.shared()).await;
    let history = History::new(Mood::Hangs);
    let router = hub.router_with(Some(history.clone()));
    let asking = tokio::spawn(async move { dashboard(&router, None).await });
    let asked = || async { history.hangs.load(Ordering::Acquire) };
    until("analytics is asked", PATIENCE, asked).await.expect("is asked");
    clock.advance(Duration::from_secs(2));
    let told = asking.await.expect("answers");
    assert_eq!(told["insightsAbsent"]["reason"], "events.insights.late", "{told}");
    assert_eq!((&told["insights"], &told["summary"]["totalEvents"]), (&Value::Null, &json!(0)));
    hub.stop().await;
}

async fn a_key_sees_of_history_what_it_may(base: &SqlStore) {
    let hub = crowded(base).await;
    let keys = Keys::new(hub.store.clone(), system_clock(), KeysOptions::default());
    let key = async |scopes: &[&str]| {
        let new = NewKey {
            name: "screen".into(),
            tier: Tier::Partner,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            events: EventAccess::from(vec!["fair".to_owned()]),
            expires_at: None,
            rate: None,
        };
        keys.create(new).await.expect("is made").1
    };
    let history = History::new(Mood::Answers);
    let router = hub.router_with(Some(history.clone()));
    let narrow = key(&["events:read"]).await;
    let told = dashboard(&router, Some(narrow.expose())).await;
    assert_eq!((&told["insights"], history.asked.lock().len()), (&Value::Null, 0), "{told}");
    assert_eq!(told["insightsAbsent"]["reason"], "gateway.scope_missing");
    let plain = key(&["events:read", "analytics:read"]).await;
    let told = dashboard(&router, Some(plain.expose())).await;
    let kinds = &told["insights"]["recommendations"];
    assert_eq!((kinds.as_array().map(Vec::len), &kinds[0]["kind"]), (Some(1), &json!("type.rising")));
    let own = Some(vec!["fair".to_owned()]);
    assert_eq!(history.asked.lock()[0].event_ids, own, "history of its own events alone");
    assert!(!told["charts"].to_string().contains("expo"), "{told}");
    let rich = key(&["events:read", "analytics:read", "finance:read"]).await;
    let told = dashboard(&router, Some(rich.expose())).await;
    assert_eq!(told["insights"]["recommendations"].as_array().map(Vec::len), Some(2), "{told}");
    hub.stop().await;
}
