//! Gates that push their scans, and the gates of sources that are read: counts, flow, alerts, and who may push.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::{Request, StatusCode};
use ieum_bus::{Consumer, Event, Subscription};
use ieum_contracts::events::{
    ConnectorKind, EVENT_ALERTS, EventAlert, EventGates, EventId, EventServiceConfig, EventServiceRegistry,
    GateDirection, GateFlowRange, GateScan, GateScans, OccupancyMethod,
};
use ieum_core::{Clock, Cx, Fault, ManualClock, SharedClock, SystemClock, Timestamp, system_clock};
use ieum_gateway::{EventAccess, Keys, KeysOptions, NewKey, Tier};
use ieum_store::Transaction;
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::base::on_every_backend;
use crate::hub::{Hub, PATIENCE, from, pretix_config};

on_every_backend!(
    pushed_scans_count_once_however_often_and_late_they_come,
    gates_that_push_at_once_lose_and_double_nothing,
    who_pushes_needs_a_key_with_the_scope_and_the_event,
    a_crowd_raises_each_level_once_and_tells_the_bus,
    people_who_never_check_out_do_not_stay_for_ever,
    a_source_that_is_read_takes_no_scans,
);

fn push_config(event_id: &str, options: &[(&str, &str)]) -> EventServiceConfig {
    let mut config = pretix_config(event_id, "", "", "", "");
    config.service_name = "Turnstiles".into();
    config.connector = ConnectorKind::Push;
    config.options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    config
}

pub async fn pushing(base: &SqlStore, clock: SharedClock, options: &[(&str, &str)]) -> Hub {
    let hub = Hub::started(base, clock).await;
    hub.part.registry().register(&Cx::root(), push_config("expo", options)).await.expect("registers");
    let seen = || async { hub.state("expo").await.is_some() };
    until("the event is seen", PATIENCE, seen).await.expect("is seen");
    hub
}

pub fn scan(id: &str, gate: &str, direction: GateDirection, at: Timestamp, ticket: Option<&str>) -> GateScan {
    GateScan { scan_id: id.into(), gate_id: gate.into(), direction, at, ticket: ticket.map(str::to_owned) }
}

async fn record(hub: &Hub, scans: Vec<GateScan>) -> Result<(u64, u64), Fault> {
    let scans = GateScans { event_id: "expo".into(), scans };
    let taken = hub.part.gates().record(&Cx::root(), scans).await?;
    Ok((taken.accepted, taken.repeated))
}

/// Per gate its id, entries and exits; then entries minus exits of all.
async fn counts(hub: &Hub) -> (Vec<(String, u64, u64)>, i64) {
    let now = hub.part.gates().get(&Cx::root(), EventId { event_id: "expo".into() }).await.expect("is there");
    (
        now.gates.into_iter().map(|gate| (gate.gate_id, gate.entered, gate.left)).collect(),
        now.occupancy.counted,
    )
}

async fn pushed_scans_count_once_however_often_and_late_they_come(base: &SqlStore) {
    use GateDirection::{In, Out};
    let hub = pushing(base, system_clock(), &[("registered", "100")]).await;
    let now = SystemClock.now();
    let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
    let first = vec![
        scan("1", "north", In, ago(50), Some("a")),
        scan("2", "south", In, ago(40), Some("b")),
        scan("3", "north", Out, ago(10), Some("a")),
        scan("4", "south", In, ago(1), None),
    ];
    assert_eq!(record(&hub, first.clone()).await, Ok((4, 0)));
    assert_eq!(record(&hub, first.clone()).await, Ok((0, 4)), "sent again");
    // Late: the entry before the one that was told, and one row of the batch before in between.
    let late = vec![scan("0", "west", In, ago(120), Some("c")), first[2].clone()];
    assert_eq!(record(&hub, late).await, Ok((1, 1)));
    let gates = vec![("north".into(), 1, 1), ("south".into(), 2, 0), ("west".into(), 1, 0)];
    assert_eq!(counts(&hub).await, (gates, 3));
    hub.until_totals("expo", (100, 4, 3)).await;
    let wrong = vec![scan("9", "north", In, now, None), scan("10", "", In, now, None)];
    let fault = record(&hub, wrong).await.expect_err("has no gate");
    assert!(fault.message.contains("scans[1].gateId"), "{}", fault.message);
    assert_eq!(counts(&hub).await.1, 3, "all or none");
    let range = GateFlowRange {
        event_id: "expo".into(),
        from: Some(ago(125)),
        until: None,
        step_seconds: Some(3_600),
    };
    let rows = hub.part.gates().flow(&Cx::root(), range).await.expect("flows").rows;
    let sum = |pick: fn(&ieum_contracts::events::GateFlowRow) -> u64| rows.iter().map(pick).sum::<u64>();
    assert_eq!((sum(|row| row.entered), sum(|row| row.left)), (4, 1));
    assert!(rows.iter().all(|row| row.at.as_seconds() % 3_600 == 0), "{rows:?}");
    assert_eq!(hub.source("expo").await.expect("is registered").scans.push, 5);
    hub.stop().await;
}

