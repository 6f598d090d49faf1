//! What every MQTT 5 broker must do, one behaviour a test. Identifiers of properties are those of §2.2.2.2.

use crate::raw::{Got, Held, Properties, Raw, hello, message, number, packet};
use crate::world::{Mode, World, in_every_mode, open_options, until_gone};

const PAYLOAD_FORMAT: u8 = 0x01;
const MESSAGE_EXPIRY: u8 = 0x02;
const CONTENT_TYPE: u8 = 0x03;
const RESPONSE_TOPIC: u8 = 0x08;
const CORRELATION: u8 = 0x09;
const IDENTIFIER: u8 = 0x0B;
const SESSION_EXPIRY: u8 = 0x11;
const ASSIGNED_CLIENT: u8 = 0x12;
const SERVER_KEEP_ALIVE: u8 = 0x13;
const WILL_DELAY: u8 = 0x18;
const RECEIVE_MAXIMUM: u8 = 0x21;
const ALIAS_MAXIMUM: u8 = 0x22;
const ALIAS: u8 = 0x23;
const PACKET_MAXIMUM: u8 = 0x27;

const NO_LOCAL: u8 = 4;
const AS_PUBLISHED: u8 = 8;

fn pairs() -> Properties {
    vec![
        (0x26, Held::Pair("a".to_owned(), "2".to_owned())),
        (0x26, Held::Pair("c".to_owned(), "3".to_owned())),
    ]
}

fn properties_of(got: &Got) -> &Properties {
    match got {
        Got::Connack { code: 0, properties, .. } => properties,
        other => panic!("is let in: {other:?}"),
    }
}

fn present(got: &Got) -> bool {
    matches!(got, Got::Connack { present: true, code: 0, .. })
}

async fn messages_of_every_quality_come_back_to_who_subscribed(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.subscribe("room/one", 2).await;
    for quality in 0..3 {
        assert_eq!(client.publish("room/one", "x", quality).await, 0);
    }
    let qualities: Vec<u8> = client.messages(3).await.iter().map(|message| message.quality).collect();
    assert_eq!(qualities, [0, 1, 2]);
    client.nothing().await;
    client.send(&hello(5, "a").encode()).await;
    assert_eq!(client.end().await, Some(0x82), "a second CONNECT is a protocol error");
    let (mut future, greeting) = Raw::connect(world.address, &hello(6, "a")).await;
    assert!(matches!(greeting, Got::Connack { code: 0x84, .. }), "the version is not known: {greeting:?}");
    assert_eq!(future.end().await, None);
}

async fn a_kept_message_keeps_its_properties_and_quality(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    for (topic, quality) in [("from/zero", 0), ("from/one", 1), ("from/two", 2)] {
        let mut kept = message(topic, "kept", quality).kept();
        kept.properties = pairs();
        client.publish_as(kept).await;
    }
    client.subscribe("from/+", 2).await;
    let mut kept = client.messages(3).await;
    kept.sort_by_key(|message| message.quality);
    for (quality, message) in kept.iter().enumerate() {
        assert_eq!((usize::from(message.quality), message.retain), (quality, true));
        assert_eq!(message.properties, pairs());
    }
}

async fn a_will_has_the_properties_it_was_given(mode: Mode) {
    let world = World::new(mode).await;
    let mut will = pairs();
    will.push((WILL_DELAY, Held::Number(0)));
    will.push((MESSAGE_EXPIRY, Held::Number(60)));
    let silent = hello(5, "a").keep_alive(2).will("room/will", b"gone", will);
    let _silent = Raw::enter(world.address, &silent).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room/will", 2).await;
    world.seconds(3).await;
    let gone = watcher.message().await;
    assert_eq!((gone.text().as_str(), gone.number(MESSAGE_EXPIRY)), ("gone", Some(60)));
    assert_eq!(gone.number(WILL_DELAY), None);
    assert!(pairs().iter().all(|pair| gone.properties.contains(pair)));
}

async fn a_client_that_asks_to_leave_with_its_will_has_it_published(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room/will", 1).await;
    let client = Raw::enter(world.address, &hello(5, "a").will("room/will", b"left", Vec::new())).await;
    client.leave_with(0x04, 0).await;
    assert_eq!(watcher.message().await.text(), "left");
}

