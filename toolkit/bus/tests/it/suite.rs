//! What every bus promises.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ieum_bus::{BusError, Consumer, DeadFilter, DeadState, Event, Retention, Stage};
use ieum_core::{Caller, Cx, Fault, system_clock};
use serde_json::json;

use crate::listener::Listener;
use crate::world::{World, event, eventually, subscription};

fn broken() -> Fault {
    Fault::unavailable("test.down", "filling a cup")
}

fn wrong() -> Fault {
    Fault::invalid_argument("test.wrong", "filling a cup")
}

/// Returns the ids that begin with `key-`, in the order given.
fn of_key(ids: &[String], key: &str) -> Vec<String> {
    ids.iter().filter(|id| id.starts_with(&format!("{key}-"))).cloned().collect()
}

fn numbered(key: &str, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("{key}-{number}")).collect()
}

pub async fn what_is_published_is_handled_with_its_context(world: &World) {
    let listener = Listener::new("readers");
    let cx = Cx::root().with_tenant("seoul").with_caller(Caller::new("gate")).with_idempotency_key("scan-7");
    let event = Event::new(&cx, "/test", "cup.filled.v1", "a", json!({"number": 1})).expect("is JSON");
    world.bus.publish(&world.topic, event.clone()).await.expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("one effect", world.effects("readers").await == [event.id.clone()]);
    let seen = listener.contexts().remove(0);
    assert_eq!(seen.trace().trace_id, cx.trace().trace_id);
    assert_eq!((seen.tenant(), seen.idempotency_key()), (Some("seoul"), Some("scan-7")));
    assert_eq!((seen.caller(), seen.attempt()), (Some(&Caller::new("gate")), 0));
    assert!(seen.deadline().is_some(), "the handler has a time limit");
    subscribed.drain().await;
}

pub async fn every_group_gets_every_event(world: &World) {
    let (one, two) = (Listener::new("one"), Listener::new("two"));
    let first = world.subscribe("one", &one).await;
    let second = world.subscribe("two", &two).await;
    let events: Vec<Event> = (0..30).map(|number| event("a", number)).collect();
    world.bus.publish(&world.topic, events).await.expect("publishes");
    for group in ["one", "two"] {
        eventually!("all effects", world.effects(group).await == numbered("a", 0..30));
    }
    first.drain().await;
    second.drain().await;
}

pub async fn an_event_published_twice_has_one_effect(world: &World) {
    let listener = Listener::new("readers");
    world.bus.publish(&world.topic, vec![event("a", 1), event("a", 1)]).await.expect("publishes a pair");
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 1)).await.expect("publishing again is harmless");
    world.bus.publish(&world.topic, event("a", 2)).await.expect("publishes");
    eventually!("the last effect", world.effects("readers").await.contains(&"a-2".to_owned()));
    assert_eq!(world.effects("readers").await, numbered("a", 1..3));
    subscribed.drain().await;
}

pub async fn a_retried_event_keeps_its_keys_order_and_blocks_no_other_key(world: &World) {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let listener = Listener::failing("readers", move |event, _| {
        if event.id == "slow-0" && !gate.load(Ordering::SeqCst) { Err(broken()) } else { Ok(()) }
    });
    let events =
        (0..5).flat_map(|number| [event("slow", number), event("quick", number)]).collect::<Vec<_>>();
    world.bus.publish(&world.topic, events).await.expect("publishes");
    // The slow one waits until the test has seen what it wants to see, however long that takes.
    let mut wish = subscription(&world.topic, &world.group("readers"));
    wish.retry.attempts = 1_000_000;
    let consumer: Arc<dyn Consumer> = Arc::clone(&listener) as _;
    let subscribed = world.bus.subscribe(wish, consumer).await.expect("subscribes");
    eventually!("the other key", of_key(&world.effects("readers").await, "quick") == numbered("quick", 0..5));
    eventually!("a retry", listener.calls_of("slow-0") >= 2);
    open.store(true, Ordering::SeqCst);
    eventually!("the slow key", of_key(&world.effects("readers").await, "slow").len() == 5);
    assert_eq!(of_key(&world.effects("readers").await, "slow"), numbered("slow", 0..5));
    subscribed.drain().await;
}

