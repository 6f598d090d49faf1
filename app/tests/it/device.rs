//! A device as an operator adds it, and as it comes by MQTT to the binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;

use super::links::metric;
use super::outside::added;
use super::{Running, begun, ieum, text, up};

const PATIENCE: Duration = Duration::from_secs(120);

/// A CONNECT of MQTT 3.1.1 with a session that is kept, or is clean.
fn connect(device: &str, secret: &str, is_clean: bool) -> Vec<u8> {
    let mut body = b"\0\x04MQTT\x04".to_vec();
    body.extend([0xC0 | u8::from(is_clean) << 1, 0, 60]);
    for part in [device, device, secret] {
        body.extend((part.len() as u16).to_be_bytes());
        body.extend(part.as_bytes());
    }
    packet(0x10, &body)
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first, u8::try_from(body.len()).expect("is short")];
    packet.extend_from_slice(body);
    packet
}

pub fn say(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("is taken");
}

/// Returns the next packet.
fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).expect("is answered");
    let mut all = head.to_vec();
    all.resize(2 + usize::from(head[1]), 0);
    stream.read_exact(&mut all[2..]).expect("is whole");
    all
}

pub fn come(address: &str, device: &str, secret: &str) -> (TcpStream, u8) {
    enter(address, &connect(device, secret, false))
}

/// Comes without leaving a session behind.
pub fn pass(address: &str, device: &str, secret: &str) -> (TcpStream, u8) {
    enter(address, &connect(device, secret, true))
}

fn enter(address: &str, connect: &[u8]) -> (TcpStream, u8) {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("is set");
    say(&mut stream, connect);
    let code = hear(&mut stream)[3];
    (stream, code)
}

#[test]
fn a_device_comes_with_its_secret_and_finds_after_a_restart_what_was_said_to_it() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let platform = up(folder.path(), &["device"], &[]);
    let added = platform.ask(folder.path(), &["device", "add", "kitchen"]);
    let secret = added["secret"].as_str().expect("is shown once").to_owned();
    assert_eq!(come(&platform.mqtt, "kitchen", "guess").1, 4, "bad user name or password");
    let (mut device, code) = come(&platform.mqtt, "kitchen", &secret);
    assert_eq!(code, 0);
    say(&mut device, &packet(0x82, b"\0\x01\0\x10device/kitchen/#\x01"));
    assert_eq!(hear(&mut device), [0x90, 3, 0, 1, 1]);
    say(&mut device, &packet(0x82, b"\0\x02\0\x08device/#\x01"));
    assert_eq!(hear(&mut device), [0x90, 3, 0, 2, 0x80], "others' topics are not for it");
    say(&mut device, &packet(0x32, b"\0\x15device/kitchen/answer\0\x07twelve"));
    let both = [hear(&mut device), hear(&mut device)];
    assert!(both.contains(&vec![0x40, 2, 0, 7]), "{both:?}");
    platform.stop();

    let platform = up(folder.path(), &["device"], &[]);
    let (mut device, _) = come(&platform.mqtt, "kitchen", &secret);
    let again = hear(&mut device);
    assert!(again[0] & 0x08 != 0 && again.ends_with(b"twelve"), "it was not acknowledged: {again:?}");
    assert_eq!(platform.ask(folder.path(), &["device", "revoke", "kitchen"])["revoked"], 1);
    let mut rest = Vec::new();
    device.read_to_end(&mut rest).expect("is ended within seconds");
    assert_eq!(come(&platform.mqtt, "kitchen", &secret).1, 4);
    let wrong = ieum(folder.path(), &[]).args(["device", "add", "a/b"]).output().expect("runs");
    assert!(!wrong.status.success() && text(&wrong).contains("naming a device"), "{}", text(&wrong));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_devices_another_one_took_over_says_so() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("makes a folder");
    let first = up(folder.path(), &["device"], &[]);
    let ready = async |address: &str| {
        let answer = reqwest::get(format!("http://{address}/health/ready")).await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    };
    assert_eq!(ready(&first.address).await.0, 200);
    let second = up(folder.path(), &["device"], &[]);
    let told = async || {
        let (status, said) = ready(&first.address).await;
        let who = format!("another process (process {} ", second.child.id());
        status == 503
            && said.contains(&who)
            && said.contains(") has opened the part device over the same store")
    };
    wait::until("it is told", PATIENCE, told).await.expect("it is told");
    assert_eq!(ready(&second.address).await.0, 200);
    second.stop();
}

