//! The whole way of an event: published, read from the log, marked in the inbox and handled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ieum_bus::{Consumer, Event, Subscription};
use ieum_core::{Cx, Fault};
use ieum_store::Transaction;

use super::failed;
use super::subject::{Subject, publish};

const TOPIC: &str = "flow";
/// How long the consumer may take for what the publishers left behind.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts what it is given.
struct Counting(AtomicU64);

#[ieum_link::async_trait]
impl Consumer for Counting {
    async fn handle(&self, _: &Cx, _: &Event, _: &mut Transaction) -> Result<(), Fault> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Publishes for `round` while a group consumes; returns events per second until the last one is handled.
pub async fn published_to_handled(
    subject: &Subject,
    publishers: usize,
    round: Duration,
) -> Result<f64, Fault> {
    let counting = Arc::new(Counting(AtomicU64::new(0)));
    let subscribed = subject
        .bus
        .subscribe(Subscription::new(TOPIC, "bench"), counting.clone())
        .await
        .map_err(|error| failed("subscribing", &error))?;
    let begun = Instant::now();
    let published = publish(&subject.bus, TOPIC, publishers, round).await;
    let until = Instant::now() + PATIENCE;
    while counting.0.load(Ordering::Relaxed) < published {
        if Instant::now() > until {
            let handled = counting.0.load(Ordering::Relaxed);
            return Err(failed(
                "consuming",
                &format!("{handled} of {published} events were handled in time"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rate = published as f64 / begun.elapsed().as_secs_f64();
    subscribed.drain().await;
    Ok(rate)
}