pub async fn an_event_fails_alone_in_its_batch(world: &World) {
    let listener = Listener::failing("readers", |event, _| {
        if event.data["number"].as_u64().is_some_and(|number| number % 7 == 3) {
            Err(wrong())
        } else {
            Ok(())
        }
    });
    let events: Vec<Event> = (0..50).map(|number| event("a", number)).collect();
    world.bus.publish(&world.topic, events).await.expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    let good = numbered("a", (0..50).filter(|number| number % 7 != 3));
    eventually!("all good effects", world.effects("readers").await.len() == good.len());
    assert_eq!(world.effects("readers").await, good);
    eventually!(
        "all dead",
        world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists").len() == 7
    );
    subscribed.drain().await;
}

pub async fn a_rolled_back_outbox_publishes_nothing(world: &World) {
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    let mut tx = world.store.begin().await.expect("begins");
    world.bus.outbox(&mut tx, &world.topic, &event("a", 1)).await.expect("writes");
    tx.rollback().await.expect("rolls back");
    let mut tx = world.store.begin().await.expect("begins");
    world.bus.outbox(&mut tx, &world.topic, &event("a", 2)).await.expect("writes");
    tx.commit().await.expect("commits");
    eventually!("the committed event", !world.effects("readers").await.is_empty());
    assert_eq!(world.effects("readers").await, numbered("a", [2]));
    subscribed.drain().await;
}

pub async fn an_outbox_keeps_the_order_of_each_key(world: &World) {
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    for number in 0..40 {
        let mut tx = world.store.begin().await.expect("begins");
        world.bus.outbox(&mut tx, &world.topic, &event("a", number)).await.expect("writes");
        tx.commit().await.expect("commits");
    }
    eventually!("all effects", world.effects("readers").await.len() == 40);
    assert_eq!(world.effects("readers").await, numbered("a", 0..40));
    subscribed.drain().await;
}

pub async fn effect_and_mark_stand_or_fall_together(world: &World) {
    let listener = Listener::failing("readers", |_, before| if before < 2 { Err(broken()) } else { Ok(()) });
    world.bus.publish(&world.topic, event("a", 1)).await.expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the effect", !world.effects("readers").await.is_empty());
    subscribed.drain().await;
    assert_eq!(world.effects("readers").await, numbered("a", [1]), "failed attempts left nothing");
    assert_eq!(listener.calls_of("a-1"), 3);
    let contexts = listener.contexts();
    assert_eq!(contexts.iter().map(Cx::attempt).collect::<Vec<_>>(), [0, 1, 2]);
}

pub async fn a_dead_letter_tells_why_and_lets_its_key_go_on(world: &World) {
    let listener =
        Listener::failing("readers", |event, _| if event.id == "a-0" { Err(wrong()) } else { Ok(()) });
    let poison = event("a", 0);
    let before = system_clock().now();
    world.bus.publish(&world.topic, vec![poison.clone(), event("a", 1)]).await.expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the follower", world.effects("readers").await == numbered("a", [1]));
    let letters = world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists");
    let [letter] = letters.as_slice() else { panic!("expected one dead letter, found {letters:?}") };
    assert_eq!(
        (&letter.topic, &letter.group, letter.key.as_str()),
        (&world.topic, &world.group("readers"), "a")
    );
    assert_eq!((letter.reason.as_str(), letter.message.as_str()), ("test.wrong", "filling a cup"));
    assert_eq!((letter.code.as_str(), letter.attempts), ("invalid_argument", 1));
    assert_eq!((letter.event_id.as_str(), letter.state), ("a-0", DeadState::Parked));
    assert_eq!(letter.traceparent, poison.traceparent);
    assert!(letter.first_at >= before && letter.last_at >= letter.first_at);
    assert_eq!(letter.payload_hash.len(), 64);
    assert_eq!(letter.event().expect("is an event"), poison);
    let causes = world.bus.dead_letters().causes().await.expect("groups");
    assert_eq!((causes[0].reason.as_str(), causes[0].count), ("test.wrong", 1));
    subscribed.drain().await;
}

