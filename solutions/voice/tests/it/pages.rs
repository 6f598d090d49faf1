//! Dialogues over HTTP and WebSocket, against the routes as they are served.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use futures::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use ieum_core::Cx;
use ieum_testkit::backend::SqlStore;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

use crate::recordings::Parrot;
use crate::stage::Stage;

pub async fn asked(stage: &Stage, path: &str, kind: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    let request = Request::builder().method("POST").uri(path).header("content-type", kind);
    let request = request.body(body.into()).expect("is a request");
    // What a door gives to every request.
    let routes = stage.part.router().layer(axum::Extension(Cx::root()));
    let answer = routes.oneshot(request).await.expect("answers");
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("is short");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

pub async fn json_asked(stage: &Stage, path: &str, body: Value) -> (StatusCode, Value) {
    asked(stage, path, "application/json", body.to_string()).await
}

pub fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend_from_slice(value);
        body.extend(b"\r\n");
    }
    body.extend(b"--cut--\r\n");
    body
}

pub const FORM: &str = "multipart/form-data; boundary=cut";

#[tokio::test]
async fn both_versions_answer_and_the_first_one_ends() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let turn = json!({ "userId": "ada", "text": "지금 몇 시야?", "turnId": "t1" });
    let (status, first) =
        json_asked(&stage, "/api/v1/dialog/text", json!({ "userId": "ada", "text": "몇 시야" })).await;
    assert_eq!((status, &first["text"]), (StatusCode::OK, &json!("지금은 오후 12시예요.")));
    let (_, second) = json_asked(&stage, "/api/v2/dialog/text", turn.clone()).await;
    assert_eq!((&second["outcome"], &second["turnCount"]), (&json!("answered"), &json!(2)));
    let (_, again) = json_asked(&stage, "/api/dialog/text", turn).await;
    assert_eq!(again, second, "the same turn has one answer");
    let (status, problem) = json_asked(&stage, "/api/v2/dialog/text", json!({ "text": "몇 시야" })).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("userId")));
    stage.clock.set_wall(crate::stage::at("2027-12-01T00:00:00Z"));
    let (status, problem) =
        json_asked(&stage, "/api/v1/dialog/text", json!({ "userId": "ada", "text": "몇 시야" })).await;
    assert_eq!((status, &problem["reason"]), (StatusCode::GONE, &json!("voice.version.ended")));
    let (status, _) =
        json_asked(&stage, "/api/v2/dialog/text", json!({ "userId": "ada", "text": "몇 시야" })).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn an_upload_is_heard_and_a_wrong_one_names_its_field() {
    let sql = SqlStore::sqlite();
    let stage = Stage::hearing(&sql.url, Arc::new(Parrot::default())).await;
    let fields: [(&str, &[u8]); 2] = [("audio", b"what time is it "), ("deviceId", b"kitchen")];
    let (status, answer) = asked(&stage, "/api/dialog/audio", FORM, form(&fields)).await;
    assert_eq!((status, &answer["text"]), (StatusCode::OK, &json!("It is 12:00 PM.")));
    assert_eq!(answer["audio"]["format"], "WAV");
    assert_eq!(answer["heard"], "what time is it");
    let named: [(&str, &[u8]); 3] = [("audio", b"what time is it "), ("userId", b"ada"), ("turnId", b"t1")];
    let (_, first) = asked(&stage, "/api/dialog/audio", FORM, form(&named)).await;
    let (_, again) = asked(&stage, "/api/dialog/audio", FORM, form(&named)).await;
    assert_eq!((&first["turnId"], &again["heard"]), (&again["turnId"], &json!("what time is it")));
    let long = vec![0; 5 << 20];
    for (fields, status, field) in [
        (vec![("deviceId", &b"kitchen"[..])], 400, "audio"),
        (vec![("audio", &b"ab"[..])], 400, "userId"),
        (vec![("audio", &b"abc"[..]), ("deviceId", b"kitchen")], 400, "audio.data"),
        (vec![("audio", &long[..])], 413, "audio"),
        // However much it holds, what is wrong with it is its name.
        (vec![("audioo", &long[..]), ("deviceId", b"kitchen")], 400, "audioo"),
        (vec![("audio", &b"ab"[..]), ("device", b"kitchen")], 400, "device"),
        (vec![("audio", &b"RIFF0000WAVE"[..]), ("deviceId", b"kitchen")], 400, "audio"),
    ] {
        let (found, problem) = asked(&stage, "/api/dialog/audio", FORM, form(&fields)).await;
        assert_eq!((found.as_u16(), &problem["field"]), (status, &json!(field)), "{problem}");
    }
    let (_, problem) = asked(&stage, "/api/dialog/audio", FORM, form(&[("audioo", b"ab")])).await;
    let told = problem["detail"].as_str().unwrap_or_default();
    assert!(
        told.contains("audioo: is not known; there are audio, deviceId") && told.contains("audio is needed"),
        "{told}"
    );
    for (field, given, told) in [
        ("sampleRate", &b"fast"[..], "field sampleRate: \"fast\" was given, expected a whole number"),
        ("sequence", b"-1", "field sequence: \"-1\" was given, expected a whole number"),
        ("last", b"yes", "field last: \"yes\" was given, expected true or false"),
    ] {
        let (status, problem) = asked(&stage, "/api/dialog/audio", FORM, form(&[(field, given)])).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)));
        assert_eq!(problem["detail"], told);
    }
    let (_, problem) = asked(&stage, "/api/dialog/audio", FORM, form(&[("userId", b"ada")])).await;
    assert_eq!(problem["detail"], "field audio: is missing; it holds the recording");
    assert_eq!(
        asked(&stage, "/api/dialog/audio", "text/plain", "x").await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(asked(&stage, "/api/dialog/audio", FORM, "--cut").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn home_assistant_is_answered_in_its_own_shape() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let path = "/api/conversation/process";
    let (_, told) = json_asked(&stage, path, json!({ "text": "what time is it", "language": "en" })).await;
    assert_eq!(told["response"]["response_type"], "query_answer");
    assert_eq!(
        told["response"]["speech"]["plain"],
        json!({ "speech": "It is 12:00 PM.", "extra_data": null })
    );
    // Who names nobody shares no conversation, and goes on with its own by the id it is told.
    let (_, asked) = json_asked(&stage, path, json!({ "text": "set a timer", "language": "en" })).await;
    assert_eq!(asked["continue_conversation"], true);
    let (_, other) = json_asked(&stage, path, json!({ "text": "seven minutes", "language": "en" })).await;
    assert_ne!(other["conversation_id"], asked["conversation_id"]);
    assert_ne!(other["response"]["response_type"], "action_done", "{other}");
    let same =
        json!({ "text": "seven minutes", "language": "en", "conversation_id": asked["conversation_id"] });
    let (_, done) = json_asked(&stage, path, same).await;
    assert_eq!(done["response"]["response_type"], "action_done", "{done}");
    let (_, lost) =
        json_asked(&stage, path, json!({ "text": "sing like nobody", "conversation_id": "c" })).await;
    assert_eq!(
        (&lost["response"]["response_type"], &lost["response"]["data"]["code"]),
        (&json!("error"), &json!("no_intent_match"))
    );
}

/// Opens a stream at the routes of `stage`.
pub async fn stream(stage: &Stage, query: &str) -> WebSocketStream<TcpStream> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    let routes = stage.part.router();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let socket = TcpStream::connect(address).await.expect("connects");
    let url = format!("ws://{address}/api/dialog/stream?{query}");
    tokio_tungstenite::client_async(url, socket).await.expect("is a WebSocket").0
}

