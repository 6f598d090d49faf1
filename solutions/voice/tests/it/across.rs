//! One device by several doors at once: its recordings, its conversation and its rooms are the same by each.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::SinkExt;
use http::StatusCode;
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::dialogflow;
use crate::pages::{FORM, asked, form, json_asked, next, stream};
use crate::recordings::{Parrot, part, whole};
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(120);

async fn hearing() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::hearing(&sql.url, std::sync::Arc::new(Parrot::default())).await;
    (sql, stage)
}

/// Uploads a part of the recording `r1`.
async fn upload(stage: &Stage, sequence: &str, last: &str, text: &str) -> (StatusCode, Value) {
    let fields: [(&str, &[u8]); 5] = [
        ("audio", text.as_bytes()),
        ("deviceId", b"kitchen"),
        ("sessionId", b"r1"),
        ("sequence", sequence.as_bytes()),
        ("last", last.as_bytes()),
    ];
    asked(stage, "/api/dialog/audio", FORM, form(&fields)).await
}

#[tokio::test]
async fn a_recording_begun_by_mqtt_goes_on_by_http_and_ends_by_websocket() {
    let (_sql, stage) = hearing().await;
    let kitchen = stage.device("kitchen").await;
    kitchen.send("audio", part("r1", 0, false, "set a ")).await;
    let kept = async || stage.count("SELECT COUNT(*) AS n FROM ieum_voice_chunk").await == 1;
    wait::until("the first part is kept", PATIENCE, kept).await.expect("is kept");
    let (status, told) = upload(&stage, "1", "false", "tim").await;
    assert_eq!((status, told["reason"].as_str()), (StatusCode::BAD_REQUEST, Some("voice.audio.invalid")));
    let (status, told) = upload(&stage, "1", "false", "ti").await;
    assert_eq!((status, &told), (StatusCode::ACCEPTED, &json!({ "sessionId": "r1", "missing": [] })));
    let mut talk = stream(&stage, "deviceId=kitchen").await;
    let last = json!({ "type": "audio", "sessionId": "r1", "sequence": 2, "last": true,
        "audio": { "data": BASE64_STANDARD.encode("mer ") } });
    talk.send(Message::text(last.to_string())).await.expect("is sent");
    let answer = next(&mut talk).await["payload"].clone();
    assert_eq!((&answer["text"], &answer["turnId"]), (&json!("For how long?"), &json!("r1")));

    // The conversation is the device's own, by any other door too.
    let alone = json!({ "payload": { "deviceId": "kitchen" } });
    let told = dialogflow::asked(&stage, "hall", "흐물렁", alone).await;
    assert!(dialogflow::is_fallback(&told), "who does not join it hears nothing of it: {told}");
    let joins = json!({ "payload": { "deviceId": "kitchen", "sessionId": answer["sessionId"] } });
    let told = dialogflow::asked(&stage, "hall", "십오 분", joins).await["queryResult"].clone();
    assert_eq!(told["action"], "timer.start", "{told}");
    assert_eq!(told["fulfillmentText"], "15분 타이머를 시작했어요.");
}

