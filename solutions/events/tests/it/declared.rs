//! Sources joined by a mapping file, against a stand-in that speaks the mapped system's shape.

use std::time::Duration;

use ieum_contracts::events::{ConnectorKind, EventServiceConfig, EventServiceRegistry, ProbeLevel, SourceId};
use ieum_core::{Cx, system_clock};
use ieum_events::EventsOptions;
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;

use crate::base::on_every_backend;
use crate::fake_eventbrite::FakeEventbrite;
use crate::hub::{ForTests, Hub, PATIENCE, pretix_config};

on_every_backend!(
    a_mapped_source_is_read_page_by_page_and_then_by_what_changed,
    what_vanishes_from_a_mapped_source_is_found_and_told,
);

/// The mapping that the guide shows.
pub fn mapping() -> String {
    let guide = include_str!("../../../../docs/guides/add-a-connector.md");
    let text = guide.split("```toml\n").nth(1).and_then(|text| text.split("```").next());
    text.expect("the guide shows a mapping").to_owned()
}

fn config(url: &str, mapping: &str) -> EventServiceConfig {
    let mut config = pretix_config("expo", url, "unused", "77", "private-token");
    config.connector = ConnectorKind::Declarative;
    config.options.insert("mapping".into(), mapping.into());
    config
}

async fn a_mapped_source_is_read_page_by_page_and_then_by_what_changed(base: &SqlStore) {
    let source = FakeEventbrite::start().await;
    source.sell(1..31);
    let hub = Hub::started(base, system_clock()).await;
    let registered =
        hub.part.registry().register(&Cx::root(), config(&source.url, &mapping())).await.expect("registers");
    assert!(registered.probe.ok, "{:?}", registered.probe);
    hub.until_totals("expo", (30, 0, 0)).await;
    assert_eq!(hub.state("expo").await.expect("is there").data.event_name, "Expo");
    let pages = source.world.lock().asked.iter().filter(|query| query.contains("continuation")).count();
    assert!(pages >= 4, "{:?}", source.world.lock().asked);
    for id in 1..=12 {
        source.check_in(id);
    }
    source.change(13, |attendee| attendee.cancelled = true);
    source.change(14, |attendee| attendee.status = "Not Attending");
    source.sell(31..34);
    hub.until_totals("expo", (31, 12, 12)).await;
    source.change(1, |attendee| (attendee.checked_in, attendee.status) = (false, "Attending"));
    hub.until_totals("expo", (31, 11, 11)).await;
    assert_eq!(hub.totals("expo").await, Some(source.truth()));
    let last = source.world.lock().asked.last().cloned().expect("was asked");
    assert!(last.contains("changed_since="), "only what changed is asked for: {last}");
    // A quota that is used up costs time and nothing else.
    source.world.lock().quota = Some(1);
    source.check_in(20);
    hub.until_totals("expo", (31, 12, 12)).await;
    hub.stop().await;
}

async fn what_vanishes_from_a_mapped_source_is_found_and_told(base: &SqlStore) {
    let without_look_up: String = mapping()
        .lines()
        .filter(|line| !line.starts_with("one = "))
        .map(|line| format!("{line}\n"))
        .collect();
    for (mapping, looks_up) in [(mapping(), true), (without_look_up, false)] {
        let source = FakeEventbrite::start().await;
        source.sell(1..31);
        let options = EventsOptions {
            vanished_every: Duration::from_millis(500),
            ..EventsOptions::default().without_sweep()
        };
        let hub = Hub::open_at(&base.url, system_clock(), options).await;
        hub.part.start().await.expect("starts");
        hub.part.registry().register(&Cx::root(), config(&source.url, &mapping)).await.expect("registers");
        hub.until_totals("expo", (30, 0, 0)).await;
        source.check_in(3);
        hub.until_totals("expo", (30, 1, 1)).await;
        for id in [3, 9, 28] {
            source.vanish(id);
        }
        hub.until_totals("expo", (27, 0, 0)).await;
        let status = hub.source("expo").await.expect("is registered");
        assert_eq!(status.gone_orders, 3, "looked up: {looks_up}");
        // A ticket that is there again counts again.
        source.sell(9..10);
        hub.until_totals("expo", (28, 0, 0)).await;
        assert_eq!(hub.source("expo").await.expect("is registered").gone_orders, 2);
        let gone = SourceId { event_id: "expo".into() };
        hub.part.registry().remove(&Cx::root(), gone).await.expect("removes");
        hub.part.drain().await;
        hub.store.close().await;
    }
}

