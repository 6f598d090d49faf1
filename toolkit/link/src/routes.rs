//! What serves contracts: from `contract/method` to the handler of an implementation.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures::StreamExt;
use ieum_core::{BoxFuture, Cx, Fault};

use crate::{Contract, Incoming, Message, Operation, Outgoing, Payload};

/// Serves one operation with one message in and one out.
pub type UnaryHandler = Arc<dyn Fn(Cx, Payload) -> BoxFuture<'static, Result<Payload, Fault>> + Send + Sync>;
/// Serves one operation with a stream each way.
pub type StreamHandler =
    Arc<dyn Fn(Cx, Incoming<Payload>) -> BoxFuture<'static, Result<Outgoing<Payload>, Fault>> + Send + Sync>;

/// The handler of one operation.
#[derive(Clone)]
pub enum Route {
    /// One message in, one out.
    Unary(&'static Operation, UnaryHandler),
    /// A stream each way.
    Stream(&'static Operation, StreamHandler),
}

/// The operations that this process answers, of one contract or many.
#[derive(Clone, Default)]
pub struct Routes {
    routes: HashMap<&'static str, Route>,
    contracts: Vec<&'static Contract>,
}

impl Routes {
    /// Begins the routes of `contract`.
    pub fn new(contract: &'static Contract) -> Self {
        Self { routes: HashMap::new(), contracts: vec![contract] }
    }

    /// Begins routes of no contract, to merge others into.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Serves `operation` with `handler`.
    #[must_use]
    pub fn unary<A, B, F, Fut>(mut self, operation: &'static Operation, handler: F) -> Self
    where
        A: Message,
        B: Message,
        F: Fn(Cx, A) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<B, Fault>> + Send + 'static,
    {
        let handler: UnaryHandler = Arc::new(move |cx, payload| match payload.into_value::<A>() {
            Ok(message) => {
                let answer = handler(cx, message);
                Box::pin(async move { answer.await.map(Payload::value) })
            }
            Err(fault) => Box::pin(std::future::ready(Err(fault))),
        });
        self.routes.insert(operation.path, Route::Unary(operation, handler));
        self
    }

    /// Serves the stream `operation` with `handler`.
    #[must_use]
    pub fn stream<A, B, F, Fut>(mut self, operation: &'static Operation, handler: F) -> Self
    where
        A: Message,
        B: Message,
        F: Fn(Cx, Incoming<A>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Outgoing<B>, Fault>> + Send + 'static,
    {
        let handler: StreamHandler = Arc::new(move |cx, incoming| {
            let incoming = incoming.map(|item| item.and_then(Payload::into_value::<A>)).boxed();
            let answer = handler(cx, incoming);
            Box::pin(async move { Ok(answer.await?.map(|item| item.map(Payload::value)).boxed()) })
        });
        self.routes.insert(operation.path, Route::Stream(operation, handler));
        self
    }

    /// Returns these routes and `other`'s; where both serve an operation, `other` wins.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self.contracts.extend(other.contracts);
        self
    }

    /// Returns the route of `contract/method`.
    pub fn get(&self, path: &str) -> Option<&Route> {
        self.routes.get(path)
    }

    /// Returns the contracts served here.
    pub fn contracts(&self) -> &[&'static Contract] {
        &self.contracts
    }

    /// Tells whether `contract` is served here.
    pub fn serves(&self, contract: &str) -> bool {
        self.contracts.iter().any(|served| served.name == contract)
    }
}

impl Route {
    /// Returns the operation served.
    pub fn operation(&self) -> &'static Operation {
        match self {
            Self::Unary(operation, _) | Self::Stream(operation, _) => operation,
        }
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.contracts.iter().map(|contract| contract.name).collect();
        out.debug_tuple("Routes").field(&names).finish()
    }
}
