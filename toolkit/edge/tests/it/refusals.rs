//! What stops a device says what was tried and what to do, and nothing that it said is lost by it.

use std::error::Error;

use ieum_core::{Secret, describe, system_clock};
use ieum_device::{Act, BrokerOptions, Effect, Rule, Rules, Who, tls_from_files};
use ieum_edge::{Address, AgentError, Connection, Hello, Trust};
use ieum_testkit::wait;

use crate::world::{Device, PATIENCE, Platform, World, options, queue};

async fn ends(device: Device) -> String {
    let ended = tokio::time::timeout(PATIENCE, device.task).await.expect("it ends").expect("without a panic");
    let error: AgentError = ended.expect_err("with an error");
    describe(&error as &(dyn Error + 'static))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_ends_it_with_a_sentence_and_keeps_what_was_said() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let world = World::at(there.path(), 0, |_| {}).await;
    let secret = world.secret("pi").await;
    let wrong = Some(Secret::new("canary"));
    let device = Device::start(queue(here.path()).await, options(world.address, "pi", wrong));
    device.say("kept").await;
    let kept = device.queue.clone();
    let said = ends(device).await;
    for part in ["connecting the device \"pi\"", "wrong device or secret", "ieum device rotate"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    assert!(!said.contains("canary"), "{said}");
    kept.close().await;
    let mut platform = Platform::of(&world.broker, 100).await;
    let device = Device::start(queue(here.path()).await, options(world.address, "pi", Some(secret)));
    assert_eq!(platform.texts(1).await, ["kept"]);
    device.is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_refused_is_named() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mute = |act, pattern: &str, effect| Rule { who: Who::Device, act, pattern: pattern.into(), effect };
    let change = |options: &mut BrokerOptions| {
        let rules = vec![
            mute(Act::Publish, "device/+/text", Effect::Refuse),
            mute(Act::Both, "device/{device}/#", Effect::Allow),
        ];
        options.rules = Rules::of(rules).expect("are filters");
    };
    let world = World::at(there.path(), 0, change).await;
    let secret = world.secret("pi").await;
    let device = Device::start(queue(here.path()).await, options(world.address, "pi", Some(secret)));
    device.say("never").await;
    device.is_empty().await;
    let refused = async || {
        let notices = device.ears.notices.lock();
        notices.iter().any(|notice| notice.contains("Refused") && notice.contains("Text"))
    };
    wait::until("it is told", PATIENCE, refused).await.expect("it is told");

    let folder = tempfile::tempdir().expect("a folder");
    let deaf = World::at(folder.path(), 0, |options| {
        options.rules = Rules::of(vec![mute(Act::Publish, "device/#", Effect::Allow)]).expect("are filters");
    });
    let deaf = deaf.await;
    let secret = deaf.secret("pi").await;
    let folder = tempfile::tempdir().expect("a folder");
    let said =
        ends(Device::start(queue(folder.path()).await, options(deaf.address, "pi", Some(secret)))).await;
    assert!(said.contains("subscribing to \"device/pi/response\"") && said.contains("own topics"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_agreed_on_by_the_authority_that_was_given_and_by_no_other() {
    let there = tempfile::tempdir().expect("a folder");
    let world = World::at(there.path(), 0, |_| {}).await;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("is made");
    let (certificate, key) = (there.path().join("certificate.pem"), there.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("is written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("is written");
    let tls = tls_from_files(&certificate, &key).expect("fits");
    let address = world.broker.listen(([127, 0, 0, 1], 0).into(), Some(tls)).await.expect("listens");
    let mut platform = Platform::of(&world.broker, 100).await;
    let secret = world.secret("pi").await;
    let mut options = options(address, "pi", Some(secret));
    options.address = Address::parse(&format!("mqtts://localhost:{}", address.port())).expect("is one");

    let here = tempfile::tempdir().expect("a folder");
    let device = Device::start(queue(here.path()).await, options.clone());
    device.say("over TLS").await;
    let told = async || device.ears.notices.lock().iter().any(|notice| notice.contains("Tls {"));
    wait::until("it is told", PATIENCE, told).await.expect("it is told");
    device.kill().await.close().await;
    options.trust = Trust::from_file(&certificate).expect("is read");
    let device = Device::start(queue(here.path()).await, options);
    assert_eq!(platform.texts(1).await, ["over TLS"]);
    device.is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_nobody_knows_is_named() {
    let here = tempfile::tempdir().expect("a folder");
    let mut options = options(([127, 0, 0, 1], 1).into(), "pi", None);
    options.address = Address::parse("mqtt://nobody.invalid").expect("is one");
    let device = Device::start(queue(here.path()).await, options);
    let named = async || {
        let notices = device.ears.notices.lock();
        notices.iter().any(|notice| notice.contains("Resolve { host: \"nobody.invalid\""))
    };
    wait::until("it is told", PATIENCE, named).await.expect("it is told");
}

#[tokio::test]
async fn what_is_no_broker_is_named_whatever_its_first_byte_says() {
    // An HTTP server's "H" reads as a PUBACK.
    for answer in [
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: Sun, 22 Nov 2026 13:00:00 GMT\r\n\r\n",
        "\u{20}\u{0}",
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("comes");
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.expect("is sent");
            stream
        });
        let hello = Hello {
            client: "pi".to_owned(),
            credentials: None,
            keep_alive: 30,
            session_seconds: 60,
            receive: 8,
        };
        let place = Address::parse(&format!("mqtt://{address}")).expect("is one");
        let trust = Trust::of_this_machine().expect("is had");
        let opened = Connection::open(&place, &hello, &trust, &system_clock()).await;
        let Err(error) = opened else { panic!("{answer:?} greets nobody") };
        let said = error.to_string();
        assert!(said.contains(&address.to_string()) && said.contains("is no MQTT broker"), "{said}");
        drop(server.await);
    }
}
