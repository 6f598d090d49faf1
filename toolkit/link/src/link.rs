//! The link: the untyped way to an answerer, wherever it is.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use ieum_core::{BoxFuture, Cx, Fault};
use ieum_policy::Guarded;
use tower::{Service, ServiceExt};

use crate::{Call, Message, Operation, Payload, Reply};

/// What the far side of a stream receives; an error is the last item.
pub type Incoming<T> = BoxStream<'static, Result<T, Fault>>;
/// What the far side of a stream sends; an error is the last item.
pub type Outgoing<T> = BoxStream<'static, Result<T, Fault>>;

/// Carries one message out and one back.
pub trait UnaryLink: Send + Sync + 'static {
    /// Sends `call`. The future owns all it needs and stops the work when dropped.
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>>;
}

/// Carries a stream of messages both ways.
pub trait StreamLink: Send + Sync + 'static {
    /// Opens `operation`; never repeated by anybody.
    fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> BoxFuture<'static, Result<Outgoing<Payload>, Fault>>;
}

/// A way to an answerer. Cloning copies two pointers.
#[derive(Clone)]
pub struct Link {
    unary: Arc<dyn UnaryLink>,
    streams: Option<Arc<dyn StreamLink>>,
}

struct TowerLink<S>(S);

// === Link ===

impl Link {
    /// Makes a link of a tower service; it carries no streams until [`Link::with_streams`].
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Call, Response = Reply, Error = Fault> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self::from_unary(Arc::new(TowerLink(service)))
    }

    /// Makes a link of what carries single messages.
    pub fn from_unary(unary: Arc<dyn UnaryLink>) -> Self {
        Self { unary, streams: None }
    }

    /// Returns the link, carrying streams over `streams`.
    #[must_use]
    pub fn with_streams(mut self, streams: Arc<dyn StreamLink>) -> Self {
        self.streams = Some(streams);
        self
    }

    /// Returns the link, carrying streams the way `other` does.
    #[must_use]
    pub fn with_streams_of(mut self, other: &Self) -> Self {
        self.streams.clone_from(&other.streams);
        self
    }

    /// Returns the link with its single messages going through `wrap`; streams stay as they are, since a
    /// stream is never repeated.
    #[must_use]
    pub fn wrap(self, wrap: impl FnOnce(Arc<dyn UnaryLink>) -> Arc<dyn UnaryLink>) -> Self {
        Self { unary: wrap(self.unary), streams: self.streams }
    }

    /// Sends one untyped call.
    pub fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        self.unary.call(call)
    }

    /// Sends `message` and returns the answer.
    pub async fn unary<A: Message, B: Message>(
        &self,
        operation: &'static Operation,
        cx: &Cx,
        message: A,
    ) -> Result<B, Fault> {
        let call = Call { operation, cx: cx.clone(), payload: Payload::value(message) };
        self.unary.call(call).await?.payload.into_answer(operation.path)
    }

    /// Sends `message` and returns the answer marked with where it came from: live or a fallback.
    pub async fn unary_marked<A: Message, B: Message>(
        &self,
        operation: &'static Operation,
        cx: &Cx,
        message: A,
    ) -> Result<Guarded<B>, Fault> {
        let call = Call { operation, cx: cx.clone(), payload: Payload::value(message) };
        let reply = self.unary.call(call).await?;
        Ok(Guarded { value: reply.payload.into_answer(operation.path)?, origin: reply.origin })
    }

    /// Opens an untyped stream. Fails with `link.no_streams` where this link carries none.
    pub fn open(
        &self,
        operation: &'static Operation,
        cx: Cx,
        incoming: Incoming<Payload>,
    ) -> BoxFuture<'static, Result<Outgoing<Payload>, Fault>> {
        match &self.streams {
            Some(streams) => streams.open(operation, cx, incoming),
            None => {
                let message = format!("opening {} over a link that carries no streams", operation.path);
                Box::pin(std::future::ready(Err(Fault::unimplemented("link.no_streams", message))))
            }
        }
    }

    /// Opens a stream of messages both ways.
    pub async fn stream<A: Message, B: Message>(
        &self,
        operation: &'static Operation,
        cx: &Cx,
        incoming: Incoming<A>,
    ) -> Result<Outgoing<B>, Fault> {
        let incoming = incoming.map(|item| item.map(Payload::value)).boxed();
        let outgoing = self.open(operation, cx.clone(), incoming).await?;
        Ok(outgoing.map(|item| item.and_then(|payload| payload.into_answer(operation.path))).boxed())
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Link").field("streams", &self.streams.is_some()).finish_non_exhaustive()
    }
}

impl Service<Call> for Link {
    type Response = Reply;
    type Error = Fault;
    type Future = BoxFuture<'static, Result<Reply, Fault>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Fault>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        self.unary.call(call)
    }
}

// === TowerLink ===

impl<S> UnaryLink for TowerLink<S>
where
    S: Service<Call, Response = Reply, Error = Fault> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        Box::pin(self.0.clone().oneshot(call))
    }
}

/// Names the value within an operation's `Result`, for the client's `…_marked` methods.
pub trait Answer {
    /// What the operation answers.
    type Value;
}

impl<T> Answer for Result<T, Fault> {
    type Value = T;
}
