//! A Dialogflow far away as an agent: within a time limit, behind a breaker, with another agent that stands in.

mod address;
mod sender;
mod stream;
mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_client::{OutboundPolicy, RestConfigError};
use ieum_core::{Code, Cx, Fault, Moment, SharedClock, within};
use ieum_policy::{
    Alternative, BreakerConfig, Guarded, Origin, PolicyConfig, PolicyHandle, PolicyRequest, PolicyService,
    PolicyStack, RetryConfig,
};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::{Agent, Detected, Query};
use sender::Sender;

pub use address::{AddressError, DialogflowAddress, Transport};
pub use stream::Heard;
pub use token::CredentialsError;

/// How a Dialogflow is called.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Time limit, breaker and the like. A turn is never repeated, whatever this says: it counts contexts down.
    pub policy: PolicyConfig,
    /// What is kept of the caller's time for whoever stands in; at most half of it.
    pub reserve: Duration,
    /// After which silence a gRPC server is asked whether it is still there.
    pub keep_alive: Duration,
    /// What REST may reach beyond the public internet.
    pub outbound: OutboundPolicy,
}

/// Calls an agent at a Dialogflow. Cheap to clone; clones share breaker and connection.
#[derive(Clone)]
pub struct DialogflowClient {
    sender: Arc<Sender>,
    policies: PolicyStack,
    service: PolicyService<Ask, Guarded<Detected>>,
    reserve: Duration,
    clock: SharedClock,
}

/// Says why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The REST client.
    #[error("setting up REST for the Dialogflow")]
    Rest(#[source] RestConfigError),
    /// The gRPC connection.
    #[error("setting up gRPC for the Dialogflow")]
    Grpc(#[source] tonic::transport::Error),
    /// The connection to an `MLService`.
    #[error(transparent)]
    Ml(crate::ml::MlError),
}

/// A turn on its way through the policies.
#[derive(Clone)]
struct Ask {
    cx: Cx,
    query: Arc<Query>,
    /// When the Dialogflow's part of the caller's time is over.
    cut: Option<Moment>,
}

impl Default for ClientOptions {
    /// 1.5 s for a turn, three failures in a row or half of twenty open the breaker for 5 s, one probe closes it.
    fn default() -> Self {
        let breaker = BreakerConfig { consecutive: Some(3), probes: 1, ..BreakerConfig::default() };
        let policy = PolicyConfig {
            timeout: Duration::from_millis(1_500),
            connect: Duration::from_secs(1),
            breaker: Some(breaker),
            ..PolicyConfig::default()
        };
        Self {
            policy,
            reserve: Duration::from_millis(200),
            keep_alive: Duration::from_secs(30),
            outbound: OutboundPolicy::default(),
        }
    }
}

// === DialogflowClient ===

impl DialogflowClient {
    /// Makes the client of the agent at `address`. `local` answers where the Dialogflow does not, within what is left
    /// of the caller's time. Nothing is sent before the first turn; must be called within a tokio runtime.
    ///
    /// # Errors
    /// Credentials that cannot be read, an address that REST may not reach.
    pub fn new(
        address: &DialogflowAddress,
        local: Option<Arc<dyn Agent>>,
        options: ClientOptions,
        clock: SharedClock,
    ) -> Result<Self, ClientError> {
        let retry = RetryConfig { attempts: 1, ..options.policy.retry.clone() };
        let policy = PolicyConfig { retry, hedge: None, ..options.policy.clone() };
        let policies = PolicyStack::new("dialogflow", &policy, clock.clone());
        let sender = Arc::new(Sender::new(address, &options, clock.clone())?);
        let link = local.map(|local| {
            BoxCloneSyncService::new(tower::service_fn(move |ask: Ask| {
                let local = Arc::clone(&local);
                async move { local.detect(&ask.cx, Query::clone(&ask.query)).await.map(Guarded::live) }
            }))
        });
        let (inner, time) = (Arc::clone(&sender), clock.clone());
        let live = tower::service_fn(move |ask: Ask| {
            let (sender, clock) = (Arc::clone(&inner), time.clone());
            // On the heap: the policies around it hand it on by value, and a turn is far down a thread's stack already.
            Box::pin(async move { cut_off(&clock, ask.cut, sender.detect(&ask.cx, &ask.query)).await })
        });
        let service = policies.apply_with(live, Alternative { link });
        Ok(Self { sender, policies, service, reserve: options.reserve, clock })
    }

    /// Understands one turn; the answer says who gave it. The query's session keeps its id, project and location are
    /// this client's own.
    ///
    /// # Errors
    /// `invalid_argument` where the Dialogflow refuses the turn itself. Without an agent that stands in also
    /// `link.timeout`, `link.breaker_open`, `dialogflow.refused` (credentials, project) and `dialogflow.connection`.
    pub async fn ask(&self, cx: &Cx, query: Query) -> Result<Guarded<Detected>, Fault> {
        let now = self.clock.moment();
        let cut = cx.time_left(now).map(|left| now + left.saturating_sub(self.reserve).max(left / 2));
        let ask = Ask { cx: cx.child(), query: Arc::new(query), cut };
        let result = self.service.clone().oneshot(ask).await;
        if let Ok(Guarded { origin: Origin::Fallback(_), .. }) = &result {
            tracing::debug!(trace = %cx.trace(), "another agent stood in for the Dialogflow");
        }
        result
    }

    /// Returns what answers: `dialogflow`, or `ml` for an `MLService`.
    pub fn engine(&self) -> &'static str {
        self.sender.engine()
    }

    /// Returns the policies, to look at and to steer.
    pub fn policies(&self) -> PolicyHandle {
        self.policies.handle()
    }
}

#[async_trait]
impl Agent for DialogflowClient {
    async fn detect(&self, cx: &Cx, query: Query) -> Result<Detected, Fault> {
        self.ask(cx, query).await.map(|answer| answer.value)
    }
}

/// Waits for the Dialogflow until its part of the caller's time is over.
async fn cut_off(
    clock: &SharedClock,
    cut: Option<Moment>,
    work: impl Future<Output = Result<Detected, Fault>> + Send,
) -> Result<Guarded<Detected>, Fault> {
    let Some(cut) = cut else { return work.await.map(Guarded::live) };
    let done = within(clock, cut, work).await.unwrap_or_else(|| {
        let message = "the Dialogflow gave no answer before its part of the caller's time was over";
        Err(Fault::deadline_exceeded("dialogflow.cut", message))
    });
    done.map(Guarded::live)
}

/// Turns what keeps this client out into something for which another agent may stand in: who speaks cannot help it.
fn kept_out(fault: Fault) -> Fault {
    match fault.code {
        Code::Unauthenticated
        | Code::PermissionDenied
        | Code::NotFound
        | Code::Unimplemented
        | Code::FailedPrecondition => Fault::unavailable("dialogflow.refused", fault.message),
        _ => fault,
    }
}

// === Ask ===

impl PolicyRequest for Ask {
    fn cx(&self) -> &Cx {
        &self.cx
    }

    fn with_cx(&mut self, cx: Cx) {
        self.cx = cx;
    }

    fn is_repeatable(&self) -> bool {
        false
    }

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn operation(&self) -> &'static str {
        "dialogflow/detect_intent"
    }

    fn is_query(&self) -> bool {
        // What a turn changes far away is that session's own contexts; another agent changes nothing there.
        true
    }
}
