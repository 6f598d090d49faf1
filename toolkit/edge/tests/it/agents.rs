//! What a device says arrives once and in order, whatever the line and the broker do meanwhile.

use std::time::Duration;

use ieum_device::Message;
use ieum_edge::Kind;
use ieum_testkit::fault::{FaultPlan, TcpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;
use serde_json::json;

use crate::world::{Device, PATIENCE, Platform, World, body, numbers, options, queue};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_offline_arrives_in_order_once_the_broker_is_there() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let kept = KeptPort::take();
    let world = World::at(there.path(), kept.number(), |_| {}).await;
    let (secret, address) = (world.secret("pi").await, world.address);
    world.broker.close().await;
    drop(world);
    let device = Device::start(queue(here.path()).await, options(address, "pi", Some(secret)));
    for text in numbers(0..20) {
        device.say(&text).await;
    }
    let away = async || device.ears.notices.lock().iter().any(|notice| notice.contains("Dial"));
    wait::until("nobody is there", PATIENCE, away).await.expect("nobody is there");
    let world = World::at(there.path(), address.port(), |_| {}).await;
    let mut platform = Platform::of(&world.broker, 100).await;
    assert_eq!(platform.texts(20).await, numbers(0..20));
    device.is_empty().await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_and_kills_of_the_device_lose_and_repeat_nothing() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let world = World::at(there.path(), 0, |_| {}).await;
    let mut platform = Platform::of(&world.broker, 100).await;
    let secret = world.secret("pi").await;
    let proxy = TcpProxy::start(&world.address.to_string(), FaultPlan::default()).await.expect("starts");
    let options = options(proxy.address(), "pi", Some(secret));
    let mut device = Device::start(queue(here.path()).await, options.clone());
    for round in 0..6 {
        for text in numbers(round * 10..round * 10 + 10) {
            device.say(&text).await;
            if text.ends_with('4') {
                proxy.cut();
                proxy.restore();
            }
        }
        if round % 2 == 1 {
            device.kill().await.close().await;
            device = Device::start(queue(here.path()).await, options.clone());
        }
    }
    assert_eq!(platform.texts(60).await, numbers(0..60));
    device.is_empty().await;
    let resumed = async || device.ears.connected.lock().contains(&true);
    wait::until("the session is resumed", PATIENCE, resumed).await.expect("is resumed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_goes_silent_is_given_up_and_made_again() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let world = World::at(there.path(), 0, |_| {}).await;
    let mut platform = Platform::of(&world.broker, 100).await;
    let secret = world.secret("pi").await;
    let proxy = TcpProxy::start(&world.address.to_string(), FaultPlan::default()).await.expect("starts");
    let mut options = options(proxy.address(), "pi", Some(secret));
    options.keep_alive = 1;
    let device = Device::start(queue(here.path()).await, options);
    device.say("before").await;
    assert_eq!(platform.texts(1).await, ["before"]);
    proxy.silence();
    device.say("after").await;
    let given_up = async || device.ears.notices.lock().iter().any(|notice| notice.contains("Away"));
    wait::until("the line is given up", PATIENCE, given_up).await.expect("is given up");
    proxy.restore();
    assert_eq!(platform.texts(1).await, ["after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_platform_has_no_room_the_device_waits_and_keeps_the_order() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let world = World::at(there.path(), 0, |options| options.limits.queued = 3).await;
    let mut platform = Platform::of(&world.broker, 1).await;
    let secret = world.secret("pi").await;
    let mut options = options(world.address, "pi", Some(secret));
    options.backoff.most = Duration::from_millis(100);
    let device = Device::start(queue(here.path()).await, options);
    for text in numbers(0..30) {
        device.say(&text).await;
    }
    let held = async || device.agent.waiting().0 <= 27;
    wait::until("the platform is full", PATIENCE, held).await.expect("is full");
    assert!(device.agent.waiting().0 > 0, "what has no room stays with the device");
    assert_eq!(platform.texts(30).await, numbers(0..30));
    device.is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_recording_share_the_way_and_arrive_before_what_follows() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let world = World::at(there.path(), 0, |options| options.limits.receive = 4).await;
    let mut platform = Platform::of(&world.broker, 100).await;
    let secret = world.secret("pi").await;
    let device = Device::start(queue(here.path()).await, options(world.address, "pi", Some(secret)));
    for part in numbers(0..40) {
        device.agent.say(Kind::Audio, body(&part), Some("recording")).await.expect("is kept");
    }
    device.say("then").await;
    let mut texts = platform.texts(41).await;
    assert_eq!(texts.pop().as_deref(), Some("then"));
    texts.sort_by_key(|text| text.parse::<usize>().expect("is a number"));
    assert_eq!(texts, numbers(0..40), "more parts than the broker takes at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_told_once_also_where_its_acknowledgement_is_lost() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let world = World::at(there.path(), 0, |_| {}).await;
    let platform = Platform::of(&world.broker, 100).await;
    let secret = world.secret("pi").await;
    let device = Device::start(queue(here.path()).await, options(world.address, "pi", Some(secret)));
    let connected = async || !device.ears.connected.lock().is_empty();
    wait::until("it is there", PATIENCE, connected).await.expect("is there");
    for id in ["a", "b", "a", "c"] {
        let answer = json!({ "messageId": id, "type": "DIALOG_RESPONSE" }).to_string();
        let message = Message::new("device/pi/response", answer);
        platform.client.publish(message).await.expect("is published");
    }
    let told = async || device.ears.answers.lock().len() >= 3;
    wait::until("answers come", PATIENCE, told).await.expect("answers come");
    let told =
        |device: &Device| device.ears.answers.lock().iter().map(|text| text[14..15].to_owned()).collect();
    let first: Vec<String> = told(&device);
    assert_eq!(first, ["a", "b", "c"]);
    device.kill().await.close().await;
    // A device that comes back knows what it was told, whatever comes again.
    let message = Message::new("device/pi/response", json!({ "messageId": "b" }).to_string());
    platform.client.publish(message).await.expect("is published");
    let message = Message::new("device/pi/response", json!({ "messageId": "d" }).to_string());
    platform.client.publish(message).await.expect("is published");
    let secret = world.secret("pi").await;
    let device = Device::start(queue(here.path()).await, options(world.address, "pi", Some(secret)));
    let last = async || !device.ears.answers.lock().is_empty();
    wait::until("the new one comes", PATIENCE, last).await.expect("comes");
    let second: Vec<String> = told(&device);
    assert_eq!(second, ["d"]);
}