async fn a_client_without_a_name_gets_one(mode: Mode) {
    let world = World::new(mode).await;
    let mut names = Vec::new();
    for clean in [true, false] {
        let mut anonymous = hello(5, "");
        anonymous.clean = clean;
        let (_client, greeting) = Raw::connect(world.address, &anonymous).await;
        let name = properties_of(&greeting).iter().find(|(id, _)| *id == ASSIGNED_CLIENT).cloned();
        names.push(name.expect("is told its name"));
    }
    assert_ne!(names[0], names[1]);
    let (_named, greeting) = Raw::connect(world.address, &hello(5, "named")).await;
    assert!(properties_of(&greeting).iter().all(|(id, _)| *id != ASSIGNED_CLIENT));
}

async fn messages_wait_for_a_client_that_is_away(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    client.subscribe("room/+", 2).await;
    client.leave().await;
    let mut other = Raw::enter(world.address, &hello(5, "b")).await;
    for quality in 0..3 {
        other.publish("room/one", &format!("quality {quality}"), quality).await;
    }
    let (mut client, greeting) = Raw::connect(world.address, &hello(5, "a").kept()).await;
    assert!(present(&greeting));
    let texts: Vec<String> = client.messages(2).await.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["quality 1", "quality 2"]);
    client.nothing().await;
}

async fn subscriptions_that_overlap_give_one_message_with_all_identifiers(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.subscribe_with(&[("room", 1)], &vec![(IDENTIFIER, Held::Number(2))]).await;
    client.subscribe_with(&[("room/#", 2)], &vec![(IDENTIFIER, Held::Number(456_789))]).await;
    client.publish("room", "once", 2).await;
    let once = client.message().await;
    assert_eq!(once.quality, 2);
    let mut identifiers: Vec<&Held> =
        once.properties.iter().filter(|(id, _)| *id == IDENTIFIER).map(|(_, held)| held).collect();
    identifiers.sort_by_key(|held| matches!(held, Held::Number(456_789)));
    assert_eq!(identifiers, [&Held::Number(2), &Held::Number(456_789)]);
    client.nothing().await;
}

async fn a_silent_client_is_told_that_it_was_silent_too_long(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room/will", 2).await;
    let will = hello(5, "a").keep_alive(5).will("room/will", b"silent", Vec::new());
    let mut silent = Raw::enter(world.address, &will).await;
    world.seconds(7).await;
    watcher.nothing().await;
    world.seconds(1).await;
    assert_eq!(silent.end().await, Some(0x8D));
    assert_eq!(watcher.message().await.text(), "silent");
}

async fn an_exchange_that_was_cut_goes_on_where_it_was(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    client.subscribe("room/#", 2).await;
    client.polite = false;
    client.publish("room/one", "one", 1).await;
    client.publish("room/two", "two", 2).await;
    client.settle().await;
    let two = client.inbox[1].id;
    client.send_ack(5, two).await;
    client.settle().await;
    drop(client);
    let (mut client, greeting) = Raw::connect(world.address, &hello(5, "a").kept()).await;
    assert!(present(&greeting));
    let one = client.message().await;
    assert!(one.again);
    assert_eq!(one.text(), "one");
    assert_eq!(client.next().await, Got::Ack { kind: 6, id: two, code: 0 }, "what was received is let go of");
    client.send_ack(7, two).await;
    client.nothing().await;
}

async fn a_message_of_quality_two_is_taken_once_however_often_it_is_sent(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room", 2).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    let mut twice = message("room", "once", 2);
    twice.id = 9;
    let bytes = client.encode_publish(&twice);
    client.send(&bytes).await;
    assert_eq!(client.answered(5, 9).await, 0);
    drop(client);
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    twice.again = true;
    assert_eq!(client.publish_as(twice).await, 0);
    assert_eq!(watcher.message().await.text(), "once");
    watcher.nothing().await;
    client.send_ack(6, 9).await;
    assert_eq!(client.answered(7, 9).await, 0x92, "nothing is left to let go of");
}

