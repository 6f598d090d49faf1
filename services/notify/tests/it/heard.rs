//! What the service hears on the bus.

use std::time::Duration;

use ieum_bus::Event;
use ieum_contracts::events::{
    Alert, EVENT_DATA_UPDATED, EVENT_DATA_UPDATES, EventMetrics, EventStatus, NormalizedEventData, Severity,
};
use ieum_contracts::notify::{Channel, MessageState, NOTIFICATION_REQUESTED, NOTIFICATION_REQUESTS};
use ieum_core::{Cx, Timestamp};
use ieum_testkit::wait::until;

use crate::stage::{Stage, wish};

const PATIENCE: Duration = Duration::from_secs(120);

async fn publish(stage: &Stage, topic: &str, kind: &str, id: &str, data: impl serde::Serialize) {
    let event = Event::new(&Cx::root(), "/test", kind, "key", data).expect("is an event").with_id(id);
    stage.bus.publish(topic, event).await.expect("is durable");
}

pub async fn a_wish_on_the_bus_is_accepted_once(stage: &Stage) {
    stage.part.start().await.expect("starts");
    for id in ["one", "two"] {
        // Told twice under another event id, as a sender does that was killed after publishing.
        publish(stage, NOTIFICATION_REQUESTS, NOTIFICATION_REQUESTED, id, wish("n-1", "mail")).await;
    }
    publish(stage, NOTIFICATION_REQUESTS, NOTIFICATION_REQUESTED, "last", wish("n-2", "everywhere")).await;
    until("both are accepted", PATIENCE, || async { stage.all().await.len() == 4 })
        .await
        .expect("are accepted");
    stage.part.drain().await;
    stage.settle().await;
    assert_eq!((stage.mail.letters().len(), stage.all().await.len()), (2, 4));
}

fn event(id: &str, alerts: &[(&str, Severity)]) -> NormalizedEventData {
    let alert = |&(kind, severity): &(&str, Severity)| Alert {
        kind: kind.to_owned(),
        severity,
        message: format!("{kind} it is"),
        wording: None,
        since: None,
    };
    NormalizedEventData {
        event_id: id.into(),
        event_name: "Jazz".into(),
        timestamp: Timestamp::from_seconds(1_780_000_000),
        metrics: EventMetrics::default(),
        alerts: alerts.iter().map(alert).collect(),
        status: EventStatus::Active,
    }
}

pub async fn an_alert_is_told_to_its_followers_once_when_it_is_raised(stage: &Stage) {
    stage.save(|ada| ada.follows = vec!["e-1".into()]).await;
    stage.save(|bob| bob.recipient_id = "bob".into()).await;
    stage.part.start().await.expect("starts");
    let raised = [("capacity.90", Severity::Warning), ("opened", Severity::Info)];
    let steps: [(&str, NormalizedEventData); 6] = [
        ("1", event("e-1", &[])),
        ("2", event("e-1", &raised)),
        ("3", event("e-1", &raised)),
        ("4", event("e-1", &[])),
        // Back within a quarter of an hour: figures go to and fro.
        ("5", event("e-1", &raised)),
        ("6", event("e-2", &raised)),
    ];
    for (id, data) in steps {
        publish(stage, EVENT_DATA_UPDATES, EVENT_DATA_UPDATED, id, data).await;
    }
    // Of one key, so the last tells that the others were heard.
    publish(
        stage,
        EVENT_DATA_UPDATES,
        EVENT_DATA_UPDATED,
        "7",
        event("e-1", &[("capacity.100", Severity::Critical)]),
    )
    .await;
    until("the last is heard", PATIENCE, || async {
        stage.all().await.iter().any(|message| message.kind == "events.alert.capacity.100")
    })
    .await
    .expect("is heard");
    stage.part.drain().await;
    stage.settle().await;
    let mut titles: Vec<String> = stage.mail.letters().into_iter().map(|letter| letter.title).collect();
    titles.sort_by_key(|title| std::cmp::Reverse(title.clone()));
    assert_eq!(titles, ["[Warning] Jazz: capacity.90 it is", "[Critical] Jazz: capacity.100 it is"]);
    let page = stage.all().await.into_iter().filter(|message| message.channel == Channel::InApp);
    assert!(page.clone().all(|message| message.recipient_id == "ada" && message.state == MessageState::Sent));
    assert_eq!(page.count(), 2);
}
