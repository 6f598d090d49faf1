//! A fault proxy for whole HTTP/1.1 exchanges: drops, delays, duplicates and reorders requests.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ieum_core::{Clock, SystemClock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dice::{Dice, Fate};
use super::{FaultCounts, FaultError, FaultPlan, upstream_address};

/// A running proxy. Dropping it closes its port and all its connections.
///
/// Requests and answers are held in memory as a whole; streams of unknown length do not pass. A server that
/// cannot be reached is answered with 502.
pub struct HttpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

struct Shared {
    upstream: SocketAddr,
    dice: Dice,
    /// How many requests have passed; a held one waits for it to move.
    passed: watch::Sender<u64>,
}

/// Ends the client's connection without an answer.
#[derive(Debug)]
struct Dropped;

impl HttpProxy {
    /// Opens a free port on 127.0.0.1 and forwards to `upstream` (`host:port` or `http://host:port`).
    ///
    /// # Errors
    /// [`FaultError`] for an address or plan that cannot be read and when no port opens.
    pub async fn start(upstream: &str, plan: FaultPlan) -> Result<Self, FaultError> {
        plan.check()?;
        let upstream = upstream_address(upstream)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(FaultError::Listen)?;
        let address = listener.local_addr().map_err(FaultError::Listen)?;
        let shared = Arc::new(Shared { upstream, dice: Dice::new(plan), passed: watch::Sender::new(0) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Returns the address that clients shall use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL that clients shall use, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what it has done so far.
    pub fn counts(&self) -> FaultCounts {
        self.shared.dice.counts()
    }

    /// Takes another plan, and its seed, from the next request on.
    ///
    /// # Errors
    /// [`FaultError::Plan`] for a rate outside 0 to 1; the old plan then stays.
    pub fn change(&self, plan: FaultPlan) -> Result<(), FaultError> {
        plan.check()?;
        self.shared.dice.change(plan);
        Ok(())
    }
}

impl Drop for HttpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborting this task drops the set, which ends every connection.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Small answers must not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| pass(Arc::clone(&shared), request));
            // An error is a drop that was drawn, or a client that left.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn pass(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    shared.dice.count(|counts| counts.arrived += 1);
    let fate = shared.dice.draw();
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    if fate.drop_before {
        shared.dice.count(|counts| counts.dropped_before += 1);
        return Err(Dropped);
    }
    hold(&shared, fate).await;
    let copy = || Request::from_parts(head.clone(), Full::new(body.clone()));
    let mut answer = exchange(&shared, copy()).await;
    if fate.duplicate {
        shared.dice.count(|counts| counts.duplicated += 1);
        let second = exchange(&shared, copy()).await;
        if fate.answer_second {
            answer = second;
        }
    }
    shared.passed.send_modify(|passed| *passed += 1);
    if fate.drop_after {
        shared.dice.count(|counts| counts.dropped_after += 1);
        return Err(Dropped);
    }
    Ok(answer)
}

/// Holds a request back as its fate says.
async fn hold(shared: &Shared, fate: Fate) {
    if let Some(delay) = fate.delay {
        shared.dice.count(|counts| counts.delayed += 1);
        SystemClock.sleep(delay).await;
    }
    if fate.reorder {
        let mut passed = shared.passed.subscribe();
        let overtaken = passed.changed();
        let give_up = SystemClock.sleep(shared.dice.plan().delay_most);
        tokio::select! {
            _ = overtaken => shared.dice.count(|counts| counts.reordered += 1),
            () = give_up => shared.dice.count(|counts| counts.delayed += 1),
        }
    }
}

async fn exchange(shared: &Shared, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
    let unreachable = |error: &dyn fmt::Display| {
        let text = format!("fault proxy: reaching {}: {error}", shared.upstream);
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    };
    match try_exchange(shared, request).await {
        Ok(response) => response,
        Err(error) => unreachable(&error),
    }
}

async fn try_exchange(
    shared: &Shared,
    request: Request<Full<Bytes>>,
) -> Result<Response<Full<Bytes>>, ExchangeError> {
    let stream = TcpStream::connect(shared.upstream).await.map_err(ExchangeError::Connect)?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(ExchangeError::Send)?;
    let driving = tokio::spawn(connection);
    shared.dice.count(|counts| counts.forwarded += 1);
    let response = sender.send_request(request).await.map_err(ExchangeError::Send)?;
    let (mut head, body) = response.into_parts();
    let body = body.collect().await.map_err(ExchangeError::Send)?.to_bytes();
    driving.abort();
    // The body is whole by now, so hyper writes its own length.
    head.headers.remove(hyper::header::TRANSFER_ENCODING);
    head.headers.remove(hyper::header::CONNECTION);
    Ok(Response::from_parts(head, Full::new(body)))
}

#[derive(Debug, thiserror::Error)]
enum ExchangeError {
    #[error("connecting: {0}")]
    Connect(std::io::Error),
    #[error("exchanging: {0}")]
    Send(hyper::Error),
}

impl fmt::Display for Dropped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("dropped by the fault plan")
    }
}

impl std::error::Error for Dropped {}