#[tokio::test]
async fn every_mistake_of_a_mapping_is_named_at_once() {
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let mapping = r#"
        schema = "ieum-mapping/2"
        colour = "red"
        [auth]
        header = "Not a header"
        [event]
        path = "events/{event}/?x=1"
        name = "name.text"
        [tickets]
        path = "/events/{show}/attendees/"
        one = "/attendees/"
        [tickets.pages]
        kind = "cursor"
        [tickets.since]
        parameter = "changed_since"
        field = "/changed"
        form = "stardate"
        overlap = "soon"
        [tickets.fields]
        valid = "Attending"
        [figures]
        path = "/x"
    "#;
    let asked = hub.part.registry().register(&Cx::root(), config("http://127.0.0.1:9", mapping)).await;
    let said = asked.expect_err("is refused").message;
    for words in [
        "options.mapping has 17 mistakes",
        "schema is \"ieum-mapping/2\", none of ieum-mapping/1",
        "auth.header is \"Not a header\", no header name",
        "event.path is \"events/{event}/?x=1\", no path",
        "event.name is \"name.text\", no JSON pointer",
        "tickets.path names options.show, which is missing",
        "tickets.one does not hold {id}",
        "tickets.rows is missing",
        "tickets.pages.parameter is missing",
        "tickets.pages.next is missing",
        "tickets.since.form is \"stardate\"",
        "tickets.since.overlap",
        "tickets.fields.id is missing",
        "tickets.fields.valid is no list of texts",
        "figures.registered is missing",
        "colour is unknown",
    ] {
        assert!(said.contains(words), "{words:?} is missing in: {said}");
    }
    let broken = config("http://127.0.0.1:9", "schema = \n");
    let said = hub.part.registry().register(&Cx::root(), broken).await.expect_err("is refused").message;
    assert!(said.contains("options.mapping is no TOML in line 1"), "{said}");
    assert!(hub.source("expo").await.is_none(), "nothing is saved");
    hub.stop().await;
}

#[tokio::test]
async fn a_report_names_what_is_wrong_and_what_to_do() {
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let source = FakeEventbrite::start().await;
    source.sell(1..3);
    let mut stranger = config(&source.url, &mapping());
    stranger.authentication.credentials.insert("token".into(), "canary".into());
    let fault = hub.part.registry().register(&Cx::root(), stranger).await.expect_err("is refused");
    for words in
        ["event: asking", "answered 401", "authentication: it refused the credentials", "--token-file"]
    {
        assert!(fault.message.contains(words), "{words:?} is missing in {fault}");
    }
    assert!(!fault.to_string().contains("canary"), "{fault}");
    let mut config = config(&source.url, &mapping());
    config.endpoints.webhook = Some(hub.serve().await);
    hub.part.registry().register(&Cx::root(), config.clone()).await.expect("registers");
    let ask = SourceId { event_id: "expo".into() };
    let report = hub.part.registry().check(&Cx::root(), ask.clone()).await.expect("reports");
    let levels: Vec<_> = report.checks.iter().map(|check| (check.name.as_str(), check.level)).collect();
    let ok = ["event", "sample", "authentication", "scopes", "clock", "limits", "hook"];
    assert_eq!(levels, ok.map(|name| (name, ProbeLevel::Ok)), "{report:?}");
    assert!(report.clock_skew_seconds.is_some_and(|skew| skew.abs() < 2.0), "{report:?}");
    // Somebody else answers at the address for webhooks.
    config.endpoints.webhook = Some(source.url.clone());
    let registered = hub.part.registry().register(&Cx::root(), config).await.expect("is read on schedule");
    let hook = registered.probe.checks.last().expect("has checks");
    assert_eq!((hook.name.as_str(), hook.level, hook.ok), ("hook", ProbeLevel::Warn, true), "{hook:?}");
    assert!(hook.detail.contains("is not this hub") && hook.advice.is_some(), "{hook:?}");
    let seen = || async { hub.totals("expo").await == Some((2, 0, 0)) };
    until("it is read", PATIENCE, seen).await.expect("is");
    hub.stop().await;
}
