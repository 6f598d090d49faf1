//! What every MQTT 3.1.1 broker must do, one behaviour a test.

use crate::raw::{Got, Raw, hello, message, packet};
use crate::world::{Mode, World, in_every_mode};

async fn messages_of_every_quality_come_back_to_who_subscribed(mode: Mode) {
    let world = World::new(mode).await;
    Raw::enter(world.address, &hello(4, "a")).await.leave().await;
    let (mut client, greeting) = Raw::connect(world.address, &hello(4, "a")).await;
    assert_eq!(greeting, Got::Connack { present: false, code: 0, properties: Vec::new() });
    assert_eq!(client.subscribe("room/one", 2).await, 2);
    for quality in 0..3 {
        client.publish("room/one", &format!("quality {quality}"), quality).await;
    }
    let texts: Vec<String> = client.messages(3).await.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["quality 0", "quality 1", "quality 2"]);
    client.nothing().await;
}

async fn a_second_connect_and_a_foreign_protocol_end_the_connection(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a")).await;
    client.send(&hello(4, "a").encode()).await;
    assert_eq!(client.end().await, None);
    let mut foreign = Raw::open(world.address, 4).await;
    foreign.send(&packet(0x10, b"\0\x02hj\x04\x02\0\0\0\x01a")).await;
    assert_eq!(foreign.end().await, None);
    let mut late = Raw::open(world.address, 4).await;
    late.send(&packet(0x10, b"\0\x04MQTT\x03\x02\0\0\0\x01a")).await;
    assert_eq!(late.next().await, Got::Connack { present: false, code: 1, properties: Vec::new() });
}

async fn a_kept_message_comes_to_later_subscribers_until_it_is_cleared(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a")).await;
    for (topic, quality) in [("from/zero", 0), ("from/one", 1), ("from/two", 2)] {
        client.publish_as(message(topic, "kept", quality).kept()).await;
    }
    client.subscribe("+/+", 2).await;
    let mut kept = client.messages(3).await;
    kept.sort_by_key(|message| message.quality);
    assert_eq!(kept.iter().map(|message| message.quality).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(kept.iter().all(|message| message.retain));
    client.unsubscribe("+/+").await;
    for (topic, quality) in [("from/zero", 0), ("from/one", 1), ("from/two", 2)] {
        client.publish_as(message(topic, "", quality).kept()).await;
    }
    client.subscribe("+/+", 2).await;
    client.nothing().await;
}

async fn a_will_is_published_when_its_client_is_gone_without_a_word(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(4, "b")).await;
    watcher.subscribe("room/will", 2).await;
    let leaving = Raw::enter(world.address, &hello(4, "a").will("room/will", b"gone", Vec::new())).await;
    leaving.leave().await;
    watcher.nothing().await;
    let lost = Raw::enter(world.address, &hello(4, "a").will("room/will", b"gone", Vec::new())).await;
    drop(lost);
    assert_eq!(watcher.message().await.text(), "gone");
}

async fn a_client_without_a_name_must_start_clean(mode: Mode) {
    let world = World::new(mode).await;
    let (mut kept, greeting) = Raw::connect(world.address, &hello(4, "").kept()).await;
    assert_eq!(greeting, Got::Connack { present: false, code: 2, properties: Vec::new() });
    assert_eq!(kept.end().await, None);
    Raw::enter(world.address, &hello(4, "")).await.leave().await;
}

async fn messages_wait_for_a_client_that_is_away(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a").kept()).await;
    client.subscribe("+/+", 2).await;
    client.leave().await;
    let mut other = Raw::enter(world.address, &hello(4, "b")).await;
    for quality in 0..3 {
        other.publish("room/one", &format!("quality {quality}"), quality).await;
    }
    other.settle().await;
    let (mut client, greeting) = Raw::connect(world.address, &hello(4, "a").kept()).await;
    assert!(matches!(greeting, Got::Connack { present: true, .. }));
    let texts: Vec<String> = client.messages(2).await.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["quality 1", "quality 2"]);
    client.nothing().await;
}

async fn subscriptions_that_overlap_give_one_message_of_the_best_quality(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a")).await;
    client.subscribe_with(&[("room/#", 2), ("room/+", 1)], &Vec::new()).await;
    client.publish("room/one", "once", 2).await;
    assert_eq!(client.message().await.quality, 2);
    client.nothing().await;
}

async fn a_silent_client_is_gone_after_one_and_a_half_times_its_keep_alive(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(4, "b")).await;
    watcher.subscribe("room/will", 2).await;
    let will = hello(4, "a").keep_alive(5).will("room/will", b"silent", Vec::new());
    let mut silent = Raw::enter(world.address, &will).await;
    world.seconds(7).await;
    watcher.nothing().await;
    world.seconds(1).await;
    assert_eq!(watcher.message().await.text(), "silent");
    assert_eq!(silent.end().await, None);
}

async fn what_was_not_acknowledged_comes_again_to_the_same_session(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a").kept()).await;
    client.subscribe("room/#", 2).await;
    client.polite = false;
    client.publish("room/one", "one", 1).await;
    client.publish("room/two", "two", 2).await;
    client.settle().await;
    let first: Vec<u16> = client.inbox.iter().map(|message| message.id).collect();
    assert_eq!(first.len(), 2);
    client.leave().await;
    let mut client = Raw::enter(world.address, &hello(4, "a").kept()).await;
    let again = client.messages(2).await;
    assert!(again.iter().all(|message| message.again), "they are marked as repeated");
    assert_eq!(again.iter().map(|message| message.id).collect::<Vec<_>>(), first, "with their identifiers");
    client.nothing().await;
}

async fn a_filter_that_is_not_allowed_is_refused_alone(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a")).await;
    let codes = client.subscribe_with(&[("test/nosubscribe", 2), ("room", 1)], &Vec::new()).await;
    assert_eq!(codes, [0x80, 1]);
}

async fn a_wildcard_at_the_start_matches_no_topic_of_the_broker(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a")).await;
    client.subscribe_with(&[("+/+", 2), ("#", 2)], &Vec::new()).await;
    client.publish("$room/one", "hidden", 1).await;
    client.nothing().await;
    client.subscribe("$room/#", 1).await;
    client.publish("$room/one", "named", 1).await;
    assert_eq!(client.message().await.text(), "named");
}

async fn who_unsubscribed_gets_no_more(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(4, "a")).await;
    for topic in ["one", "two", "three"] {
        client.subscribe(topic, 2).await;
    }
    client.unsubscribe("one").await;
    let mut other = Raw::enter(world.address, &hello(4, "b")).await;
    for topic in ["one", "two", "three"] {
        other.publish(topic, topic, 1).await;
    }
    let texts: Vec<String> = client.messages(2).await.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["two", "three"]);
    client.nothing().await;
}

in_every_mode!(
    messages_of_every_quality_come_back_to_who_subscribed,
    a_second_connect_and_a_foreign_protocol_end_the_connection,
    a_kept_message_comes_to_later_subscribers_until_it_is_cleared,
    a_will_is_published_when_its_client_is_gone_without_a_word,
    a_client_without_a_name_must_start_clean,
    messages_wait_for_a_client_that_is_away,
    subscriptions_that_overlap_give_one_message_of_the_best_quality,
    a_silent_client_is_gone_after_one_and_a_half_times_its_keep_alive,
    what_was_not_acknowledged_comes_again_to_the_same_session,
    a_filter_that_is_not_allowed_is_refused_alone,
    a_wildcard_at_the_start_matches_no_topic_of_the_broker,
    who_unsubscribed_gets_no_more,
);