pub async fn a_panic_makes_a_dead_letter(world: &World) {
    let listener = Listener::failing("readers", |event, _| {
        assert!(event.id != "a-0", "a cup without a floor");
        Ok(())
    });
    world.bus.publish(&world.topic, vec![event("a", 0), event("a", 1)]).await.expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the follower", world.effects("readers").await == numbered("a", [1]));
    let letters = world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists");
    assert_eq!(letters[0].reason, "bus.handler_panicked");
    assert!(letters[0].message.contains("a cup without a floor"), "{}", letters[0].message);
    subscribed.drain().await;
}

pub async fn attempts_used_up_make_a_dead_letter(world: &World) {
    let listener =
        Listener::failing("readers", |event, _| if event.id == "a-0" { Err(broken()) } else { Ok(()) });
    world
        .bus
        .publish(&world.topic, vec![event("a", 0), event("a", 1), event("a", 2)])
        .await
        .expect("publishes");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the followers", world.effects("readers").await == numbered("a", [1, 2]));
    let letters = world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists");
    assert_eq!((letters[0].attempts, letters[0].reason.as_str()), (4, "test.down"));
    assert_eq!(listener.calls_of("a-0"), 4);
    assert!(letters[0].last_at > letters[0].first_at);
    subscribed.drain().await;
}

pub async fn a_replay_is_handled_once(world: &World) {
    let mended = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&mended);
    let listener =
        Listener::failing(
            "readers",
            move |_, _| if gate.load(Ordering::SeqCst) { Ok(()) } else { Err(wrong()) },
        );
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, vec![event("a", 0), event("a", 1)]).await.expect("publishes");
    let desk = world.bus.dead_letters();
    let parked = DeadFilter { state: Some(DeadState::Parked), ..DeadFilter::default() };
    eventually!("two dead letters", desk.list(&parked).await.expect("lists").len() == 2);
    let id = desk.list(&parked).await.expect("lists")[0].id.clone();
    desk.replay(&id, "mina").await.expect("asks for a replay");
    eventually!("the replay failed as well", desk.show(&id).await.expect("shows").attempts == 2);
    mended.store(true, Ordering::SeqCst);
    assert_eq!(desk.replay_all(&DeadFilter::default(), "mina").await.expect("asks"), 2);
    eventually!("both effects", world.effects("readers").await.len() == 2);
    let resolved = DeadFilter { state: Some(DeadState::Resolved), ..DeadFilter::default() };
    eventually!("both resolved", desk.list(&resolved).await.expect("lists").len() == 2);
    assert!(matches!(desk.replay(&id, "mina").await, Err(BusError::NotParked { .. })));
    let trail = desk.trail(&id).await.expect("reads the trail");
    assert_eq!(trail.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["replay", "replay"]);
    assert_eq!(trail[0].who, "mina");
    subscribed.drain().await;
    assert_eq!(world.effects("readers").await.len(), 2);
}

pub async fn an_edited_dead_letter_is_replayed_with_its_new_body(world: &World) {
    let listener =
        Listener::failing(
            "readers",
            |event, _| {
                if event.data["number"] == json!(0) { Err(wrong()) } else { Ok(()) }
            },
        );
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let desk = world.bus.dead_letters();
    eventually!("a dead letter", !desk.list(&DeadFilter::default()).await.expect("lists").is_empty());
    let letter = desk.list(&DeadFilter::default()).await.expect("lists").remove(0);
    let refused = desk.edit(&letter.id, "{", "mina").await.expect_err("is no JSON");
    assert!(matches!(refused, BusError::Event { .. }), "{refused}");
    let other = event("a", 9).to_cloud_event_json();
    assert!(desk.edit(&letter.id, &other, "mina").await.is_err(), "another id is another event");
    let mut mended = event("a", 0);
    mended.data = json!({"number": 5});
    desk.edit(&letter.id, &mended.to_cloud_event_json(), "mina").await.expect("edits");
    desk.replay(&letter.id, "mina").await.expect("asks");
    eventually!("the effect", world.effects("readers").await == numbered("a", [0]));
    let trail = desk.trail(&letter.id).await.expect("reads the trail");
    assert_eq!((trail[0].action.as_str(), &trail[0].detail), ("edit", &letter.payload_hash));
    subscribed.drain().await;
}