#[tokio::test]
async fn an_upload_ends_what_a_device_began_and_tells_what_is_missing() {
    let (_sql, stage) = hearing().await;
    let mut kitchen = stage.device("kitchen").await;
    let (status, told) = upload(&stage, "2", "true", "is it?").await;
    assert_eq!((status, &told["missing"]), (StatusCode::ACCEPTED, &json!([0, 1])));
    kitchen.send("audio", part("r1", 1, false, "time  ")).await;
    let kept = async || stage.count("SELECT COUNT(*) AS n FROM ieum_voice_chunk").await == 2;
    wait::until("the middle is kept", PATIENCE, kept).await.expect("is kept");
    let (status, told) = upload(&stage, "0", "false", "what  ").await;
    assert_eq!((status, &told["text"]), (StatusCode::OK, &json!("It is 12:00 PM.")));
    for (sequence, last, field) in
        [("two", "false", "sequence"), ("1", "yes", "last"), ("2000", "false", "sequence")]
    {
        let (status, told) = upload(&stage, sequence, last, "ab").await;
        assert_eq!((status, &told["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{told}");
    }
    let fields: [(&str, &[u8]); 3] = [("audio", b"ab"), ("deviceId", b"kitchen"), ("sequence", b"0")];
    let (status, told) = asked(&stage, "/api/dialog/audio", FORM, form(&fields)).await;
    assert_eq!((status, &told["field"]), (StatusCode::BAD_REQUEST, &json!("sessionId")));
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query", "the answer went to who asked");
}

#[tokio::test]
async fn a_recordings_name_may_be_used_again_for_other_words() {
    let (_sql, stage) = hearing().await;
    let mut kitchen = stage.device("kitchen").await;
    let mut turns = Vec::new();
    for (words, intent) in [
        ("what time is it ", "time.query"),
        ("오늘 며칠이야", "date.query"),
        ("what time is it ", "time.query"),
    ] {
        kitchen.send("audio", part("r1", 0, true, words)).await;
        let answer = kitchen.hear().await["payload"].clone();
        assert_eq!(answer["intent"], intent, "{words}");
        turns.push(answer["turnId"].clone());
        assert_eq!(kitchen.hear().await["type"], "DIALOG_AUDIO");
    }
    assert_eq!(turns[0], "r1");
    assert!(turns[1] != turns[0] && turns[2] != turns[1], "{turns:?}");
    let (status, told) = upload(&stage, "0", "true", "set a timer ").await;
    assert_eq!((status, &told["text"]), (StatusCode::OK, &json!("For how long?")));
    let mut talk = stream(&stage, "deviceId=kitchen").await;
    for (words, text) in
        [("what time is it ", "It is 12:00 PM."), ("what is the date", "Today is Friday, May 1.")]
    {
        let audio =
            json!({ "type": "audio", "sessionId": "r1", "audio": { "data": BASE64_STANDARD.encode(words) } });
        talk.send(Message::text(audio.to_string())).await.expect("is sent");
        assert_eq!(next(&mut talk).await["payload"]["text"], text, "a whole one by WebSocket");
        assert_eq!(next(&mut talk).await["type"], "DIALOG_AUDIO");
    }
}

#[tokio::test]
async fn a_last_part_that_comes_again_gets_the_kept_answer() {
    let (_sql, stage) = hearing().await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", part("r2", 0, false, "set a ")).await;
    kitchen.send("audio", part("r2", 1, true, "timer ")).await;
    let (answer, aloud) = (kitchen.hear().await, kitchen.hear().await);
    assert_eq!(
        (&answer["payload"]["text"], &aloud["type"]),
        (&json!("For how long?"), &json!("DIALOG_AUDIO"))
    );
    kitchen.send("audio", part("r2", 0, false, "set a ")).await;
    kitchen.send("audio", part("r2", 1, true, "timer ")).await;
    let again = kitchen.hear().await;
    assert_eq!((&again["messageId"], &again["payload"]), (&answer["messageId"], &answer["payload"]));
    assert_eq!(kitchen.hear().await["messageId"], aloud["messageId"]);

    upload(&stage, "1", "true", "is it ").await;
    let (status, told) = upload(&stage, "0", "false", "what time ").await;
    assert_eq!((status, &told["intent"]), (StatusCode::OK, &json!("time.query")));
    for (sequence, last, words) in [("0", "false", "what time "), ("1", "true", "is it ")] {
        let (status, again) = upload(&stage, sequence, last, words).await;
        assert_eq!(
            (status, &again["turnId"], &again["text"]),
            (StatusCode::OK, &told["turnId"], &told["text"])
        );
    }
    kitchen.send("audio", part("r1", 1, true, "is it ")).await;
    assert_eq!(kitchen.hear().await["payload"]["text"], told["text"], "answered by another door first");
}

#[tokio::test]
async fn a_message_whose_id_is_too_long_is_refused_by_its_field() {
    let (_sql, stage) = hearing().await;
    let mut kitchen = stage.device("kitchen").await;
    for end in ["a", "b"] {
        let id = format!("{}{end}", "x".repeat(120));
        kitchen.send("text", json!({ "messageId": id, "text": "몇 시야" })).await;
        let told = kitchen.hear().await;
        assert_eq!(told["type"], "DIALOG_ERROR");
        let message = told["payload"]["message"].as_str().expect("says why");
        assert!(message.starts_with("field messageId:"), "{message}");
    }
    let things = json!([{ "id": "l1", "name": "lamp" }, { "id": "l1", "name": "fan" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    let told = kitchen.hear().await["payload"]["message"].to_string();
    assert!(told.contains("field data.things: the id"), "{told}");
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
}

#[tokio::test]
async fn where_something_is_said_counts_by_every_door() {
    let (_sql, stage) = hearing().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "l1", "name": "lamp", "area": "kitchen" }, { "id": "l2", "name": "lamp", "area": "attic" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    let order = "turn on the lamp";
    let mut said = whole(order);
    said["area"] = json!("attic");
    kitchen.send("audio", said).await;
    let mut switched = vec![command(&mut kitchen).await];
    let fields: [(&str, &[u8]); 3] =
        [("audio", order.as_bytes()), ("deviceId", b"kitchen"), ("area", b"attic")];
    asked(&stage, "/api/dialog/audio", FORM, form(&fields)).await;
    switched.push(command(&mut kitchen).await);
    let body = json!({ "text": order, "device_id": "kitchen", "area": "attic" });
    json_asked(&stage, "/api/conversation/process", body).await;
    switched.push(command(&mut kitchen).await);
    let mut talk = stream(&stage, "deviceId=kitchen").await;
    let audio = json!({ "data": BASE64_STANDARD.encode(order) });
    for said in [
        json!({ "type": "text", "text": order, "area": "attic" }),
        json!({ "type": "audio", "audio": audio, "area": "attic" }),
    ] {
        talk.send(Message::text(said.to_string())).await.expect("is sent");
        switched.push(command(&mut kitchen).await);
    }
    let area = json!({ "payload": { "deviceId": "kitchen", "area": "attic" } });
    dialogflow::asked(&stage, "hall", "lamp 켜 줘", area).await;
    switched.push(command(&mut kitchen).await);
    assert_eq!(switched, ["l2"; 6]);
}

/// Waits for what the kitchen is to switch.
async fn command(kitchen: &mut crate::stage::Speaker) -> String {
    loop {
        let told = kitchen.hear().await;
        if told["type"] == "DEVICE_COMMAND" {
            return told["payload"]["thing"].as_str().expect("is named").to_owned();
        }
    }
}
