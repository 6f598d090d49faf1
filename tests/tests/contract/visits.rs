//! `events.visits` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::events::{
    EVENT_VISITS_CONTRACT, EventVisits, EventVisitsClient, EventVisitsRoutes, PersonVisits, RoomVisit,
    VisitsAsk, VisitsPage,
};
use ieum_core::{Code, Cx, Fault, Timestamp};

use crate::every_way::Ways;

/// Knows one visitor.
struct OneVisitor;

#[async_trait]
impl EventVisits for OneVisitor {
    async fn list(&self, _: &Cx, ask: VisitsAsk) -> Result<VisitsPage, Fault> {
        match ask.event_id.as_str() {
            "expo-1" => Ok(VisitsPage { next: ask.after, ..page() }),
            other => Err(Fault::not_found("events.event.unknown", format!("looking for {other:?}"))),
        }
    }
}

fn page() -> VisitsPage {
    let at = |seconds: i64| Timestamp::from_seconds(1_790_000_000 + seconds);
    let visit = RoomVisit { room: "대강당".into(), entered_at: at(0), left_at: Some(at(60)) };
    let here = RoomVisit { left_at: None, ..visit.clone() };
    let people = vec![PersonVisits { visits: vec![visit, here] }];
    VisitsPage { event_id: "expo-1".into(), begins_at: Some(at(-5)), people, next: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_visits_means_the_same_every_way() {
    let ways = Ways::<dyn EventVisits> {
        contract: &EVENT_VISITS_CONTRACT,
        answerer: || Arc::new(OneVisitor),
        routes: EventVisitsRoutes::of,
        meet: |link| Arc::new(EventVisitsClient::new(link)),
    };
    ways.run(|way, visits| async move {
        let cx = Cx::root();
        let ask = |event_id: &str, after: Option<&str>| VisitsAsk {
            event_id: event_id.into(),
            after: after.map(str::to_owned),
            ..VisitsAsk::default()
        };
        assert_eq!(visits.list(&cx, ask("expo-1", None)).await, Ok(page()), "{way}");
        let next = visits.list(&cx, ask("expo-1", Some("7"))).await.expect("is a page").next;
        assert_eq!(next.as_deref(), Some("7"), "{way}");
        let fault = visits.list(&cx, ask("other", None)).await.expect_err("is unknown");
        assert_eq!((fault.code, &*fault.reason), (Code::NotFound, "events.event.unknown"), "{way}");
    })
    .await;
}