async fn gates_that_push_at_once_lose_and_double_nothing(base: &SqlStore) {
    let hub = Arc::new(pushing(base, system_clock(), &[]).await);
    let now = SystemClock.now();
    let gates: Vec<_> = (0..4_u64)
        .map(|gate| {
            let hub = hub.clone();
            tokio::spawn(async move {
                for batch in 0..6_u64 {
                    // Every scan is told by two gates, and every ticket passes several of them.
                    let scans = (0..40_u64).map(|i| {
                        let number = (gate / 2) * 240 + batch * 40 + i;
                        let at = now - Duration::from_secs(60 * (300 - number / 2));
                        let direction = if number % 3 == 2 { GateDirection::Out } else { GateDirection::In };
                        let ticket = format!("t{}", number % 70);
                        scan(&format!("s{number}"), &format!("g{}", number % 5), direction, at, Some(&ticket))
                    });
                    let scans: Vec<GateScan> = scans.collect();
                    while let Err(fault) = record(&hub, scans.clone()).await {
                        assert!(fault.is_retryable(), "{fault:?}");
                    }
                }
            })
        })
        .collect();
    for gate in gates {
        gate.await.expect("pushes");
    }
    let (by_gate, counted) = counts(&hub).await;
    let (entered, left): (u64, u64) =
        by_gate.iter().fold((0, 0), |sum, gate| (sum.0 + gate.1, sum.1 + gate.2));
    assert_eq!((entered, left, counted), (320, 160, 160));
    // Made anew from all scans, the ledger says the same.
    hub.store.execute("DELETE FROM ieum_events_tally", &[]).await.expect("drops");
    assert_eq!(counts(&hub).await, (by_gate, counted));
    let Ok(hub) = Arc::try_unwrap(hub) else { panic!("nobody else has it") };
    hub.stop().await;
}

async fn send(router: &axum::Router, key: Option<&str>, event: &str, body: &Value) -> (StatusCode, Value) {
    let path = format!("/api/events/{event}/gates/scans");
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let request = from("10.0.0.7:9", request.body(Body::from(body.to_string())).expect("is a request"));
    let response = router.clone().oneshot(request).await.expect("answers");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("reads");
    (status, serde_json::from_slice(&body).expect("is JSON"))
}

