//! The receiver: a process of its own that verifies every webhook and counts the distinct ones.

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use ieum_core::{Clock, Fault, SystemClock};
use ieum_webhook::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, SigningSecret, verify};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use super::failed;

/// The argument with which this program is the receiver.
pub const ARGUMENT: &str = "webhook-receiver";
/// How often the count is asked for.
const LOOK: Duration = Duration::from_millis(5);
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The receiver as the benchmark sees it.
pub struct Receiver {
    pub url: String,
    http: reqwest::Client,
    endpoints: usize,
    _process: Child,
}

/// What came so far.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Distinct webhooks whose signature was right.
    pub verified: u64,
    /// Requests whose signature was not.
    pub refused: u64,
}

#[derive(Default)]
struct Seen {
    secrets: Vec<SigningSecret>,
    ids: HashSet<(usize, String)>,
    refused: u64,
}

type Shared = Arc<Mutex<Seen>>;

// === Receiver ===

impl Receiver {
    /// Starts the process and waits for its address.
    pub async fn start() -> Result<Self, Fault> {
        let program = std::env::current_exe().map_err(|error| failed("finding this program", &error))?;
        let mut process = Command::new(program)
            .arg(ARGUMENT)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed("starting the receiver", &error))?;
        let output = process.stdout.take().ok_or_else(|| failed("starting the receiver", &"no output"))?;
        let line = BufReader::new(output).lines().next_line().await;
        let url =
            line.ok().flatten().ok_or_else(|| failed("starting the receiver", &"it told no address"))?;
        Ok(Self { url, http: reqwest::Client::new(), endpoints: 0, _process: process })
    }

    /// Returns the URL under which the next endpoint receives.
    pub fn next_url(&self) -> String {
        format!("{}/hook/{}", self.url, self.endpoints)
    }

    /// Tells the secret of the endpoint at [`Receiver::next_url`].
    pub async fn know(&mut self, secret: &SigningSecret) -> Result<(), Fault> {
        let told = self.http.post(format!("{}/secrets", self.url)).body(secret.expose().to_owned()).send();
        told.await.map_err(|error| failed("telling a secret", &error))?;
        self.endpoints += 1;
        Ok(())
    }

    pub async fn counts(&self) -> Result<Counts, Fault> {
        let asked = async { self.http.get(format!("{}/counts", self.url)).send().await?.json().await };
        asked.await.map_err(|error| failed("asking the receiver", &error))
    }

    /// Waits until so many were verified.
    pub async fn wait(&self, verified: u64) -> Result<(), Fault> {
        let wait = async {
            while self.counts().await?.verified < verified {
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| Err(failed("waiting for the receiver", &"not all webhooks came")))
    }
}

/// Is the receiver until it is killed.
pub async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let app = Router::new()
        .route("/hook/{endpoint}", post(hook))
        .route("/secrets", post(add_secret))
        .route("/counts", get(counts))
        .with_state(Shared::default());
    axum::serve(listener, app).await
}

async fn hook(
    State(shared): State<Shared>,
    Path(endpoint): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secret = lock(&shared).secrets.get(endpoint).cloned();
    let (id, now) = (header(HEADER_ID), SystemClock.now());
    let verified = secret.is_some_and(|secret| {
        let (at, signatures) = (header(HEADER_TIMESTAMP), header(HEADER_SIGNATURE));
        verify(&secret, id, at, signatures, &body, now).is_ok()
    });
    let mut seen = lock(&shared);
    if !verified {
        seen.refused += 1;
        return StatusCode::UNAUTHORIZED;
    }
    seen.ids.insert((endpoint, id.to_owned()));
    StatusCode::NO_CONTENT
}

async fn add_secret(State(shared): State<Shared>, text: String) -> StatusCode {
    match SigningSecret::parse(&text) {
        Ok(secret) => {
            lock(&shared).secrets.push(secret);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn counts(State(shared): State<Shared>) -> Json<Counts> {
    let seen = lock(&shared);
    Json(Counts { verified: seen.ids.len() as u64, refused: seen.refused })
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Seen> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
