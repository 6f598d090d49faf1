//! What the bus is told of dialogues, and who listens.

use std::time::Duration;

use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;
use serde_json::json;

use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_are_counted_once_and_remembered_by_person() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    for said in ["몇 시야", "what time is it", "아무도 모르는 말"] {
        stage.say(said).await;
    }
    let counted = "SELECT COALESCE(SUM(turns), 0) AS n FROM ieum_voice_tally";
    until("all are counted", PATIENCE, || async { stage.count(counted).await == 3 })
        .await
        .expect("are counted");
    let time = "SELECT turns AS n FROM ieum_voice_tally WHERE intent = 'time.query' AND outcome = 'answered' AND day = '2026-05-01'";
    assert_eq!(stage.count(time).await, 2);
    let active = "SELECT COALESCE(SUM(turns), 0) AS n FROM ieum_voice_activity WHERE user_id = 'ada'";
    until("Ada is remembered", PATIENCE, || async { stage.count(active).await == 3 })
        .await
        .expect("is remembered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_speaks_up_by_day_and_cools_down() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut kitchen = stage.device("kitchen").await;
    let moved = |number: u32| json!({ "messageId": format!("e-{number}"), "eventType": "motion_detected", "data": { "location": "kitchen" } });
    kitchen.send("event", moved(1)).await;
    let greeting = stage.rung(&mut kitchen).await;
    assert_eq!((&greeting["text"], &greeting["rule"]), (&json!("어서 오세요."), &json!("welcome")));
    // A moment later, and the first one once more.
    kitchen.send("event", moved(2)).await;
    kitchen.send("event", moved(1)).await;
    assert_eq!(kitchen.ask("몇 시야").await["intent"], "time.query");
    stage.clock.advance(Duration::from_secs(2 * 3_600));
    kitchen.send("event", moved(3)).await;
    assert_eq!(stage.rung(&mut kitchen).await["intent"], "proactive", "two hours later");
    assert_eq!(
        stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE kind = 'DIALOG_RESPONSE'").await,
        3
    );
}
