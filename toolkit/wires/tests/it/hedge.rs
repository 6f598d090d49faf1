//! Hedging over real connections: one slow answer is beaten by its twin, and the answerer's work stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ieum_core::{Cx, Fault, system_clock};
use ieum_link::{Link, contract};
use ieum_policy::{HedgeAfter, HedgeConfig, PolicyConfig, PolicyStack};
use ieum_wires::modes::{Mode, open};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::sample::Nothing;
use crate::suite::soon;

/// Which send was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Served {
    pub attempt: u32,
}

/// Answers slowly at first.
#[contract("sample.counter")]
pub trait Counter: Send + Sync {
    /// Never answers a first send, and every other one at once.
    #[query]
    async fn ask(&self, cx: &Cx, ask: Nothing) -> Result<Served, Fault>;
}

#[derive(Clone)]
struct SlowAtFirst {
    sends: Arc<AtomicUsize>,
    stopped: watch::Sender<usize>,
}

/// Tells that the work it stands in was dropped.
struct Working(watch::Sender<usize>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.send_modify(|stopped| *stopped += 1);
    }
}

#[ieum_link::async_trait]
impl Counter for SlowAtFirst {
    async fn ask(&self, cx: &Cx, _: Nothing) -> Result<Served, Fault> {
        self.sends.fetch_add(1, Ordering::SeqCst);
        if cx.attempt() == 0 {
            let _working = Working(self.stopped.clone());
            std::future::pending::<()>().await;
        }
        Ok(Served { attempt: cx.attempt() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slow_answer_is_beaten_by_its_twin_over_every_wire() {
    for mode in [Mode::Local, Mode::Http, Mode::Grpc] {
        let answerer = SlowAtFirst { sends: Arc::default(), stopped: watch::Sender::new(0) };
        let mut stopped = answerer.stopped.subscribe();
        let routes = CounterRoutes::of(Arc::new(answerer.clone()));
        let (link, _server) = open(mode, routes, system_clock()).await.expect("a port is free");
        let after = HedgeAfter::Fixed(Duration::from_millis(50));
        let hedge = Some(HedgeConfig { after, ..HedgeConfig::default() });
        let config = PolicyConfig { hedge, timeout: Duration::from_secs(60), ..PolicyConfig::default() };
        let stack = PolicyStack::new("counter", &config, system_clock());
        let counter = CounterClient::new(Link::new(stack.apply(link)));
        let served = soon("the twin's answer", counter.ask(&Cx::root(), Nothing {})).await.expect("answers");
        assert_eq!(served.attempt, 1, "{mode:?}: the mark travels");
        assert_eq!(answerer.sends.load(Ordering::SeqCst), 2, "{mode:?}");
        soon("the loser's end", stopped.wait_for(|stopped| *stopped == 1)).await.expect("is counted");
        let counts = stack.handle().snapshot().hedges.expect("is hedged");
        assert_eq!((counts.sent, counts.won), (1, 1), "{mode:?}");
    }
}
