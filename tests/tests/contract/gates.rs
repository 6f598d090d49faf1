//! `events.gates` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::events::{
    EVENT_GATES_CONTRACT, EventGates, EventGatesClient, EventGatesNow, EventGatesRoutes, EventId,
    GateDirection, GateFlow, GateFlowRange, GateScan, GateScans, GateScansTaken,
};
use ieum_core::{Code, Cx, Fault, Timestamp};

use crate::every_way::Ways;

/// Knows one event.
struct OneEvent;

#[async_trait]
impl EventGates for OneEvent {
    async fn get(&self, _: &Cx, ask: EventId) -> Result<EventGatesNow, Fault> {
        if ask.event_id == now().event_id {
            return Ok(now());
        }
        Err(Fault::not_found("events.event.unknown", format!("looking for {:?}", ask.event_id)))
    }

    async fn flow(&self, _: &Cx, ask: GateFlowRange) -> Result<GateFlow, Fault> {
        assert_eq!((ask.from, ask.step_seconds), (Some(Timestamp::from_seconds(60)), Some(300)));
        Ok(flow())
    }

    async fn record(&self, _: &Cx, scans: GateScans) -> Result<GateScansTaken, Fault> {
        if scans.scans[0].gate_id.is_empty() {
            return Err(Fault::invalid_argument(
                "events.scan.invalid",
                "taking scans of gates: scans[0].gateId",
            ));
        }
        Ok(GateScansTaken { accepted: scans.scans.len() as u64, repeated: 0 })
    }
}

fn now() -> EventGatesNow {
    serde_json::from_value(serde_json::json!({
        "eventId": "expo", "at": "2026-05-01T01:00:00.123Z",
        "gates": [{
            "gateId": "북문", "status": "open", "entered": 7, "left": 3, "inPerMinute": 1.5, "outPerMinute": 0.2,
            "lastScanAt": "2026-05-01T01:00:00.123Z",
        }],
        "occupancy": {
            "counted": -4, "estimated": 3, "low": 2, "high": 5, "capacity": 10, "share": 0.3, "checkoutRate": 0.71,
            "method": "survival",
        },
    }))
    .expect("are gates")
}

fn flow() -> GateFlow {
    serde_json::from_value(serde_json::json!({
        "eventId": "expo", "stepSeconds": 300,
        "rows": [{ "at": "2026-05-01T01:00:00Z", "gateId": "북문", "entered": 7, "left": 3 }],
    }))
    .expect("is a flow")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_gates_means_the_same_every_way() {
    let ways = Ways::<dyn EventGates> {
        contract: &EVENT_GATES_CONTRACT,
        answerer: || Arc::new(OneEvent),
        routes: EventGatesRoutes::of,
        meet: |link| Arc::new(EventGatesClient::new(link)),
    };
    ways.run(|way, gates| async move {
        let cx = Cx::root();
        let id = |text: &str| EventId { event_id: text.into() };
        assert_eq!(gates.get(&cx, id("expo")).await, Ok(now()), "{way}");
        let fault = gates.get(&cx, id("other")).await.expect_err("is unknown");
        assert_eq!((fault.code, &*fault.reason), (Code::NotFound, "events.event.unknown"), "{way}");
        let range = GateFlowRange {
            event_id: "expo".into(),
            from: Some(Timestamp::from_seconds(60)),
            until: None,
            step_seconds: Some(300),
        };
        assert_eq!(gates.flow(&cx, range).await, Ok(flow()), "{way}");
        let scans = |gate: &str| GateScans {
            event_id: "expo".into(),
            scans: vec![GateScan {
                scan_id: "1".into(),
                gate_id: gate.into(),
                direction: GateDirection::Out,
                at: Timestamp::from_millis(1_790_000_000_123),
                ticket: None,
            }],
        };
        let taken = GateScansTaken { accepted: 1, repeated: 0 };
        assert_eq!(gates.record(&cx, scans("북문")).await, Ok(taken), "{way}");
        let fault = gates.record(&cx, scans("")).await.expect_err("has no gate");
        assert_eq!((fault.code, &*fault.reason), (Code::InvalidArgument, "events.scan.invalid"), "{way}");
    })
    .await;
}
