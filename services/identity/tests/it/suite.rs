//! What holds for people and their devices, whatever keeps them.

use axum::body::Body;
use futures::future::join_all;
use http::{Request, StatusCode};
use ieum_contracts::identity::{
    DeviceId, Devices, ListDevices, ListUsers, RegisterDevice, RegistrationId, RegistrationState, SaveUser,
    UserId, UserPlan, UserStatus, Users,
};
use ieum_core::Fault;
use ieum_testkit::wait::until_some;
use tower::ServiceExt;

use crate::stage::{PATIENCE, Pages, Stage, cx, person, wish};

fn ada() -> UserId {
    UserId { user_id: "ada".into() }
}

async fn save(stage: &Stage, user: SaveUser) {
    stage.users.save(&cx(), user).await.expect("is saved");
}

pub async fn a_person_is_saved_listed_and_removed(stage: &Stage) {
    let wish = SaveUser { language: Some("ko".into()), zone: Some("Asia/Seoul".into()), ..person("ada") };
    let saved = stage.users.save(&cx(), wish.clone()).await.expect("is saved");
    assert_eq!(
        (saved.status, saved.plan, &saved.language),
        (UserStatus::Active, UserPlan::Basic, &wish.language)
    );
    let renamed =
        stage.users.save(&cx(), SaveUser { name: "에이다".into(), ..wish }).await.expect("is saved");
    assert_eq!((&*renamed.name, renamed.created_at), ("에이다", saved.created_at));
    save(stage, person("bob")).await;
    let all = stage.users.list(&cx(), ListUsers::default()).await.expect("lists").users;
    assert_eq!(all.iter().map(|user| &*user.id).collect::<Vec<_>>(), ["ada", "bob"]);
    let rest = ListUsers { after: Some("ada".into()), ..ListUsers::default() };
    assert_eq!(stage.users.list(&cx(), rest).await.expect("lists").users.len(), 1);
    stage.users.remove(&cx(), ada()).await.expect("is removed");
    let fault = stage.users.get(&cx(), ada()).await.expect_err("is gone");
    assert_eq!(&*fault.reason, "identity.user.unknown");
}

pub async fn that_a_person_is_gone_is_told_once(stage: &Stage) {
    save(stage, person("ada")).await;
    for _ in 0..2 {
        stage.users.remove(&cx(), ada()).await.expect("is removed");
    }
    stage.users.remove(&cx(), UserId { user_id: "nobody".into() }).await.expect("is nobody");
    assert_eq!(stage.told("identity.user.removed.v1").await, [serde_json::json!({ "userId": "ada" })]);
}

pub async fn a_device_becomes_a_persons_and_is_told_once(stage: &Stage) {
    save(stage, person("ada")).await;
    let premium = RegisterDevice { premium: true, area: Some("거실".into()), ..wish("ada", "s1") };
    let done = stage.register(&cx(), premium).await.expect("is registered");
    assert_eq!(done.state, RegistrationState::Done);
    let user = stage.users.get(&cx(), ada()).await.expect("is there");
    assert_eq!(user.devices, ["s1"]);
    let device = stage.devices.get(&cx(), DeviceId { device_id: "s1".into() }).await.expect("is there");
    assert_eq!((&*device.user_id, device.area.as_deref()), ("ada", Some("거실")));
    assert!(stage.ledger.running.lock().contains("device:s1"));
    let known = RegistrationId { registration_id: done.registration_id };
    let again = stage.devices.registration(&cx(), known).await.expect("is known");
    assert_eq!(again.state, RegistrationState::Done);
}