pub async fn a_discarded_dead_letter_stays_readable_and_is_not_replayed(world: &World) {
    let listener = Listener::failing("readers", |_, _| Err(wrong()));
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    let desk = world.bus.dead_letters();
    eventually!("a dead letter", !desk.list(&DeadFilter::default()).await.expect("lists").is_empty());
    let id = desk.list(&DeadFilter::default()).await.expect("lists").remove(0).id;
    desk.discard(&id, "mina", "a test cup").await.expect("discards");
    assert_eq!(desk.show(&id).await.expect("shows").state, DeadState::Discarded);
    assert!(matches!(desk.replay(&id, "mina").await, Err(BusError::NotParked { .. })));
    assert_eq!(desk.trail(&id).await.expect("reads")[0].detail, "a test cup");
    assert!(matches!(desk.show("nobody").await, Err(BusError::NoDeadLetter { .. })));
    subscribed.drain().await;
}

pub async fn garbage_in_the_log_stops_nobody(world: &World) {
    world.bus.publish(&world.topic, vec![event("a", 0), event("a", 1)]).await.expect("publishes");
    let spoil = "UPDATE ieum_bus_log SET body = '{\"id\": 7' WHERE event_id = 'a-0'";
    world.store.execute(spoil, &[]).await.expect("spoils the body");
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    eventually!("the follower", world.effects("readers").await == numbered("a", [1]));
    let letter = world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists").remove(0);
    assert_eq!((letter.reason.as_str(), letter.body.as_str()), ("bus.not_an_event", "{\"id\": 7"));
    assert_eq!(letter.event_id, "a-0");
    subscribed.drain().await;
}