async fn a_filter_that_is_not_allowed_is_refused_alone(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    let codes = client.subscribe_with(&[("test/nosubscribe", 2), ("room", 1)], &Vec::new()).await;
    assert_eq!(codes, [0x80, 1]);
}

async fn a_wildcard_at_the_start_matches_no_topic_of_the_broker(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.subscribe_with(&[("+/+", 2), ("#", 2)], &Vec::new()).await;
    client.publish("$room/one", "hidden", 1).await;
    client.nothing().await;
}

async fn who_unsubscribed_gets_no_more(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.subscribe_with(&[("one", 2), ("two", 2)], &Vec::new()).await;
    assert_eq!(client.unsubscribe("one").await, [0]);
    assert_eq!(client.unsubscribe("one").await, [0x11], "there is no such subscription any more");
    let mut other = Raw::enter(world.address, &hello(5, "b")).await;
    other.publish("one", "one", 1).await;
    other.publish("two", "two", 1).await;
    assert_eq!(client.message().await.text(), "two");
    client.nothing().await;
}

async fn a_session_is_kept_as_long_as_was_asked_for(mode: Mode) {
    let world = World::new(mode).await;
    let asks = |clean: bool, expiry: u32| {
        let mut hello = hello(5, "a").with(SESSION_EXPIRY, expiry);
        hello.clean = clean;
        hello
    };
    let mut client = Raw::enter(world.address, &asks(true, 0)).await;
    client.subscribe("room", 2).await;
    client.leave().await;
    let (client, greeting) = Raw::connect(world.address, &asks(false, 5)).await;
    assert!(!present(&greeting), "it ended with its connection");
    client.leave().await;
    world.seconds(4).await;
    let (client, greeting) = Raw::connect(world.address, &asks(false, 5)).await;
    assert!(present(&greeting));
    client.leave().await;
    world.seconds(6).await;
    let (client, greeting) = Raw::connect(world.address, &asks(false, 1)).await;
    assert!(!present(&greeting));
    client.leave_with(0, 5).await;
    world.seconds(3).await;
    let (client, greeting) = Raw::connect(world.address, &asks(false, 1)).await;
    assert!(present(&greeting), "the DISCONNECT asked for longer");
    client.leave_with(0, 0).await;
    let (_client, greeting) = Raw::connect(world.address, &asks(false, 1)).await;
    assert!(!present(&greeting));
}

async fn a_session_that_was_to_end_cannot_be_prolonged_at_the_end(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.send(&packet(0xE0, &[0, 5, SESSION_EXPIRY, 0, 0, 0, 9])).await;
    assert_eq!(client.end().await, Some(0x82));
}

async fn members_of_a_shared_subscription_get_each_message_once(mode: Mode) {
    let world = World::new(mode).await;
    let mut one = Raw::enter(world.address, &hello(5, "a")).await;
    let mut two = Raw::enter(world.address, &hello(5, "b")).await;
    for client in [&mut one, &mut two] {
        let codes = client.subscribe_with(&[("$share/g/room/x", 2), ("room/all", 2)], &Vec::new()).await;
        assert_eq!(codes, [2, 2]);
    }
    let mut other = Raw::enter(world.address, &hello(5, "c")).await;
    other.publish("room/all", "all", 1).await;
    for number in 0..4 {
        other.publish("room/x", &number.to_string(), 1).await;
    }
    one.settle().await;
    two.settle().await;
    let count = |client: &Raw, topic| client.inbox.iter().filter(|message| message.topic == topic).count();
    assert_eq!((count(&one, "room/all"), count(&two, "room/all")), (1, 1));
    assert_eq!((count(&one, "room/x"), count(&two, "room/x")), (2, 2), "they take turns");
}

async fn a_shared_subscription_without_local_is_a_protocol_error(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.send(&packet(0x82, b"\0\x01\0\0\x0e$share/g/room/\x04")).await;
    let end = client.end().await;
    assert!(matches!(end, Some(0x81 | 0x82)), "{end:?}");
}

