//! Reading pretix: pages, ties, cursors, late rows, garbage, redirects.

use std::time::Duration;

use ieum_bus::{Consumer, Event, Subscription};
use ieum_contracts::events::{EventServiceRegistry, Freshness, SourceId, SourcePhase};
use ieum_core::{Cx, Fault, Timestamp, system_clock};
use ieum_store::Transaction;
use ieum_testkit::wait::until;
use serde_json::json;

use crate::base::on_every_backend;
use crate::fake_pretix::{FakePretix, Mood};
use crate::hub::{Hub, PATIENCE, pretix_config};
use ieum_testkit::backend::SqlStore;

on_every_backend!(
    totals_equal_the_sources_through_scans_exits_and_cancellations,
    rows_of_one_instant_are_neither_lost_nor_counted_twice,
    a_cursor_from_the_sources_future_hides_nothing,
    a_row_that_comes_too_late_is_found_by_comparing_totals,
    garbage_is_named_and_the_last_good_state_stays,
    neither_a_next_page_nor_a_redirect_leads_to_inner_addresses,
    a_source_that_fails_its_probe_is_not_saved_and_its_token_never_shows,
    a_removed_source_is_asked_no_more_and_its_credentials_are_forgotten,
    a_state_nobody_renews_stays_visible_and_says_that_it_is_stale,
    each_change_is_told_to_the_bus_once_and_in_order,
);

async fn setup(base: &SqlStore) -> (FakePretix, Hub) {
    let pretix = FakePretix::start(system_clock()).await;
    let hub = Hub::started(base, system_clock()).await;
    (pretix, hub)
}

async fn register(hub: &Hub, pretix: &FakePretix) {
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "secret-token");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
}

async fn totals_equal_the_sources_through_scans_exits_and_cancellations(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    let mut tickets = Vec::new();
    for i in 0..120 {
        tickets.extend(pretix.sell(&format!("A{i:03}"), 2));
    }
    for ticket in &tickets[..70] {
        pretix.scan(*ticket, "entry");
    }
    register(&hub, &pretix).await;
    hub.until_totals("expo", (240, 70, 70)).await;
    pretix.scan(tickets[0], "exit");
    pretix.scan(tickets[100], "entry");
    pretix.scan(tickets[100], "entry");
    hub.until_totals("expo", (240, 71, 70)).await;
    {
        let mut world = pretix.world.lock();
        let now = world.now();
        let order = world.orders.get_mut("A000").expect("was sold");
        order.positions[1].1 = true;
        order.modified = now;
        let order = world.orders.get_mut("A119").expect("was sold");
        order.status = "c";
        order.modified = now;
    }
    let truth = pretix.truth();
    assert_eq!(truth.0, 237);
    hub.until_totals("expo", truth).await;
    let source = hub.source("expo").await.expect("is registered");
    assert_eq!((source.phase, source.failures), (SourcePhase::Live, 0));
    hub.stop().await;
}

async fn rows_of_one_instant_are_neither_lost_nor_counted_twice(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    let tickets = pretix.sell("TIE", 180);
    let instant = pretix.world.lock().now();
    for ticket in &tickets {
        let mut world = pretix.world.lock();
        let id = world.new_id();
        let scan = crate::fake_pretix::Checkin {
            position: *ticket,
            created: instant,
            kind: "entry",
            successful: true,
        };
        world.checkins.insert(id, scan);
    }
    register(&hub, &pretix).await;
    hub.until_totals("expo", (180, 180, 180)).await;
    hub.stop().await;
}

async fn a_cursor_from_the_sources_future_hides_nothing(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    let tickets = pretix.sell("FUT", 3);
    // The page claims to be of tomorrow; the server's own clock says otherwise.
    pretix.world.lock().generated_ahead = Duration::from_secs(86_400);
    register(&hub, &pretix).await;
    hub.until_totals("expo", (3, 0, 0)).await;
    pretix.scan(tickets[0], "entry");
    hub.until_totals("expo", (3, 1, 1)).await;
    // The server's clock was an hour ahead and is set right.
    pretix.world.lock().clock_ahead = Duration::from_secs(3_600);
    pretix.scan(tickets[1], "entry");
    hub.until_totals("expo", (3, 2, 2)).await;
    pretix.world.lock().clock_ahead = Duration::ZERO;
    pretix.scan(tickets[2], "entry");
    pretix.sell("NEW", 1);
    hub.until_totals("expo", (4, 3, 3)).await;
    hub.stop().await;
}

