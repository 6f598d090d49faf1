//! What could not be sent at once is sent later, once there is room, and let go where nobody ever sends it.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use ieum_core::Clock;
use ieum_store::Value as Column;
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;

use crate::pages::{next, stream};
use crate::recordings::Parrot;
use crate::stage::{NOON, Stage, at};

const PATIENCE: Duration = Duration::from_secs(120);

/// Queues these for a device.
async fn queue(stage: &Stage, device: &str, kind: &str, payloads: &[Value]) {
    let begun = stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await;
    let mut columns: Vec<Column> = Vec::new();
    for (number, payload) in (begun..).zip(payloads) {
        let id = format!("{device}-{number}");
        columns.extend([id.into(), device.into(), kind.into(), payload.to_string().into(), at(NOON).into()]);
    }
    let rows = vec!["(?, ?, ?, ?, 0, ?)"; payloads.len()].join(", ");
    let sql = format!("INSERT INTO ieum_voice_reply (id, device, kind, payload, sent, at) VALUES {rows}");
    stage.store.execute(&sql, &columns).await.expect("is queued");
}

#[tokio::test]
async fn a_device_gets_each_part_of_what_is_spoken_once_though_it_had_no_room() {
    const FULL: usize = 1_000;
    let sql = SqlStore::sqlite();
    let parrot = Arc::new(Parrot::default());
    let stage = Stage::hearing(&sql.url, parrot.clone()).await;
    let mut bath = stage.device("bath").await;
    let numbers: Vec<Value> = (0..FULL - 2).map(|number| json!({ "number": number })).collect();
    queue(&stage, "bath", "DIALOG_RESPONSE", &numbers).await;
    // Four parts, and room for two.
    let words = json!({ "text": "la".repeat(60_000), "language": "en", "turnId": "t" });
    queue(&stage, "bath", "DIALOG_AUDIO", &[words]).await;
    stage.until_held(1).await;
    wait::until("it is spoken", PATIENCE, async || *parrot.spoken.lock() == 1).await.expect("is spoken");
    let told = stage.meanwhile(async {
        let mut sequences = Vec::new();
        for _ in 0..FULL + 2 {
            sequences.extend(bath.hear().await["payload"]["sequence"].as_i64());
        }
        sequences
    });
    assert_eq!(told.await, [0, 1, 2, 3]);
    stage.until_held(0).await;
    assert_eq!(*parrot.spoken.lock(), 1);
}

/// How much is queued for the hall: more than sockets take from somebody who does not read.
const MANY: usize = 200;

/// Opens a stream in the hall that takes no more.
async fn full(stage: &Stage) -> WebSocketStream<TcpStream> {
    let hall = stream(stage, "deviceId=hall").await;
    let long = "la".repeat(50_000);
    let payloads: Vec<Value> = (0..MANY).map(|number| json!({ "number": number, "text": long })).collect();
    queue(stage, "hall", "DIALOG_RESPONSE", &payloads).await;
    wait::until("it has no room", PATIENCE, async || {
        stage.clock.advance(Duration::from_millis(100));
        stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE sent = 2").await > 0
    })
    .await
    .expect("has no room");
    hall
}

#[tokio::test]
async fn a_stream_that_had_no_room_for_a_while_is_told_everything_in_order() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut hall = full(&stage).await;
    let told = stage.meanwhile(async {
        let mut numbers = Vec::new();
        for _ in 0..MANY {
            numbers.push(next(&mut hall).await["payload"]["number"].as_u64().expect("has one") as usize);
        }
        numbers
    });
    let told = tokio::time::timeout(PATIENCE, told).await.expect("all are told");
    assert_eq!(told, (0..MANY).collect::<Vec<_>>());
    stage.until_held(0).await;
}

#[tokio::test]
async fn a_stream_that_takes_nothing_for_long_is_over_and_the_next_one_is_told_the_rest() {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    let mut hall = full(&stage).await;
    for _ in 0..20 {
        stage.clock.advance(Duration::from_secs(60));
        // Others have a turn meanwhile.
        stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await;
    }
    let end = async {
        let mut told = 0;
        while let Some(Ok(_)) = hall.next().await {
            told += 1;
        }
        told
    };
    let told = tokio::time::timeout(PATIENCE, end).await.expect("it is over");
    assert!(told < MANY, "{told}");
    let mut hall = stream(&stage, "deviceId=hall").await;
    let rest = stage.meanwhile(next(&mut hall)).await;
    assert!(rest["payload"]["number"].as_u64() > Some(told as u64), "{told}");
}

#[tokio::test]
async fn what_is_queued_where_nobody_sends_is_let_go_after_a_day() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    stage.part.start(None).await.expect("starts");
    queue(&stage, "kitchen", "DIALOG_RESPONSE", &[json!({})]).await;
    let rows = "SELECT COUNT(*) AS n FROM ieum_voice_reply";
    stage.clock.advance(Duration::from_secs(80_000));
    queue(&stage, "bath", "DIALOG_RESPONSE", &[json!({})]).await;
    let sql = "UPDATE ieum_voice_reply SET at = ? WHERE device = 'bath'";
    stage.store.execute(sql, &[stage.clock.now().into()]).await.expect("is younger");
    stage.clock.advance(Duration::from_secs(6_500));
    let is_gone = async || {
        stage.clock.advance(Duration::from_secs(10));
        stage.count(rows).await == 1
    };
    wait::until("it is let go", PATIENCE, is_gone).await.expect("is let go");
    assert_eq!(stage.count(&format!("{rows} WHERE device = 'bath'")).await, 1);
}
