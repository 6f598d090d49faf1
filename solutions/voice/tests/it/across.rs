//! One device by several doors at once: its recordings, its conversation and its rooms are the same by each.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::SinkExt;
use http::StatusCode;
use ieum_cache::{MemoryCache, MemoryOptions};
use ieum_core::{BoxFuture, Fault, Secret};
use ieum_gateway::{Gateway, GatewayOptions, Keys, KeysOptions, Passwords};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tonic::Code;

use crate::dialogflow;
use crate::pages::{FORM, asked, form, json_asked, next, stream};
use crate::recordings::{Parrot, part, whole};
use crate::sounds::Caller;
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
async fn a_recording_begun_by_mqtt_goes_on_by_grpc_and_ends_by_websocket() {
    let (sql, parrot) = (SqlStore::sqlite(), Arc::new(Parrot::default()));
    let stage = Stage::hearing(&sql.url, parrot.clone()).await;
    let caller = Caller::of(stage.part.router()).await;
    let kitchen = stage.device("kitchen").await;
    kitchen.send("audio", part("r1", 0, false, "set a ")).await;
    let parts = async || stage.count("SELECT COUNT(*) AS n FROM ieum_voice_chunk").await;
    wait::until("the first part is kept", PATIENCE, async || parts().await == 1).await.expect("is kept");
    for _ in 0..2 {
        let kept = caller.part(1, false, "ti").await["queryResult"].clone();
        assert_eq!(kept["webhookPayload"], json!({ "sessionId": "r1", "missing": [] }));
        assert_eq!((&kept["intent"], &kept["fulfillmentText"]), (&Value::Null, &Value::Null), "{kept}");
        assert_eq!(parts().await, 2, "one that comes again changes nothing");
    }
    let mut talk = stream(&stage, "deviceId=kitchen").await;
    let last = json!({ "type": "audio", "sessionId": "r1", "sequence": 2, "last": true,
        "audio": { "data": BASE64_STANDARD.encode("mer ") } });
    talk.send(Message::text(last.to_string())).await.expect("is sent");
    let answer = next(&mut talk).await["payload"].clone();
    assert_eq!((&answer["text"], &answer["turnId"]), (&json!("For how long?"), &json!("r1")));
    // Whichever part comes again is told what was answered, and nothing is heard anew.
    let again = caller.part(1, false, "ti").await["queryResult"].clone();
    assert_eq!((&again["fulfillmentText"], &again["queryText"]), (&answer["text"], &answer["heard"]));
    assert_eq!(again["action"], "timer.start");
    assert_eq!((parts().await, &*parrot.lengths.lock()), (0, &vec!["set a timer ".len()]));
}

#[tokio::test]
async fn a_part_by_grpc_tells_what_is_missing_and_the_one_that_was_is_answered() {
    let (_sql, stage) = hearing().await;
    let caller = Caller::of(stage.part.router()).await;
    let mut kitchen = stage.device("kitchen").await;
    let told = caller.part(2, true, "is it?").await;
    assert_eq!(told["queryResult"]["webhookPayload"], json!({ "sessionId": "r1", "missing": [0.0, 1.0] }));
    assert_eq!(
        (&told["queryResult"]["allRequiredParamsPresent"], &told["outputAudio"]),
        (&Value::Null, &Value::Null)
    );
    let (status, told) = upload(&stage, "1", "false", "time  ").await;
    assert_eq!((status, &told["missing"]), (StatusCode::ACCEPTED, &json!([0])));
    let told = caller.part(0, false, "what  ").await;
    let result = &told["queryResult"];
    assert_eq!(
        (&result["fulfillmentText"], &result["action"]),
        (&json!("It is 12:00 PM."), &json!("time.query"))
    );
    assert_eq!(
        (&result["allRequiredParamsPresent"], &result["webhookPayload"]),
        (&json!(true), &Value::Null)
    );
    assert!(told["outputAudio"].is_string(), "it is spoken as it was wished");
    // A request by itself brings a part as a stream does.
    let payload = json!({ "deviceId": "kitchen", "sessionId": "r1", "sequence": 0 });
    let config = json!({ "audioEncoding": "AUDIO_ENCODING_LINEAR_16", "languageCode": "en" });
    let again = json!({ "queryInput": { "audioConfig": config }, "queryParams": { "payload": payload },
        "inputAudio": BASE64_STANDARD.encode("what  ") });
    let path = "/v2/projects/home/agent/sessions/hall:detectIntent";
    let (status, again) = json_asked(&stage, path, again).await;
    assert_eq!(
        (status, &again["queryResult"]["queryText"]),
        (StatusCode::OK, &result["queryText"]),
        "{again}"
    );
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query", "the answers went to who asked");
}

