//! Serves a router over HTTP/1.1 and HTTP/2 on one port, lets go of who is silent, and drains when told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use futures::future::{Either, select};
use http::{Extensions, Method, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ieum_core::SharedClock;
use tokio::task::JoinSet;
use tower::{Service, ServiceExt, service_fn};

use crate::pace::{Pace, paced};
use crate::quiet::{RunningBody, Traffic};

/// Limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// How long a peer may take to send a request's headers.
    pub header_read: Duration,
    /// How a request's body must come; who keeps it waiting is answered with 408 and the connection closed. Calls of gRPC,
    /// WebSockets and answers that go on are not meant.
    pub body: Pace,
    /// After which time without a request a connection is closed.
    pub silent: Duration,
    /// After which silence a peer on HTTP/2 is asked whether it is still there.
    pub keep_alive: Duration,
    /// How long requests may still run after the stop was asked for.
    pub drain: Duration,
    /// The most streams at once over one HTTP/2 connection.
    pub streams: u32,
}

/// Where a connection comes from, as its requests tell it.
pub trait Remote: Clone + Send + Sync + 'static {
    /// Puts what is known of the peer among a request's extensions.
    fn tell(&self, extensions: &mut Extensions);
}

impl Remote for SocketAddr {
    fn tell(&self, extensions: &mut Extensions) {
        extensions.insert(ConnectInfo(*self));
    }
}

/// How a server ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drained {
    /// Connections that were still busy at the end of the drain time and were cut.
    pub cut: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(30),
            body: Pace { idle: Duration::from_secs(30), bytes_a_second: 500 },
            silent: Duration::from_secs(180),
            keep_alive: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            streams: 1_000,
        }
    }
}

/// Serves `router` on `listener` until `shutdown` completes, then lets running requests finish within
/// [`ServeOptions::drain`]. Requests carry the peer's address as [`ConnectInfo`]. HTTP/2 is taken with
/// prior knowledge (RFC 9113 §3.3), so that REST and gRPC share the port.
pub async fn serve<L>(
    mut listener: L,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
    options: ServeOptions,
    clock: SharedClock,
) -> Drained
where
    L: Listener,
    L::Addr: Remote,
{
    let builder = builder(options);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            // In this order a flood of connections never hides the end, and a simulated storm is the same twice.
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = accepted;
        let traffic = Traffic::new(clock.clone());
        let service = answering(router.clone(), peer, traffic.clone(), options.body, clock.clone());
        let connection = builder
            .serve_connection_with_upgrades(TokioIo::new(socket), TowerToHyperService::new(service))
            .into_owned();
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            tokio::select! {
                biased;
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(error = %error, "connection ended early");
                },
                () = traffic.silent(options.silent) => tracing::debug!("a silent connection is closed"),
            }
        });
    }
    drop(listener);
    drain(graceful, connections, clock.sleep(options.drain)).await
}

/// Answers the requests of one connection by `router`.
fn answering<P: Remote>(
    router: Router,
    peer: P,
    traffic: Traffic,
    pace: Pace,
    clock: SharedClock,
) -> impl Service<Request<Incoming>, Response = http::Response<RunningBody>, Error = Infallible, Future: Send>
+ Clone {
    service_fn(move |request: Request<Incoming>| {
        let running = traffic.begin();
        let is_tunnel = request.method() == Method::CONNECT;
        let (mut request, verdict) = paced(request, pace, &clock);
        peer.tell(request.extensions_mut());
        let answer = router.clone().oneshot(request);
        async move {
            let Ok(response) = answer.await;
            let response = match verdict {
                Some(verdict) => verdict.apply(response),
                None => response,
            };
            Ok(if is_tunnel { running.forever(response) } else { running.within(response) })
        }
    })
}

fn builder(options: ServeOptions) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(options.header_read);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(options.keep_alive)
        .keep_alive_timeout(options.keep_alive)
        .max_concurrent_streams(options.streams)
        .enable_connect_protocol();
    builder
}

async fn drain(
    graceful: GracefulShutdown,
    mut connections: JoinSet<()>,
    late: impl Future<Output = ()> + Unpin,
) -> Drained {
    match select(Box::pin(graceful.shutdown()), late).await {
        Either::Left(_) => Drained { cut: 0 },
        Either::Right(_) => {
            while connections.try_join_next().is_some() {}
            let cut = connections.len();
            connections.shutdown().await;
            Drained { cut }
        }
    }
}
