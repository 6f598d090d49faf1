//! What only a bus on Kafka promises: other producers, broken brokers, moved partitions, killed members.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ieum_bus::{BusError, BusOptions, DeadFilter, Durability, Event, Retention, open_bus};
use ieum_core::{Fault, system_clock};
use ieum_testkit::server::require;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::kill::survives_kills;
use crate::listener::Listener;
use crate::world::{World, event, eventually};

/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn brokers(bus_url: &str) -> &str {
    bus_url.trim_start_matches("kafka://").split('?').next().unwrap_or_default()
}

pub fn settings(world: &World) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", brokers(world.bus_url()));
    settings
}

fn ten() -> Vec<Event> {
    (0..10).map(|number| event("a", number)).collect()
}

/// Writes a record as a stranger would; returns its partition and offset.
async fn write(world: &World, key: &str, value: &[u8], headers: &[(&str, &str)]) -> (i32, i64) {
    let producer: FutureProducer = settings(world).create().expect("makes a producer");
    let with =
        |list: OwnedHeaders, (key, value): &(&str, &str)| list.insert(Header { key, value: Some(*value) });
    let record = FutureRecord::to(&world.topic).key(key).payload(value);
    let record = record.headers(headers.iter().fold(OwnedHeaders::new(), with));
    let delivery = producer.send(record, PATIENCE).await.expect("the broker takes it");
    (delivery.partition, delivery.offset)
}

