//! What the HTTP link adds to bare hyper and to reqwest with the same body, typed at both ends.

use std::sync::Arc;

use axum::routing::post;
use axum::{Json, Router};
use ieum_core::{Cx, Fault, system_clock};
use ieum_link::{Link, contract};
use ieum_policy::{PolicyConfig, PolicyStack};
use ieum_wires::discovery::{Instance, Static};
use ieum_wires::http::{HttpWire, HttpWireConfig, serve_links};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::measure::{Cost, cost};
use crate::report::{Wanted, figures};

/// A body of about one kilobyte.
#[derive(Clone, Serialize, Deserialize)]
pub struct Batch {
    pub names: Vec<String>,
    pub numbers: Vec<u64>,
}

/// Sends back what it gets.
#[contract("bench.echo")]
pub trait Echo {
    /// Returns the batch.
    #[query]
    async fn echo(&self, cx: &Cx, batch: Batch) -> Result<Batch, Fault>;
}

struct Echoing;

#[ieum_link::async_trait]
impl Echo for Echoing {
    async fn echo(&self, _: &Cx, batch: Batch) -> Result<Batch, Fault> {
        Ok(batch)
    }
}

const CALLS: u64 = 40_000;
const CALLERS: u64 = 16;
const ROUNDS: usize = 9;

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.http", format!("{step}: {error}"))
}

/// Runs `CALLS` calls from `CALLERS` callers at once.
async fn drive<F, Fut>(call: F) -> Cost
where
    F: Fn() -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send,
{
    cost(async move {
        let callers = (0..CALLERS).map(|_| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut done = 0;
                for _ in 0..CALLS / CALLERS {
                    done += u64::from(call().await.is_ok());
                }
                done
            })
        });
        let mut done = 0;
        for caller in callers.collect::<Vec<_>>() {
            done += caller.await.unwrap_or(0);
        }
        done
    })
    .await
}

/// Prints the HTTP link's figures.
pub async fn run() -> Result<(), Fault> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let routes = EchoRoutes::of(Arc::new(Echoing));
    let bare = Router::new().route("/echo", post(|Json(batch): Json<Batch>| async move { Json(batch) }));
    let router = serve_links(routes, system_clock()).merge(bare);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed("listening", &error))?;
    let address = listener.local_addr().map_err(|error| failed("listening", &error))?;
    tokio::spawn(async move { axum::serve(listener, router).await });

    let instance = Instance::new("http", &address.ip().to_string(), address.port());
    let wire = HttpWire::new(HttpWireConfig::new(Arc::new(Static::new(instance, []))), system_clock());
    let stack = PolicyStack::new("bench.echo", &PolicyConfig::default(), system_clock());
    let plain = EchoClient::new(wire.link());
    let guarded = EchoClient::new(Link::new(stack.apply(wire.link())));
    let batch = Batch {
        names: (0..32).map(|i| format!("somebody number {i}")).collect(),
        numbers: (0..32).collect(),
    };
    let client = reqwest::Client::new();
    let url = format!("http://{address}/echo");
    let peer = {
        let batch = batch.clone();
        move || {
            let (client, url, batch) = (client.clone(), url.clone(), batch.clone());
            async move {
                let answer =
                    client.post(&url).json(&batch).send().await.map_err(|error| failed("peer", &error))?;
                answer.json::<Batch>().await.map(drop).map_err(|error| failed("peer", &error))
            }
        }
    };
    for (name, link) in [("HTTP link", plain), ("HTTP link with the default policies", guarded)] {
        let (mut walls, mut cpus) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let bare = drive(peer.clone()).await;
            let (link, batch) = (link.clone(), batch.clone());
            let ours = drive(move || {
                let (link, batch) = (link.clone(), batch.clone());
                async move { link.echo(&Cx::root(), batch).await.map(drop) }
            })
            .await;
            if ours.operations != bare.operations {
                let message = format!("{} of {} calls were answered", ours.operations, bare.operations);
                return Err(Fault::internal("bench.http", message));
            }
            // The first round opens connections and is not counted.
            if round > 0 {
                walls.push(ours.wall_micros() / bare.wall_micros());
                cpus.push(ours.cpu_micros() / bare.cpu_micros());
            }
        }
        let what = format!("{name} / reqwest and axum, same typed body, wall");
        figures("http", &what, "x", walls, Wanted::AtMost(1.1));
        let what = format!("{name} / reqwest and axum, CPU of both ends");
        figures("http", &what, "x", cpus, Wanted::AtMost(1.1));
    }
    Ok(())
}
