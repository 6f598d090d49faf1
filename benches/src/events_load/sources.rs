//! Two hundred sources, read by one node on schedule: whether each keeps its pace, and what that costs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use ieum_contracts::events::ConnectorKind;
use ieum_core::Fault;
use serde_json::{Value, json};

use super::{NAME, Platform, Size, config, failed};
use crate::report::{Wanted, figures};

/// Seconds between two reads of a source.
const INTERVAL: u32 = 5;

/// When each source was read.
type Reads = Arc<Mutex<BTreeMap<String, Vec<Instant>>>>;

/// Registers sources, lets them be read for some intervals, and prints how well.
pub async fn run(platform: &Platform, size: Size) -> Result<(), Fault> {
    let reads = Reads::default();
    let address = serve(reads.clone()).await?;
    let begun = Instant::now();
    for source in 0..size.sources {
        let api = format!("{address}/s{source}");
        platform.register(config(&format!("s{source}"), ConnectorKind::Generic, api, INTERVAL)).await?;
    }
    println!("{} sources registered in {:.1?}", size.sources, begun.elapsed());
    let interval = Duration::from_secs(u64::from(INTERVAL));
    // The first reads come with registering; what is measured begins after them.
    tokio::time::sleep(interval).await;
    let (since, before) = (Instant::now(), platform.cpu());
    tokio::time::sleep(interval * 4).await;
    let busy = (platform.cpu() - before).div_duration_f64(since.elapsed()) * 100.0;
    let reads = reads.lock().unwrap_or_else(PoisonError::into_inner);
    let gaps: Vec<f64> = reads
        .values()
        .flat_map(|reads| reads.windows(2))
        .filter(|pair| pair[1] >= since)
        .map(|pair| pair[1].duration_since(pair[0]).div_duration_f64(interval))
        .collect();
    let longest = gaps.iter().copied().fold(0.0, f64::max);
    let silent = size.sources - reads.len();
    if silent > 0 || gaps.is_empty() {
        return Err(failed("reading the sources", &format_args!("{silent} were never read")));
    }
    let what = format!("{} sources on one node, longest time between two reads / interval", size.sources);
    // A due time moves by a tenth at most; the read itself takes its time.
    figures(NAME, &what, "x", vec![longest], Wanted::AtMost(1.3));
    figures(NAME, "CPU of `ieum up` meanwhile", " % of one core", vec![busy], Wanted::Nothing);
    Ok(())
}

async fn serve(reads: Reads) -> Result<String, Fault> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.map_err(|error| failed("listening", &error))?;
    let address = listener.local_addr().map_err(|error| failed("listening", &error))?;
    let router = Router::new()
        .route("/{source}/analytics/realtime", get(realtime))
        .route("/{source}/health", get(async || Json(json!({ "status": "healthy" }))))
        .with_state(reads);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}

async fn realtime(State(reads): State<Reads>, Path(source): Path<String>) -> Json<Value> {
    let mut reads = reads.lock().unwrap_or_else(PoisonError::into_inner);
    let own = reads.entry(source).or_default();
    own.push(Instant::now());
    Json(json!({
        "participants": { "total": 1_000 },
        "attendance": { "current": own.len(), "checkedIn": own.len() },
        "gates": [{ "id": "north", "status": "open", "throughput": 12.5 }],
    }))
}