/// Starts the part `device` over `folder`, and what it says on its standard error goes into a file.
fn overheard(folder: &std::path::Path, name: &str) -> (Running, std::path::PathBuf) {
    let file = folder.join(name);
    let mut command = ieum(folder, &[]);
    command.args(["--json", "up", "device"]).stderr(std::fs::File::create(&file).expect("is made"));
    (begun(command), file)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_store_name_each_other_and_a_killed_one_is_followed_at_once() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let said = |file: &std::path::PathBuf| std::fs::read_to_string(file).expect("is read");
    let (first, heard) = overheard(folder.path(), "first.log");
    assert_eq!(said(&heard), "", "it takes nothing from anybody");
    let (second, heard_too) = overheard(folder.path(), "second.log");
    let (one, other) =
        (format!("\"process {} on ", first.child.id()), format!("\"process {} on ", second.child.id()));
    let told = said(&heard_too);
    assert!(told.contains("which did not give them back") && told.contains(&one), "{told}");
    assert!(told.contains(&first.mqtt) && told.contains("--data"), "{told}");
    let is_told = async || {
        let (first, second) = (said(&heard), said(&heard_too));
        first.contains("has taken the devices over")
            && first.contains(&other)
            && second.contains("another process runs on the same store")
    };
    wait::until("both are told", PATIENCE, is_told).await.expect("both are told");
    first.stop();
    second.stop();

    let (mut third, heard) = overheard(folder.path(), "third.log");
    assert_eq!(said(&heard), "", "the second one gave them back");
    third.child.kill().expect("is killed");
    third.child.wait().expect("is gone");
    let (fourth, heard) = overheard(folder.path(), "fourth.log");
    let told = said(&heard);
    assert!(told.contains("it was killed, or") && told.contains(&third.mqtt), "{told}");
    let secret = added(&fourth, folder.path(), "kitchen");
    assert_eq!(come(&fourth.mqtt, "kitchen", &secret).1, 0);
    fourth.stop();
}

#[test]
fn who_listens_where_a_killed_process_did_knows_that_it_is_gone() {
    let folder = tempfile::tempdir().expect("makes a folder");
    // Nobody else gets the port meanwhile.
    let kept = KeptPort::take();
    let begin = |name: &str| {
        let file = folder.path().join(name);
        let (address, log) = (kept.address().to_string(), std::fs::File::create(&file).expect("is made"));
        let settings =
            [("IEUM__DEVICE__LISTEN", address.as_str()), ("IEUM__TELEMETRY__LOG", "warn,ieum::device=info")];
        let mut command = ieum(folder.path(), &settings);
        command.args(["--json", "up", "device"]).stderr(log);
        (begun(command), file)
    };
    let (mut first, _) = begin("first.log");
    first.child.kill().expect("is killed");
    first.child.wait().expect("is gone");
    let (second, file) = begin("second.log");
    let told = std::fs::read_to_string(file).expect("is read");
    assert!(told.contains("the process before was killed; its devices are answered here now"), "{told}");
    assert!(!told.contains("WARN"), "{told}");
    second.stop();
}

