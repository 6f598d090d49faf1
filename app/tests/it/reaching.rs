//! What is to be said reaches whoever it is for, also after a kill, and wherever that is.

use std::time::Duration;

use futures::StreamExt;
use ieum_testkit::wait;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::voice::{Speaker, added};
use super::{Running, up};

const PATIENCE: Duration = Duration::from_secs(120);

/// Says something over HTTP and returns what is answered.
async fn asked(platform: &Running, turn: Value) -> String {
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
    let url = format!("http://{}/api/v2/dialog/text", platform.address);
    let answer = client.post(url).json(&turn).send().await.expect("answers");
    let answer: Value = answer.json().await.expect("is JSON");
    answer["text"].as_str().expect("is answered").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_was_due_while_its_device_was_away_rings_once_it_is_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let mut platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path());
    let mut kitchen = Speaker::pass(&platform, &secret);
    kitchen.ask("2초 타이머");
    assert_eq!(kitchen.answer()["text"], "2초 타이머를 시작했어요.");
    platform.child.kill().expect("is killed");
    platform.child.wait().expect("is gone");
    drop(kitchen);

    let platform = up(folder.path(), &["voice"], &[]);
    let left = json!({ "deviceId": "kitchen", "text": "타이머 얼마나 남았어?" });
    let rang = async || asked(&platform, left.clone()).await == "맞춰 둔 타이머가 없어요.";
    wait::until("it was due", PATIENCE, rang).await.expect("it was due");
    let mut kitchen = Speaker::pass(&platform, &secret);
    let mut rang = kitchen.answer();
    // That the answer before it was sent may not have been written down yet when the process died.
    while rang["intent"] == "timer.start" {
        rang = kitchen.answer();
    }
    assert_eq!(rang["intent"], "timer.rang");
    kitchen.ask_as("after", "타이머 얼마나 남았어?");
    assert_eq!(kitchen.answer()["text"], "맞춰 둔 타이머가 없어요.", "nothing rings twice before it");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_a_connection_broke_comes_again_once_and_in_order() {
    const MANY: usize = 130;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path());
    let mut kitchen = Speaker::pass(&platform, &secret);
    kitchen.ask("10분 타이머");
    let missed = kitchen.miss();
    let mut kitchen = Speaker::pass(&platform, &secret);
    let again = kitchen.answer();
    assert_eq!((&again["turnId"], &again["intent"]), (&missed["turnId"], &json!("timer.start")));
    kitchen.ask_as("cancel", "모든 타이머 취소해 줘");
    assert_eq!(kitchen.answer()["intent"], "timer.cancel", "what was acknowledged does not come again");
    // More than a client has under way at once, and more than is looked at in one go.
    for number in 0..MANY {
        kitchen.ask_as(&format!("many-{number}"), "몇 시야");
    }
    assert_eq!(kitchen.miss()["turnId"], "many-0");
    let mut kitchen = Speaker::pass(&platform, &secret);
    for number in 0..MANY {
        assert_eq!(kitchen.answer()["turnId"], format!("many-{number}"));
    }
    kitchen.ask_as("after", "몇 시야");
    assert_eq!(kitchen.answer()["turnId"], "after");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_was_set_in_a_browser_rings_there() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let socket = TcpStream::connect(&platform.address).await.expect("connects");
    let url = format!("ws://{}/api/dialog/stream?userId=ada", platform.address);
    let (mut stream, _) = client_async(url, socket).await.expect("is a WebSocket");
    let set = asked(&platform, json!({ "userId": "ada", "text": "1초 타이머" })).await;
    assert_eq!(set, "1초 타이머를 시작했어요.");
    let told = tokio::time::timeout(PATIENCE, stream.next()).await.expect("it rings in time");
    let Some(Ok(Message::Text(told))) = told else { panic!("is told in text: {told:?}") };
    let told: Value = serde_json::from_str(&told).expect("is JSON");
    let payload = &told["payload"];
    assert_eq!((&told["type"], &payload["intent"]), (&json!("DIALOG_RESPONSE"), &json!("timer.rang")));
    assert_eq!(payload["text"], "1초 타이머가 끝났어요.");
    drop(stream);
    platform.stop();
}
