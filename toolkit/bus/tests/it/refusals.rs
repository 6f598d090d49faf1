//! What a Kafka broker will never take: refused when it is published, else a dead letter of the outbox.

use std::time::Duration;

use ieum_bus::{BusError, DeadFilter, DeadLetter, DeadState, Event, OUTBOX_GROUP, Refusal};
use ieum_core::Fault;
use ieum_testkit::server::require;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::json;

use crate::kafka::settings;
use crate::listener::Listener;
use crate::world::{World, event, eventually};

/// The least that the topics of these tests take, in bytes.
const SMALL: usize = 20_000;

fn admin(world: &World) -> AdminClient<DefaultClientContext> {
    settings(world).create().expect("makes an admin")
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(60)))
}

/// Makes the world's topic, which takes records of at most `limit` bytes.
async fn make_topic(world: &World, limit: usize) {
    let limit = limit.to_string();
    let topic = NewTopic::new(&world.topic, 2, TopicReplication::Fixed(1)).set("max.message.bytes", &limit);
    let made = admin(world).create_topics([&topic], &options()).await.expect("asks");
    made[0].as_ref().expect("is made");
}

/// Changes what the world's topic takes.
async fn take(world: &World, limit: usize) {
    let limit = limit.to_string();
    let change = AlterConfig::new(ResourceSpecifier::Topic(&world.topic)).set("max.message.bytes", &limit);
    let changed = admin(world).alter_configs([&change], &options()).await.expect("asks");
    changed[0].as_ref().expect("is changed");
}

/// Lowers what the world's topic takes, and returns once its broker refuses more: it is told of a setting a little
/// after the one who asked. What it still takes meanwhile has the key `probe`.
async fn lower(world: &World, limit: usize) {
    take(world, limit).await;
    let producer: FutureProducer = settings(world).create().expect("makes a producer");
    let body = of_length("probe", 0, limit).to_cloud_event_json();
    eventually!("the lowered limit", {
        let headers = OwnedHeaders::new();
        let headers =
            headers.insert(Header { key: "content-type", value: Some("application/cloudevents+json") });
        let record = FutureRecord::to(&world.topic).key("probe").payload(&body).headers(headers);
        match producer.send(record, Duration::from_secs(60)).await {
            Ok(_) => false,
            Err((error, _)) => {
                assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge));
                true
            }
        }
    });
}

fn of_length(key: &str, number: usize, length: usize) -> Event {
    let mut event = event(key, number);
    event.data = json!("x".repeat(length));
    event
}

async fn letters(world: &World) -> Vec<DeadLetter> {
    world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists")
}

/// Returns the effects on the readers, but for what [`lower`] sent.
async fn unprobed(world: &World) -> Vec<String> {
    let mut effects = world.effects("readers").await;
    effects.retain(|id| !id.starts_with("probe"));
    effects
}

