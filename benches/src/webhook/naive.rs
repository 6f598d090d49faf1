//! The textbook form: save the webhook, post it, save that it arrived, each with a commit of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ieum_core::{Clock, Fault, SystemClock, new_id};
use ieum_store::Store;

use super::failed;
use super::receiver::Receiver;
use super::subject::{Subject, Target};
use crate::measure::{Cost, cost};

/// How many do so at once.
const WORKERS: u64 = 64;

/// Sends `count` webhooks.
pub async fn run(subject: &Subject, receiver: &mut Receiver, count: u64) -> Result<Cost, Fault> {
    let table =
        "CREATE TABLE IF NOT EXISTS bench_hooks (id VARCHAR(40) PRIMARY KEY, body TEXT, state VARCHAR(10))";
    subject.store.execute(table, &[]).await.map_err(|error| failed("making a table", &error))?;
    let before = receiver.counts().await?.verified;
    let http = reqwest::Client::new();
    let lost = Arc::new(AtomicU64::new(0));
    let cost = cost(async {
        let workers = (0..WORKERS).map(|worker| {
            let (store, http, lost) = (subject.store.clone(), http.clone(), Arc::clone(&lost));
            let target =
                subject.targets[usize::try_from(worker).unwrap_or(0) % subject.targets.len()].clone();
            tokio::spawn(async move {
                for _ in 0..count / WORKERS {
                    if send(&store, &http, &target).await.is_none() {
                        lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            let _ = worker.await;
        }
        count
    })
    .await;
    receiver.wait(before + count - lost.load(Ordering::Relaxed)).await?;
    match lost.load(Ordering::Relaxed) {
        0 => Ok(cost),
        some => Err(failed("sending in the textbook form", &format_args!("{some} failed"))),
    }
}

async fn send(store: &Store, http: &reqwest::Client, target: &Target) -> Option<()> {
    let id = new_id().to_string();
    let body =
        serde_json::json!({ "id": id, "event": "event.data.updated", "data": "x".repeat(300) }).to_string();
    let insert = "INSERT INTO bench_hooks (id, body, state) VALUES (?, ?, 'pending')";
    store.execute(insert, &[id.as_str().into(), body.as_str().into()]).await.ok()?;
    let seconds = SystemClock.now().as_seconds();
    let request = http
        .post(&target.url)
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", target.secret.sign(&id, seconds, body.as_bytes()))
        .header("x-webhook-signature", target.secret.sign_plain(body.as_bytes()))
        .body(body);
    request.send().await.ok()?.error_for_status().ok()?;
    let update = "UPDATE bench_hooks SET state = 'delivered' WHERE id = ?";
    store.execute(update, &[id.as_str().into()]).await.ok().map(drop)
}