async fn a_row_that_comes_too_late_is_found_by_comparing_totals(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    let tickets = pretix.sell("LATE", 3);
    let first = pretix.scan(tickets[0], "entry");
    register(&hub, &pretix).await;
    hub.until_totals("expo", (3, 1, 1)).await;
    {
        // Its transaction took an hour; and another scan was annulled, which no list of changes shows.
        let mut world = pretix.world.lock();
        let created = world.now() - Duration::from_secs(3_600);
        for ticket in &tickets[1..] {
            let id = world.new_id();
            let scan =
                crate::fake_pretix::Checkin { position: *ticket, created, kind: "entry", successful: true };
            world.checkins.insert(id, scan);
        }
        world.checkins.get_mut(&first).expect("was scanned").successful = false;
    }
    hub.until_totals("expo", (3, 2, 2)).await;
    hub.stop().await;
}

async fn garbage_is_named_and_the_last_good_state_stays(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    pretix.sell("GOOD", 2);
    register(&hub, &pretix).await;
    hub.until_totals("expo", (2, 0, 0)).await;
    let garbage =
        json!({"count": 1, "next": null, "results": [{"code": "X", "status": "q", "positions": []}]});
    for (answer, word) in
        [(garbage, "status of order X"), (json!({"results": 7}), "results"), (json!([]), "")]
    {
        pretix.set_mood(Mood::Garbage(answer));
        let told = || async {
            let source = hub.source("expo").await.expect("is registered");
            source.last_error.is_some_and(|error| error.contains(word))
        };
        until("the garbage is named", PATIENCE, told).await.expect("is named");
    }
    assert_eq!(hub.totals("expo").await, Some((2, 0, 0)));
    pretix.set_mood(Mood::Fine);
    let well = || async { hub.source("expo").await.expect("is registered").last_error.is_none() };
    until("the source recovers", PATIENCE, well).await.expect("recovers");
    hub.stop().await;
}

async fn neither_a_next_page_nor_a_redirect_leads_to_inner_addresses(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    for i in 0..60 {
        pretix.sell(&format!("N{i:03}"), 1);
    }
    pretix.world.lock().foreign_next = true;
    register(&hub, &pretix).await;
    hub.until_totals("expo", (60, 0, 0)).await;
    pretix.set_mood(Mood::Elsewhere("http://169.254.169.254/latest/meta-data/".into()));
    let refused = || async {
        let source = hub.source("expo").await.expect("is registered");
        source.last_error.is_some_and(|error| error.contains("169.254.169.254"))
    };
    until("the redirect is refused", PATIENCE, refused).await.expect("is refused");
    assert_eq!(hub.totals("expo").await, Some((60, 0, 0)));
    hub.stop().await;
}

async fn a_source_that_fails_its_probe_is_not_saved_and_its_token_never_shows(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    pretix.set_mood(Mood::Down);
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "secret-token");
    let registry = hub.part.registry();
    let fault = registry.register(&Cx::root(), config).await.expect_err("is down");
    assert_eq!(fault.reason, "events.source.probe_failed");
    assert!(!format!("{fault:?}").contains("secret-token"));
    assert!(hub.source("expo").await.is_none());
    let mut wrong = pretix_config("expo", "ftp://x", "acme", "expo", "t");
    let fault = registry.register(&Cx::root(), wrong.clone()).await.expect_err("is no HTTP");
    assert!(fault.message.contains("endpoints.api"), "{}", fault.message);
    wrong.event_id = "a/b".into();
    let fault = registry.register(&Cx::root(), wrong).await.expect_err("is no id");
    assert!(fault.message.contains("eventId"), "{}", fault.message);
    let metadata = pretix_config("expo", "http://169.254.169.254", "acme", "expo", "t");
    let fault = registry.register(&Cx::root(), metadata).await.expect_err("is an inner address");
    assert_eq!(fault.reason, "events.source.invalid");
    hub.stop().await;
}

