//! Dialogflow's API over the dialogue, as its REST clients see it.

use axum::body::Body;
use http::Request;
use ieum_core::Cx;
use ieum_testkit::backend::SqlStore;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stage::Stage;

async fn detect(stage: &Stage, text: &str) -> Value {
    asked(stage, "hall", text, json!({})).await
}

/// Says something in a session, with the contexts and the like that a client gives.
pub async fn asked(stage: &Stage, session: &str, text: &str, parameters: Value) -> Value {
    let input = json!({ "text": { "text": text, "languageCode": "ko" } });
    let body = json!({ "queryInput": input, "queryParams": parameters });
    let path = format!("/v2/projects/home/agent/sessions/{session}:detectIntent");
    sent(stage, Request::post(path), body.to_string()).await
}

async fn sent(stage: &Stage, request: http::request::Builder, body: String) -> Value {
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body)).expect("is a request");
    let routes = stage.part.router().layer(axum::Extension(Cx::root()));
    let answer = routes.oneshot(request).await.expect("answers");
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("is short");
    serde_json::from_slice(&bytes).expect("is JSON")
}

fn context(session: &str, id: &str, lifespan: u32, parameters: Value) -> Value {
    let name = format!("projects/home/agent/sessions/{session}/contexts/{id}");
    json!({ "contexts": [{ "name": name, "lifespanCount": lifespan, "parameters": parameters }] })
}

pub fn is_fallback(told: &Value) -> bool {
    told["queryResult"]["intent"]["isFallback"] == true
}

#[tokio::test]
async fn a_client_of_dialogflow_has_a_conversation() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let told = detect(&stage, "지금 몇 시야?").await["queryResult"].clone();
    assert_eq!(told["fulfillmentText"], "지금은 오후 12시예요.");
    assert_eq!((&told["allRequiredParamsPresent"], &told["languageCode"]), (&json!(true), &json!("ko")));
    let asked = detect(&stage, "타이머 맞춰 줘").await["queryResult"].clone();
    assert_eq!(asked["allRequiredParamsPresent"], Value::Null, "it asks for the duration");
    let set = detect(&stage, "십오 분").await["queryResult"].clone();
    assert_eq!(
        (&set["action"], &set["intent"]["displayName"]),
        (&json!("timer.start"), &json!("timer.start"))
    );
    assert_eq!(set["parameters"]["duration"], json!({ "amount": 900.0, "unit": "s" }));
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await, 1);
    let lost = detect(&stage, "흐물렁").await["queryResult"].clone();
    assert_eq!(lost["intent"]["isFallback"], true, "{lost}");
}

/// Tells a session of an event.
async fn told_of(stage: &Stage, event: &str, language: &str) -> Value {
    let input = json!({ "event": { "name": event, "languageCode": language } });
    let path = "/v2/projects/home/agent/sessions/hall:detectIntent";
    sent(stage, Request::post(path), json!({ "queryInput": input }).to_string()).await
}

#[tokio::test]
async fn an_app_that_opens_with_a_welcome_is_greeted_and_other_events_are_a_fallback() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    for (event, language, text) in [
        ("WELCOME", "ko", "안녕하세요."),
        ("welcome", "en-US", "Hello."),
        ("FACEBOOK_WELCOME", "ko-KR", "안녕하세요."),
    ] {
        let told = told_of(&stage, event, language).await["queryResult"].clone();
        assert_eq!(
            (&told["fulfillmentText"], &told["queryText"], &told["action"], &told["intent"]["displayName"]),
            (&json!(text), &json!(event), &json!("dialog.greet"), &json!("dialog.greet")),
            "{told}"
        );
        assert_eq!(
            (&told["allRequiredParamsPresent"], &told["intent"]["isFallback"]),
            (&json!(true), &Value::Null)
        );
    }
    for (event, language, text) in [
        ("BUTTON", "ko", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?"),
        ("actions_intent_NO_INPUT", "en", "Sorry, I did not understand that. Could you say it another way?"),
    ] {
        let told = told_of(&stage, event, language).await;
        assert!(is_fallback(&told), "{told}");
        assert_eq!(
            (&told["queryResult"]["fulfillmentText"], &told["queryResult"]["queryText"]),
            (&json!(text), &json!(event))
        );
    }
    let refused = told_of(&stage, " ", "ko").await;
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT", "{refused}");
}

#[tokio::test]
async fn an_event_that_nobody_takes_leaves_the_question_open() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    detect(&stage, "타이머 맞춰 줘").await;
    assert!(is_fallback(&told_of(&stage, "BUTTON", "ko").await));
    let set = detect(&stage, "십오 분").await;
    assert_eq!(set["queryResult"]["action"], "timer.start", "{set}");
}

