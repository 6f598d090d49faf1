//! Small simulated event systems in the seed's shape, for demonstrations and tests: people arrive, stay and
//! leave as the clock goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ieum_contracts::events::{
    Authentication, AuthenticationKind, ConnectorKind, Endpoints, EventServiceConfig, SyncSettings,
};
use ieum_core::{Moment, SharedClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct SimulatedEvent {
    /// The id under which the hub will know it.
    pub event_id: String,
    /// Its name.
    pub name: String,
    /// People registered.
    pub registered: u32,
    /// The gates' names.
    pub gates: Vec<String>,
    /// From doors open to doors closed; afterwards it begins anew.
    pub lasts: Duration,
    /// Makes two events differ.
    pub seed: u64,
}

/// A simulated event system that answers over HTTP until it is dropped.
pub struct Simulator {
    event: SimulatedEvent,
    address: std::net::SocketAddr,
    task: JoinHandle<()>,
}

struct Running {
    event: SimulatedEvent,
    begun: Moment,
    clock: SharedClock,
}

impl Simulator {
    /// Starts the system on a free port of 127.0.0.1.
    pub async fn start(event: SimulatedEvent, clock: SharedClock) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let running = Running { event: event.clone(), begun: clock.moment(), clock };
        let router = Router::new()
            .route("/health", get(async || Json(json!({"status": "healthy"}))))
            .route("/api/analytics/realtime", get(realtime))
            .with_state(Arc::new(running));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(error = %error, "a simulated event system ended");
            }
        });
        Ok(Self { event, address, task })
    }

    /// Returns where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how the hub registers it, read every `interval` seconds.
    pub fn config(&self, interval: u32) -> EventServiceConfig {
        EventServiceConfig {
            event_id: self.event.event_id.clone(),
            service_name: self.event.name.clone(),
            connector: ConnectorKind::Generic,
            endpoints: Endpoints {
                api: format!("{}/api", self.url()),
                webhook: None,
                health_check: Some(format!("{}/health", self.url())),
            },
            authentication: Authentication {
                kind: AuthenticationKind::None,
                credentials: std::collections::BTreeMap::new(),
            },
            sync_settings: SyncSettings { interval, ..SyncSettings::default() },
            options: std::collections::BTreeMap::new(),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn realtime(State(running): State<Arc<Running>>) -> Json<Value> {
    let elapsed = running.clock.moment().since(running.begun);
    Json(answer(&running.event, elapsed))
}

/// Returns what the system answers `elapsed` after its doors opened. Pure.
pub fn answer(event: &SimulatedEvent, elapsed: Duration) -> Value {
    let lasts = event.lasts.as_secs_f64().max(1.0);
    let part = (elapsed.as_secs_f64() % lasts) / lasts;
    let registered = f64::from(event.registered);
    // Between 80 and 97 % of those registered come.
    let turnout = 0.80 + 0.17 * fraction(event.seed);
    let came = registered * turnout * rise(part, 0.30, 9.0);
    let left = registered * turnout * rise(part, 0.85, 14.0);
    let arriving = (registered * turnout * (rise(part + 0.01, 0.30, 9.0) - rise(part, 0.30, 9.0))).max(0.0);
    let per_minute = arriving / (lasts * 0.01) * 60.0;
    let gates: Vec<Value> = event
        .gates
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let share = 0.5 + fraction(event.seed ^ (i as u64 + 1));
            let throughput = (per_minute * share / event.gates.len() as f64 * 10.0).round() / 10.0;
            json!({"id": name, "status": if part < 0.95 { "open" } else { "closed" }, "throughput": throughput})
        })
        .collect();
    json!({
        "event": {"name": event.name, "status": if part < 0.99 { "active" } else { "ended" }},
        "participants": {"total": event.registered},
        "attendance": {"current": people(came - left), "checkedIn": people(came)},
        "gates": gates,
    })
}

/// A logistic curve from 0 to 1 around `middle`, moved so that it begins at 0.
fn rise(part: f64, middle: f64, steepness: f64) -> f64 {
    let at = |part: f64| 1.0 / (1.0 + (-steepness * 2.0 * (part - middle)).exp());
    ((at(part) - at(0.0)) / (1.0 - at(0.0))).clamp(0.0, 1.0)
}

/// A number between 0 and 1 from a seed (the finaliser of splitmix64).
fn fraction(seed: u64) -> f64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn people(number: f64) -> u32 {
    number.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::read_realtime;

    #[test]
    fn people_come_and_leave_and_every_answer_is_in_the_seeds_shape() {
        let event = SimulatedEvent {
            event_id: "expo".into(),
            name: "Expo".into(),
            registered: 1_000,
            gates: vec!["north".into(), "south".into()],
            lasts: Duration::from_secs(600),
            seed: 7,
        };
        let figures: Vec<_> = (0..600)
            .map(|second| read_realtime(&answer(&event, Duration::from_secs(second))).expect("is in shape"))
            .collect();
        assert_eq!(figures[0].checked_in, 0);
        let most = figures.iter().map(|figures| figures.current_attendees).max();
        assert!(most.is_some_and(|most| (700..=1_000).contains(&most)), "{most:?}");
        assert!(figures.windows(2).all(|pair| pair[0].checked_in <= pair[1].checked_in));
        assert!(figures.iter().all(|figures| figures.checked_in <= figures.total_registered));
        assert!(figures[599].current_attendees < 200);
    }
}
