//! What a client can not do to others: too much, too slowly, or under a foreign name.

use std::time::Duration;

use ieum_core::system_clock;
use ieum_device::{
    Act, Admission, BrokerOptions, Credentials, Effect, Overflow, Rule, Rules, Who, migrations,
};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::raw::{Got, Held, Raw, hello, message, packet};
use crate::world::{Kept, Mode, World, in_every_mode, local, open_options, until_gone};

/// A broker for devices with credentials.
async fn guarded(mode: Mode) -> (Kept, std::net::SocketAddr, Credentials, SqlStore) {
    let database = SqlStore::sqlite();
    let store = Store::open(&database.url, &StoreOptions::default()).await.expect("opens");
    migrate(&store, &migrations(), |_| {}).await.expect("migrates");
    let credentials = Credentials::new(store, system_clock());
    let admission = Admission { credentials: Some(credentials.clone()), anonymous: false };
    let options = BrokerOptions { admission, rules: Rules::own_topics(), ..BrokerOptions::default() };
    let kept = mode.open(options, system_clock()).await;
    let address = kept.broker.listen(local(), None).await.expect("listens");
    (kept, address, credentials, database)
}

async fn a_device_cannot_read_or_speak_for_another(mode: Mode) {
    let (kept, address, credentials, _database) = guarded(mode).await;
    let mut secrets = Vec::new();
    for device in ["one", "two"] {
        secrets.push(credentials.issue(device).await.expect("is made").secret.expose().to_owned());
    }
    let mut one = Raw::enter(address, &hello(5, "x").user("one", &secrets[0])).await;
    let mut two = Raw::enter(address, &hello(5, "x").user("two", &secrets[1])).await;
    for foreign in ["device/one/#", "device/+/audio", "#", "device/#", "$share/g/device/one/#"] {
        assert_eq!(two.subscribe(foreign, 1).await, 0x87, "{foreign}");
    }
    assert_eq!(two.subscribe("device/two/#", 1).await, 1);
    assert_eq!(one.subscribe("device/one/#", 1).await, 1);
    assert_eq!(two.publish("device/one/audio", "foreign", 1).await, 0x87);
    assert_eq!(two.publish("device/one/audio", "foreign", 2).await, 0x87);
    one.nothing().await;
    one.publish("device/one/audio", "own", 1).await;
    assert_eq!(one.message().await.text(), "own");
    two.nothing().await;
    two.publish("device/one/audio", "foreign", 0).await;
    assert_eq!(two.end().await, Some(0x87), "without an answer the end is the only no there is");
    let mut three = Raw::enter(address, &hello(4, "y").user("two", &secrets[1])).await;
    let bytes = {
        let mut foreign = message("device/one/audio", "foreign", 1);
        foreign.id = 1;
        three.encode_publish(&foreign)
    };
    three.send(&bytes).await;
    assert_eq!(three.end().await, None);
    one.nothing().await;
    let will = hello(5, "z").user("two", &secrets[1]).will("device/one/audio", b"foreign", Vec::new());
    let (_four, greeting) = Raw::connect(address, &will).await;
    assert!(matches!(greeting, Got::Connack { code: 0x87, .. }), "{greeting:?}");
    assert!(kept.broker.sessions().iter().any(|session| session.owner == "one" && session.connected));
}

