//! What is to be said reaches whoever it is for: once somebody is there, in order, and nobody waits for others.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_contracts::voice::{DialogOutcome, DialogTurn};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait;
use serde_json::{Value, json};

use crate::pages::{next, stream};
use crate::recordings::Parrot;
use crate::stage::{Stage, at, turn};

const PATIENCE: Duration = Duration::from_secs(120);

async fn heard() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    (sql, stage)
}

fn by_ada(text: &str) -> DialogTurn {
    DialogTurn { user_id: Some("ada".into()), text: text.into(), ..DialogTurn::default() }
}

ieum_testkit::over_sql_stores!(
    crate::stage::Stage::heard,
    everywhere,
    what_nobody_took_is_said_once_the_device_is_there,
    what_nobody_comes_for_is_let_go_and_a_command_soon,
    a_timer_without_a_device_rings_wherever_the_person_is,
);

/// What must hold on every database.
mod everywhere {
    use super::*;

    pub async fn what_nobody_took_is_said_once_the_device_is_there(stage: &Stage) {
        stage.say("삼 분 타이머").await;
        stage.clock.advance(Duration::from_secs(181));
        stage.until_held(1).await;
        let mut kitchen = stage.passing("kitchen").await;
        assert_eq!(kitchen.hear().await["payload"]["text"], "3분 타이머가 끝났어요.");
        assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query", "and once");
        stage.until_held(0).await;
    }

    pub async fn what_nobody_comes_for_is_let_go_and_a_command_soon(stage: &Stage) {
        let rows = "INSERT INTO ieum_voice_reply (id, device, kind, payload, sent, at) VALUES \
                    ('a', 'kitchen', 'DEVICE_COMMAND', '{}', 2, ?), ('b', 'kitchen', 'DIALOG_RESPONSE', '{}', 2, ?)";
        let hour_ago = at(crate::stage::NOON) - Duration::from_secs(3_600);
        stage
            .store
            .execute(rows, &[hour_ago.into(), hour_ago.into()])
            .await
            .expect("are as an earlier process left them");
        stage.part.drain().await;
        stage.part.start(Some(stage.broker.clone())).await.expect("starts again");
        let mut kitchen = stage.passing("kitchen").await;
        assert_eq!(kitchen.hear().await["type"], "DIALOG_RESPONSE", "an hour late, the command is not sent");
        stage.until_held(0).await;
    }

    pub async fn a_timer_without_a_device_rings_wherever_the_person_is(stage: &Stage) {
        let (mut kitchen, mut bath) = (stage.passing("kitchen").await, stage.passing("bath").await);
        stage.try_say(by_ada("삼 분 타이머")).await.expect("is answered");
        stage.clock.advance(Duration::from_secs(181));
        for device in [&mut kitchen, &mut bath] {
            assert_eq!(stage.rung(device).await["intent"], "timer.rang");
        }
    }
}

#[tokio::test]
async fn a_device_that_has_no_room_keeps_nobody_waiting_and_its_own_order() {
    const MANY: i64 = 1_200;
    let (_sql, stage) = heard().await;
    let mut bath = stage.device("bath").await;
    let row =
        |number: i64| format!("('{number}', 'bath', 'DIALOG_RESPONSE', '{{\"number\":{number}}}', 0, ?)");
    let rows: Vec<String> = (0..MANY).map(row).collect();
    let values: Vec<_> = rows.iter().map(|_| at(crate::stage::NOON).into()).collect();
    let sql = format!(
        "INSERT INTO ieum_voice_reply (id, device, kind, payload, sent, at) VALUES {}",
        rows.join(", ")
    );
    stage.store.execute(&sql, &values).await.expect("is much at once");
    let mut kitchen = stage.device("kitchen").await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query", "while the bath has no room");
    stage.until_held(MANY - 1_000).await;
    let told = stage.meanwhile(async {
        let mut numbers = Vec::new();
        while (numbers.len() as i64) < MANY {
            numbers.push(bath.hear().await["payload"]["number"].as_i64().expect("has one"));
        }
        numbers
    });
    assert_eq!(told.await, (0..MANY).collect::<Vec<_>>(), "in order, each once");
}

#[tokio::test]
async fn a_device_with_many_recordings_keeps_nobody_waiting() {
    let sql = SqlStore::sqlite();
    let stage = Stage::hearing(&sql.url, Arc::new(Parrot::default())).await;
    let (bath, mut kitchen) = (stage.device("bath").await, stage.device("kitchen").await);
    for _ in 0..200 {
        // What they hear here takes for ever.
        bath.send("audio", json!({ "audio": { "data": BASE64_STANDARD.encode("stall!") } })).await;
    }
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
}

#[tokio::test]
async fn a_person_without_a_device_is_told_where_the_next_stream_opens() {
    let (_sql, stage) = heard().await;
    stage.people.is_homeless();
    stage.try_say(by_ada("삼 분 타이머")).await.expect("is answered");
    stage.clock.advance(Duration::from_secs(181));
    stage.until_held(1).await;
    let mut other = stream(&stage, "userId=eve").await;
    let mut ada = stream(&stage, "userId=ada").await;
    let rang: Value = stage.meanwhile(next(&mut ada)).await;
    assert_eq!(
        (&rang["type"], &rang["payload"]["intent"]),
        (&json!("DIALOG_RESPONSE"), &json!("timer.rang"))
    );
    assert!(rang["messageId"].is_string() && rang["timestamp"].is_number(), "{rang}");
    let quiet = tokio::time::timeout(Duration::from_millis(50), next(&mut other)).await;
    assert!(quiet.is_err(), "it is nobody else's: {quiet:?}");
    stage.until_held(0).await;
}