async fn properties_come_through_unaltered_and_in_order(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.subscribe("room", 2).await;
    let mut properties = pairs();
    properties.push((PAYLOAD_FORMAT, Held::Number(1)));
    properties.push((CONTENT_TYPE, Held::Bytes(b"My name".to_vec())));
    for quality in 0..3 {
        let mut sent = message("room", "x", quality);
        sent.properties = properties.clone();
        client.publish_as(sent).await;
    }
    for (quality, message) in client.messages(3).await.iter().enumerate() {
        assert_eq!(usize::from(message.quality), quality);
        assert_eq!(message.properties, properties);
    }
}

async fn a_message_past_its_time_does_not_come_and_others_tell_what_is_left(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    client.subscribe("room", 2).await;
    client.leave().await;
    let mut other = Raw::enter(world.address, &hello(5, "b")).await;
    for (quality, seconds) in [(1, 1), (2, 1), (1, 6), (2, 6)] {
        let sent = message("room", "x", quality).with(MESSAGE_EXPIRY, Held::Number(seconds));
        other.publish_as(sent).await;
    }
    other.publish_as(message("kept", "x", 1).kept().with(MESSAGE_EXPIRY, Held::Number(2))).await;
    world.seconds(3).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    for message in client.messages(2).await {
        assert_eq!(message.number(MESSAGE_EXPIRY), Some(3));
    }
    client.subscribe("kept", 1).await;
    client.nothing().await;
}

async fn who_wants_no_local_does_not_hear_itself(mode: Mode) {
    let world = World::new(mode).await;
    let mut one = Raw::enter(world.address, &hello(5, "a")).await;
    let mut two = Raw::enter(world.address, &hello(5, "b")).await;
    one.subscribe("room", 2 | NO_LOCAL).await;
    two.subscribe("room", 2 | NO_LOCAL).await;
    one.publish("room", "x", 1).await;
    assert_eq!(two.message().await.text(), "x");
    one.nothing().await;
}

async fn the_retain_flag_is_kept_where_it_is_asked_for(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.subscribe_with(&[("as", 2 | AS_PUBLISHED), ("plain", 2)], &Vec::new()).await;
    client.publish_as(message("as", "x", 1)).await;
    client.publish_as(message("as", "x", 1).kept()).await;
    client.publish_as(message("plain", "x", 1).kept()).await;
    let flags: Vec<bool> = client.messages(3).await.iter().map(|message| message.retain).collect();
    assert_eq!(flags, [false, true, false]);
}

async fn kept_messages_are_sent_when_the_subscription_asks_for_them(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a")).await;
    client.publish_as(message("room", "kept", 1).kept()).await;
    client.subscribe("room", 2 | 1 << 4).await;
    assert!(client.message().await.retain, "the subscription is new");
    client.subscribe("room", 2 | 1 << 4).await;
    client.nothing().await;
    client.subscribe("room", 2 | 2 << 4).await;
    client.nothing().await;
    for _ in 0..2 {
        client.subscribe("room", 2).await;
        assert!(client.message().await.retain, "each time");
    }
    client.subscribe("$share/g/room", 2).await;
    client.nothing().await;
}

async fn a_request_finds_its_way_back(mode: Mode) {
    let world = World::new(mode).await;
    let mut asking = Raw::enter(world.address, &hello(5, "a")).await;
    let mut answering = Raw::enter(world.address, &hello(5, "b")).await;
    asking.subscribe("answers", 2).await;
    answering.subscribe("questions", 2).await;
    let question = message("questions", "?", 1)
        .with(RESPONSE_TOPIC, Held::Bytes(b"answers".to_vec()))
        .with(CORRELATION, Held::Bytes(b"334".to_vec()));
    asking.publish_as(question.clone()).await;
    let heard = answering.message().await;
    assert_eq!(heard.properties, question.properties);
    let answer = message("answers", "!", 1).with(CORRELATION, Held::Bytes(b"334".to_vec()));
    answering.publish_as(answer.clone()).await;
    assert_eq!(asking.message().await.properties, answer.properties);
}

