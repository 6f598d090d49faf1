//! Takes the hints of sources at their secret addresses: compared in constant time, short, few, once each.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, Gateway, ProblemView};
use ieum_policy::Gcra;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use crate::driver::Job;
use crate::registry::Registry;
use crate::store::Source;

/// The longest body of a hint. They are thin.
const LONGEST_HINT: usize = 64 * 1024;

/// Hints per second and source, and at once.
const HINTS: (u32, u32) = (50, 200);

/// Wrong addresses per second that one stranger may try, and at once.
const WRONG: (u32, u32) = (1, 30);

/// Most strangers that are remembered; a flood of new ones forgets the rest.
const MOST_STRANGERS: usize = 10_000;

#[derive(Clone)]
pub(crate) struct Hooks {
    registry: Arc<Registry>,
    limits: Arc<Limits>,
}

/// Who sent how much of late, by the arrival times of [`Gcra`].
#[derive(Default)]
struct Limits {
    sources: Mutex<HashMap<String, i64>>,
    strangers: Mutex<HashMap<Option<IpAddr>, i64>>,
}

/// Returns the routes at which sources knock. A source has no key and sends from where it likes, so it is
/// limited for itself and not by the public door.
pub fn router(gateway: &Gateway, registry: Arc<Registry>) -> Router {
    let hooks = Hooks { registry, limits: Arc::default() };
    let router = Router::new().route("/hooks/{source}/{secret}", post(hint)).with_state(hooks);
    gateway.frame(router)
}

/// Takes a source's hint that something changed, at the secret address that the source was given; what it holds is
/// read from the source itself.
// It answers before anything is fetched: the source may hold its own database locked until then.
#[utoipa::path(post, path = "/hooks/{source}/{secret}", tag = "hooks", operation_id = "takeHint", security(()),
    params(("source" = String, Path, description = "The event id that the source is registered under", example = "spring-concert"),
    ("secret" = String, Path, description = "The secret of the address")), responses(
    (status = 204, description = "It is taken"),
    (status = 400, description = "It is none of this source's webhooks, or the path is malformed", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "Nobody listens at this address", body = ProblemView, content_type = "application/problem+json"),
    (status = 413, description = "The body is longer than 64 KiB", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many hints, or too many wrong addresses", body = ProblemView, content_type = "application/problem+json"),
    (status = 503, description = "It cannot be taken now", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn hint(
    State(hooks): State<Hooks>,
    Path((event_id, secret)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let stranger = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let source = hooks.recognise(stranger, &event_id, &secret).await?;
    hooks.limits.pass(&event_id, hooks.registry.clock.now())?;
    // Read only now: who does not know the address sends no body into our memory.
    let body = axum::body::to_bytes(request.into_body(), LONGEST_HINT).await.map_err(|_| {
        let message =
            format!("taking a webhook: its body is longer than {LONGEST_HINT} bytes or ended early");
        let fault = Fault::invalid_argument("events.hook.body", message);
        ApiError::from(fault).with_status(StatusCode::PAYLOAD_TOO_LARGE)
    })?;
    Ok(hooks.take(&source, &event_id, &body).await?)
}

impl Hooks {
    /// Finds the source whose address it is. An unknown source and a wrong secret answer the same.
    async fn recognise(
        &self,
        stranger: Option<IpAddr>,
        event_id: &str,
        secret: &str,
    ) -> Result<Source, Fault> {
        let now = self.registry.clock.now();
        self.limits.look(stranger, now)?;
        let unknown =
            || Fault::not_found("events.hook.unknown", "taking a webhook: nobody listens at this address");
        let source = match self.registry.store.source(event_id).await {
            Ok(source) => Some(source),
            Err(fault) if fault.reason == "events.source.unknown" => None,
            Err(fault) => return Err(fault),
        };
        // Compared also where there is no source, so that both take as long.
        let known = source.as_ref().map_or("", |source| source.hook_secret.expose());
        let right = bool::from(known.as_bytes().ct_eq(secret.as_bytes()));
        let right = right && !known.is_empty();
        match source.filter(|_| right) {
            Some(source) => Ok(source),
            None => {
                self.limits.count_wrong(stranger, now);
                Err(unknown())
            }
        }
    }

    async fn take(&self, source: &Source, event_id: &str, body: &Bytes) -> Result<StatusCode, Fault> {
        let connector = self.registry.collector.connector(&source.config)?;
        let Some(hint) = connector.read_hint(body)? else { return Ok(StatusCode::NO_CONTENT) };
        let is_new = self.registry.store.save_hint(event_id, &hint, self.registry.clock.now()).await?;
        if is_new {
            self.registry.driver.hasten(&Job::Hints(event_id.to_owned()));
        }
        metrics::counter!("ieum_events_hints_total", "new" => if is_new { "true" } else { "false" })
            .increment(1);
        Ok(StatusCode::NO_CONTENT)
    }
}

impl Limits {
    /// Counts a hint of a source. Only who knows its address comes this far, so that the map stays small.
    fn pass(&self, event_id: &str, now: Timestamp) -> Result<(), Fault> {
        let Ok(limit) = Gcra::new(HINTS.0, Duration::from_secs(1), HINTS.1) else { return Ok(()) };
        let mut sources = self.sources.lock();
        let arrival = sources.entry(event_id.to_owned()).or_insert(0);
        let decision = limit.check(*arrival, now.as_micros());
        *arrival = decision.new_arrival;
        if decision.allowed {
            return Ok(());
        }
        let message = format!("taking a webhook of {event_id}: more than {} per second", HINTS.0);
        Err(Fault::resource_exhausted("events.hook.too_many", message).with_retry_after(decision.retry_after))
    }

    /// Refuses who tried too many wrong addresses of late.
    fn look(&self, stranger: Option<IpAddr>, now: Timestamp) -> Result<(), Fault> {
        let Ok(limit) = Gcra::new(WRONG.0, Duration::from_secs(1), WRONG.1) else { return Ok(()) };
        let arrival = self.strangers.lock().get(&stranger).copied().unwrap_or(0);
        let decision = limit.check(arrival, now.as_micros());
        if decision.allowed {
            return Ok(());
        }
        let message = "taking a webhook: too many wrong addresses were tried from there";
        Err(Fault::resource_exhausted("events.hook.too_many_wrong", message)
            .with_retry_after(decision.retry_after))
    }

    fn count_wrong(&self, stranger: Option<IpAddr>, now: Timestamp) {
        let Ok(limit) = Gcra::new(WRONG.0, Duration::from_secs(1), WRONG.1) else { return };
        let mut strangers = self.strangers.lock();
        if strangers.len() >= MOST_STRANGERS {
            strangers.clear();
        }
        let arrival = strangers.entry(stranger).or_insert(0);
        *arrival = limit.check(*arrival, now.as_micros()).new_arrival;
    }
}