async fn only_who_knows_a_secret_is_let_in_until_it_is_revoked(mode: Mode) {
    let (kept, address, credentials, _database) = guarded(mode).await;
    let first = credentials.issue("one").await.expect("is made").secret;
    let refused = |got: &Got, code: u8| matches!(got, Got::Connack { code: found, .. } if *found == code);
    for (version, unnamed, wrong) in [(4, 5, 4), (5, 0x87, 0x86)] {
        let (_client, got) = Raw::connect(address, &hello(version, "a")).await;
        assert!(refused(&got, unnamed), "{got:?}");
        let (_client, got) = Raw::connect(address, &hello(version, "a").user("one", "guess")).await;
        assert!(refused(&got, wrong), "{got:?}");
        let (_client, got) = Raw::connect(address, &hello(version, "a").user("two", first.expose())).await;
        assert!(refused(&got, wrong), "{got:?}");
    }
    let mut client = Raw::enter(address, &hello(5, "a").user("one", first.expose())).await;
    let second = credentials.rotate("one", Duration::from_secs(60)).await.expect("is rotated").0.secret;
    Raw::enter(address, &hello(5, "b").user("one", first.expose())).await;
    let third = credentials.rotate("one", Duration::ZERO).await.expect("is rotated").0.secret;
    let (_client, got) = Raw::connect(address, &hello(5, "b").user("one", second.expose())).await;
    assert!(refused(&got, 0x86), "the overlap has passed: {got:?}");
    Raw::enter(address, &hello(5, "b").user("one", third.expose())).await;
    assert_eq!(kept.broker.revoke("one").await.expect("is revoked"), 3);
    assert_eq!(client.end().await, Some(0x98));
    let (_client, got) = Raw::connect(address, &hello(5, "b").user("one", third.expose())).await;
    assert!(refused(&got, 0x86), "{got:?}");
    let named = credentials.issue("a/#").await.err().expect("is no name").to_string();
    assert_eq!(named, "naming a device \"a/#\": use 1 to 60 letters, digits, '-', '_', '.' or ':'");
}

async fn a_device_that_another_process_revokes_is_ended_soon(mode: Mode) {
    let (_kept, address, credentials, _database) = guarded(mode).await;
    let [one, two] = [credentials.issue("one").await, credentials.issue("two").await];
    let [one, two] = [one, two].map(|issued| issued.expect("is made").secret);
    let mut one = Raw::enter(address, &hello(5, "a").user("one", one.expose())).await;
    let mut two = Raw::enter(address, &hello(5, "a").user("two", two.expose())).await;
    assert_eq!(credentials.revoke("one").await.expect("is revoked"), 1);
    assert_eq!(one.end().await, Some(0x98));
    two.nothing().await;
}

async fn a_connection_that_says_nothing_is_closed(mode: Mode) {
    let world = World::new(mode).await;
    let mut silent = Raw::open(world.address, 5).await;
    let mut half = Raw::open(world.address, 5).await;
    half.send(&[0x10, 30, 0, 4]).await;
    let mut other = Raw::open(world.address, 5).await;
    other.send(b"GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(other.end().await, None);
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    world.seconds(11).await;
    assert_eq!(silent.end().await, None);
    assert_eq!(half.end().await, None);
}

async fn packets_that_are_not_well_formed_end_the_connection_with_their_reason(mode: Mode) {
    let world = World::new(mode).await;
    let cases: [(&[u8], u8); 7] = [
        (&[0x36, 5, 0, 1, b'a', 0, 1], 0x81),
        (&[0x30, 3, 0, 1, b'+'], 0x81),
        (&[0x30, 4, 0, 1, b'+', 0], 0x90),
        (&[0x80, 0], 0x81),
        (&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1], 0x81),
        (&[0xF0, 0], 0x82),
        (&[0x40, 2, 0, 0], 0x82),
    ];
    for (bytes, code) in cases {
        let mut client = Raw::enter(world.address, &hello(5, "a")).await;
        client.send(bytes).await;
        assert_eq!(client.end().await, Some(code), "{bytes:?}");
    }
    let mut client = Raw::open(world.address, 5).await;
    client.send(&packet(0x10, b"\0\x04MQTT\x05\x03\0\0\0\0\0")).await;
    assert!(matches!(client.next().await, Got::Connack { code: 0x81, .. }));
}

