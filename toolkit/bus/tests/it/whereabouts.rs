//! Where an event is that only Kafka's log has: found by its time, else among the newest, and said how far.

use ieum_bus::{BusOptions, Event, Stage, open_bus};
use ieum_core::{Cx, new_id, system_clock};
use ieum_testkit::server::require;
use serde_json::json;

use crate::listener::Listener;
use crate::world::{World, event, eventually};

/// An event with an id as the bus makes them: a UUID of version 7.
fn timed(key: &str) -> Event {
    Event::new(&Cx::root(), "/test", "cup.filled.v1", key, json!({})).expect("is JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn an_event_that_no_group_has_read_is_found_in_the_log() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    eventually!("the first effect", world.effects("readers").await.len() == 1);
    subscribed.drain().await;
    let (early, late) = (timed("a"), timed("a"));
    let named = event("a", 7);
    let sent = vec![early.clone(), named.clone(), late.clone()];
    world.bus.publish(&world.topic, sent).await.expect("publishes");
    // Another process, which knows the topic from the store alone.
    let other = world.another_bus().await;
    let group = world.group("readers");
    for (event, offset) in [(&early, 1), (&named, 2), (&late, 3)] {
        let located = other.locate(&event.id).await.expect("locates");
        let [log, waiting] = located.sightings.as_slice() else { panic!("{located:?}") };
        assert_eq!((log.stage, waiting.stage), (Stage::Log, Stage::Waiting));
        assert!(log.detail.starts_with(&format!("topic {}, partition ", world.topic)), "{}", log.detail);
        assert!(log.detail.ends_with(&format!(", offset {offset}")), "{}", log.detail);
        assert_eq!(waiting.detail, format!("topic {}, group {group}", world.topic));
        let searched = located.searched.expect("was searched");
        assert_eq!(searched.topics, [world.topic.as_str()]);
        assert_eq!(searched.since.is_some(), event.id != named.id, "{searched:?}");
    }
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("all effects", world.effects("readers").await.len() == 4);
    subscribed.drain().await;
    let stages = world.bus.locate(&late.id).await.expect("locates").sightings;
    let stages: Vec<Stage> = stages.iter().map(|sighting| sighting.stage).collect();
    assert_eq!(stages, [Stage::Log, Stage::Handled]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_search_in_vain_says_how_far_it_went() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    world
        .bus
        .publish(&world.topic, (0..30).map(|number| event("a", number)).collect::<Vec<_>>())
        .await
        .expect("publishes");
    let located = world.bus.locate("nobody").await.expect("locates");
    let searched = located.searched.expect("was searched");
    assert!(located.sightings.is_empty() && searched.whole && searched.since.is_none());
    assert_eq!(searched.records, 30);
    assert!(
        searched.to_string().ends_with(&format!("was searched: 30 records of {}", world.topic)),
        "{searched}"
    );
    // From the time of a later id on there is nothing older than a minute, and all of this is younger.
    let searched =
        world.bus.locate(&new_id().to_string()).await.expect("locates").searched.expect("was searched");
    assert!(searched.whole && searched.to_string().contains(" was searched from "), "{searched}");
    // An id from long after now: no record is so young.
    let future = "ffffffff-0000-7000-8000-000000000000";
    let searched = world.bus.locate(future).await.expect("locates").searched.expect("was searched");
    assert_eq!((searched.records, searched.whole), (0, true), "{searched}");
}

#[tokio::test]
async fn a_broker_that_is_not_there_hides_nothing_that_the_store_knows() {
    let world = World::sqlite().await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let sql = "INSERT INTO ieum_bus_slot (group_name, topic, part, position, owner, epoch, lease_until) \
               VALUES ('readers', 'cups', 1048576, 0, '', 0, 0)";
    world.store.execute(sql, &[]).await.expect("writes");
    let bus =
        open_bus("kafka://127.0.0.1:1", world.store.clone(), system_clock(), BusOptions::default()).await;
    let located = bus.expect("opens without a broker").locate("a-0").await.expect("locates");
    assert!(located.sightings.iter().any(|sighting| sighting.stage == Stage::Log), "{located:?}");
    let said = located.searched.expect("was tried").to_string();
    assert!(said.contains("was not searched to the end: asking kafka at 127.0.0.1:1"), "{said}");
}
