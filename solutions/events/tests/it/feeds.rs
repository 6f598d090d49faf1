//! Programmes out of feeds: asked for only if they changed, moved and missing slots, and the scans at the doors.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use ieum_bus::Subscription;
use ieum_contracts::events::{
    Authentication, AuthenticationKind, ConnectorKind, EVENT_PROGRAMME_UPDATES, Endpoints, EventId,
    EventProgramme, EventServiceConfig, EventServiceRegistry, Programme, SlotState, SlotStatus, SourceId,
    SyncSettings,
};
use ieum_core::{Cx, system_clock};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::base::on_every_backend;
use crate::collecting::Heard;
use crate::fake_pretix::FakePretix;
use crate::hub::{Hub, PATIENCE, pretix_config};

on_every_backend!(
    a_programme_follows_its_feed_and_what_is_missed_is_told_as_gone,
    scans_at_a_rooms_door_count_for_its_slots,
);

/// A document that is served with an entity tag.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Document>>);

#[derive(Default)]
struct Document {
    text: String,
    whole: usize,
    unchanged: usize,
    broken: bool,
}

impl Feed {
    async fn start(text: &str) -> (Self, String) {
        let feed = Self::default();
        feed.set(text);
        let router = Router::new().route("/feed", get(serve)).with_state(feed.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let url = format!("http://{}/feed", listener.local_addr().expect("has an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (feed, url)
    }

    fn set(&self, text: &str) {
        self.0.lock().text = text.to_owned();
    }
}

async fn serve(State(feed): State<Feed>, headers: HeaderMap) -> Response {
    let mut document = feed.0.lock();
    if document.broken {
        return "<html>maintenance</html>".into_response();
    }
    let tag = format!("\"{}\"", document.text.len() * 31 + document.text.matches('1').count());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == tag.as_str()) {
        document.unchanged += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    document.whole += 1;
    ([(header::ETAG, tag)], document.text.clone()).into_response()
}

fn feed_config(event_id: &str, connector: ConnectorKind, url: &str) -> EventServiceConfig {
    EventServiceConfig {
        event_id: event_id.into(),
        service_name: "programme".into(),
        connector,
        endpoints: Endpoints { api: url.into(), webhook: None, health_check: None },
        authentication: Authentication { kind: AuthenticationKind::None, credentials: Default::default() },
        sync_settings: SyncSettings { interval: 1, ..SyncSettings::default() },
        options: Default::default(),
    }
}

fn calendar(events: &[(&str, &str, &str)]) -> String {
    let event = |(uid, start, room): &(&str, &str, &str)| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSUMMARY:{uid}\r\nLOCATION:{room}\r\nEND:VEVENT\r\n"
        )
    };
    let events: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

async fn programme(hub: &Hub, event_id: &str) -> Option<Programme> {
    hub.part.programmes().get(&Cx::root(), EventId { event_id: event_id.into() }).await.ok()
}

async fn slot(hub: &Hub, event_id: &str, slot_id: &str) -> Option<SlotState> {
    programme(hub, event_id).await?.slots.into_iter().find(|slot| slot.slot_id == slot_id)
}

async fn a_programme_follows_its_feed_and_what_is_missed_is_told_as_gone(base: &SqlStore) {
    let first = [("a", "20260601T090000Z", "Hall"), ("b", "20260601T100000Z", "Attic")];
    let (feed, url) = Feed::start(&calendar(&first)).await;
    let hub = Hub::started(base, system_clock()).await;
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let subscription = Subscription::new(EVENT_PROGRAMME_UPDATES, "test");
    let subscribed = hub.bus.subscribe(subscription, Arc::new(Heard(sender))).await.expect("subscribes");
    let config = feed_config("talks", ConnectorKind::Icalendar, &url);
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    until("both are there", PATIENCE, || async { slot(&hub, "talks", "b").await.is_some() })
        .await
        .expect("are");
    until("it is asked for changes alone", PATIENCE, || async { feed.0.lock().unchanged >= 2 })
        .await
        .expect("is");
    let asked = feed.0.lock().whole;
    assert!(asked <= 3, "the probe, the first read, and the first health check beside it: {asked}");
    until("and again", PATIENCE, || async { feed.0.lock().unchanged >= 4 }).await.expect("is");
    assert_eq!(feed.0.lock().whole, asked, "what did not change is not sent again");

    feed.set(&calendar(&[("a", "20260601T120000Z", "Attic")]));
    let moved = || async {
        slot(&hub, "talks", "a").await.is_some_and(|slot| slot.room_id.as_deref() == Some("Attic"))
    };
    until("a has moved", PATIENCE, moved).await.expect("has");
    let gone = slot(&hub, "talks", "b").await.expect("is still told of");
    assert_eq!(gone.status, SlotStatus::Gone);

    feed.0.lock().broken = true;
    let failed = || async { hub.source("talks").await.is_some_and(|source| source.last_error.is_some()) };
    until("garbage is named", PATIENCE, failed).await.expect("is");
    assert_eq!(slot(&hub, "talks", "a").await.map(|slot| slot.status), Some(SlotStatus::Planned));

    feed.0.lock().broken = false;
    feed.set(&calendar(&first));
    let back =
        || async { slot(&hub, "talks", "b").await.is_some_and(|slot| slot.status == SlotStatus::Planned) };
    until("b is back", PATIENCE, back).await.expect("is");
    let wanted = [
        json!({"added": ["a", "b"]}),
        json!({"changed": ["a"], "gone": ["b"]}),
        json!({"added": ["b"], "changed": ["a"]}),
    ];
    for wanted in wanted {
        let told = tokio::time::timeout(PATIENCE, heard.recv()).await.expect("comes").expect("is told");
        let mut data = told.data.clone();
        for (name, ids) in wanted.as_object().expect("is an object") {
            assert_eq!(&data[name].take(), ids, "{}", told.data);
        }
        assert!(
            ["added", "changed", "gone"].iter().all(|name| data[*name].as_array().is_none_or(Vec::is_empty))
        );
    }
    subscribed.stop();
    assert!(hub.state("talks").await.is_none(), "a programme alone is no event with people");
    let ask = SourceId { event_id: "talks".into() };
    let read = hub.part.registry().progress(&Cx::root(), ask).await.expect("is registered");
    assert_eq!((read.read.rooms, read.read.slots), (2, 2), "{read:?}");
    assert_eq!(read.steps[2].detail, "2 rooms, 2 slots");
    hub.stop().await;
}

async fn scans_at_a_rooms_door_count_for_its_slots(base: &SqlStore) {
    let pretix = FakePretix::start(system_clock()).await;
    let tickets = pretix.sell("DOOR", 3);
    let now = pretix.world.lock().now();
    let date = |seconds: i64| ieum_core::Timestamp::from_seconds(now.as_seconds() + seconds).to_string();
    let text = format!(
        "<schedule><day index='1' date='2026-01-01'><room name='Main' capacity='4'>\
         <event id='1'><date>{}</date><duration>01:00</duration><title>Now</title></event>\
         <event id='2'><date>{}</date><duration>01:00</duration><title>Tomorrow</title></event></room>\
         <room name='Attic'><event id='3'><date>{}</date><duration>01:00</duration><title>Up</title></event></room>\
         </day></schedule>",
        date(-60),
        date(86_400),
        date(-60)
    );
    let (_, url) = Feed::start(&text).await;
    let hub = Hub::started(base, system_clock()).await;
    let pretix_source = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), pretix_source).await.expect("registers");
    let mut config = feed_config("talks", ConnectorKind::ScheduleXml, &url);
    config.options = [("attendedBy".to_owned(), "expo".to_owned())].into();
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    pretix.scan(tickets[0], "entry");
    pretix.scan(tickets[1], "entry");
    pretix.scan(tickets[1], "exit");
    hub.until_totals("expo", (3, 2, 1)).await;
    let there = || async { slot(&hub, "expo", "3").await.is_some() };
    until("the programme is there under the event's own id", PATIENCE, there).await.expect("is");
    let counted = || async { slot(&hub, "expo", "1").await.is_some_and(|slot| slot.attended == Some(2)) };
    until("both count", PATIENCE, counted).await.expect("do");
    let programme = programme(&hub, "talks").await.expect("is there");
    let main = &programme.rooms[0];
    assert_eq!((main.checkin_list, main.inside, main.checked_in), (Some(1), Some(1), Some(2)));
    let fills: Vec<_> = programme.slots.iter().map(|slot| (slot.attended, slot.fill)).collect();
    assert_eq!(fills, [(Some(2), Some(0.5)), (None, None), (Some(0), Some(0.0))]);
    hub.stop().await;
}