/// Reads the whole topic as a stranger would: by partition the key, the body and the headers.
async fn read(world: &World, count: usize) -> Vec<(i32, String, Value, BTreeMap<String, String>)> {
    let (mut settings, topic) = (settings(world), world.topic.clone());
    settings.set("group.id", "a stranger");
    let read = move || {
        let consumer: BaseConsumer = settings.create().expect("makes a consumer");
        let metadata = consumer.fetch_metadata(Some(&topic), PATIENCE).expect("knows the topic");
        let mut list = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            list.add_partition_offset(&topic, partition.id(), Offset::Beginning).expect("is an offset");
        }
        consumer.assign(&list).expect("assigns");
        let mut found = Vec::new();
        while found.len() < count {
            let message = consumer.poll(PATIENCE).expect("comes in time").expect("is a record");
            let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec());
            let headers = message.headers().expect("has headers").iter();
            let headers = headers.map(|header| (header.key.to_owned(), text(header.value).expect("is text")));
            let body = serde_json::from_slice(message.payload().unwrap_or_default()).expect("is JSON");
            let key = text(message.key()).expect("is text");
            found.push((message.partition(), key, body, headers.collect()));
        }
        found
    };
    tokio::task::spawn_blocking(read).await.expect("reads")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn others_read_what_is_published_where_they_would_put_it() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    let sent: Vec<Event> = (0..20).map(|number| event(&format!("k{number}"), number)).collect();
    world.bus.publish(&world.topic, sent.clone()).await.expect("publishes");
    let found = read(&world, 20).await;
    // Java's producer and ours must agree on the partition of a key; so must any that uses murmur2.
    let mut stranger = settings(&world);
    stranger.set("partitioner", "murmur2_random");
    let stranger: FutureProducer = stranger.create().expect("makes a producer");
    for event in sent {
        let (partition, _, body, headers) =
            found.iter().find(|(_, key, ..)| *key == event.key).expect("is in the topic");
        assert_eq!(body["id"], json!(event.id));
        assert_eq!(headers["content-type"], "application/cloudevents+json");
        assert_eq!(Some(&headers["traceparent"]), event.traceparent.as_ref());
        let record = FutureRecord::to(&world.topic).key(&event.key).payload("{}");
        let theirs = stranger.send(record, PATIENCE).await.expect("the broker takes it");
        assert_eq!(theirs.partition, *partition, "key {}", event.key);
    }
    let parts = found.iter().map(|(partition, ..)| *partition).collect::<std::collections::BTreeSet<_>>();
    assert!(parts.len() > 1, "keys spread: {parts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_strangers_record_in_binary_mode_is_an_event() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", "theirs-1"),
        ("ce_source", "/elsewhere"),
        ("ce_type", "cup.filled.v1"),
        ("content-type", "application/json"),
        ("traceparent", trace),
    ];
    write(&world, "a", br#"{"number": 1}"#, &headers).await;
    let listener = Listener::failing("readers", |event, _| {
        assert!(event.key == "a", "the record's key is the event's");
        Ok(())
    });
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("both effects", world.effects("readers").await.len() == 2);
    assert!(world.effects("readers").await.contains(&"theirs-1".to_owned()));
    let traces = listener.contexts().iter().map(|cx| cx.trace().trace_id.to_string()).collect::<Vec<_>>();
    assert!(traces.contains(&trace[3..35].to_owned()), "{traces:?}");
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_strangers_garbage_becomes_a_dead_letter_and_stops_nobody() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let (partition, offset) = write(&world, "a", b"\x00\xff no event", &[]).await;
    world.bus.publish(&world.topic, event("a", 1)).await.expect("publishes");
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the follower", world.effects("readers").await == ["a-0", "a-1"]);
    let desk = world.bus.dead_letters();
    // A stranger's producer may choose another partition, whose turn comes when it comes.
    eventually!("the dead letter", desk.list(&DeadFilter::default()).await.expect("lists").len() == 1);
    let letters = desk.list(&DeadFilter::default()).await.expect("lists");
    let [letter] = letters.as_slice() else { panic!("expected one dead letter, found {letters:?}") };
    assert_eq!(letter.reason, "bus.not_an_event");
    let place = format!("(topic {}, partition {partition}, offset {offset})", world.topic);
    assert!(letter.message.ends_with(&place), "{}", letter.message);
    assert!(letter.event_id.ends_with(&format!("/{partition}/{offset}")), "{}", letter.event_id);
    // Somebody who knows what was meant can mend it.
    let mended = event("a", 2).to_cloud_event_json();
    desk.edit(&letter.id, &mended, "mina").await.expect("edits");
    desk.replay(&letter.id, "mina").await.expect("asks");
    eventually!("the mended event", world.effects("readers").await == ["a-0", "a-1", "a-2"]);
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn an_outage_of_the_broker_delays_events_and_loses_none() {
    let Some(mut broker) = Broker::start().await else { return };
    let world = World::kafka(&broker.url()).await;
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    eventually!("the first effect", world.effects("readers").await.len() == 1);
    broker.kill();
    let options = BusOptions { patience: Duration::from_secs(1), ..BusOptions::default() };
    let hasty = open_bus(world.bus_url(), world.store.clone(), system_clock(), options).await;
    let refused = hasty.expect("opens without a broker").publish(&world.topic, event("b", 0)).await;
    let refused = refused.expect_err("nobody takes it");
    assert!(refused.is_retryable(), "{refused}");
    let fault = Fault::from(refused);
    assert!(fault.is_retryable() && fault.message.contains(brokers(world.bus_url())), "{fault:?}");
    let mut tx = world.store.begin().await.expect("begins");
    for number in 1..20 {
        world.bus.outbox(&mut tx, &world.topic, &event("a", number)).await.expect("writes");
    }
    tx.commit().await.expect("commits");
    broker.restart().await;
    eventually!("what the outbox kept", world.effects("readers").await.len() == 20);
    world.bus.publish(&world.topic, event("a", 20)).await.expect("publishes again");
    eventually!("what came after", world.effects("readers").await.len() == 21);
    let expected: Vec<String> = (0..21).map(|number| format!("a-{number}")).collect();
    assert_eq!(world.effects("readers").await, expected, "in order, none twice");
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn publishers_get_through_brokers_that_are_killed_again_and_again() {
    let Some(mut broker) = Broker::start().await else { return };
    let world = World::kafka(&broker.url()).await;
    let listener = Listener::failing("readers", |event, before| {
        let fails = before == 0 && event.data["number"].as_u64().is_some_and(|number| number % 10 == 3);
        if fails { Err(Fault::unavailable("test.down", "filling a cup")) } else { Ok(()) }
    });
    let subscribed = world.subscribe("readers", &listener).await;
    let publishers = (0..8).map(|key| {
        let (bus, topic) = (world.bus.clone(), world.topic.clone());
        tokio::spawn(async move {
            for number in 0..100 {
                // What was not acknowledged is sent again by whoever wants it to arrive.
                while bus.publish(&topic, event(&format!("k{key}"), number)).await.is_err() {}
                system_clock().sleep(Duration::from_millis(20)).await;
            }
        })
    });
    let publishers: Vec<_> = publishers.collect();
    for kill in 1..3 {
        eventually!("some progress", world.effects("readers").await.len() > kill * 80);
        broker.kill();
        broker.restart().await;
    }
    for publisher in publishers {
        publisher.await.expect("publishes all");
    }
    eventually!("all effects", world.effects("readers").await.len() >= 800);
    let effects = world.effects("readers").await;
    assert_eq!(effects.len(), 800);
    for key in 0..8 {
        let begin = format!("k{key}-");
        let ours = effects.iter().filter(|id| id.starts_with(&begin)).cloned();
        let expected: Vec<String> = (0..100).map(|number| format!("{begin}{number}")).collect();
        assert_eq!(ours.collect::<Vec<_>>(), expected);
    }
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn members_that_come_and_go_keep_each_keys_order() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    let listener = Listener::new("readers");
    let first = world.subscribe("readers", &listener).await;
    let sent = AtomicUsize::new(0);
    let mut guests = Vec::new();
    for step in 0..4 {
        let guest = (world.another_bus().await, Listener::new("readers"));
        let joined = world.subscribe_on(&guest.0, "readers", &guest.1).await;
        // Published until the guest has its share, so that the partitions move under load.
        ieum_testkit::wait::until("the guest works", Duration::from_secs(60), async || {
            let number = sent.fetch_add(1, Ordering::SeqCst);
            let events: Vec<Event> = (0..16).map(|key| event(&format!("k{key}"), number)).collect();
            world.bus.publish(&world.topic, events).await.expect("publishes");
            !guest.1.contexts().is_empty()
        })
        .await
        .expect("gets a share");
        if step % 2 == 0 {
            joined.drain().await
        } else {
            joined.stop()
        }
        guests.push(guest);
    }
    let sent = sent.into_inner();
    eventually!("all effects", world.effects("readers").await.len() >= sent * 16);
    let effects = world.effects("readers").await;
    for key in 0..16 {
        let begin = format!("k{key}-");
        let ours = effects.iter().filter(|id| id.starts_with(&begin)).cloned();
        let expected: Vec<String> = (0..sent).map(|number| format!("{begin}{number}")).collect();
        assert_eq!(ours.collect::<Vec<_>>(), expected, "whole, in order, none twice");
    }
    first.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn the_stores_position_counts_and_not_kafkas() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    world.bus.publish(&world.topic, ten()).await.expect("publishes");
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("all effects", world.effects("readers").await.len() == 10);
    subscribed.drain().await;
    // As after a restore of the store from a backup: Kafka knows more than the store.
    for sql in ["UPDATE ieum_bus_slot SET position = 0", "DELETE FROM effect", "DELETE FROM ieum_bus_inbox"] {
        world.store.execute(sql, &[]).await.expect("goes back");
    }
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("all effects again", world.effects("readers").await.len() == 10);
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_topic_that_was_made_anew_is_read_from_its_beginning() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    world.bus.publish(&world.topic, ten()).await.expect("publishes");
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("all effects", world.effects("readers").await.len() == 10);
    subscribed.drain().await;
    let admin: AdminClient<DefaultClientContext> = settings(&world).create().expect("makes an admin");
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    admin.delete_topics(&[&world.topic], &options).await.expect("deletes")[0].as_ref().expect("was there");
    let again = NewTopic::new(&world.topic, 4, TopicReplication::Fixed(1));
    eventually!("a new topic", {
        let made = admin.create_topics([&again], &options).await.expect("asks");
        made[0].is_ok()
    });
    world.bus.publish(&world.topic, vec![event("a", 3), event("a", 10)]).await.expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the new event", world.effects("readers").await.contains(&"a-10".to_owned()));
    assert_eq!(world.effects("readers").await.len(), 11, "what was handled before has no second effect");
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_created_topic_has_the_partitions_that_the_url_asks_for() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&format!("{url}?partitions=5&replication=1")).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", url.trim_start_matches("kafka://"));
    let consumer: BaseConsumer = settings.create().expect("makes a consumer");
    let metadata = consumer.fetch_metadata(Some(&world.topic), PATIENCE).expect("knows the topic");
    assert_eq!(metadata.topics()[0].partitions().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn what_kafka_lacks_is_said() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    let given = world.bus.capabilities();
    assert_eq!((given.backend, given.durability), ("kafka", Durability::Replicas));
    assert!(given.shared && !given.dedupes_log && given.finds_in_log && !given.purges_log);
    world.bus.ping().await.expect("the broker answers");
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 1)).await.expect("publishes");
    eventually!("the effect", world.effects("readers").await.len() == 1);
    subscribed.drain().await;
    let retention = Retention { inbox: Duration::ZERO, ..Retention::default() };
    let purged = world.bus.purge(&retention).await.expect("purges");
    assert_eq!((purged.events, purged.marks), (0, 1), "the log's events go by the broker's retention");
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let store = World::sqlite().await.store;
    let bus = open_bus("kafka://127.0.0.1:1", store, system_clock(), BusOptions::default()).await;
    let error = bus.expect("opens without a broker").ping().await.expect_err("nobody is there");
    assert!(matches!(error, BusError::Unreachable { .. }) && error.is_retryable(), "{error}");
    assert_eq!(error.to_string(), "reaching the bus kafka://127.0.0.1:1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn killed_processes_lose_and_double_nothing_on_kafka() {
    let Some(url) = require("kafka") else { return };
    survives_kills(&World::kafka(&url).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka postgres"]
async fn killed_processes_lose_and_double_nothing_on_kafka_and_postgres() {
    let Some(world) = World::on_kafka_and("postgres").await else { return };
    survives_kills(&world).await;
    world.clean_up().await;
}