async fn a_subscriber_that_does_not_read_holds_up_nobody(mode: Mode) {
    let mut options = open_options();
    options.limits.queued = 10;
    let world = World::with(mode, options).await;
    let mut slow = Raw::enter(world.address, &hello(5, "slow").with(0x21, 5)).await;
    slow.polite = false;
    slow.subscribe("room", 1).await;
    let mut quick = Raw::enter(world.address, &hello(5, "quick")).await;
    quick.subscribe("room", 1).await;
    let mut other = Raw::enter(world.address, &hello(5, "other")).await;
    for number in 0..50 {
        other.publish("room", &number.to_string(), 1).await;
        assert_eq!(quick.message().await.text(), number.to_string());
    }
    let waiting = world
        .broker
        .sessions()
        .iter()
        .find(|session| session.client == "slow")
        .map(|session| session.waiting);
    assert_eq!(waiting, Some(15), "five under way and ten that wait");
    slow.settle().await;
    let mut texts: Vec<String> = slow.inbox.iter().map(|message| message.text()).collect();
    for published in std::mem::take(&mut slow.inbox) {
        slow.send_ack(4, published.id).await;
    }
    slow.polite = true;
    for _ in 0..10 {
        texts.push(slow.message().await.text());
    }
    let wanted: Vec<String> = (0..5).chain(40..50).map(|number| number.to_string()).collect();
    assert_eq!(texts, wanted, "the oldest made room");
}

async fn a_full_queue_may_turn_away_what_is_new_instead(mode: Mode) {
    let mut options = open_options();
    options.limits.queued = 3;
    options.limits.overflow = Overflow::DropNewest;
    let world = World::with(mode, options).await;
    let mut client = Raw::enter(world.address, &hello(4, "a").kept()).await;
    client.subscribe("room", 1).await;
    client.leave().await;
    let mut other = Raw::enter(world.address, &hello(4, "b")).await;
    for number in 0..5 {
        other.publish("room", &number.to_string(), 1).await;
    }
    let mut client = Raw::enter(world.address, &hello(4, "a").kept()).await;
    let texts: Vec<String> = client.messages(3).await.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["0", "1", "2"]);
    client.nothing().await;
}

async fn a_full_queue_may_refuse_the_publisher_so_that_nothing_is_lost(mode: Mode) {
    let mut options = open_options();
    options.limits.queued = 2;
    options.limits.overflow = Overflow::Refuse;
    let world = World::with(mode, options).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    client.subscribe("room", 1).await;
    client.leave().await;
    let mut other = Raw::enter(world.address, &hello(5, "b")).await;
    other.subscribe("room", 1).await;
    let mut codes = Vec::new();
    for number in 0..3 {
        codes.push(other.publish_as(message("room", &number.to_string(), 1).kept()).await);
    }
    assert_eq!(codes, [0, 0, 0x97]);
    assert_eq!(other.messages(2).await.len(), 2);
    other.nothing().await;
    let mut plain = Raw::enter(world.address, &hello(4, "c")).await;
    let mut refused = message("room", "x", 1);
    refused.id = 1;
    let bytes = plain.encode_publish(&refused);
    plain.send(&bytes).await;
    assert_eq!(plain.end().await, None);
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    assert_eq!(client.messages(2).await.len(), 2);
    assert_eq!(other.publish("room", "after", 1).await, 0, "there is room again");
    let mut late = Raw::enter(world.address, &hello(5, "d")).await;
    late.subscribe("room", 1).await;
    assert_eq!(late.message().await.text(), "1", "what was refused is not kept either");
}

async fn what_is_refused_is_counted_once_whatever_it_ends(mode: Mode) {
    let prometheus = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&prometheus);
    let mut options = open_options();
    let (who, act, pattern) = (Who::Anyone, Act::Publish, "foreign".to_owned());
    let foreign = Rule { who, act, pattern, effect: Effect::Refuse };
    options.rules = Rules::of(vec![foreign]).expect("is a filter").and_everything_else();
    options.limits.queued = 1;
    options.limits.overflow = Overflow::Refuse;
    let world = World::with(mode, options).await;
    let mut client = Raw::enter(world.address, &hello(5, "a").kept()).await;
    client.subscribe("room", 1).await;
    client.leave().await;

    let mut five = Raw::enter(world.address, &hello(5, "b")).await;
    let codes = [five.publish("room", "0", 1).await, five.publish("room", "1", 1).await];
    assert_eq!(codes, [0, 0x97]);
    assert_eq!(five.publish("foreign", "x", 1).await, 0x87);
    five.publish("foreign", "x", 0).await;
    assert_eq!(five.end().await, Some(0x87));
    for topic in ["room", "foreign"] {
        let mut four = Raw::enter(world.address, &hello(4, "c")).await;
        let mut refused = message(topic, "x", 1);
        refused.id = 1;
        let bytes = four.encode_publish(&refused);
        four.send(&bytes).await;
        assert_eq!(four.end().await, None);
    }
    let mut twice = Raw::enter(world.address, &hello(5, "d")).await;
    twice.send(&hello(5, "d").encode()).await;
    assert_eq!(twice.end().await, Some(0x82));

    let counted = || {
        let page = prometheus.handle().render();
        let told = page.lines().filter_map(|line| line.strip_prefix("ieum_device_refused_total"));
        let mut told: Vec<String> = told.map(str::to_owned).collect();
        told.sort();
        told
    };
    let expected = [
        r#"{class="other",reason="not_authorized"} 3"#,
        r#"{reason="protocol_error"} 1"#,
        r#"{reason="queue_full"} 2"#,
    ];
    // The hub tells its own counts now and then.
    let is_told = async || {
        world.seconds(5).await;
        counted() == expected
    };
    let told = until("it is told", Duration::from_secs(20), is_told).await;
    told.unwrap_or_else(|error| panic!("{error}: {:?}", counted()));
}