#[tokio::test]
async fn what_can_never_be_a_programmes_source_is_refused_by_the_name_of_its_field() {
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let (_, url) = Feed::start("<html/>").await;
    for (name, value, words) in [
        ("timeZone", "Mars/Base", "options.timeZone is no IANA time zone"),
        ("attendedBy", "no id", "options.attendedBy is \"no id\", no event id"),
        ("roomLists", "Hall", "options.roomLists has \"Hall\""),
        ("x", "x", "reading the source's answer: the document is no calendar"),
    ] {
        let mut config = feed_config("talks", ConnectorKind::Icalendar, &url);
        config.options.insert(name.into(), value.into());
        let fault = hub.part.registry().register(&Cx::root(), config).await.expect_err("is refused");
        assert!(fault.message.contains(words), "{words:?} is missing in {fault}");
        assert!(hub.source("talks").await.is_none(), "nothing is saved");
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_secret_in_a_feeds_address_shows_nowhere() {
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let (feed, url) = Feed::start(&calendar(&[("a", "20260601T090000Z", "Hall")])).await;
    let mut config = feed_config("talks", ConnectorKind::Icalendar, &url);
    config.authentication.credentials.insert("query".into(), "token=canary".into());
    let registered = hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    until("it is read", PATIENCE, || async { slot(&hub, "talks", "a").await.is_some() }).await.expect("is");
    feed.0.lock().broken = true;
    let failed = || async { hub.source("talks").await.is_some_and(|source| source.last_error.is_some()) };
    until("it fails", PATIENCE, failed).await.expect("does");
    let shown = format!("{registered:?}{:?}", hub.source("talks").await);
    assert!(!shown.contains("canary"), "{shown}");
    hub.stop().await;
}

/// A pretalx whose organisers release a programme between the first page of the first sync and its second one.
#[derive(Clone, Default)]
struct Organisers(Arc<Mutex<usize>>);

impl Organisers {
    async fn start() -> String {
        let router = Router::new()
            .route("/api/events/conf/", get(async || Json(json!({ "name": "Conf", "timezone": "UTC" }))))
            .route(
                "/api/events/conf/rooms/",
                get(async || Json(json!({ "count": 0, "next": null, "results": [] }))),
            )
            .route("/api/events/conf/slots/", get(Self::slots))
            .with_state(Self::default());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let url = format!("http://{}", listener.local_addr().expect("has an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn slots(
        State(Self(first_pages)): State<Self>,
        ask: Query<BTreeMap<String, String>>,
    ) -> Json<Value> {
        let [page, size] = ["page", "page_size"].map(|name| ask[name].parse::<usize>().expect("is a number"));
        let mut first_pages = first_pages.lock();
        *first_pages += usize::from(page == 1);
        // The first one is the probe's.
        let release = if *first_pages > 2 || (*first_pages == 2 && page > 1) { 2 } else { 1 };
        let slot = |number: usize| {
            let code = format!("R{release}N{number}");
            json!({ "room": null, "start": "2026-06-01T09:00:00Z", "end": "2026-06-01T10:00:00Z", "schedule": release,
                    "submission": { "code": code, "title": code, "state": "confirmed" } })
        };
        let rows: Vec<Value> = (0..TALKS).skip((page - 1) * size).take(size).map(slot).collect();
        let next = (page * size < TALKS).then_some("there is more");
        Json(json!({ "count": TALKS, "next": next, "results": rows }))
    }
}

/// More than a page of pretalx holds.
const TALKS: usize = 60;

#[tokio::test]
async fn a_programme_that_is_read_while_another_is_released_is_no_mixture_of_both() {
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let mut config = pretix_config("talks", &Organisers::start().await, "unused", "conf", "t");
    config.connector = ConnectorKind::Pretalx;
    config.options.remove("organizer");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    until("it is read", PATIENCE, || async { slot(&hub, "talks", "R2N59").await.is_some() })
        .await
        .expect("is");
    let slots = programme(&hub, "talks").await.expect("is there").slots;
    let is_whole =
        slots.iter().all(|slot| slot.slot_id.starts_with("R2") && slot.status == SlotStatus::Planned);
    assert!(is_whole && slots.len() == TALKS, "{slots:?}");
    hub.stop().await;
}
