//! A server that Google's Dialogflow clients take for Dialogflow: gRPC and REST over any agent.

mod calls;
mod grpc;
mod pages;
mod rest;
mod stream;
mod turn;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use ieum_core::{Cx, Fault, SharedClock, within};
use tonic::server::NamedService;
use tower::Service;

use crate::{Agent, ContextStore, Transcriber};
pub use rest::{is_rest, rest_refusal};

/// Limits of a server and the languages it speaks.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The languages of the agent, the one of callers that name none first. `ko` also takes `ko-KR`.
    pub languages: Vec<String>,
    /// The longest sentence, in characters; Dialogflow has 256.
    pub most_text: usize,
    /// The longest message with sound, in bytes, and the most sound of one turn.
    pub most_sound: usize,
    /// The longest turn, for callers that give no time.
    pub longest_turn: Duration,
}

/// A Dialogflow v2 server. Clones answer with the same agent.
#[derive(Clone)]
pub struct DialogflowServer {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    agent: Arc<dyn Agent>,
    contexts: Arc<dyn ContextStore>,
    transcriber: Option<Arc<dyn Transcriber>>,
    options: ServerOptions,
    clock: SharedClock,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            languages: vec!["en".to_owned(), "ko".to_owned()],
            most_text: 256,
            most_sound: 4 << 20,
            longest_turn: Duration::from_secs(60),
        }
    }
}

impl DialogflowServer {
    /// Makes a server that answers with `agent` and keeps sessions in `contexts`. Sound is handed to the agent as it
    /// is.
    pub fn new(
        agent: Arc<dyn Agent>,
        contexts: Arc<dyn ContextStore>,
        options: ServerOptions,
        clock: SharedClock,
    ) -> Self {
        Self { inner: Arc::new(Inner { agent, contexts, transcriber: None, options, clock }) }
    }

    /// Lets `transcriber` hear sound, so that the agent gets text and streams bring what was heard so far.
    #[must_use]
    pub fn with_transcriber(self, transcriber: Arc<dyn Transcriber>) -> Self {
        let Inner { agent, contexts, options, clock, .. } = &*self.inner;
        let (agent, contexts) = (Arc::clone(agent), Arc::clone(contexts));
        let (options, clock, transcriber) = (options.clone(), clock.clone(), Some(transcriber));
        Self { inner: Arc::new(Inner { agent, contexts, transcriber, options, clock }) }
    }

    /// Returns the REST routes, `/v2/projects/…`. They know nobody: who may ask is for a layer around them.
    pub fn rest(&self) -> Router {
        rest::router(Arc::clone(&self.inner))
    }

    /// Returns the gRPC routes, `/google.cloud.dialogflow.v2.…/…`. They have no fallback and merge with others on one
    /// port.
    pub fn grpc(&self) -> Router {
        grpc::router(&self.inner)
    }

    /// Returns all routes.
    pub fn router(&self) -> Router {
        self.rest().merge(self.grpc())
    }
}

impl Inner {
    /// Waits for `work` until the caller's time is over. Fails with `dialogflow.deadline`.
    async fn within<T>(
        &self,
        cx: &Cx,
        work: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        cx.check(self.clock.moment())?;
        let Some(end) = cx.deadline() else { return work.await };
        within(&self.clock, end, work).await.unwrap_or_else(|| {
            let message = "the time given was over before the answer";
            Err(Fault::deadline_exceeded("dialogflow.deadline", message))
        })
    }
}

/// Adds a gRPC service to `router` under its own name.
pub(crate) fn routed<S, R>(router: Router, service: S) -> Router
where
    S: Service<Request, Response = R, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    R: IntoResponse + 'static,
{
    router.route_service(&format!("/{}/{{method}}", S::NAME), service)
}