async fn one_address_gets_only_so_many_connections(mode: Mode) {
    let mut options = open_options();
    options.limits.connections_per_address = 2;
    let world = World::with(mode, options).await;
    let one = Raw::enter(world.address, &hello(5, "a")).await;
    let _two = Raw::enter(world.address, &hello(5, "b")).await;
    let mut three = Raw::open(world.address, 5).await;
    three.send(&hello(5, "c").encode()).await;
    assert_eq!(three.end().await, None);
    one.leave().await;
    let mut tries = 0;
    loop {
        let mut four = Raw::open(world.address, 5).await;
        four.send(&hello(5, "c").encode()).await;
        if matches!(four.next().await, Got::Connack { code: 0, .. }) {
            break;
        }
        tries += 1;
        assert!(tries < 1_000, "the place is given back");
    }
}

async fn a_store_that_does_not_answer_delays_no_will(mode: Mode) {
    let one_line = StoreOptions { acquire_timeout: Duration::from_secs(3_600), ..StoreOptions::default() };
    let store = Store::open("sqlite::memory:", &one_line).await.expect("opens");
    let mut options = open_options();
    let credentials = Credentials::new(store.clone(), system_clock());
    options.admission = Admission { anonymous: true, credentials: Some(credentials) };
    let world = World::with(mode, options).await;
    let mut watcher = Raw::enter(world.address, &hello(5, "b")).await;
    watcher.subscribe("room/will", 0).await;
    let _held = store.begin_write().await.expect("holds the only connection");
    // By now it asks who still holds a credential.
    world.seconds(6).await;
    let delay = vec![(0x18, Held::Number(3))];
    drop(Raw::enter(world.address, &hello(5, "a").kept().will("room/will", b"gone", delay)).await);
    until_gone(&world).await;
    world.seconds(4).await;
    assert_eq!(watcher.message().await.text(), "gone");
}

async fn clients_of_different_devices_may_have_the_same_name(mode: Mode) {
    let (_kept, address, credentials, _database) = guarded(mode).await;
    let mut clients = Vec::new();
    for device in ["one", "two"] {
        let secret = credentials.issue(device).await.expect("is made").secret;
        clients.push(Raw::enter(address, &hello(5, "same").kept().user(device, secret.expose())).await);
    }
    for client in &mut clients {
        client.nothing().await;
    }
}

in_every_mode!(
    a_device_cannot_read_or_speak_for_another,
    only_who_knows_a_secret_is_let_in_until_it_is_revoked,
    a_device_that_another_process_revokes_is_ended_soon,
    a_connection_that_says_nothing_is_closed,
    packets_that_are_not_well_formed_end_the_connection_with_their_reason,
    a_subscriber_that_does_not_read_holds_up_nobody,
    a_full_queue_may_turn_away_what_is_new_instead,
    a_full_queue_may_refuse_the_publisher_so_that_nothing_is_lost,
    what_is_refused_is_counted_once_whatever_it_ends,
    one_address_gets_only_so_many_connections,
    a_store_that_does_not_answer_delays_no_will,
    clients_of_different_devices_may_have_the_same_name,
);