#[test]
fn a_process_that_cannot_listen_takes_no_devices_away() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let first = up(folder.path(), &["device"], &[]);
    let added = first.ask(folder.path(), &["device", "add", "kitchen"]);
    let secret = added["secret"].as_str().expect("is shown once").to_owned();
    let mut second = ieum(folder.path(), &[("IEUM__DEVICE__LISTEN", first.mqtt.as_str())]);
    let refused = second.args(["up", "device"]).output().expect("runs");
    assert!(!refused.status.success() && text(&refused).contains("in use"), "{}", text(&refused));
    let (mut device, code) = come(&first.mqtt, "kitchen", &secret);
    assert_eq!(code, 0);
    // A broker that was taken over acknowledges nothing more.
    say(&mut device, &packet(0x32, b"\0\x15device/kitchen/answer\0\x07twelve"));
    assert_eq!(hear(&mut device), [0x40, 2, 0, 7]);
    first.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_taken_from_its_person_is_let_in_no_more() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("makes a folder");
    let platform = up(folder.path(), &["device", "identity", "payment"], &[]);
    let added = platform.ask(folder.path(), &["device", "add", "kitchen"]);
    let secret = added["secret"].as_str().expect("is shown once").to_owned();
    let (client, users) = (reqwest::Client::new(), format!("http://{}/api/users/kim", platform.address));
    let sent = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("answers");
        assert!(answer.status().is_success(), "{}", answer.text().await.expect("is text"));
    };
    sent(client.put(&users).json(&serde_json::json!({ "name": "Kim" }))).await;
    let device = serde_json::json!({ "deviceId": "kitchen", "type": "speaker" });
    sent(client.post(format!("{users}/devices")).json(&device)).await;
    assert_eq!(come(&platform.mqtt, "kitchen", &secret).1, 0);
    sent(client.delete(format!("{users}/devices/kitchen"))).await;
    let gone = async || platform.ask(folder.path(), &["device", "list"]) == serde_json::json!([]);
    wait::until("its secret is gone", PATIENCE, gone).await.expect("is gone");
    assert_eq!(come(&platform.mqtt, "kitchen", &secret).1, 4);
    platform.stop();
}

#[test]
fn a_known_device_is_not_added_again_and_an_unknown_one_not_rotated() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |words: &[&str]| {
        let output = ieum(folder.path(), &[]).args(words).output().expect("runs");
        (output.status.success(), text(&output))
    };
    assert!(told(&["device", "add", "kitchen"]).0);
    let (is_added, said) = told(&["device", "add", "kitchen"]);
    assert!(!is_added && said.contains("`ieum device rotate kitchen`"), "{said}");
    for verb in ["rotate", "revoke"] {
        let (is_done, said) = told(&["device", verb, "kitchem"]);
        let expected = "\"kitchem\": there is no such device; did you mean \"kitchen\"; ";
        assert!(!is_done && said.contains(expected), "{said}");
    }
    let (_, said) = told(&["--json", "device", "rotate", "kitchen", "--overlap", "2h"]);
    let rotated: serde_json::Value = serde_json::from_str(&said).expect("is JSON");
    let until = rotated["formerValidUntil"].as_str().expect("says until when");
    assert!(told(&["--json", "device", "list"]).1.contains(until), "{until}");
    let (_, listed) = told(&["device", "list"]);
    assert_eq!(listed.matches("kitchen").count(), 2, "two secrets of one device: {listed}");
    let (_, said) = told(&["device", "rotate", "kitchen"]);
    let until =
        said.split("The secret before stays valid until ").nth(1).and_then(|rest| rest.split(';').next());
    let until = until.expect("says until when");
    assert!(told(&["device", "list"]).1.contains(until), "{until}");
    let (_, said) = told(&["device", "rotate", "kitchen", "--overlap", "0s"]);
    assert!(
        said.contains("The secret before is valid no more; what is connected with it ends within"),
        "{said}"
    );
    assert!(told(&["device", "revoke", "kitchen"]).0 && told(&["device", "add", "kitchen"]).0);
}

/// Publishes with quality 1 and returns once that is taken, passing over what else comes.
fn publish(stream: &mut TcpStream, topic: &str, payload: &str) {
    let mut body = u16::try_from(topic.len()).expect("is short").to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    body.extend([0, 7]);
    body.extend(payload.as_bytes());
    say(stream, &packet(0x32, &body));
    while hear(stream) != [0x40, 2, 0, 7] {}
}

