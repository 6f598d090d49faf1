//! A device as an operator adds it, and as it comes by MQTT to the binary.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ieum_testkit::wait;

use super::{ieum, text, up};

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
        status == 503 && said.contains("another process has opened the part device")
    };
    wait::until("it is told", PATIENCE, told).await.expect("it is told");
    assert_eq!(ready(&second.address).await.0, 200);
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
    let (is_made, said) = told(&["device", "rotate", "kitchem"]);
    assert!(!is_made && said.contains("there is no such device; did you mean \"kitchen\"; "), "{said}");
    let (_, listed) = told(&["device", "list"]);
    assert_eq!(listed.matches("kitchen").count(), 1, "one secret, one device: {listed}");
    assert!(told(&["device", "rotate", "kitchen", "--overlap", "0s"]).0);
    assert!(told(&["device", "revoke", "kitchen"]).0 && told(&["device", "add", "kitchen"]).0);
}