#[tokio::test]
async fn the_intents_are_listed_under_the_names_that_answers_have_and_written_by_nobody() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let all = "/v2/projects/home/agent/intents";
    let listed = sent(&stage, Request::get(all), String::new()).await;
    let listed = listed["intents"].as_array().expect("are listed").clone();
    let one = |name: &str| {
        let found = listed.iter().find(|intent| intent["displayName"] == name);
        found.unwrap_or_else(|| panic!("{name} is listed")).clone()
    };
    let told = detect(&stage, "지금 몇 시야?").await["queryResult"]["intent"].clone();
    assert_eq!(one("time.query")["name"], told["name"]);
    assert_eq!(one("dialog.greet")["events"], json!(["WELCOME"]));
    let lost = detect(&stage, "흐물렁").await["queryResult"]["intent"].clone();
    let fallbacks: Vec<&Value> = listed.iter().filter(|intent| intent["isFallback"] == true).collect();
    assert_eq!(fallbacks.len(), 1);
    assert_eq!(fallbacks[0]["name"], lost["name"]);
    let path = format!("/v2/{}", told["name"].as_str().expect("has a name"));
    let got = sent(&stage, Request::get(&path), String::new()).await;
    assert_eq!(got, one("time.query"));
    let refused = sent(&stage, Request::delete(&path), String::new()).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["status"]),
        (&json!(501), &json!("UNIMPLEMENTED"))
    );
}

#[tokio::test]
async fn a_context_that_the_client_sets_opens_a_question_and_one_that_it_deletes_closes_it() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    assert!(is_fallback(&asked(&stage, "bare", "십오 분", json!({})).await), "nobody asked for how long");
    let open = context("set", "timer-start-duration", 1, json!({}));
    let set = asked(&stage, "set", "십오 분", open).await["queryResult"].clone();
    assert_eq!(set["action"], "timer.start", "{set}");
    let names: Vec<&str> = set["outputContexts"]
        .as_array()
        .expect("are told")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["projects/home/agent/sessions/set/contexts/timer"], "the question is answered");

    asked(&stage, "gone", "타이머 맞춰 줘", json!({})).await;
    let contexts = Request::delete("/v2/projects/home/agent/sessions/gone/contexts");
    sent(&stage, contexts, String::new()).await;
    assert!(
        is_fallback(&asked(&stage, "gone", "십오 분", json!({})).await),
        "the client took the question back"
    );
}

#[tokio::test]
async fn a_long_session_is_kept_apart_and_a_zone_is_honoured_or_refused() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let long = "s".repeat(500);
    asked(&stage, &format!("{long}-a"), "타이머 맞춰 줘", json!({})).await;
    assert!(is_fallback(&asked(&stage, &format!("{long}-b"), "십오 분", json!({})).await));
    let set = asked(&stage, &format!("{long}-a"), "십오 분", json!({})).await;
    assert_eq!(set["queryResult"]["action"], "timer.start", "{set}");
    let refused = asked(&stage, &"s".repeat(513), "십오 분", json!({})).await;
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT", "{refused}");
    let told = asked(&stage, "ny", "지금 몇 시야", json!({ "timeZone": "America/New_York" })).await;
    let text = told["queryResult"]["fulfillmentText"].as_str().expect("is answered");
    assert!(text.contains("오후 11시"), "{text}");
    let refused = asked(&stage, "mars", "지금 몇 시야", json!({ "timeZone": "Mars/X" })).await;
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT", "{refused}");
}

#[tokio::test]
async fn a_question_waits_for_two_turns_and_no_longer() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    asked(&stage, "soon", "타이머 맞춰 줘", json!({})).await;
    assert!(is_fallback(&asked(&stage, "soon", "흐물렁", json!({})).await));
    let set = asked(&stage, "soon", "십오 분", json!({})).await;
    assert_eq!(set["queryResult"]["action"], "timer.start", "{set}");
    asked(&stage, "late", "타이머 맞춰 줘", json!({})).await;
    for _ in 0..2 {
        assert!(is_fallback(&asked(&stage, "late", "흐물렁", json!({})).await));
    }
    assert!(is_fallback(&asked(&stage, "late", "십오 분", json!({})).await), "it ran out");
}

#[tokio::test]
async fn a_topic_that_the_client_sets_is_what_a_sentence_follows_up() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    assert!(is_fallback(&asked(&stage, "none", "내일은?", json!({})).await));
    let about = context("rain", "weather", 5, json!({ "city": "부산" }));
    let told = asked(&stage, "rain", "내일은?", about).await["queryResult"].clone();
    assert_eq!(
        (&told["action"], &told["parameters"]["city"]),
        (&json!("weather.query"), &json!("부산")),
        "{told}"
    );
    let reset = asked(&stage, "rain", "내일은?", json!({ "resetContexts": true })).await;
    assert!(is_fallback(&reset), "{reset}");
}

#[tokio::test]
async fn whoever_names_a_conversation_alone_speaks_for_nobody_elses_device() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    for (session, who) in [("kitchen", "device:dialogflow:app"), ("device:kitchen", "ada")] {
        let payload = json!({ "payload": { "sessionId": session } });
        asked(&stage, "app", "삼 분 타이머", payload).await;
        let sql = format!("SELECT COUNT(*) AS n FROM ieum_schedule WHERE owner = '{who}'");
        assert_eq!(stage.count(&sql).await, 1, "{session} is {who}'s");
    }
}
