//! One partner never reads anything of another: every operation of the description, with a foreign key.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::stage::Stage;
use crate::told::{receiver, wait_for};

/// What a foreign key gets at an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Foreign {
    /// 403 or 404: the path names something of another.
    Refused,
    /// Its own things alone.
    OwnOnly,
    /// What everybody may know, events' names included.
    Everybody,
}

/// Every operation there is. One that is added to the description and not here fails the test.
const COVERED: [(&str, &str, Foreign); 20] = [
    ("get", "/api/public/events", Foreign::Everybody),
    ("get", "/api/partner/events", Foreign::OwnOnly),
    ("get", "/api/partner/events/{eventId}/attendance", Foreign::Refused),
    ("get", "/api/partner/analytics/summary", Foreign::OwnOnly),
    ("get", "/api/premium/events/{eventId}/history", Foreign::Refused),
    ("get", "/api/partner/usage", Foreign::OwnOnly),
    ("post", "/api/partner/webhooks", Foreign::OwnOnly),
    ("get", "/api/partner/webhooks", Foreign::OwnOnly),
    ("get", "/api/partner/webhooks/{webhookId}", Foreign::Refused),
    ("delete", "/api/partner/webhooks/{webhookId}", Foreign::Refused),
    ("post", "/api/partner/webhooks/{webhookId}/enable", Foreign::Refused),
    ("post", "/api/partner/webhooks/{webhookId}/rotate-secret", Foreign::Refused),
    ("post", "/api/partner/webhooks/{webhookId}/test", Foreign::Refused),
    ("get", "/api/partner/webhooks/{webhookId}/deliveries", Foreign::Refused),
    ("post", "/api/partner/webhooks/{webhookId}/resend", Foreign::Refused),
    ("get", "/api/partner/webhooks/deliveries/{deliveryId}", Foreign::Refused),
    ("get", "/api/partner/webhooks/deliveries/{deliveryId}/attempts", Foreign::Refused),
    ("post", "/api/partner/webhooks/deliveries/{deliveryId}/resend", Foreign::Refused),
    // Twice, so that what the operations above might have changed would be seen.
    ("get", "/api/partner/webhooks", Foreign::OwnOnly),
    ("get", "/api/partner/webhooks/{webhookId}", Foreign::Refused),
];

/// Returns the operations of the description, as method and path, with their number of parameters in the path.
fn described() -> BTreeMap<(String, String), usize> {
    let document: Value = serde_json::from_str(&ieum_partners::openapi_json()).expect("is JSON");
    let paths = document["paths"].as_object().expect("has paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("is an object").keys();
        let methods = methods.filter(|key| ["get", "put", "post", "delete", "patch"].contains(&key.as_str()));
        methods.map(move |method| ((method.clone(), path.clone()), path.matches('{').count()))
    });
    operations.collect()
}

fn body_of(method: &str, path: &str, own_url: &str) -> Option<Value> {
    match (method, path) {
        ("post", "/api/partner/webhooks") => Some(json!({"url": own_url})),
        ("post", "/api/partner/webhooks/{webhookId}/resend") => {
            Some(json!({"since": "2020-01-01T00:00:00Z", "delivered": true}))
        }
        _ => None,
    }
}

pub async fn no_path_shows_a_partner_anything_of_another(stage: &Stage) {
    for (method, path) in described().keys() {
        let covered = COVERED.iter().any(|(one, other, _)| one == method && other == path);
        assert!(covered, "{method} {path} is described and not covered here");
    }
    let (seoul, busan) = (stage.key("premium", &["e-1"]).await, stage.key("premium", &["e-2"]).await);
    let ((own_url, own_inbox), (url, inbox)) = (receiver().await, receiver().await);
    let wish = json!({"url": format!("{url}/busan-secret")});
    let made = stage.ask("POST", "/api/partner/webhooks", Some(&busan), Some(wish)).await;
    let webhook = made.body["id"].as_str().expect("has an id").to_owned();
    let wish = json!({"url": own_url});
    stage.ask("POST", "/api/partner/webhooks", Some(&seoul), Some(wish)).await;
    stage.part.start().await.expect("starts");
    stage.publish("u-1", "e-2", 61).await;
    wait_for(&inbox, 1).await;
    let log = stage.get(&format!("/api/partner/webhooks/{webhook}/deliveries"), &busan).await;
    let delivery = log.body["deliveries"][0]["id"].as_str().expect("is logged").to_owned();
    let secrets =
        ["busan-secret", "Event e-2", &busan.key.key_id, made.body["secret"].as_str().expect("has one")];
    let public_key = made.body["publicKey"].as_str().expect("has a public key");
    for (method, path, expected) in COVERED {
        let real = path.replace("{eventId}", "e-2").replace("{webhookId}", &webhook);
        let real = real.replace("{deliveryId}", &delivery);
        let body = body_of(method, path, &own_url);
        let answer = stage.ask(&method.to_uppercase(), &real, Some(&seoul), body).await;
        let text = answer.body.to_string();
        match expected {
            Foreign::Refused => {
                assert!([403, 404].contains(&answer.status), "{method} {path}: {answer:?}");
            }
            Foreign::OwnOnly => {
                assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
                for id in ["e-2", &webhook, &delivery] {
                    assert!(!text.contains(&format!("\"{id}\"")), "{method} {path}: {text}");
                }
            }
            Foreign::Everybody => {
                assert_eq!(answer.status, 200);
                continue;
            }
        }
        for secret in secrets.iter().chain([&public_key]) {
            assert!(!text.contains(secret), "{method} {path} tells {secret}: {text}");
        }
    }
    let kept = stage.get(&format!("/api/partner/webhooks/{webhook}"), &busan).await;
    assert_eq!((kept.status, &kept.body["publicKey"]), (200, &made.body["publicKey"]), "nothing was changed");
    stage.publish("u-2", "e-1", 41).await;
    wait_for(&own_inbox, 1).await;
    stage.part.drain().await;
    let told = own_inbox.lock().clone();
    assert!(told.iter().all(|(_, body)| !String::from_utf8_lossy(body).contains("e-2")), "{told:?}");
    assert_eq!(inbox.lock().len(), 1, "what another asked for sent nothing");
}