async fn a_removed_source_is_asked_no_more_and_its_credentials_are_forgotten(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    pretix.sell("REM", 1);
    let mut config = pretix_config("expo", &pretix.url, "acme", "expo", "secret-token");
    config.endpoints.webhook = Some("http://127.0.0.1:9".into());
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.until_totals("expo", (1, 0, 0)).await;
    let hook = hub.hook_path("expo").await;
    assert_eq!(
        pretix.world.lock().webhooks.values().cloned().collect::<Vec<_>>(),
        [format!("http://127.0.0.1:9{hook}")]
    );
    let gone = SourceId { event_id: "expo".into() };
    hub.part.registry().remove(&Cx::root(), gone.clone()).await.expect("removes");
    assert!(pretix.world.lock().webhooks.is_empty());
    assert!(hub.state("expo").await.is_none());
    let row = hub.store.fetch_one("SELECT config FROM ieum_events_source", &[]).await.expect("stays");
    assert!(!row.text("config").expect("is text").contains("secret-token"));
    let fault = hub.part.registry().check(&Cx::root(), gone).await.expect_err("is gone");
    assert_eq!(fault.reason, "events.source.unknown");
    hub.stop().await;
}

async fn a_state_nobody_renews_stays_visible_and_says_that_it_is_stale(base: &SqlStore) {
    let clock = ieum_core::ManualClock::at(Timestamp::from_seconds(1_800_000_000));
    let pretix = FakePretix::start(clock.shared()).await;
    pretix.sell("OLD", 4);
    let hub = Hub::started(base, clock.shared()).await;
    register(&hub, &pretix).await;
    hub.until_totals("expo", (4, 0, 0)).await;
    hub.part.drain().await;
    assert_eq!(hub.state("expo").await.expect("is there").freshness, Freshness::Fresh);
    clock.advance(Duration::from_secs(7_200));
    let state = hub.state("expo").await.expect("is still there");
    assert_eq!((state.freshness, state.data.metrics.total_registered), (Freshness::Stale, 4));
    assert!(state.age_seconds >= 7_200, "{}", state.age_seconds);
}

pub struct Heard(pub tokio::sync::mpsc::UnboundedSender<Event>);

#[async_trait::async_trait]
impl Consumer for Heard {
    async fn handle(&self, _: &Cx, event: &Event, _: &mut Transaction) -> Result<(), Fault> {
        let _ = self.0.send(event.clone());
        Ok(())
    }
}

async fn each_change_is_told_to_the_bus_once_and_in_order(base: &SqlStore) {
    let (pretix, hub) = setup(base).await;
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let subscription = Subscription::new("event-data-updates", "test");
    let subscribed =
        hub.bus.subscribe(subscription, std::sync::Arc::new(Heard(sender))).await.expect("subscribes");
    let tickets = pretix.sell("BUS", 3);
    register(&hub, &pretix).await;
    let mut seen = Vec::new();
    for i in 0..=3 {
        let event = tokio::time::timeout(PATIENCE, heard.recv()).await.expect("comes").expect("is told");
        assert_eq!((event.key.as_str(), event.kind.as_str()), ("expo", "events.event_data.updated.v1"));
        let came = event.data["metrics"]["checkedIn"].as_u64().expect("is a number");
        // Throughput falls as time goes on; only people are counted here.
        if seen.last() != Some(&came) {
            seen.push(came);
        }
        if let Some(ticket) = tickets.get(i) {
            pretix.scan(*ticket, "entry");
        }
    }
    assert!(seen.is_sorted(), "{seen:?}");
    hub.until_totals("expo", (3, 3, 3)).await;
    subscribed.stop();
    hub.stop().await;
}