pub async fn the_plan_says_how_many_devices_there_may_be_also_at_once(stage: &Stage) {
    save(stage, person("ada")).await;
    let wishes = (0..6).map(|number| {
        let wish = wish("ada", &format!("s{number}"));
        async move { stage.register(&cx(), wish).await }
    });
    let mut done = 0;
    for registered in join_all(wishes).await {
        match registered {
            Ok(registration) => {
                assert_eq!(registration.state, RegistrationState::Done);
                done += 1;
            }
            Err(fault) => assert_eq!(&*fault.reason, "identity.quota.exceeded", "{fault}"),
        }
    }
    assert_eq!(done, 3, "a basic plan has three devices");
    let quota = stage.users.quota(&cx(), ada()).await.expect("is told");
    assert_eq!((quota.limit, quota.used, quota.can_add_device), (3, 3, false));
    save(stage, SaveUser { plan: UserPlan::Premium, ..person("ada") }).await;
    stage.register(&cx(), wish("ada", "more")).await.expect("a better plan has more");
}

pub async fn a_refused_charge_leaves_nothing_behind(stage: &Stage) {
    save(stage, person("ada")).await;
    let refused = Fault::failed_precondition("payment.refused", "charging");
    stage.ledger.answers.lock().push(refused.clone());
    let premium = RegisterDevice { premium: true, ..wish("ada", "s1") };
    let fault = stage.register(&cx(), premium.clone()).await.expect_err("is refused");
    assert_eq!(fault.reason, refused.reason);
    assert!(stage.users.get(&cx(), ada()).await.expect("is there").devices.is_empty());
    assert!(stage.devices.list(&cx(), ListDevices::default()).await.expect("lists").devices.is_empty());
    assert_eq!(stage.users.quota(&cx(), ada()).await.expect("is told").used, 0);
    assert!(stage.ledger.running.lock().is_empty(), "what may have begun is ended");
    stage.register(&cx(), premium).await.expect("a new wish is a new registration");
}

pub async fn a_charge_that_cannot_be_reached_is_asked_for_later(stage: &Stage) {
    save(stage, person("ada")).await;
    let down = Fault::unavailable("payment.down", "charging");
    stage.ledger.answers.lock().extend([down.clone(), down]);
    let premium = RegisterDevice { premium: true, ..wish("ada", "s1") };
    let done = stage.register(&cx(), premium).await.expect("works in the end");
    assert_eq!(done.state, RegistrationState::Done);
}

pub async fn a_device_is_one_persons_only(stage: &Stage) {
    save(stage, person("ada")).await;
    save(stage, person("bob")).await;
    stage.register(&cx(), wish("ada", "s1")).await.expect("is registered");
    let fault = stage.register(&cx(), wish("bob", "s1")).await.expect_err("is Ada's");
    assert_eq!(&*fault.reason, "identity.device.taken");
    let bob = UserId { user_id: "bob".into() };
    assert_eq!(stage.users.quota(&cx(), bob).await.expect("is told").used, 0, "his place is free again");
    let fault = stage.register(&cx(), wish("ada", "s1")).await.expect_err("is hers already");
    assert_eq!(&*fault.reason, "identity.device.taken");
    assert_eq!(stage.users.get(&cx(), ada()).await.expect("is there").devices, ["s1"], "and stays hers");
}

pub async fn the_same_wish_under_the_same_key_is_one_registration(stage: &Stage) {
    save(stage, person("ada")).await;
    let cx = cx();
    let first = stage.register(&cx, wish("ada", "s1")).await.expect("is registered");
    let second = stage.register(&cx, wish("ada", "s1")).await.expect("is the same");
    assert_eq!(first.registration_id, second.registration_id);
    assert_eq!(stage.count("ieum_saga").await, 1);
}

pub async fn a_removed_device_is_charged_for_no_more(stage: &Stage) {
    save(stage, person("ada")).await;
    let premium = RegisterDevice { premium: true, ..wish("ada", "s1") };
    stage.register(&cx(), premium.clone()).await.expect("is registered");
    let id = DeviceId { device_id: "s1".into() };
    stage.devices.remove(&cx(), id.clone()).await.expect("is removed");
    stage.devices.remove(&cx(), id).await.expect("nothing is left to remove");
    assert!(stage.ledger.running.lock().is_empty());
    assert!(stage.users.get(&cx(), ada()).await.expect("is there").devices.is_empty());
    stage.register(&cx(), premium).await.expect("may come back");
    stage.users.remove(&cx(), ada()).await.expect("is removed");
    assert!(stage.ledger.running.lock().is_empty(), "who is gone is not charged");
}

