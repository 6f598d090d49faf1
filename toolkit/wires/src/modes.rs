//! Every way in which a contract can be met from one process, so that a contract's suite runs over each.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use ieum_core::SharedClock;
use ieum_link::{Contract, Kind, Link, Routes, local_link, loopback};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::discovery::{Instance, Static};
use crate::grpc::{self, GrpcWire, GrpcWireConfig};
use crate::http::{self as links, HttpWire, HttpWireConfig};
use crate::serve::{Drained, ServeOptions, serve};

/// A way to meet a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Mode {
    /// In process, the value handed over.
    Local,
    /// In process, encoded, what may be repeated sent twice.
    Loopback,
    /// Over HTTP through a real socket.
    Http,
    /// Over gRPC through a real socket.
    Grpc,
}

/// A server of links on a free port of this machine, until it is stopped or dropped.
pub struct LinkServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Drained>,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Local, Self::Loopback, Self::Http, Self::Grpc];

    /// Tells whether messages are encoded on the way.
    pub const fn encodes(self) -> bool {
        !matches!(self, Self::Local)
    }

    /// Tells whether streams are carried.
    pub const fn carries_streams(self) -> bool {
        !matches!(self, Self::Http)
    }
}

/// Makes the router of a process that serves `routes` and nothing else: HTTP, gRPC, and a 404 for the rest.
pub fn router(routes: Routes, clock: SharedClock) -> Router {
    let served: Arc<[&'static Contract]> = routes.contracts().into();
    links::serve_links(routes.clone(), Arc::clone(&clock))
        .merge(grpc::serve_links(routes, clock))
        .fallback(move |request: axum::extract::Request| async move { unserved(&served, &request) })
}

fn unserved(served: &[&'static Contract], request: &axum::extract::Request) -> Response {
    let answer = grpc::unserved(served, request.uri(), request.headers());
    answer.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

impl LinkServer {
    /// Serves `router` on a free port of the loopback address. Fails where no port is free.
    pub async fn start(router: Router, clock: SharedClock) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            // A dropped sender stops the server as well.
            let _ = stopped.await;
        };
        let ended = tokio::spawn(serve(listener, router, stopped, ServeOptions::default(), clock));
        Ok(Self { address, stop: Some(stop), ended })
    }

    /// Returns where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the discovery of this one instance.
    pub fn instances(&self) -> Arc<Static> {
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        Arc::new(Static::new(Instance::new("http", &host, port), []))
    }

    /// Stops taking requests and waits for those under way.
    pub async fn stop(mut self) -> Drained {
        drop(self.stop.take());
        self.ended.await.unwrap_or(Drained { cut: 0 })
    }
}

/// Opens `routes` in `mode`, without policies. The server is `None` in process. Fails where no port is free.
pub async fn open(
    mode: Mode,
    routes: Routes,
    clock: SharedClock,
) -> std::io::Result<(Link, Option<LinkServer>)> {
    Ok(match mode {
        Mode::Local => (local_link(routes, clock), None),
        Mode::Loopback => (loopback(routes, clock), None),
        Mode::Http => {
            let server = LinkServer::start(router(routes, Arc::clone(&clock)), Arc::clone(&clock)).await?;
            let wire = HttpWire::new(HttpWireConfig::new(server.instances()), clock);
            (wire.link(), Some(server))
        }
        Mode::Grpc => {
            let server = LinkServer::start(router(routes, Arc::clone(&clock)), Arc::clone(&clock)).await?;
            let wire = GrpcWire::connect_lazy(GrpcWireConfig::new(server.instances()), clock);
            (wire.link(), Some(server))
        }
    })
}

/// Runs `suite` over each mode that carries the contracts of `routes`, one after the other, with fresh
/// routes each time. Fails where no port is free.
pub async fn for_every_mode<R, S, F>(routes: R, clock: SharedClock, suite: S) -> std::io::Result<()>
where
    R: Fn() -> Routes,
    S: Fn(Mode, Link) -> F,
    F: Future<Output = ()>,
{
    for mode in Mode::ALL {
        let routes = routes();
        let carried = |contract: &&Contract| mode.carries_streams() || !contract.has(Kind::Stream);
        if !routes.contracts().iter().copied().all(|contract| carried(&contract)) {
            continue;
        }
        let (link, server) = open(mode, routes, Arc::clone(&clock)).await?;
        suite(mode, link).await;
        if let Some(server) = server {
            server.stop().await;
        }
    }
    Ok(())
}
