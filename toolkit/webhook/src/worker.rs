//! The sending loop: claims what is due, tries it within the limits, has the results written in groups.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Id, new_id};
use ieum_policy::{Outcome, Permit};
use rand::Rng;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::deliveries::{self, Claim, Claimed};
use crate::error::{WebhookError, at};
use crate::lane::{Lane, Step};
use crate::sender::Poster;
use crate::service::Shared;
use crate::settle::{self, Report, Tried};

/// The most deliveries claimed at once.
const MOST_CLAIMED: usize = 512;
/// The most reports written in one transaction.
const MOST_SETTLED: usize = 1_024;
/// How many times its concurrency an endpoint may have claimed and untried.
const CLAIMED_AHEAD: usize = 4;
/// The wait before the first look after something was accepted; doubled at each look that finds nothing.
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// The wait after the store failed.
const STORE_REST: Duration = Duration::from_millis(500);
/// Above how many endpoints idle ones are forgotten.
const MOST_IDLE_LANES: usize = 4_096;

/// A running sender. Dropping it stops at once, as a crash would; see [`Running::drain`].
pub struct Running {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// What the loop waits for.
enum News {
    Tried(Id),
    Settled { count: usize, look_again: bool },
}

struct Loop {
    shared: Arc<Shared>,
    poster: Arc<Poster>,
    owner: Arc<str>,
    lanes: HashMap<Id, Lane>,
    attempts: JoinSet<()>,
    /// Claimed and not yet written back.
    open: usize,
    /// How many looks in a row found nothing.
    idle_looks: u32,
    news: mpsc::UnboundedSender<News>,
    reports: mpsc::UnboundedSender<Report>,
}

impl Running {
    /// Starts sending what is due in the shared store.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (news, incoming) = mpsc::unbounded_channel();
        let (reports, to_settle) = mpsc::unbounded_channel();
        let owner: Arc<str> = new_id().to_string().into();
        let mut tasks = JoinSet::new();
        tasks.spawn(settle_all(Arc::clone(&shared), Arc::clone(&owner), to_settle, news.clone()));
        let poster = Poster {
            transport: Arc::clone(&shared.transport),
            clock: Arc::clone(&shared.clock),
            options: shared.options.clone(),
        };
        let sending = Loop {
            shared,
            poster: Arc::new(poster),
            owner,
            lanes: HashMap::new(),
            attempts: JoinSet::new(),
            open: 0,
            idle_looks: 0,
            news,
            reports,
        };
        tasks.spawn(sending.run(incoming, stopped));
        Self { stop, tasks }
    }

    /// Stops claiming, lets attempts under way end, writes their results.
    pub async fn drain(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

// === Loop ===

impl Loop {
    async fn run(mut self, mut incoming: mpsc::UnboundedReceiver<News>, mut stopped: watch::Receiver<bool>) {
        let clock = Arc::clone(&self.shared.clock);
        let mut wait = Duration::ZERO;
        while !*stopped.borrow() {
            let pause = clock.sleep(wait);
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                Some(news) = incoming.recv() => {
                    let mut look = self.take(news);
                    while let Ok(news) = incoming.try_recv() {
                        look |= self.take(news);
                    }
                    if look {
                        wait = Duration::ZERO;
                    }
                }
                () = shared.accepted.notified() => {
                    self.idle_looks = 0;
                    wait = Duration::ZERO;
                }
                () = pause => wait = self.look().await,
                _ = stopped.changed() => {}
            }
            while self.attempts.try_join_next().is_some() {}
        }
        self.finish(incoming).await;
    }

    /// Takes news in; returns whether it is worth to look for due deliveries.
    fn take(&mut self, news: News) -> bool {
        match news {
            News::Tried(endpoint) => {
                if let Some(lane) = self.lanes.get_mut(&endpoint) {
                    lane.ended();
                }
                self.advance(endpoint);
                false
            }
            News::Settled { count, look_again } => {
                self.open = self.open.saturating_sub(count);
                look_again
            }
        }
    }

    /// Claims what is due and returns how long to wait before the next look.
    async fn look(&mut self) -> Duration {
        let poll = self.shared.options.poll;
        let room = self.shared.options.concurrency.saturating_sub(self.open).min(MOST_CLAIMED);
        if room == 0 {
            return poll;
        }
        let claimed = match self.claim(room).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "claiming due webhooks failed");
                return STORE_REST;
            }
        };
        if claimed.is_empty() {
            self.idle_looks = self.idle_looks.saturating_add(1);
            return FIRST_LOOK.saturating_mul(1 << self.idle_looks.min(16)).min(poll);
        }
        self.idle_looks = 0;
        self.open += claimed.len();
        let mut touched = Vec::new();
        for one in claimed {
            let endpoint = one.target.endpoint.id;
            let rule = self.shared.options.breaker;
            self.lanes.entry(endpoint).or_insert_with(|| Lane::new(rule)).push(one);
            touched.push(endpoint);
        }
        touched.sort_unstable();
        touched.dedup();
        for endpoint in touched {
            self.advance(endpoint);
        }
        if self.lanes.len() > MOST_IDLE_LANES {
            self.lanes.retain(|_, lane| lane.load() > 0);
        }
        FIRST_LOOK
    }

    async fn claim(&self, room: usize) -> Result<Vec<Claimed>, WebhookError> {
        let store = &self.shared.store;
        let now = self.shared.clock.now();
        // A look that finds nothing must not cost a write transaction.
        let due = store
            .fetch_optional(
                "SELECT 1 AS due FROM ieum_webhook_delivery WHERE state = 'pending' AND due_at <= ? \
                 AND lease_until <= ? LIMIT 1",
                &[now.into(), now.into()],
            )
            .await
            .map_err(at("looking for due webhooks"))?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        let most = self.shared.options.endpoint_concurrency * CLAIMED_AHEAD;
        let full = self.lanes.iter().filter(|(_, lane)| lane.load() >= most);
        let without: Vec<String> = full.map(|(endpoint, _)| endpoint.to_string()).collect();
        let claim = Claim {
            sealer: &self.shared.sealer,
            owner: &self.owner,
            most: room,
            lease: self.shared.options.lease,
            without: &without,
        };
        let mut tx = store.begin().await.map_err(at("beginning to claim due webhooks"))?;
        let claimed = deliveries::claim(&mut tx, store.dialect(), &claim, now).await?;
        tx.commit().await.map_err(at("claiming due webhooks"))?;
        Ok(claimed)
    }

    /// Starts as many of the endpoint's attempts as may run.
    fn advance(&mut self, endpoint: Id) {
        let options = &self.shared.options;
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        loop {
            let latest = self.shared.clock.now() + options.timeout;
            match lane.next(options.endpoint_concurrency, self.shared.clock.moment(), latest) {
                Step::Nothing => return,
                Step::Forget => self.open = self.open.saturating_sub(1),
                Step::GiveBack(ids, rest) => {
                    let rest_until = Some(self.shared.clock.now() + rest);
                    for id in ids {
                        // The receiver is gone only where the whole sender is.
                        let _ = self.reports.send(Report::Released { id, endpoint, rest_until });
                    }
                    return;
                }
                Step::Send(claimed, permit) => {
                    let attempt = Attempt {
                        shared: Arc::clone(&self.shared),
                        poster: Arc::clone(&self.poster),
                        breaker: lane.breaker.clone(),
                        permit,
                    };
                    let (news, reports) = (self.news.clone(), self.reports.clone());
                    self.attempts.spawn(async move {
                        let tried = attempt.make(*claimed).await;
                        let _ = reports.send(Report::Tried(Box::new(tried)));
                        let _ = news.send(News::Tried(endpoint));
                    });
                }
            }
        }
    }

    /// Gives back what waits, lets attempts end and the settler write; then ends it.
    async fn finish(mut self, mut incoming: mpsc::UnboundedReceiver<News>) {
        for (endpoint, lane) in &mut self.lanes {
            for id in lane.take_waiting() {
                let _ = self.reports.send(Report::Released { id, endpoint: *endpoint, rest_until: None });
            }
        }
        while self.attempts.join_next().await.is_some() {}
        while self.open > 0 {
            match incoming.recv().await {
                Some(News::Settled { count, .. }) => self.open = self.open.saturating_sub(count),
                Some(News::Tried(_)) => {}
                None => return,
            }
        }
    }
}

