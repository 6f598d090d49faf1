//! Dialogflow's API over the dialogue, as its REST clients see it.

use axum::body::Body;
use http::Request;
use ieum_core::Cx;
use ieum_testkit::backend::SqlStore;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stage::Stage;

async fn detect(stage: &Stage, text: &str) -> Value {
    let body = json!({ "queryInput": { "text": { "text": text, "languageCode": "ko" } } });
    let path = "/v2/projects/home/agent/sessions/hall:detectIntent";
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).expect("is a request");
    let routes = stage.part.router().layer(axum::Extension(Cx::root()));
    let answer = routes.oneshot(request).await.expect("answers");
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("is short");
    serde_json::from_slice(&bytes).expect("is JSON")
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