async fn who_pushes_needs_a_key_with_the_scope_and_the_event(base: &SqlStore) {
    let hub = pushing(base, system_clock(), &[]).await;
    let router = hub.router();
    let keys = Keys::new(hub.store.clone(), system_clock(), KeysOptions::default());
    let new = |event: &str, scopes: &str| NewKey {
        name: "turnstile".into(),
        tier: Tier::Partner,
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        events: EventAccess::from(vec![event.to_owned()]),
        expires_at: None,
        rate: None,
    };
    let (_, key) = keys.create(new("expo", "gates:write")).await.expect("is made");
    let (_, blind) = keys.create(new("expo", "events:read details:read")).await.expect("is made");
    let (_, totals) = keys.create(new("expo", "events:read")).await.expect("is made");
    let (_, other) = keys.create(new("fair", "gates:write")).await.expect("is made");
    let at = SystemClock.now().to_string();
    let body = json!({ "scans": [{ "scanId": "1", "gateId": "north", "direction": "in", "at": at }] });
    assert_eq!(send(&router, None, "expo", &body).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&router, Some(blind.expose()), "expo", &body).await.0, StatusCode::FORBIDDEN);
    assert_eq!(send(&router, Some(other.expose()), "expo", &body).await.0, StatusCode::FORBIDDEN);
    let (status, taken) = send(&router, Some(key.expose()), "expo", &body).await;
    assert_eq!((status, &taken["accepted"]), (StatusCode::OK, &json!(1)), "{taken}");
    let wrong = json!({ "scans": [{ "scanId": "2", "gateId": "north", "direction": "up", "at": at }] });
    let (status, problem) = send(&router, Some(key.expose()), "expo", &wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.contains("scans[0].direction")),
        "{problem}"
    );
    let with = |path: &str, key: &str| {
        let request = Request::get(path).header("x-api-key", key).body(Body::empty());
        router.clone().oneshot(from("10.0.0.7:9", request.expect("is a request")))
    };
    let ask = |path: &str| with(path, blind.expose());
    for path in ["/api/events/expo/gates", "/api/events/expo/gates/flow?stepSeconds=60"] {
        assert_eq!(ask(path).await.expect("answers").status(), StatusCode::OK, "{path}");
        let refused = with(path, totals.expose()).await.expect("answers").status();
        assert_eq!(refused, StatusCode::FORBIDDEN, "a gate is more than a total: {path}");
    }
    for path in ["/api/events", "/api/events/expo", "/api/dashboard"] {
        for (key, seen) in [(&blind, true), (&totals, false)] {
            let answer = with(path, key.expose()).await.expect("answers");
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("reads");
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains("expo"), "{path}: {text}");
            assert_eq!(text.contains("north"), seen, "{path}: {text}");
        }
    }
    assert_eq!(ask("/api/events/fair/gates").await.expect("answers").status(), StatusCode::FORBIDDEN);
    let odd = ask("/api/events/expo/gates/flow?stepSeconds=90").await.expect("answers").status();
    assert_eq!(odd, StatusCode::BAD_REQUEST);
    hub.stop().await;
}

struct Heard(mpsc::UnboundedSender<(String, EventAlert)>);

#[async_trait]
impl Consumer for Heard {
    async fn handle(&self, _: &Cx, event: &Event, _: &mut Transaction) -> Result<(), Fault> {
        let alert = serde_json::from_value(event.data.clone()).expect("is an alert");
        let _ = self.0.send((event.kind.clone(), alert));
        Ok(())
    }
}

async fn a_crowd_raises_each_level_once_and_tells_the_bus(base: &SqlStore) {
    let hub = pushing(base, system_clock(), &[("capacity", "10")]).await;
    let (sender, mut heard) = mpsc::unbounded_channel();
    let subscription = Subscription::new(EVENT_ALERTS, "gates-test");
    hub.bus.subscribe(subscription, Arc::new(Heard(sender))).await.expect("subscribes");
    let now = SystemClock.now();
    let people = |ids: std::ops::Range<u32>, direction| -> Vec<GateScan> {
        let name = |id: u32| format!("{id}{direction:?}");
        let at = now - Duration::from_secs(if direction == GateDirection::In { 600 } else { 60 });
        ids.map(|id| scan(&name(id), "north", direction, at, Some(&id.to_string()))).collect()
    };
    let shown = || async {
        let state = hub.state("expo").await.expect("is there").data;
        state.alerts.into_iter().map(|alert| alert.kind).collect::<Vec<_>>()
    };
    let until_shown = |wanted: &'static [&'static str]| async move {
        until("the alerts are shown", PATIENCE, || async { shown().await == wanted })
            .await
            .expect("are shown");
    };
    record(&hub, people(0..5, GateDirection::In)).await.expect("is taken");
    until_shown(&["capacity.50"]).await;
    record(&hub, people(5..9, GateDirection::In)).await.expect("is taken");
    until_shown(&["capacity.90"]).await;
    let mut next =
        async || tokio::time::timeout(PATIENCE, heard.recv()).await.expect("comes").expect("goes on");
    for level in ["capacity.50", "capacity.75", "capacity.90"] {
        let (kind, told) = next().await;
        assert_eq!((kind.as_str(), told.alert.kind.as_str()), ("events.alert.raised.v1", level));
    }
    record(&hub, people(0..9, GateDirection::Out)).await.expect("is taken");
    until_shown(&[]).await;
    for level in ["capacity.50", "capacity.75", "capacity.90"] {
        let (kind, told) = next().await;
        assert_eq!((kind.as_str(), told.alert.kind.as_str()), ("events.alert.cleared.v1", level));
        assert_eq!(told.event_id, "expo");
    }
    hub.stop().await;
}