// === Attempt ===

struct Attempt {
    shared: Arc<Shared>,
    poster: Arc<Poster>,
    breaker: ieum_policy::Breaker,
    permit: Permit,
}

impl Attempt {
    async fn make(self, claimed: Claimed) -> Tried {
        let clock = &self.shared.clock;
        let (at, begun) = (clock.now(), clock.moment());
        let answer = self.poster.post(&claimed).await;
        let (ended, over) = (clock.now(), clock.moment());
        let elapsed = over.since(begun);
        let verdict = answer.verdict(ended);
        self.breaker.record(self.permit, Outcome { ok: verdict.is_good(), elapsed }, over);
        let random: f64 = rand::rng().random();
        let attempts = claimed.attempts.saturating_add(1);
        let next = self.shared.options.schedule.after(&verdict, attempts, ended, random);
        let outcome = verdict.name();
        metrics::counter!("ieum_webhook_attempts_total", "outcome" => outcome).increment(1);
        metrics::histogram!("ieum_webhook_attempt_seconds", "outcome" => outcome)
            .record(elapsed.as_secs_f64());
        Tried { claimed, at, ended, elapsed, answer, verdict, next }
    }
}

// === Settling ===

/// Writes reports in groups: while one group is being committed, the next gathers.
async fn settle_all(
    shared: Arc<Shared>,
    owner: Arc<str>,
    mut reports: mpsc::UnboundedReceiver<Report>,
    news: mpsc::UnboundedSender<News>,
) {
    let mut group = Vec::new();
    while reports.recv_many(&mut group, MOST_SETTLED).await > 0 {
        while let Err(error) = settle_once(&shared, &owner, &group).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                attempts = group.len(),
                "writing what came of webhooks failed; trying again"
            );
            shared.clock.sleep(STORE_REST).await;
        }
        // Ordered endpoints have their next one due now; the others may have been left out for want of room.
        if news.send(News::Settled { count: group.len(), look_again: true }).is_err() {
            return;
        }
        group.clear();
    }
}

async fn settle_once(shared: &Shared, owner: &str, group: &[Report]) -> Result<(), WebhookError> {
    let now = shared.clock.now();
    let mut tx = shared.store.begin().await.map_err(at("beginning to write what came of webhooks"))?;
    let disabled = settle::settle(&mut tx, owner, group, &shared.options, now).await?;
    tx.commit().await.map_err(at("writing what came of webhooks"))?;
    for one in disabled {
        let reason = one.reason.name();
        metrics::counter!("ieum_webhook_endpoints_disabled_total", "reason" => reason).increment(1);
        tracing::warn!(endpoint = %one.endpoint, reason, "webhook endpoint disabled");
    }
    Ok(())
}