#[tokio::test]
async fn a_wrong_part_by_grpc_is_refused_by_its_field() {
    let (_sql, stage) = hearing().await;
    let caller = Caller::of(stage.part.router()).await;
    for (change, field) in [
        (json!({ "sequence": "one" }), "query_params.payload.sequence:"),
        (json!({ "sequence": -1 }), "query_params.payload.sequence:"),
        (json!({ "last": "yes" }), "query_params.payload.last:"),
        (json!({ "sessionId": 7 }), "query_params.payload.sessionId:"),
        (json!({ "sequence": 2_000 }), "field sequence:"),
        (json!({ "sessionId": null }), "field sessionId:"),
        (json!({ "sessionId": "x".repeat(121) }), "field sessionId:"),
    ] {
        let mut payload = json!({ "deviceId": "kitchen", "sessionId": "r1", "sequence": 0 });
        for (name, value) in change.as_object().expect("is an object") {
            payload[name] = value.clone();
        }
        let status = caller.sounds(payload, "ab").await.expect_err(field);
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with(field), "{status}");
    }
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_chunk").await, 0);
    // Without a number it is a turn by itself, as it always was.
    let told = caller.sounds(json!({ "deviceId": "kitchen", "last": true }), "what time is it ").await;
    assert_eq!(told.expect("is answered")["queryResult"]["fulfillmentText"], "It is 12:00 PM.");
}

/// Knows the kitchen.
struct Kitchen;

impl Passwords for Kitchen {
    fn verify<'a>(&'a self, name: &'a str, password: &'a Secret) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move { Ok(name == "kitchen" && password.expose() == "secret") })
    }
}

#[tokio::test]
async fn a_device_brings_parts_by_grpc_in_its_own_name_alone() {
    let (_sql, stage) = hearing().await;
    let keys = Keys::new(stage.store.clone(), stage.clock.shared(), KeysOptions::default());
    let cache = Arc::new(MemoryCache::new(stage.clock.shared(), MemoryOptions::default()));
    let gateway = Gateway::new(keys, cache, stage.clock.shared(), GatewayOptions::default());
    let door = gateway.expect("its limits are right").public_with(Arc::new(Kitchen), stage.part.router());
    let shown = format!("Basic {}", BASE64_STANDARD.encode("kitchen:secret"));
    let own = Caller::of(door).await.showing(&shown);
    let first = |device: Value| json!({ "deviceId": device, "sessionId": "r1", "sequence": 0 });
    let status = own.sounds(first(json!("bath")), "set a ").await.expect_err("is another");
    assert_eq!(status.code(), Code::PermissionDenied, "{status}");
    assert!(status.message().starts_with("field deviceId:"), "{status}");
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_chunk").await, 0);
    // Who proved to be the kitchen need not say so.
    let kept = own.sounds(first(Value::Null), "set a ").await.expect("is taken");
    assert_eq!(kept["queryResult"]["webhookPayload"]["missing"], json!([]));
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("audio", part("r1", 1, true, "timer ")).await;
    assert_eq!(kitchen.hear().await["payload"]["text"], "For how long?");
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
