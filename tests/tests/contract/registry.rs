//! `events.registry` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::events::{
    EVENT_SERVICE_REGISTRY_CONTRACT, EventServiceConfig, EventServiceRegistry, EventServiceRegistryClient,
    EventServiceRegistryRoutes, ListSources, ProbeCheck, ProbeLevel, ProbeReport, Progress, Registered,
    Removed, SourceId, Sources,
};
use ieum_core::{Code, Cx, Fault};
use parking_lot::Mutex;

use crate::every_way::Ways;

/// Keeps configurations in memory; a probe fails where the API is down.
#[derive(Default)]
struct Book(Mutex<Vec<EventServiceConfig>>);

impl Book {
    fn find(&self, event_id: &str) -> Result<EventServiceConfig, Fault> {
        let known = self.0.lock().iter().find(|config| config.event_id == event_id).cloned();
        known.ok_or_else(|| unknown(event_id))
    }
}

fn unknown(event_id: &str) -> Fault {
    Fault::not_found("events.source.unknown", format!("looking for source {event_id:?}"))
}

fn probe(config: &EventServiceConfig) -> ProbeReport {
    let ok = config.endpoints.api != "https://down.example";
    let detail = format!("GET {} as {:?}", config.endpoints.api, config.authentication.credentials);
    let level = if ok { ProbeLevel::Warn } else { ProbeLevel::Fail };
    let check = ProbeCheck {
        name: "health".into(),
        ok,
        detail,
        level,
        advice: Some("고치기".into()),
        advice_wording: None,
    };
    ProbeReport { ok, checks: vec![check], clock_skew_seconds: Some(-0.125) }
}

#[async_trait]
impl EventServiceRegistry for Book {
    async fn register(&self, _: &Cx, config: EventServiceConfig) -> Result<Registered, Fault> {
        let probe = probe(&config);
        if !probe.ok {
            return Err(Fault::failed_precondition("events.source.probe_failed", &probe.checks[0].detail));
        }
        let mut known = self.0.lock();
        let before = known.len();
        known.retain(|other| other.event_id != config.event_id);
        let replaced = known.len() < before;
        let event_id = config.event_id.clone();
        known.push(config);
        Ok(Registered { event_id, probe, replaced })
    }

    async fn list(&self, _: &Cx, _: ListSources) -> Result<Sources, Fault> {
        let row = |config: &EventServiceConfig| {
            serde_json::from_value(serde_json::json!({
                "eventId": config.event_id, "serviceName": config.service_name, "connector": config.connector,
                "api": config.endpoints.api, "interval": config.sync_settings.interval, "phase": "live",
                "healthy": true, "lastSuccessAt": "2026-05-01T01:00:00.123Z", "cursor": "쪽-7",
            }))
        };
        let rows = self.0.lock().iter().map(row).collect::<Result<_, _>>();
        Ok(Sources { sources: rows.map_err(|error| Fault::internal("test.row", error.to_string()))? })
    }

    async fn check(&self, _: &Cx, ask: SourceId) -> Result<ProbeReport, Fault> {
        self.find(&ask.event_id).map(|config| probe(&config))
    }

    async fn progress(&self, _: &Cx, ask: SourceId) -> Result<Progress, Fault> {
        let config = self.find(&ask.event_id)?;
        serde_json::from_value(progress(&config.event_id))
            .map_err(|error| Fault::internal("test.row", error.to_string()))
    }

    async fn remove(&self, _: &Cx, ask: SourceId) -> Result<Removed, Fault> {
        let config = self.find(&ask.event_id)?;
        self.0.lock().retain(|other| other.event_id != config.event_id);
        Ok(Removed { event_id: config.event_id })
    }
}

fn progress(event_id: &str) -> serde_json::Value {
    let step = serde_json::json!({ "step": "probed", "state": "done", "detail": "읽음" });
    serde_json::json!({ "eventId": event_id, "steps": [step], "read": {} })
}

fn config(event_id: &str, api: &str) -> EventServiceConfig {
    serde_json::from_value(serde_json::json!({
        "eventId": event_id, "serviceName": "서울 박람회", "connector": "pretix",
        "endpoints": { "api": api, "webhook": "https://hub.example/hook" },
        "authentication": { "type": "api_key", "credentials": { "token": "비밀" } },
        "syncSettings": { "interval": 5, "retryPolicy": { "attempts": 2, "firstMs": 50 } },
        "options": { "organizer": "seoul" },
    }))
    .expect("is a configuration")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_registry_means_the_same_every_way() {
    let ways = Ways::<dyn EventServiceRegistry> {
        contract: &EVENT_SERVICE_REGISTRY_CONTRACT,
        answerer: || Arc::new(Book::default()),
        routes: EventServiceRegistryRoutes::of,
        meet: |link| Arc::new(EventServiceRegistryClient::new(link)),
    };
    ways.run(|way, registry| async move {
        let cx = Cx::root();
        let wish = config("expo-1", "https://tickets.example");
        let made = registry.register(&cx, wish.clone()).await.expect("is registered");
        assert_eq!((&*made.event_id, made.replaced), ("expo-1", false), "{way}");
        assert_eq!(made.probe, probe(&wish), "{way}: credentials and skew arrived whole");
        // Under a key a command may be sent twice, as loopback does.
        let again = registry.register(&cx.with_idempotency_key("k"), wish.clone()).await;
        assert!(again.expect("is registered").replaced, "{way}");
        let listed = registry.list(&cx, ListSources {}).await.expect("is listed").sources;
        assert_eq!((listed.len(), listed[0].cursor.as_deref()), (1, Some("쪽-7")), "{way}");
        let id = |text: &str| SourceId { event_id: text.into() };
        assert_eq!(registry.check(&cx, id("expo-1")).await, Ok(probe(&wish)), "{way}");
        let told = registry.progress(&cx, id("expo-1")).await.expect("is told");
        assert_eq!((told.steps.len(), &*told.steps[0].detail), (1, "읽음"), "{way}");
        let down = registry.register(&cx, config("expo-2", "https://down.example")).await;
        let fault = down.expect_err("does not answer");
        assert_eq!(
            (fault.code, &*fault.reason),
            (Code::FailedPrecondition, "events.source.probe_failed"),
            "{way}"
        );
        assert_eq!(registry.remove(&cx, id("expo-1")).await.expect("is removed").event_id, "expo-1", "{way}");
        assert_eq!(registry.check(&cx, id("expo-1")).await.err(), Some(unknown("expo-1")), "{way}");
    })
    .await;
}