async fn an_alias_stands_for_a_topic_until_the_connection_ends(mode: Mode) {
    let world = World::new(mode).await;
    let (mut client, greeting) = Raw::connect(world.address, &hello(5, "a")).await;
    let most = number(properties_of(&greeting), ALIAS_MAXIMUM).expect("takes aliases");
    client.subscribe("room", 2).await;
    client.publish_as(message("room", "one", 1).with(ALIAS, Held::Number(1))).await;
    client.publish_as(message("", "two", 1).with(ALIAS, Held::Number(1))).await;
    let texts: Vec<String> = client.messages(2).await.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["one", "two"]);
    drop(client);
    for wrong in [0, 1, most + 1] {
        let mut client = Raw::enter(world.address, &hello(5, "a")).await;
        let topic = if wrong == 1 { "" } else { "room" };
        let bytes = client.encode_publish(&message(topic, "x", 0).with(ALIAS, Held::Number(wrong)));
        client.send(&bytes).await;
        assert_eq!(client.end().await, Some(0x94), "alias {wrong}");
    }
}

async fn the_broker_uses_aliases_where_the_client_takes_them(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").with(ALIAS_MAXIMUM, 1)).await;
    client.subscribe("#", 2).await;
    for (topic, quality) in [("room", 0), ("room", 1), ("room", 2), ("other", 1)] {
        client.publish(topic, "x", quality).await;
    }
    let got: Vec<_> = client
        .messages(4)
        .await
        .iter()
        .map(|message| (message.topic.clone(), message.number(ALIAS)))
        .collect();
    let pair = |topic: &str, alias| (topic.to_owned(), alias);
    assert_eq!(got, [pair("room", Some(1)), pair("", Some(1)), pair("", Some(1)), pair("other", None)]);
    let mut plain = Raw::enter(world.address, &hello(5, "b")).await;
    plain.subscribe("#", 0).await;
    plain.publish("room", "x", 0).await;
    assert_eq!(plain.message().await.number(ALIAS), None);
}

async fn a_message_too_large_for_its_receiver_is_left_out(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").with(PACKET_MAXIMUM, 64)).await;
    client.subscribe("room", 2).await;
    client.publish("room", &".".repeat(32), 1).await;
    client.publish("room", &".".repeat(64), 1).await;
    client.publish("room", "after", 1).await;
    assert_eq!(client.message().await.payload.len(), 32);
    assert_eq!(client.message().await.text(), "after");
}

async fn a_packet_too_large_for_the_broker_ends_the_connection(mode: Mode) {
    let mut options = open_options();
    options.limits.packet = 1_000;
    let world = World::with(mode, options).await;
    let (mut client, greeting) = Raw::connect(world.address, &hello(5, "a")).await;
    assert_eq!(number(properties_of(&greeting), PACKET_MAXIMUM), Some(1_000));
    client.send(&packet(0x30, &[0; 2_000])).await;
    assert_eq!(client.end().await, Some(0x95));
}

async fn the_broker_shortens_a_keep_alive_that_is_too_long(mode: Mode) {
    let world = World::new(mode).await;
    for (asked, told) in [(120, Some(60)), (0, Some(60)), (30, None)] {
        let (_client, greeting) = Raw::connect(world.address, &hello(5, "a").keep_alive(asked)).await;
        assert_eq!(number(properties_of(&greeting), SERVER_KEEP_ALIVE), told, "{asked} s");
    }
}

async fn no_more_is_under_way_than_the_client_takes(mode: Mode) {
    let world = World::new(mode).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").with(RECEIVE_MAXIMUM, 2)).await;
    client.polite = false;
    client.subscribe("room", 2).await;
    for number in 0..3 {
        client.publish("room", &number.to_string(), 1).await;
    }
    client.settle().await;
    assert_eq!(client.inbox.len(), 2);
    let first = client.inbox[0].id;
    client.send_ack(4, first).await;
    client.settle().await;
    assert_eq!(client.inbox.len(), 3);
    assert_eq!(client.inbox[2].text(), "2");
}

async fn a_client_that_sends_more_than_it_may_is_ended(mode: Mode) {
    let world = World::new(mode).await;
    let (mut client, greeting) = Raw::connect(world.address, &hello(5, "a")).await;
    let most = number(properties_of(&greeting), RECEIVE_MAXIMUM).expect("says how many it takes");
    for id in 1..=most + 1 {
        let mut sent = message("room", "x", 2);
        sent.id = id as u16;
        let bytes = client.encode_publish(&sent);
        client.send(&bytes).await;
    }
    assert_eq!(client.end().await, Some(0x93));
}

