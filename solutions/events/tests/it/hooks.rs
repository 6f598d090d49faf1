//! Hints: unsigned, thin, repeated, forged.

use axum::body::Body;
use http::{Request, StatusCode};
use ieum_contracts::events::EventServiceRegistry;
use ieum_core::{Clock, Cx, ManualClock, SharedClock, SystemClock, system_clock};
use ieum_testkit::wait::until;
use tower::ServiceExt;

use crate::base::on_every_backend;
use crate::fake_pretix::FakePretix;
use crate::hub::{Hub, PATIENCE, pretix_config};
use ieum_testkit::backend::SqlStore;

on_every_backend!(
    a_hint_fetches_the_named_order_once_however_often_it_is_repeated,
    many_hints_at_once_become_one_read_of_changes,
    strangers_garbage_and_floods_are_turned_away,
);

async fn post(hub: &Hub, path: &str, body: impl Into<String>) -> StatusCode {
    let request =
        Request::post(path).header("content-type", "application/json").body(Body::from(body.into()));
    hub.router().oneshot(request.expect("is a request")).await.expect("answers").status()
}

fn hint(id: u64, code: &str) -> String {
    format!(
        r#"{{"notification_id":{id},"organizer":"acme","event":"expo","code":"{code}","action":"pretix.event.checkin"}}"#
    )
}

/// A hub that reads so seldom that only hints move it.
async fn slow(base: &SqlStore, clock: SharedClock) -> (FakePretix, Hub, Vec<i64>) {
    let pretix = FakePretix::start(clock.clone()).await;
    let tickets = pretix.sell("HINT1", 3);
    let hub = Hub::started(base, clock).await;
    let mut config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    config.sync_settings.interval = 86_400;
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.until_totals("expo", (3, 0, 0)).await;
    let read = || async { hub.source("expo").await.is_some_and(|source| source.last_success_at.is_some()) };
    until("the first read is complete", PATIENCE, read).await.expect("is complete");
    pretix.world.lock().asked.clear();
    (pretix, hub, tickets)
}

async fn a_hint_fetches_the_named_order_once_however_often_it_is_repeated(base: &SqlStore) {
    let (pretix, hub, tickets) = slow(base, system_clock()).await;
    let path = hub.hook_path("expo").await;
    pretix.scan(tickets[0], "entry");
    for _ in 0..5 {
        assert_eq!(post(&hub, &path, hint(1, "HINT1")).await, StatusCode::NO_CONTENT);
    }
    hub.until_totals("expo", (3, 1, 1)).await;
    assert_eq!(pretix.world.lock().asked, ["orders/HINT1"]);
    pretix.world.lock().orders.remove("HINT1");
    assert_eq!(post(&hub, &path, hint(2, "HINT1")).await, StatusCode::NO_CONTENT);
    hub.until_totals("expo", (0, 0, 0)).await;
    hub.stop().await;
}

async fn many_hints_at_once_become_one_read_of_changes(base: &SqlStore) {
    let (pretix, hub, tickets) = slow(base, system_clock()).await;
    let path = hub.hook_path("expo").await;
    for ticket in &tickets {
        pretix.scan(*ticket, "entry");
    }
    // Kept in one go, as after a restart.
    let mut tx = hub.store.begin_write().await.expect("begins");
    for i in 0..60 {
        let sql = "INSERT INTO ieum_events_hint (event_id, notification_id, action, order_code, received_at, done) \
                   VALUES ('expo', ?, 'x', ?, ?, ?)";
        let values = [i.to_string().into(), format!("C{i}").into(), 0_i64.into(), false.into()];
        tx.execute(sql, &values).await.expect("is kept");
    }
    tx.commit().await.expect("commits");
    assert_eq!(post(&hub, &path, hint(99, "HINT1")).await, StatusCode::NO_CONTENT);
    hub.until_totals("expo", (3, 3, 3)).await;
    let asked = pretix.world.lock().asked.clone();
    assert!(!asked.iter().any(|path| path.starts_with("orders/C")), "{asked:?}");
    hub.stop().await;
}

async fn strangers_garbage_and_floods_are_turned_away(base: &SqlStore) {
    // It stands still: a machine that takes its time over a flood is given no new allowance meanwhile.
    let clock = ManualClock::at(SystemClock.now());
    let (pretix, hub, _) = slow(base, clock.shared()).await;
    let path = hub.hook_path("expo").await;
    assert_eq!(post(&hub, "/hooks/expo/wrong", hint(1, "HINT1")).await, StatusCode::NOT_FOUND);
    assert_eq!(post(&hub, "/hooks/other/wrong", hint(1, "HINT1")).await, StatusCode::NOT_FOUND);
    assert_eq!(post(&hub, &path, "{").await, StatusCode::BAD_REQUEST);
    assert_eq!(post(&hub, &path, hint(1, "../../x")).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(&hub, &path, "x".repeat(70_000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    let other = hint(1, "HINT1").replace("expo", "another");
    assert_eq!(post(&hub, &path, other).await, StatusCode::NO_CONTENT);
    assert!(pretix.world.lock().asked.is_empty());
    let router = hub.router();
    let mut refused = 0;
    for i in 0..400 {
        let request =
            Request::post(&path).body(Body::from(hint(1_000 + i % 3, "HINT1"))).expect("is a request");
        let status = router.clone().oneshot(request).await.expect("answers").status();
        refused += u32::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0);
    hub.stop().await;
}
