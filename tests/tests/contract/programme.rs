//! `events.programme` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::events::{
    EVENT_PROGRAMME_CONTRACT, EventId, EventProgramme, EventProgrammeClient, EventProgrammeRoutes, Programme,
};
use ieum_core::{Code, Cx, Fault};

use crate::every_way::Ways;

/// Knows one programme.
struct OneProgramme;

#[async_trait]
impl EventProgramme for OneProgramme {
    async fn get(&self, _: &Cx, ask: EventId) -> Result<Programme, Fault> {
        let programme = programme();
        if ask.event_id == programme.event_id {
            return Ok(programme);
        }
        Err(Fault::not_found("events.programme.unknown", format!("looking for {:?}", ask.event_id)))
    }
}

fn programme() -> Programme {
    serde_json::from_value(serde_json::json!({
        "eventId": "talks", "attendedBy": "expo-1", "readAt": "2026-05-01T01:00:00.123Z",
        "rooms": [{ "roomId": "1", "name": "대강당", "capacity": 120, "checkinList": -7, "inside": 3, "checkedIn": 5 }],
        "slots": [{
            "slotId": "ABC", "roomId": "1", "title": "여는 말", "beginsAt": "2026-05-01T01:00:00.123Z",
            "endsAt": "2026-05-01T02:00:00.123Z", "timeZone": "Asia/Seoul", "status": "cancelled",
            "attended": 4, "fill": 0.0333,
        }],
    }))
    .expect("is a programme")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_programme_means_the_same_every_way() {
    let ways = Ways::<dyn EventProgramme> {
        contract: &EVENT_PROGRAMME_CONTRACT,
        answerer: || Arc::new(OneProgramme),
        routes: EventProgrammeRoutes::of,
        meet: |link| Arc::new(EventProgrammeClient::new(link)),
    };
    ways.run(|way, programmes| async move {
        let cx = Cx::root();
        let id = |text: &str| EventId { event_id: text.into() };
        assert_eq!(programmes.get(&cx, id("talks")).await, Ok(programme()), "{way}");
        let fault = programmes.get(&cx, id("other")).await.expect_err("is unknown");
        assert_eq!((fault.code, &*fault.reason), (Code::NotFound, "events.programme.unknown"), "{way}");
    })
    .await;
}