/// Listens to `filter` from now on.
fn listen(stream: &mut TcpStream, filter: &str) {
    let mut body = vec![0, 1, 0, u8::try_from(filter.len()).expect("is short")];
    body.extend(filter.as_bytes());
    body.push(1);
    say(stream, &packet(0x82, &body));
    assert_eq!(hear(stream), [0x90, 3, 0, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_both_ways_over_a_bridge_and_health_tells_how_it_fares() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let [there, here] = [(); 2].map(|()| tempfile::tempdir().expect("makes a folder"));
    let outside = up(there.path(), &["device"], &[]);
    let secret = added(&outside, there.path(), "home");
    let url = format!("mqtt://home:{secret}@{}", outside.mqtt);
    let bridged = [
        ("IEUM__DEVICE__BRIDGE", url.as_str()),
        ("IEUM__DEVICE__BRIDGE_OUT", "[\"device/+/event\"]"),
        ("IEUM__DEVICE__BRIDGE_IN", "[\"device/+/command\"]"),
        ("IEUM__DEVICE__BRIDGE_PREFIX", "device/home/"),
    ];
    let platform = up(here.path(), &["device"], &bridged);
    let bridge = async || {
        let answer = reqwest::get(format!("http://{}/health/ready", platform.address)).await;
        let answer = answer.expect("answers").text().await.expect("is text");
        let health: serde_json::Value = serde_json::from_str(&answer).expect("is JSON");
        let checks = health["checks"].as_array().expect("tells each").clone();
        checks.into_iter().find(|check| check["name"] == "bridge").expect("is among them")["status"].clone()
    };
    wait::until("the bridge stands", PATIENCE, async || bridge().await == "healthy").await.expect("stands");

    let (mut watcher, _) = come(&outside.mqtt, "home", &secret);
    listen(&mut watcher, "device/home/device/kitchen/event");
    let secret = added(&platform, here.path(), "kitchen");
    let (mut kitchen, _) = come(&platform.mqtt, "kitchen", &secret);
    listen(&mut kitchen, "device/kitchen/command");
    publish(&mut kitchen, "device/kitchen/event", "rang");
    let heard = hear(&mut watcher);
    assert!(heard.windows(32).any(|part| part == b"device/home/device/kitchen/event"), "{heard:?}");
    assert!(heard.ends_with(b"rang"), "{heard:?}");
    publish(&mut watcher, "device/home/device/kitchen/command", "open");
    let heard = hear(&mut kitchen);
    assert!(heard.windows(22).any(|part| part == b"device/kitchen/command"), "{heard:?}");
    assert!(heard.ends_with(b"open"), "{heard:?}");

    outside.stop();
    let is_down = async || bridge().await == "unhealthy";
    wait::until("health tells that it is down", PATIENCE, is_down).await.expect("is told");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_devices_say_is_counted_by_what_it_is() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("makes a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path(), "hall");
    let (mut hall, _) = come(&platform.mqtt, "hall", &secret);
    publish(&mut hall, "device/hall/text", "{\"messageId\":\"1\",\"text\":\"what time is it\"}");
    publish(&mut hall, "device/hall/text", "{\"messageId\":\"2\",\"text\":5}");
    say(&mut hall, &packet(0x32, b"\0\x0fdevice/den/text\0\x08x"));
    hall.read_to_end(&mut Vec::new()).expect("what it may not say ends its connection");
    for (series, count) in [
        ("ieum_device_received_total{class=\"text\"}", 2.0),
        ("ieum_device_refused_total{class=\"text\",reason=\"not_authorized\"}", 1.0),
        ("ieum_voice_messages_total{kind=\"text\"}", 2.0),
        ("ieum_voice_refused_total{kind=\"text\"}", 1.0),
        ("ieum_device_dropped_total{why=\"full\"}", 0.0),
    ] {
        let is_counted = async || metric(&platform, series).await.to_bits() == f64::to_bits(count);
        wait::until(series, PATIENCE, is_counted).await.expect("is counted");
    }
    // The two texts, to whoever works on them.
    let are_delivered = async || metric(&platform, "ieum_device_delivered_total").await >= 2.0;
    wait::until("what was handed over is counted", PATIENCE, are_delivered).await.expect("is counted");
    platform.stop();
}