pub async fn a_blocked_person_gets_no_device(stage: &Stage) {
    save(stage, SaveUser { status: UserStatus::Blocked, ..person("ada") }).await;
    let fault = stage.register(&cx(), wish("ada", "s1")).await.expect_err("is blocked");
    assert_eq!(&*fault.reason, "identity.user.blocked");
    let fault = stage.register(&cx(), wish("nobody", "s1")).await.expect_err("is not known");
    assert_eq!(&*fault.reason, "identity.user.unknown");
    let fault = stage.register(&cx(), wish("ada", "#")).await.expect_err("would be a topic");
    assert_eq!(&*fault.reason, "identity.invalid");
}

async fn asked(pages: &Pages, method: &str, path: &str, body: &str) -> (StatusCode, serde_json::Value) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.header("x-api-key", pages.key.as_str());
    let request = request.body(Body::from(body.to_owned())).expect("is a request");
    let answer = pages.router.clone().oneshot(request).await.expect("answers");
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("is short");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

pub async fn pages_answer_as_the_contract_does(stage: &Stage) {
    let pages = stage.pages(&["users:read", "users:write"]).await;
    let (status, user) = asked(&pages, "PUT", "/api/users/ada", r#"{"name":"Ada"}"#).await;
    assert_eq!((status, &user["status"]), (StatusCode::OK, &"ACTIVE".into()), "{user}");
    let body = r#"{"deviceId":"s1","type":"speaker"}"#;
    let (mut status, mut made) = asked(&pages, "POST", "/api/users/ada/devices", body).await;
    if status == StatusCode::ACCEPTED {
        // The machine is busy: where it stands is told where the answer says.
        let id = made["registrationId"].as_str().expect("has an id").to_owned();
        let path = format!("/api/users/ada/registrations/{id}");
        let is_over = async || {
            let answer = asked(&pages, "GET", &path, "").await;
            (answer.1["state"] != "running").then_some(answer.1)
        };
        made = until_some("it is over", PATIENCE, is_over).await.expect("comes to its end");
        status = StatusCode::CREATED;
    }
    assert_eq!((status, &made["state"]), (StatusCode::CREATED, &"done".into()), "{made}");
    let (status, user) = asked(&pages, "GET", "/api/users/ada", "").await;
    assert_eq!((status, &user["devices"]), (StatusCode::OK, &serde_json::json!(["s1"])));
    let (status, listed) = asked(&pages, "GET", "/api/users/ada/devices", "").await;
    assert_eq!((status, &listed["devices"][0]["type"]), (StatusCode::OK, &"speaker".into()));
    let taken = async || {
        let answer = asked(&pages, "POST", "/api/users/ada/devices", r#"{"deviceId":"s1"}"#).await;
        (answer.0 != StatusCode::ACCEPTED).then_some(answer)
    };
    let (status, problem) = until_some("it is refused", PATIENCE, taken).await.expect("is refused");
    assert_eq!((status, &problem["reason"]), (StatusCode::CONFLICT, &"identity.device.taken".into()));
    let reader = stage.pages(&["users:read"]).await;
    let (status, problem) = asked(&reader, "DELETE", "/api/users/ada/devices/s1", "").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "who may read may not write: {problem}");
    let (status, _) = asked(&pages, "DELETE", "/api/users/bob/devices/s1", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "it is not his");
    let (status, _) = asked(&pages, "DELETE", "/api/users/ada/devices/s1", "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, problem) = asked(&pages, "GET", "/api/users/nobody", "").await;
    assert_eq!((status, &problem["reason"]), (StatusCode::NOT_FOUND, &"identity.user.unknown".into()));
    let (status, problem) = asked(&pages, "PUT", "/api/users/ada", r#"{"plan":"golden"}"#).await;
    assert!(status.is_client_error() && problem["detail"].to_string().contains("plan"), "{status} {problem}");
}
