//! REST as `curl` sees it: paths, JSON, contexts, errors.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use ieum_core::{ManualClock, Timestamp, system_clock};
use ieum_dialogflow::{CacheContexts, DialogflowServer, ServerOptions};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::{Letters, Mood, Weather, server_of};

const SESSION: &str = "/v2/projects/p/agent/sessions/s";

async fn call(router: &Router, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder().method(method).uri(path).body(body).expect("is a request");
    let response = router.clone().oneshot(request).await.expect("never fails");
    let status = response.status();
    let body = response.into_body().collect().await.expect("is read").to_bytes();
    (status, serde_json::from_slice(&body).expect("is JSON"))
}

async fn say(router: &Router, text: &str, language: &str) -> Value {
    let body = json!({"queryInput": {"text": {"text": text, "languageCode": language}}});
    let (status, answer) = call(router, Method::POST, &format!("{SESSION}:detectIntent"), &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

fn lifespans(answer: &Value) -> Vec<(String, u64)> {
    let contexts = answer.as_array().cloned().unwrap_or_default();
    let one = |context: &Value| {
        let name = context["name"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        (name.to_owned(), context["lifespanCount"].as_u64().unwrap_or_default())
    };
    contexts.iter().map(one).collect()
}

fn far() -> Router {
    server_of(Weather::named("far"), system_clock()).router()
}

#[tokio::test]
async fn a_turn_has_googles_shape() {
    let router = far();
    let answer = say(&router, "오늘 날씨 어때?", "ko-KR").await;
    assert!(answer["responseId"].as_str().is_some_and(|id| id.len() == 36));
    let mut result = answer["queryResult"].clone();
    let context = json!({"name": "projects/p/agent/sessions/s/contexts/weather", "lifespanCount": 2,
        "parameters": {"by": "far", "date": "today", "days": 1.0}});
    assert_eq!(result["outputContexts"].take(), json!([context]));
    assert_eq!(
        result,
        json!({"queryText": "오늘 날씨 어때?", "languageCode": "ko", "action": "weather.get",
            "parameters": {"by": "far", "date": "today", "days": 1.0}, "allRequiredParamsPresent": true,
            "fulfillmentText": "today: 맑아요", "outputContexts": null, "intentDetectionConfidence": 0.75,
            "fulfillmentMessages": [{"text": {"text": ["today: 맑아요"]}},
                {"quickReplies": {"title": "?", "quickReplies": ["tomorrow", "내일은?"]}},
                {"payload": {"icon": "sun"}}],
            "intent": {"name": "projects/p/agent/intents/7", "displayName": "weather"}})
    );
}

#[tokio::test]
async fn a_follow_up_is_understood_as_long_as_its_context_lasts_in_both_languages() {
    for (first, next, language) in
        [("오늘 날씨 어때?", "내일은?", "ko"), ("How is the weather?", "and tomorrow?", "en")]
    {
        let router = far();
        let intent = |answer: &Value| answer["queryResult"]["intent"]["displayName"].clone();
        let contexts = |answer: &Value| lifespans(&answer["queryResult"]["outputContexts"]);
        assert_eq!(intent(&say(&router, next, language).await), "fallback");
        assert_eq!(contexts(&say(&router, first, language).await), [("weather".to_owned(), 2)]);
        let answer = say(&router, next, language).await;
        assert_eq!(answer["queryResult"]["parameters"]["date"], "tomorrow");
        assert_eq!(contexts(&answer), [("weather".to_owned(), 2)]);
        assert_eq!(contexts(&say(&router, "흠", language).await), [("weather".to_owned(), 1)]);
        assert_eq!(contexts(&say(&router, "hm", language).await), []);
        assert_eq!(intent(&say(&router, next, language).await), "fallback");
    }
}

#[tokio::test]
async fn contexts_are_made_changed_listed_and_deleted_and_end_after_twenty_minutes() {
    let clock = ManualClock::at(Timestamp::from_seconds(1_000));
    let memory = server_of(Weather::named("far"), clock.shared()).router();
    let cache = ieum_cache::open_cache("memory:", clock.shared()).await.expect("opens");
    let kept = Arc::new(CacheContexts::new(cache, clock.shared()));
    let weather = Weather::named("far");
    let cached = DialogflowServer::new(weather, kept, ServerOptions::default(), clock.shared()).router();
    for router in [memory, cached] {
        let all = format!("{SESSION}/contexts");
        let one = format!("{all}/mood");
        let given =
            json!({"name": &one[4..], "lifespanCount": 3, "parameters": {"how": "좋음", "much": 2.5}});
        assert_eq!(call(&router, Method::POST, &all, &given).await, (StatusCode::OK, given.clone()));
        assert_eq!(call(&router, Method::GET, &one, &Value::Null).await, (StatusCode::OK, given.clone()));
        let changed = json!({"name": &one[4..], "lifespanCount": 9, "parameters": {"how": "x"}});
        let masked = format!("{one}?updateMask=lifespanCount");
        let (_, answer) = call(&router, Method::PATCH, &masked, &changed).await;
        assert_eq!((&answer["lifespanCount"], &answer["parameters"]), (&json!(9), &given["parameters"]));
        let (_, listed) = call(&router, Method::GET, &format!("{all}?pageSize=1"), &Value::Null).await;
        assert_eq!(lifespans(&listed["contexts"]), [("mood".to_owned(), 9)]);
        assert_eq!(call(&router, Method::DELETE, &one, &Value::Null).await, (StatusCode::OK, json!({})));
        let (status, error) = call(&router, Method::GET, &one, &Value::Null).await;
        assert_eq!((status, &error["error"]["status"]), (StatusCode::NOT_FOUND, &json!("NOT_FOUND")));
        call(&router, Method::POST, &all, &given).await;
        assert_eq!(call(&router, Method::DELETE, &all, &Value::Null).await, (StatusCode::OK, json!({})));
        call(&router, Method::POST, &all, &given).await;
        clock.advance(Duration::from_secs(20 * 60));
        let (_, listed) = call(&router, Method::GET, &all, &Value::Null).await;
        assert_eq!(listed, json!({}), "twenty minutes are over");
    }
}

#[tokio::test]
async fn a_turn_brings_contexts_and_forgets_them() {
    let router = far();
    let path = "/v2/projects/p/locations/eu/agent/environments/e/users/-/sessions/s:detectIntent";
    let context = json!({"name": "projects/p/agent/sessions/s/contexts/Weather", "lifespanCount": 1});
    let text = json!({"text": {"text": "내일은?", "languageCode": "ko"}});
    let body = json!({"queryInput": text, "queryParams": {"contexts": [context], "timeZone": "Asia/Seoul"}});
    let (_, answer) = call(&router, Method::POST, path, &body).await;
    assert_eq!(answer["queryResult"]["parameters"]["date"], "tomorrow");
    let name = answer["queryResult"]["outputContexts"][0]["name"].as_str().unwrap_or_default().to_owned();
    assert!(name.starts_with("projects/p/locations/eu/agent/environments/e/users/-/sessions/s/"), "{name}");
    let body = json!({"queryInput": text, "queryParams": {"resetContexts": true}});
    let (_, answer) = call(&router, Method::POST, path, &body).await;
    assert_eq!(answer["queryResult"]["intent"]["displayName"], "fallback");
}

#[tokio::test]
async fn events_sound_and_speech_are_taken_and_given() {
    let weather = server_of(Weather::named("far"), system_clock());
    let router = weather.clone().with_transcriber(Arc::new(Letters)).router();
    let path = format!("{SESSION}:detectIntent");
    let event = json!({"name": "WELCOME", "languageCode": "en", "parameters": {"who": "Kim"}});
    let (_, answer) = call(&router, Method::POST, &path, &json!({"queryInput": {"event": event}})).await;
    assert_eq!(answer["queryResult"]["fulfillmentText"], "WELCOME Kim");
    assert_eq!(answer["queryResult"]["queryText"], "WELCOME", "an event is told as its name");
    let config =
        json!({"audioEncoding": "AUDIO_ENCODING_LINEAR_16", "sampleRateHertz": 16000, "languageCode": "ko"});
    let body = json!({"queryInput": {"audioConfig": config}, "inputAudio": BASE64_STANDARD.encode("날씨"),
        "outputAudioConfig": {"audioEncoding": 1, "sampleRateHertz": 8000}});
    let (_, answer) = call(&router, Method::POST, &path, &body).await;
    let result = &answer["queryResult"];
    assert_eq!((&result["queryText"], &result["speechRecognitionConfidence"]), (&json!("날씨"), &json!(0.5)));
    assert_eq!(answer["outputAudio"], BASE64_STANDARD.encode("RIFF"));
    assert_eq!(answer["outputAudioConfig"]["audioEncoding"], "OUTPUT_AUDIO_ENCODING_LINEAR_16");
    // Without an ear the agent gets the sound itself; numbers for enums are as Google's clients ask.
    let numbers = format!("{path}?$alt=json;enum-encoding=int");
    let (_, answer) = call(&weather.router(), Method::POST, &numbers, &body).await;
    assert_eq!(answer["queryResult"]["intent"]["displayName"], "fallback");
}

#[tokio::test]
async fn the_agent_tells_what_it_knows() {
    let router = far();
    let agent = "/v2/projects/p/agent";
    let (_, listed) = call(&router, Method::GET, &format!("{agent}/intents?pageSize=1"), &Value::Null).await;
    assert_eq!(
        (&listed["intents"][0]["displayName"], &listed["nextPageToken"]),
        (&json!("weather"), &json!("1"))
    );
    assert_eq!(listed["intents"][0]["trainingPhrases"], Value::Null);
    let full = format!("{agent}/intents/7?languageCode=ko&intentView=INTENT_VIEW_FULL");
    let (_, intent) = call(&router, Method::GET, &full, &Value::Null).await;
    assert_eq!(intent["trainingPhrases"][0]["parts"][0]["text"], "오늘 날씨 어때?");
    let (_, kinds) = call(&router, Method::GET, &format!("{agent}/entityTypes"), &Value::Null).await;
    assert_eq!(kinds["entityTypes"][0]["entities"][0]["synonyms"], json!(["today", "오늘"]));
    assert_eq!(kinds["entityTypes"][0]["kind"], "KIND_MAP");
    let (status, _) = call(&router, Method::GET, &format!("{agent}/entityTypes/9"), &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_the_agent_knows_is_never_written() {
    let router = far();
    for (method, path) in [
        (Method::POST, "intents"),
        (Method::POST, "intents:batchUpdate"),
        (Method::PATCH, "intents/7"),
        (Method::DELETE, "intents/7"),
        (Method::POST, "entityTypes"),
        (Method::POST, "entityTypes/3:batchDelete"),
        (Method::DELETE, "entityTypes/3"),
    ] {
        let path = format!("/v2/projects/p/agent/{path}");
        let message =
            format!("{method} {path} is not offered here: intents and entity types are read, never written");
        let error = json!({"code": 501, "message": message, "status": "UNIMPLEMENTED", "details": details("DIALOGFLOW_READ_ONLY")});
        let answer = call(&router, method, &path, &json!({"displayName": "x"})).await;
        assert_eq!(answer, (StatusCode::NOT_IMPLEMENTED, json!({ "error": error })));
    }
    let (status, _) = call(&router, Method::GET, "/v2/projects/p/agent/intents:x", &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "what is no writing is no such path");
}

#[tokio::test]
async fn what_is_wrong_is_told_in_googles_shape() {
    let router = far();
    let detect = format!("{SESSION}:detectIntent");
    let said = |text: &str, language: &str| json!({"queryInput": {"text": {"text": text, "languageCode": language}}});
    for (path, body, status, part) in [
        (detect.as_str(), json!({}), 400, "query_input"),
        (&detect, json!([1]), 400, "body"),
        (&detect, json!({"queryInput": {"text": 7}}), 400, "body"),
        (&detect, said("salut", "fr"), 400, "\"fr\" is none of en, ko"),
        (&detect, said(&"가".repeat(257), "ko"), 400, "longer than 256 characters"),
        (&detect, json!({"queryInput": {"event": {"languageCode": "ko"}}}), 400, "event: has no name"),
        (&detect, json!({"queryInput": {"event": {"name": "E".repeat(257)}}}), 400, "event.name: is longer"),
        ("/v2/projects/p/agent/sessions/s%2Fx:detectIntent", said("a", "en"), 404, "not offered"),
        ("/v2/projects/p/agent/sessions/s:detectIntents", said("a", "en"), 404, "not offered"),
        ("/v2/projects/p/agent/sessions/s/contexts", json!({"name": "weather"}), 400, "name"),
    ] {
        let (code, answer) = call(&router, Method::POST, path, &body).await;
        let error = &answer["error"];
        assert_eq!((code.as_u16(), &error["code"]), (status, &json!(status)), "{path} {answer}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(part)), "{path} {answer}");
    }
    let weather = Weather::named("far");
    *weather.mood.lock() = Mood::Fails;
    let (status, answer) =
        call(&server_of(weather, system_clock()).router(), Method::POST, &detect, &said("a", "en")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let why = details("TEST_DOWN");
    let error =
        json!({"code": 503, "message": "the weather is down", "status": "UNAVAILABLE", "details": why});
    assert_eq!(answer, json!({ "error": error }));
    let garbage = Request::post(&detect).body(Body::from("{\"queryInput\": ")).expect("is a request");
    let response = router.clone().oneshot(garbage).await.expect("never fails");
    assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
    let body = response.into_body().collect().await.expect("is read").to_bytes();
    let answer: Value = serde_json::from_slice(&body).expect("is JSON");
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["status"]),
        (&json!(400), &json!("INVALID_ARGUMENT"))
    );
    for path in ["/v2/projects", "/v2/operations/x", "/v2/projects/p/locations"] {
        let (status, answer) = call(&router, Method::GET, path, &Value::Null).await;
        assert_eq!(
            (status.as_u16(), &answer["error"]["status"]),
            (404, &json!("NOT_FOUND")),
            "{path} {answer}"
        );
    }
}

#[tokio::test]
async fn nothing_that_was_said_is_refused_and_counts_no_context_down() {
    let router =
        server_of(Weather::named("far"), system_clock()).with_transcriber(Arc::new(Letters)).router();
    say(&router, "날씨", "ko").await;
    for text in ["", "   ", "\n"] {
        let body = json!({"queryInput": {"text": {"text": text, "languageCode": "ko"}}});
        let (status, answer) = call(&router, Method::POST, &format!("{SESSION}:detectIntent"), &body).await;
        let (error, told) = (&answer["error"], json!("query_input.text: input text not set"));
        assert_eq!((status.as_u16(), &error["message"]), (400, &told), "{text:?}");
        assert_eq!(
            (&error["status"], &error["details"]),
            (&json!("INVALID_ARGUMENT"), &details("DIALOGFLOW_REQUEST"))
        );
    }
    // Silence that was heard is an empty answer, and no turn.
    let config =
        json!({"audioEncoding": "AUDIO_ENCODING_LINEAR_16", "sampleRateHertz": 16000, "languageCode": "ko"});
    let body = json!({"queryInput": {"audioConfig": config}, "inputAudio": BASE64_STANDARD.encode("  ")});
    let (status, answer) = call(&router, Method::POST, &format!("{SESSION}:detectIntent"), &body).await;
    assert_eq!((status, &answer["queryResult"]["intent"]), (StatusCode::OK, &Value::Null), "{answer}");
    assert_eq!(lifespans(&answer["queryResult"]["outputContexts"]), [("weather".to_owned(), 2)]);
    let (_, listed) = call(&router, Method::GET, &format!("{SESSION}/contexts"), &Value::Null).await;
    assert_eq!(lifespans(&listed["contexts"]), [("weather".to_owned(), 2)]);
}

/// What an error says to programs.
fn details(reason: &str) -> Value {
    json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "ieum" }])
}

#[tokio::test]
async fn a_turn_that_fails_counts_no_context_down() {
    let weather = Weather::named("far");
    let router = server_of(weather.clone(), system_clock()).router();
    say(&router, "날씨", "ko").await;
    *weather.mood.lock() = Mood::Fails;
    let body = json!({"queryInput": {"text": {"text": "내일은?", "languageCode": "ko"}}});
    call(&router, Method::POST, &format!("{SESSION}:detectIntent"), &body).await;
    let (_, listed) = call(&router, Method::GET, &format!("{SESSION}/contexts"), &Value::Null).await;
    assert_eq!(lifespans(&listed["contexts"]), [("weather".to_owned(), 2)]);
}