async fn people_who_never_check_out_do_not_stay_for_ever(base: &SqlStore) {
    let clock = ManualClock::at(Timestamp::parse("2026-05-01T12:00:00Z").expect("is a time"));
    let hub = Hub::open(base, clock.shared()).await;
    let options = [("capacity", "1000"), ("endsAt", "2026-05-01T13:00:00Z"), ("graceMinutes", "30")];
    hub.part.registry().register(&Cx::root(), push_config("expo", &options)).await.expect("registers");
    // One in two is never scanned out; all stay for half an hour, give or take.
    let start = clock.now() - Duration::from_secs(4 * 3_600);
    let mut scans = Vec::new();
    for person in 0..400_u64 {
        let came = start + Duration::from_secs(person * 20);
        let left = came + Duration::from_secs(60 * (20 + person * 7 % 21));
        let ticket = person.to_string();
        scans.push(scan(&format!("in{person}"), "north", GateDirection::In, came, Some(&ticket)));
        if person % 2 == 0 {
            scans.push(scan(&format!("out{person}"), "north", GateDirection::Out, left, Some(&ticket)));
        }
    }
    assert_eq!(record(&hub, scans).await, Ok((600, 0)));
    // Nothing runs, so nothing reads the profile in: the first read does.
    hub.part.start().await.expect("starts");
    let gates = hub.part.gates();
    let occupancy = || async {
        gates.get(&Cx::root(), EventId { event_id: "expo".into() }).await.map(|now| now.occupancy)
    };
    until("the ledger is made", PATIENCE, || async { occupancy().await.is_ok() }).await.expect("is made");
    let found = occupancy().await.expect("is there");
    assert_eq!((found.counted, found.method, found.capacity), (200, OccupancyMethod::Survival, Some(1_000)));
    assert!(found.estimated <= 10 && found.high < 60, "everybody left more than an hour ago: {found:?}");
    let rate = found.checkout_rate.expect("is told");
    assert!((rate - 0.5).abs() < 0.05, "{rate}");
    clock.advance(Duration::from_secs(2 * 3_600));
    let over = occupancy().await.expect("is there");
    assert_eq!((over.method, over.estimated, over.high), (OccupancyMethod::Ended, 0, 0));
    hub.stop().await;
}

async fn a_source_that_is_read_takes_no_scans(base: &SqlStore) {
    let hub = Hub::open(base, system_clock()).await;
    let one = || vec![scan("1", "north", GateDirection::In, SystemClock.now(), None)];
    let fault = record(&hub, one()).await.expect_err("is unknown");
    assert_eq!(fault.reason, "events.source.unknown");
    let simulator = ieum_events::simulator::Simulator::start(
        ieum_events::simulator::SimulatedEvent {
            event_id: "expo".into(),
            name: "Expo".into(),
            registered: 10,
            gates: vec!["door".into()],
            lasts: Duration::from_secs(60),
            seed: 1,
        },
        system_clock(),
    );
    let simulator = simulator.await.expect("starts");
    hub.part.registry().register(&Cx::root(), simulator.config(1)).await.expect("registers");
    let fault = record(&hub, one()).await.expect_err("is read");
    assert_eq!(fault.reason, "events.scan.not_pushed");
    for (options, field) in
        [([("capacity", "many")], "options.capacity"), ([("graceMinutes", "0")], "options.grace")]
    {
        let fault = hub.part.registry().register(&Cx::root(), push_config("wrong", &options)).await;
        let fault = fault.expect_err("is wrong");
        assert!(fault.message.contains(field), "{}", fault.message);
    }
}
