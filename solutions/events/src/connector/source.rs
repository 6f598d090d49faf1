//! The client through which a connector asks its source: one rate budget for polls, first syncs, sweeps, hints and
//! health checks together, and what the answers told of time and limits.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use ieum_client::{Request, Response, RestClient, RestConfig};
use ieum_core::{Cx, Fault, Moment, SharedClock, Timestamp};
use ieum_policy::Gcra;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use super::headers;

/// The longest a request waits for its turn; beyond, it fails with the time after which to come again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A client under the source's rate budget. Clones share it.
#[derive(Clone)]
pub struct SourceClient {
    client: RestClient,
    shared: Arc<Shared>,
}

/// How many requests may be sent.
pub struct Pace {
    limit: Gcra,
    arrival: Mutex<i64>,
}

/// What a source's answers told of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The source's clock minus ours, microseconds, within a second.
    pub skew_micros: Option<i64>,
    /// What its headers say of limits.
    pub limits: Option<String>,
}

struct Shared {
    pace: Pace,
    clock: SharedClock,
    told: Mutex<Told>,
}

// === Pace ===

impl Pace {
    /// Allows `limit`.
    pub fn new(limit: Gcra) -> Self {
        Self { limit, arrival: Mutex::new(0) }
    }

    /// Takes one request out of the budget. Returns how long to wait before asking again where none is left.
    pub fn take(&self, now: Moment) -> Result<(), Duration> {
        let now = i64::try_from(now.since_start().as_micros()).unwrap_or(i64::MAX);
        let mut arrival = self.arrival.lock();
        let decision = self.limit.check(*arrival, now);
        *arrival = decision.new_arrival;
        if decision.allowed { Ok(()) } else { Err(decision.retry_after) }
    }

    /// Waits for its turn. Fails with `events.source.pace` where that is further away than requests wait.
    pub async fn wait(&self, clock: &SharedClock) -> Result<(), Fault> {
        let begun = clock.moment();
        loop {
            let now = clock.moment();
            let Err(wait) = self.take(now) else { return Ok(()) };
            if now.since(begun) + wait > LONGEST_WAIT {
                let message = format!(
                    "asking the source: its budget of {} requests per {} s is used up",
                    self.limit.rate(),
                    self.limit.per().as_secs()
                );
                return Err(Fault::resource_exhausted("events.source.pace", message).with_retry_after(wait));
            }
            clock.sleep(wait).await;
        }
    }
}

// === SourceClient ===

impl SourceClient {
    /// Puts `client` under a budget of its own.
    pub fn new(client: RestClient, pace: Pace, clock: SharedClock) -> Self {
        Self { client, shared: Arc::new(Shared { pace, clock, told: Mutex::default() }) }
    }

    /// Returns a client for another address of the same source, under the same budget.
    pub fn beside(&self, client: RestClient) -> Self {
        Self { client, shared: self.shared.clone() }
    }

    /// Sends a request when its turn comes. Fails as [`RestClient::send`] and with `events.source.pace`.
    pub async fn send(&self, cx: &Cx, request: Request) -> Result<Response, Fault> {
        self.shared.pace.wait(&self.shared.clock).await?;
        let asked_at = self.shared.clock.now();
        let response = self.client.send(cx, request).await?;
        self.note(&response.headers, asked_at);
        Ok(response)
    }

    /// Gets `path`. Fails as [`SourceClient::send`].
    pub async fn get(&self, cx: &Cx, path: &str) -> Result<Response, Fault> {
        self.send(cx, Request::new(Method::GET, path)).await
    }

    /// Gets `path` and reads the answer as JSON. Fails as [`SourceClient::send`] and with `client.bad_json`.
    pub async fn get_json<T: DeserializeOwned>(&self, cx: &Cx, path: &str) -> Result<T, Fault> {
        let accept = HeaderValue::from_static("application/json");
        self.send(cx, Request::new(Method::GET, path).header(header::ACCEPT, accept)).await?.json()
    }

    /// Returns the settings. Secrets in them do not print.
    pub fn config(&self) -> &RestConfig {
        self.client.config()
    }

    /// Returns what the answers told so far.
    pub fn told(&self) -> Told {
        self.shared.told.lock().clone()
    }

    fn note(&self, headers: &HeaderMap, asked_at: Timestamp) {
        let now = self.shared.clock.now();
        let mut told = self.shared.told.lock();
        if let Some(date) = headers::date(headers) {
            told.skew_micros = Some(skew_micros(date, asked_at, now));
        }
        if let Some(limits) = headers::limits(headers) {
            told.limits = Some(limits);
        }
    }
}

/// Returns how far a source's clock is ahead of ours that told `date` between `asked_at` and `now`: whatever the time
/// between the two explains is no difference.
fn skew_micros(date: Timestamp, asked_at: Timestamp, now: Timestamp) -> i64 {
    // The header has whole seconds; the source's clock stands half a second further in the mean.
    let theirs = date.as_micros() + 500_000;
    let (earliest, latest) = (asked_at.as_micros(), now.as_micros());
    if theirs > latest { theirs - latest } else { (theirs - earliest).min(0) }
}

#[cfg(test)]
mod tests {
    use ieum_core::{Clock, ManualClock};

    use super::*;

    fn pace() -> Pace {
        Pace::new(Gcra::new(60, Duration::from_secs(60), 5).expect("is a limit"))
    }

    #[test]
    fn a_clock_is_off_by_what_the_time_of_the_answer_does_not_explain() {
        let at = |millis: i64| Timestamp::from_millis(1_800_000_000_000 + millis);
        let off = |date, asked, now| skew_micros(at(date), at(asked), at(now)) / 1_000;
        assert_eq!(off(90_000, 400, 600), 89_900);
        assert_eq!(off(-90_000, 400, 600), -89_900);
        assert_eq!(off(0, 400, 600), 0);
        assert_eq!(off(2_000, 400, 8_000), 0, "an answer that took long says little of the clock");
        assert_eq!(off(-5_000, 400, 8_000), -4_900);
    }

    #[test]
    fn whoever_asks_takes_from_the_same_budget_and_the_rest_is_told_when() {
        let (pace, clock) = (pace(), ManualClock::default());
        for _ in 0..5 {
            assert_eq!(pace.take(clock.moment()), Ok(()));
        }
        assert_eq!(pace.take(clock.moment()), Err(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(pace.take(clock.moment()), Ok(()));
    }

    #[tokio::test]
    async fn no_hour_holds_more_requests_than_the_budget_whatever_polls_and_sweeps_want() {
        let (pace, clock) = (Arc::new(pace()), ManualClock::default());
        let sent = Arc::new(Mutex::new(0_u32));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (pace, clock, sent) = (pace.clone(), clock.shared(), sent.clone());
                tokio::spawn(async move {
                    loop {
                        match pace.wait(&clock).await {
                            Ok(()) => *sent.lock() += 1,
                            Err(fault) => clock.sleep(fault.retry_after.expect("is told when")).await,
                        }
                    }
                })
            })
            .collect();
        for _ in 0..3_600 {
            clock.advance(Duration::from_secs(1));
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        }
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        let sent = *sent.lock();
        assert!((3_000..=3_606).contains(&sent), "{sent} requests in an hour at 60 per minute");
    }
}
