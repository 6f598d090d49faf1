//! Visits as other parts are told them: page by page, of tickets that count, out of scans that were read or pushed.

use std::time::Duration;

use ieum_contracts::events::{EventServiceRegistry, EventVisits, PersonVisits, VisitsAsk};
use ieum_core::{Code, Cx, system_clock};
use ieum_testkit::backend::SqlStore;

use crate::base::on_every_backend;
use crate::fake_pretix::FakePretix;
use crate::hub::{Hub, pretix_config};

on_every_backend!(visits_of_every_ticket_that_counts_are_told_page_by_page);

async fn all(hub: &Hub, most: u32) -> Vec<PersonVisits> {
    let (mut people, mut after) = (Vec::new(), None);
    loop {
        let until = Some(hub_now() + Duration::from_secs(3_600));
        let ask = VisitsAsk { event_id: "expo".into(), until, after, most: Some(most) };
        let page = hub.part.visits().list(&Cx::root(), ask).await.expect("is told");
        assert!(page.people.len() <= most as usize);
        people.extend(page.people);
        after = page.next;
        if after.is_none() {
            return people;
        }
    }
}

fn hub_now() -> ieum_core::Timestamp {
    system_clock().now()
}

async fn visits_of_every_ticket_that_counts_are_told_page_by_page(base: &SqlStore) {
    let pretix = FakePretix::start(system_clock()).await;
    let mut tickets = Vec::new();
    for i in 0..5 {
        tickets.extend(pretix.sell(&format!("V{i}"), 2));
    }
    for ticket in tickets.iter().take(7) {
        pretix.scan(*ticket, "entry");
    }
    pretix.scan(tickets[0], "exit");
    let hub = Hub::started(base, system_clock()).await;
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.until_totals("expo", (10, 7, 6)).await;
    let people = all(&hub, 3).await;
    assert_eq!(people.len(), 7, "{people:?}");
    assert!(people.iter().all(|person| person.visits.len() == 1 && person.visits[0].room.is_empty()));
    assert_eq!(people.iter().filter(|person| person.visits[0].left_at.is_some()).count(), 1);
    assert_eq!(all(&hub, 2_000).await, people, "pages change nothing");
    let unknown = VisitsAsk { event_id: "other".into(), ..VisitsAsk::default() };
    let fault = hub.part.visits().list(&Cx::root(), unknown).await.expect_err("is unknown");
    assert_eq!((fault.code, &*fault.reason), (Code::NotFound, "events.event.unknown"));
    let page = VisitsAsk { event_id: "expo".into(), after: Some("x".into()), ..VisitsAsk::default() };
    let fault = hub.part.visits().list(&Cx::root(), page).await.expect_err("is no page");
    assert_eq!(fault.code, Code::InvalidArgument, "{fault}");
    hub.stop().await;
}