#[tokio::test]
async fn what_rings_on_a_device_is_told_to_the_persons_streams_too() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let mut ada = stream(&stage, "userId=ada").await;
    let mut both = stream(&stage, "deviceId=kitchen&userId=ada").await;
    kitchen.ask("삼 분 타이머").await;
    stage.clock.advance(Duration::from_secs(181));
    assert_eq!(stage.rung(&mut kitchen).await["intent"], "timer.rang");
    assert_eq!(next(&mut ada).await["payload"]["intent"], "timer.rang", "and not what the device asked for");
    assert_eq!(next(&mut both).await["payload"]["intent"], "timer.start", "and what the device asked for");
    assert_eq!(next(&mut both).await["payload"]["intent"], "timer.rang");
    kitchen.ask("몇 시야").await;
    assert_eq!(next(&mut both).await["payload"]["intent"], "time.query", "it rang once");
}

#[tokio::test]
async fn rings_announcements_and_greetings_are_spoken_once() {
    let sql = SqlStore::sqlite();
    let stage = Stage::hearing(&sql.url, Arc::new(Parrot::default())).await;
    let (mut kitchen, mut bath) = (stage.device("kitchen").await, stage.device("bath").await);
    kitchen.ask("announce that dinner is ready").await;
    assert_eq!(bath.hear().await["payload"]["text"], "dinner is ready");
    assert_eq!(bath.hear().await["type"], "DIALOG_AUDIO");
    kitchen.ask("set a timer for three minutes").await;
    kitchen.send("event", json!({ "eventType": "motion_detected" })).await;
    assert_eq!(stage.meanwhile(kitchen.hear()).await["payload"]["text"], "어서 오세요.");
    let greeting = kitchen.hear().await;
    assert_eq!((&greeting["type"], &greeting["payload"]["last"]), (&json!("DIALOG_AUDIO"), &json!(true)));
    stage.clock.advance(Duration::from_secs(181));
    let rang = stage.rung(&mut kitchen).await;
    assert_eq!(rang["intent"], "timer.rang");
    let spoken = kitchen.hear().await["payload"].clone();
    assert_eq!((&spoken["sequence"], &spoken["audio"]["sampleRate"]), (&json!(0), &json!(22_050)));
    assert!(kitchen.ask("what time is it").await["text"].is_string(), "each is spoken once");
}

#[tokio::test]
async fn an_answer_whose_sound_a_kill_prevented_is_spoken_by_the_next_process() {
    let sql = SqlStore::sqlite();
    let stage = Stage::under(&sql.url, None, Some(Arc::new(Parrot::default()))).await;
    // The turn was heard and committed; nobody sent anything yet.
    let heard = DialogTurn { deliver: true, heard_ms: Some(1.0), ..turn("kitchen", "what time is it") };
    stage.try_say(heard).await.expect("is answered");
    let mut kitchen = stage.device("kitchen").await;
    stage.part.start(Some(stage.broker.clone())).await.expect("starts");
    assert_eq!(kitchen.hear().await["payload"]["text"], "It is 12:00 PM.");
    assert_eq!(kitchen.hear().await["type"], "DIALOG_AUDIO");
}

#[tokio::test]
async fn nobody_is_said_to_be_told_who_is_not_there() {
    let (_sql, stage) = heard().await;
    assert_eq!(stage.say("announce that dinner is ready").await.text, "I passed it on.");
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 1);
    stage.people.is_homeless();
    let told = stage.say("announce that dinner is ready").await;
    assert_eq!(
        (&*told.text, told.outcome),
        ("I found no other device to pass it on to.", DialogOutcome::Failed)
    );
    assert_eq!(stage.say("저녁 먹자고 방송해 줘").await.text, "전할 다른 기기를 찾지 못했어요.");
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 1);
}

#[tokio::test]
async fn where_nobody_can_say_who_is_there_that_is_said_and_nothing_is_announced() {
    let (_sql, stage) = heard().await;
    stage.say("announce that dinner is ready").await;
    *stage.people.is_down.lock() = true;
    let told = stage.say("announce that dinner is ready").await;
    assert_eq!(
        (&*told.text, told.outcome),
        ("I cannot do that right now. Please try again in a moment.", DialogOutcome::Failed)
    );
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await, 1);
}

#[tokio::test]
async fn what_rings_while_nobody_can_say_whose_devices_there_are_comes_soon_after() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    stage.try_say(by_ada("삼 분 타이머")).await.expect("is answered");
    *stage.people.is_down.lock() = true;
    stage.clock.advance(Duration::from_secs(181));
    let asked = wait::until("it asks", PATIENCE, async || {
        stage.clock.advance(Duration::from_millis(100));
        *stage.people.refused.lock() > 0
    });
    asked.await.expect("it asks");
    *stage.people.is_down.lock() = false;
    assert_eq!(stage.rung(&mut kitchen).await["intent"], "timer.rang");
}