pub async fn next(stream: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        // What a client's library answers by itself is passed over.
        if let Message::Text(text) = stream.next().await.expect("answers").expect("is whole") {
            return serde_json::from_str(&text).expect("is JSON");
        }
    }
}

#[tokio::test]
async fn a_stream_takes_text_samples_and_parts_and_survives_garbage() {
    let sql = SqlStore::sqlite();
    let stage = Stage::hearing(&sql.url, Arc::new(Parrot::default())).await;
    let mut talk = stream(&stage, "userId=ada&sessionId=s").await;
    for said in ["{", r#"{"type":"sing"}"#, r#"{"type":"text","text":""}"#] {
        talk.send(Message::text(said)).await.expect("is sent");
        assert_eq!(next(&mut talk).await["type"], "DIALOG_ERROR", "{said}");
    }
    talk.send(Message::text(r#"{"type":"text","text":"set a timer"}"#)).await.expect("is sent");
    let asked = next(&mut talk).await;
    assert_eq!(
        (&asked["type"], &asked["payload"]["expectsAnswer"]),
        (&json!("DIALOG_RESPONSE"), &json!(true))
    );
    for samples in ["five m", "inutes"] {
        talk.send(Message::binary(samples)).await.expect("is sent");
    }
    talk.send(Message::text(r#"{"type":"end"}"#)).await.expect("is sent");
    let answer = next(&mut talk).await["payload"].clone();
    assert_eq!(
        (&answer["text"], &answer["heard"]),
        (&json!("Timer set for 5 minutes."), &json!("five minutes"))
    );
    assert_eq!(next(&mut talk).await["type"], "DIALOG_AUDIO");
    talk.close(None).await.expect("is closed");
}
