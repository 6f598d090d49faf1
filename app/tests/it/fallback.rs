//! A Dialogflow that is asked first and does not answer: the binary answers itself, stops asking, and asks again once
//! it is well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Json;
use axum::routing::post;
use ieum_testkit::wait::until;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Running, up};

/// What only the far Dialogflow understands.
const FOREIGN: &str = "흐물렁";
const PATIENCE: Duration = Duration::from_secs(120);

/// A Dialogflow that hangs until it is well.
#[derive(Clone, Default)]
struct Far {
    is_well: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Far {
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let far = self.clone();
        let routes = axum::Router::new().route(
            "/v2/projects/shop/agent/sessions/{session}",
            post(move || async move { far.answer().await }),
        );
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("dialogflow+http://{address}/shop")
    }

    async fn answer(&self) -> Json<Value> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if !self.is_well.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let intent = json!({ "name": "projects/shop/agent/intents/1", "displayName": "Ask the time" });
        Json(json!({ "responseId": "1", "queryResult": {
            "queryText": FOREIGN, "languageCode": "ko", "action": "time.query", "intent": intent,
            "intentDetectionConfidence": 0.9, "allRequiredParamsPresent": true,
        }}))
    }

    fn count(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn ask(client: &reqwest::Client, platform: &Running, text: &str) -> Value {
    let url = format!("http://{}/api/dialog/text", platform.address);
    let turn = json!({ "userId": "ada", "text": text, "language": "ko" });
    let answer = client.post(url).json(&turn).send().await.expect("answers");
    assert_eq!(answer.status().as_u16(), 200);
    answer.json().await.expect("is JSON")
}

/// Returns what is told of the Dialogflow's health. It takes nobody's work away.
async fn health(client: &reqwest::Client, platform: &Running) -> String {
    let answer = client.get(format!("http://{}/health/ready", platform.address)).send().await;
    let answer = answer.expect("answers");
    assert_eq!(answer.status().as_u16(), 200);
    let told: Value = answer.json().await.expect("is JSON");
    let all = told["checks"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|one| one["name"] == "dialogflow").expect("is told of");
    found["status"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialogflow_that_hangs_is_stood_in_for_and_found_again() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let far = Far::default();
    let address = far.serve().await;
    let folder = tempfile::tempdir().expect("a folder");
    let settings =
        [("IEUM__VOICE__DIALOGFLOW", address.as_str()), ("IEUM__GATEWAY__PUBLIC_PER_MINUTE", "1000000")];
    let platform = up(folder.path(), &["voice"], &settings);
    // Beyond this a hung Dialogflow would have delayed the answer; it never answers at all.
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
    let told = ask(&client, &platform, "지금 몇 시야?").await;
    assert_eq!((&told["intent"], far.count()), (&json!("time.query"), 1), "asked, and stood in for");

    let opens = until("the breaker opens", PATIENCE, || async {
        let before = far.count();
        let told = ask(&client, &platform, "지금 몇 시야?").await;
        assert_eq!(told["intent"], "time.query");
        far.count() == before
    });
    opens.await.expect("it is no longer asked");
    assert!(far.count() <= 4, "it was asked {} times", far.count());
    assert_eq!(ask(&client, &platform, FOREIGN).await["outcome"], "not_understood");
    let links = platform.ask(folder.path(), &["link", "list"]);
    let link = links.as_array().and_then(|links| links.iter().find(|link| link["name"] == "dialogflow"));
    assert_eq!(link.expect("is a link among the others")["wire"], "dialogflow");
    platform.ask(folder.path(), &["link", "open", "dialogflow", "--reason", "an exercise"]);
    let told =
        until("its health tells", PATIENCE, || async { health(&client, &platform).await == "unhealthy" });
    told.await.expect("is told");
    platform.ask(folder.path(), &["link", "release", "dialogflow"]);

    far.is_well.store(true, Ordering::SeqCst);
    let recovers = until("a probe recovers it", PATIENCE, || async {
        ask(&client, &platform, FOREIGN).await["intent"] == "time.query"
    });
    recovers.await.expect("it is asked again");
    let before = far.count();
    assert_eq!(ask(&client, &platform, FOREIGN).await["intent"], "time.query");
    assert!(far.count() > before, "it is asked for every turn again");
    platform.stop();
}
