//! The connection of a gRPC client: opened when needed, kept alive, opened again when it broke.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{BoxStream, Stream, StreamExt};
use ieum_core::{Cx, Moment};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

/// How a connection is kept.
#[derive(Clone, Copy, Debug)]
pub struct ChannelOptions {
    /// The longest time for a connection to come about.
    pub connect: Duration,
    /// After which silence the other side is asked whether it is still there, and how long it may take to say so.
    pub keep_alive: Duration,
}

/// The messages that a client sends. A type of its own: rustc cannot prove of a future that holds a boxed stream, whose
/// lifetime it has forgotten, that it may go to another thread.
pub struct Outgoing<T>(BoxStream<'static, T>);

impl<T> Outgoing<T> {
    pub fn new(messages: impl Stream<Item = T> + Send + 'static) -> Self {
        Self(messages.boxed())
    }
}

impl<T> Stream for Outgoing<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_next_unpin(task)
    }
}

/// Returns the connection to `origin` (`http://host:port` or `https://…`). Nothing is sent before the first call;
/// must be called within a tokio runtime.
pub fn open(origin: &str, options: ChannelOptions) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(origin.to_owned())?
        .user_agent(concat!("ieum/", env!("CARGO_PKG_VERSION")))?
        .connect_timeout(options.connect)
        .http2_keep_alive_interval(options.keep_alive)
        .keep_alive_timeout(options.keep_alive)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    let endpoint = if origin.starts_with("https://") {
        endpoint.tls_config(ClientTlsConfig::new().with_webpki_roots())?
    } else {
        endpoint
    };
    Ok(endpoint.connect_lazy())
}

/// Returns `message` as a request that carries the context and the time left.
pub fn request<T>(message: T, cx: &Cx, now: Moment) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in cx.to_pairs(now) {
        let key = MetadataKey::<Ascii>::from_bytes(name.as_bytes());
        if let (Ok(key), Ok(value)) = (key, MetadataValue::try_from(value)) {
            request.metadata_mut().insert(key, value);
        }
    }
    if let Some(left) = cx.time_left(now) {
        request.set_timeout(left);
    }
    request
}