async fn a_will_waits_for_its_delay_or_the_end_of_the_session(mode: Mode) {
    for (delay, expiry, due) in [(3, 5, 3), (5, 0, 0), (5, 2, 2)] {
        let world = World::new(mode).await;
        let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
        watcher.subscribe("room/will", 2).await;
        let properties = vec![(WILL_DELAY, Held::Number(delay))];
        let will = hello(5, "a").with(SESSION_EXPIRY, expiry).will("room/will", b"gone", properties);
        drop(Raw::enter(world.address, &will).await);
        if due > 0 {
            until_gone(&world).await;
            world.seconds(due - 1).await;
            watcher.nothing().await;
            world.seconds(2).await;
        }
        assert_eq!(watcher.message().await.text(), "gone", "delay {delay}, expiry {expiry}");
    }
}

async fn a_will_is_given_up_when_its_client_is_back_in_time(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room/will", 2).await;
    let properties = vec![(WILL_DELAY, Held::Number(3))];
    let mut will = hello(5, "a").kept();
    will = will.will("room/will", b"gone", properties);
    drop(Raw::enter(world.address, &will).await);
    until_gone(&world).await;
    world.seconds(1).await;
    let _back = Raw::enter(world.address, &hello(5, "a").kept()).await;
    world.seconds(9).await;
    watcher.nothing().await;
}

async fn a_newcomer_of_the_same_name_takes_the_session_over(mode: Mode) {
    let world = World::new(mode).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room/will", 1).await;
    let first = hello(5, "a").kept().will("room/will", b"taken", Vec::new());
    let mut first = Raw::enter(world.address, &first).await;
    first.subscribe("room", 1).await;
    let (mut second, greeting) = Raw::connect(world.address, &hello(5, "a").kept()).await;
    assert!(present(&greeting));
    assert_eq!(first.end().await, Some(0x8E));
    assert_eq!(
        watcher.message().await.text(),
        "taken",
        "the will of a connection that ended so is published"
    );
    second.publish("room", "mine", 1).await;
    assert_eq!(second.message().await.text(), "mine");
}

in_every_mode!(
    messages_of_every_quality_come_back_to_who_subscribed,
    a_kept_message_keeps_its_properties_and_quality,
    a_will_has_the_properties_it_was_given,
    a_client_that_asks_to_leave_with_its_will_has_it_published,
    a_client_without_a_name_gets_one,
    messages_wait_for_a_client_that_is_away,
    subscriptions_that_overlap_give_one_message_with_all_identifiers,
    a_silent_client_is_told_that_it_was_silent_too_long,
    an_exchange_that_was_cut_goes_on_where_it_was,
    a_message_of_quality_two_is_taken_once_however_often_it_is_sent,
    a_filter_that_is_not_allowed_is_refused_alone,
    a_wildcard_at_the_start_matches_no_topic_of_the_broker,
    who_unsubscribed_gets_no_more,
    a_session_is_kept_as_long_as_was_asked_for,
    a_session_that_was_to_end_cannot_be_prolonged_at_the_end,
    members_of_a_shared_subscription_get_each_message_once,
    a_shared_subscription_without_local_is_a_protocol_error,
    properties_come_through_unaltered_and_in_order,
    a_message_past_its_time_does_not_come_and_others_tell_what_is_left,
    who_wants_no_local_does_not_hear_itself,
    the_retain_flag_is_kept_where_it_is_asked_for,
    kept_messages_are_sent_when_the_subscription_asks_for_them,
    a_request_finds_its_way_back,
    an_alias_stands_for_a_topic_until_the_connection_ends,
    the_broker_uses_aliases_where_the_client_takes_them,
    a_message_too_large_for_its_receiver_is_left_out,
    a_packet_too_large_for_the_broker_ends_the_connection,
    the_broker_shortens_a_keep_alive_that_is_too_long,
    no_more_is_under_way_than_the_client_takes,
    a_client_that_sends_more_than_it_may_is_ended,
    a_will_waits_for_its_delay_or_the_end_of_the_session,
    a_will_is_given_up_when_its_client_is_back_in_time,
    a_newcomer_of_the_same_name_takes_the_session_over,
);