async fn write_outbox(world: &World, events: &[Event]) {
    let mut tx = world.store.begin_write().await.expect("begins");
    for event in events {
        world.bus.outbox(&mut tx, &world.topic, event).await.expect("writes");
    }
    tx.commit().await.expect("commits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn an_event_above_the_topics_limit_is_refused_until_the_limit_is_raised() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    make_topic(&world, SMALL).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let refused = world.bus.publish(&world.topic, vec![event("b", 0), of_length("a", 1, SMALL)]).await;
    let refused = refused.expect_err("is too large");
    let BusError::Refused { source, .. } = &refused else { panic!("{refused:?}") };
    let Refusal::TooLarge { size, limit, .. } = &**source else { panic!("{source:?}") };
    assert_eq!(*limit, SMALL);
    let fits = SMALL - (size - limit);
    let fault = Fault::from(refused);
    assert!(!fault.is_retryable() && fault.reason == "bus.too_large", "{fault:?}");
    assert!(
        fault.message.contains("an event of type cup.filled.v1 makes a record of ")
            && fault.message.contains(&format!("topic {} of kafka://", world.topic))
            && fault
                .message
                .contains("takes 20000; raise max.message.bytes there, or keep the data elsewhere"),
        "{}",
        fault.message
    );
    // The size is the broker's own measure, to the byte.
    world.bus.publish(&world.topic, of_length("a", 1, fits)).await.expect("just fits");
    world.bus.publish(&world.topic, of_length("a", 2, fits + 1)).await.expect_err("is a byte too long");
    let mut tx = world.store.begin_write().await.expect("begins");
    world
        .bus
        .outbox(&mut tx, &world.topic, &of_length("a", 2, fits + 1))
        .await
        .expect_err("is known to be refused");
    tx.rollback().await.expect("rolls back");
    take(&world, 3_000_000).await;
    // More than any broker takes unless told to.
    eventually!("the raised limit", {
        let large = of_length("a", 2, 2_500_000);
        world.bus.publish(&world.topic, large).await.is_ok()
    });
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("all but what was refused", world.effects("readers").await == ["a-0", "a-1", "a-2"]);
    subscribed.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn what_the_broker_refuses_becomes_a_dead_letter_and_the_others_go_on() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    make_topic(&world, 1_000_000).await;
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    // Behind the bus's back, so that it sends what does not fit.
    lower(&world, SMALL).await;
    let large = of_length("a", 100, 30_000).with_id("a-large");
    let mut events: Vec<Event> = Vec::new();
    for number in 1..200 {
        events.extend(["a", "b", "c"].map(|key| event(key, number)));
    }
    events.insert(301, large.clone());
    write_outbox(&world, &events).await;
    eventually!("the others", unprobed(&world).await.len() == 1 + 199 * 3);
    let effects = unprobed(&world).await;
    for (key, first) in [("a", 0), ("b", 1), ("c", 1)] {
        let begin = format!("{key}-");
        let ours: Vec<&String> = effects.iter().filter(|id| id.starts_with(&begin)).collect();
        let expected: Vec<String> = (first..200).map(|number| format!("{begin}{number}")).collect();
        assert_eq!(ours, expected.iter().collect::<Vec<_>>(), "in order, none lost, none twice");
    }
    eventually!("the dead letter", !letters(&world).await.is_empty());
    let found = letters(&world).await;
    let [letter] = found.as_slice() else { panic!("expected one dead letter, found {found:?}") };
    assert_eq!((letter.group.as_str(), letter.event_id.as_str()), (OUTBOX_GROUP, large.id.as_str()));
    assert_eq!((letter.attempts, letter.state), (1, DeadState::Parked));
    assert_eq!((letter.reason.as_str(), &letter.traceparent), ("bus.refused", &large.traceparent));
    assert!(letter.message.contains("refused an event of type cup.filled.v1 and 3"), "{}", letter.message);
    assert!(letter.message.contains("raise the topic's max.message.bytes"), "{}", letter.message);
    replay_until_it_fits(&world, &letter.id).await;
    subscribed.drain().await;
}

/// Replays in vain, then after the limit was raised.
async fn replay_until_it_fits(world: &World, id: &str) {
    let desk = world.bus.dead_letters();
    desk.replay(id, "mina").await.expect("asks");
    eventually!("the second refusal", desk.show(id).await.expect("is there").attempts == 2);
    let letter = desk.show(id).await.expect("is there");
    assert_eq!((letter.state, letter.reason.as_str()), (DeadState::Parked, "bus.too_large"));
    take(world, 1_000_000).await;
    eventually!("the raised limit", {
        // Brokers tell each other of a changed setting a little later.
        if desk.show(id).await.expect("is there").state == DeadState::Parked {
            desk.replay(id, "mina").await.expect("asks");
        }
        desk.show(id).await.expect("is there").state == DeadState::Resolved
    });
    eventually!("its effect", world.effects("readers").await.last().is_some_and(|id| id == "a-large"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_refused_event_fails_its_own_publisher_and_no_other() {
    let Some(url) = require("kafka") else { return };
    let world = World::kafka(&url).await;
    make_topic(&world, 1_000_000).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    lower(&world, SMALL).await;
    let (mine, others) = tokio::join!(
        world.bus.publish(&world.topic, of_length("a", 1, 30_000)),
        futures::future::join_all((1..20).map(|number| world.bus.publish(&world.topic, event("b", number)))),
    );
    let refused = Fault::from(mine.expect_err("is too large"));
    assert!(!refused.is_retryable() && refused.message.contains("refused an event of type"), "{refused:?}");
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert!(letters(&world).await.is_empty(), "whoever publishes knows it already");
}

#[tokio::test]
async fn what_a_broker_had_refused_goes_out_by_the_local_log_too() {
    let world = World::sqlite().await;
    let sent = event("a", 1);
    let sql = "INSERT INTO ieum_bus_dead (id, group_name, topic, part, lane_key, position, event_id, source, body, \
               code, reason, message, attempts, first_at, last_at, payload_hash, state, changed_at) \
               SELECT 'd-1', ?, ?, 0, 'a', 1, ?, ?, ?, 'invalid_argument', 'bus.refused', '', 1, 0, 0, '', \
               'parked', 0";
    let body = sent.to_cloud_event_json();
    let values = [
        OUTBOX_GROUP.into(),
        world.topic.as_str().into(),
        sent.id.as_str().into(),
        sent.source.as_str().into(),
        body.into(),
    ];
    world.store.execute(sql, &values).await.expect("writes");
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.dead_letters().replay("d-1", "mina").await.expect("asks");
    eventually!("its effect", world.effects("readers").await == ["a-1"]);
    assert_eq!(letters(&world).await[0].state, DeadState::Resolved);
    subscribed.drain().await;
}