pub async fn two_consumers_share_a_group_without_doubling(world: &World) {
    let (one, two) = (Listener::new("readers"), Listener::new("readers"));
    let (here, there) = (world.hasty_bus().await, world.hasty_bus().await);
    let first = world.subscribe_on(&here, "readers", &one).await;
    let second = world.subscribe_on(&there, "readers", &two).await;
    let mut expected = BTreeSet::new();
    for round in 0..1_000 {
        let events: Vec<Event> = (0..16).map(|key| event(&format!("k{key}"), round)).collect();
        expected.extend(events.iter().map(|event| event.id.clone()));
        world.bus.publish(&world.topic, events).await.expect("publishes");
        if !one.contexts().is_empty() && !two.contexts().is_empty() && round > 20 {
            break;
        }
        // Paced, so that both members get to the beat in which they share the slots.
        system_clock().sleep(std::time::Duration::from_millis(40)).await;
    }
    eventually!("all effects", world.effects("readers").await.len() >= expected.len());
    first.drain().await;
    second.drain().await;
    let effects = world.effects("readers").await;
    assert_eq!(effects.len(), expected.len(), "no effect twice");
    assert_eq!(effects.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(!one.contexts().is_empty() && !two.contexts().is_empty(), "both worked");
    for key in 0..16 {
        let key = format!("k{key}");
        let ours = of_key(&effects, &key);
        assert_eq!(ours, numbered(&key, 0..ours.len()), "in order of the key");
    }
}

pub async fn a_dead_consumers_slots_are_taken_over(world: &World) {
    let (dead, alive) = (Listener::new("readers"), Listener::new("readers"));
    let (here, there) = (world.hasty_bus().await, world.hasty_bus().await);
    let first = world.subscribe_on(&here, "readers", &dead).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    eventually!("the first effect", world.effects("readers").await.len() == 1);
    first.stop();
    world.bus.publish(&world.topic, event("a", 1)).await.expect("publishes");
    let second = world.subscribe_on(&there, "readers", &alive).await;
    eventually!("the takeover", world.effects("readers").await == numbered("a", 0..2));
    assert_eq!(alive.calls_of("a-1"), 1);
    second.drain().await;
}

pub async fn a_drained_consumer_leaves_its_slots_at_once(world: &World) {
    let (one, two) = (Listener::new("readers"), Listener::new("readers"));
    let first = world.subscribe("readers", &one).await;
    world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
    eventually!("the first effect", world.effects("readers").await.len() == 1);
    first.drain().await;
    let sql = "SELECT COUNT(*) AS held FROM ieum_bus_slot WHERE owner <> ''";
    assert_eq!(world.store.fetch_one(sql, &[]).await.expect("counts").int("held").expect("is a number"), 0);
    let second = world.subscribe("readers", &two).await;
    world.bus.publish(&world.topic, event("a", 1)).await.expect("publishes");
    eventually!("the second effect", world.effects("readers").await.len() == 2);
    second.drain().await;
}

pub async fn an_event_is_located_on_its_whole_way(world: &World) {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let listener = Listener::failing("readers", move |event, _| match event.id.as_str() {
        "a-1" => Err(wrong()),
        "a-2" if !gate.load(Ordering::SeqCst) => Err(broken()),
        _ => Ok(()),
    });
    let events: Vec<Event> = (0..3).map(|number| event("a", number)).collect();
    world.bus.publish(&world.topic, events).await.expect("publishes");
    // Looking into a broker's log takes longer than a lane of few attempts lasts.
    let mut wish = subscription(&world.topic, &world.group("readers"));
    wish.retry.attempts = 1_000_000;
    let consumer: Arc<dyn Consumer> = listener;
    let subscribed = world.bus.subscribe(wish, consumer).await.expect("subscribes");
    let stages = async |id: &str| -> Vec<Stage> {
        let located = world.bus.locate(id).await.expect("locates");
        located
            .sightings
            .into_iter()
            .map(|sighting| sighting.stage)
            .filter(|stage| *stage != Stage::Log)
            .collect()
    };
    eventually!("handled", stages("a-0").await == [Stage::Handled]);
    eventually!("dead", stages("a-1").await == [Stage::Dead]);
    eventually!("in the lane", stages("a-2").await == [Stage::Lane]);
    open.store(true, Ordering::SeqCst);
    eventually!("handled in the end", stages("a-2").await == [Stage::Handled]);
    let mut sightings = world.bus.locate("a-1").await.expect("locates").sightings;
    let dead = sightings.pop().expect("was seen");
    let in_log = sightings.iter().any(|sighting| sighting.stage == Stage::Log);
    assert_eq!(in_log, world.bus.capabilities().finds_in_log);
    let (topic, group) = (&world.topic, world.group("readers"));
    assert_eq!(dead.detail, format!("topic {topic}, group {group}, attempts 1, parked, test.wrong"));
    assert!(stages("nobody").await.is_empty());
    subscribed.drain().await;
}

pub async fn lag_counts_what_waits(world: &World) {
    let listener =
        Listener::failing("readers", |event, _| if event.id == "a-0" { Err(wrong()) } else { Ok(()) });
    let subscribed = world.subscribe("readers", &listener).await;
    world.bus.publish(&world.topic, vec![event("a", 0), event("a", 1)]).await.expect("publishes");
    eventually!("the first effect", world.effects("readers").await.len() == 1);
    subscribed.drain().await;
    world
        .bus
        .publish(&world.topic, (2..7).map(|number| event("b", number)).collect::<Vec<_>>())
        .await
        .expect("publishes");
    let lag = world.bus.lag().await.expect("measures").remove(0);
    assert_eq!((&lag.topic, &lag.group), (&world.topic, &world.group("readers")));
    assert_eq!((lag.unread, lag.in_lane, lag.dead), (5, 0, 1));
    assert!(!lag.oldest.is_zero());
}

pub async fn a_purge_keeps_what_some_group_has_not_taken(world: &World) {
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    world
        .bus
        .publish(&world.topic, (0..20).map(|number| event("a", number)).collect::<Vec<_>>())
        .await
        .expect("publishes");
    eventually!("all effects", world.effects("readers").await.len() == 20);
    subscribed.drain().await;
    world.bus.publish(&world.topic, event("a", 20)).await.expect("publishes");
    world.bus.publish("unheard", event("a", 21)).await.expect("publishes");
    let zero = std::time::Duration::ZERO;
    let retention = Retention { consumed: zero, inbox: zero, ..Retention::default() };
    let purged = world.bus.purge(&retention).await.expect("purges");
    assert_eq!((purged.events, purged.marks, purged.dead), (20, 20, 0));
    assert_eq!(world.bus.locate("a-20").await.expect("locates").sightings.len(), 2, "in the log and waiting");
    assert_eq!(world.bus.locate("a-21").await.expect("locates").sightings.len(), 1, "nobody listens yet");
}

pub async fn bad_names_and_events_are_refused(world: &World) {
    let refused = world.bus.publish("cups of tea", event("a", 0)).await.expect_err("is no name");
    assert_eq!(refused.to_string(), "topic \"cups of tea\" may hold only letters, digits, '.', '_' and '-'");
    let refused =
        world.bus.publish(&world.topic, vec![event("a", 0), event("", 1)]).await.expect_err("has no key");
    let fault = Fault::from(refused);
    assert_eq!(fault.reason, "bus.bad_event");
    assert!(fault.message.contains("\"partitionkey\" is empty"), "{}", fault.message);
    assert!(world.bus.locate("a-0").await.expect("locates").sightings.is_empty(), "nothing half published");
    world.bus.publish(&world.topic, Vec::new()).await.expect("nothing is fine");
}

/// Two buses and many outbox transactions that stay open for different times: whoever reads meanwhile must
/// not pass by what commits later.
pub async fn nothing_is_passed_by_while_transactions_commit_out_of_order(world: &World) {
    let other = world.another_bus().await;
    let listener = Listener::new("readers");
    let subscribed = world.subscribe("readers", &listener).await;
    let publishers = (0..8).map(|publisher| {
        let bus = if publisher % 2 == 0 { world.bus.clone() } else { other.clone() };
        let (store, topic) = (world.store.clone(), world.topic.clone());
        tokio::spawn(async move {
            for number in 0..40 {
                let event = event(&format!("k{publisher}"), number);
                if publisher < 4 {
                    bus.publish(&topic, event).await.expect("publishes");
                } else {
                    let mut tx = store.begin().await.expect("begins");
                    bus.outbox(&mut tx, &topic, &event).await.expect("writes");
                    let open = std::time::Duration::from_millis((number as u64 * 7 + publisher) % 11);
                    system_clock().sleep(open).await;
                    tx.commit().await.expect("commits");
                }
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.expect("publishes all");
    }
    eventually!("all effects", world.effects("readers").await.len() >= 320);
    subscribed.drain().await;
    let effects = world.effects("readers").await;
    assert_eq!(effects.len(), 320);
    for publisher in 0..8 {
        let key = format!("k{publisher}");
        assert_eq!(of_key(&effects, &key), numbered(&key, 0..40));
    }
}

pub async fn many_publishers_share_commits(world: &World) {
    let publishers = (0..64).map(|publisher| {
        let (bus, topic) = (world.bus.clone(), world.topic.clone());
        tokio::spawn(async move {
            for number in 0..20 {
                bus.publish(&topic, event(&format!("k{publisher}"), number)).await.expect("publishes");
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.expect("publishes all");
    }
    let count =
        world.store.fetch_one("SELECT COUNT(*) AS events FROM ieum_bus_log", &[]).await.expect("counts");
    assert_eq!(count.int("events").expect("is a number"), 1_280);
    // Each commit takes at least three statements, so 1,280 commits would take 3,840.
    let statements = world.store.statistics().statements;
    assert!(statements < 1_280, "{statements} statements for 1,280 events");
}
