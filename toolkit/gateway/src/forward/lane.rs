//! Kept connections to one server. Who uses a connection runs it, so no task of its own has to be woken.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::trust::Trust;
use super::{ForwardError, ForwardOptions};

/// The connections to one server.
pub(super) struct Lanes {
    host: String,
    port: u16,
    base: String,
    authority: HeaderValue,
    /// What the server must prove, over `https://`.
    trust: Option<Trust>,
    /// Used last first: what a quiet hour does not need, the server may close.
    idle: Mutex<VecDeque<Box<Lane>>>,
    most: usize,
}

/// A connection, plain or encrypted.
type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// One connection and the right to send on it.
pub(super) struct Lane {
    sender: SendRequest<Body>,
    connection: Connection<TokioIo<Socket>, Body>,
    ended: bool,
}

/// Says which step of sending failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("finding the address of {host}")]
    Resolve {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("connecting to the server behind this path")]
    Connect {
        #[source]
        source: std::io::Error,
    },
    #[error("agreeing on TLS with the server behind this path")]
    Tls {
        #[source]
        source: std::io::Error,
    },
    #[error("the server behind this path showed a certificate that does not count here")]
    Untrusted {
        #[source]
        source: std::io::Error,
    },
    #[error("beginning to speak with the server behind this path")]
    Handshake(#[source] hyper::Error),
    #[error("the request's body could not be read")]
    Body(#[source] hyper::Error),
    #[error("the server behind this path ended its answer early or answered nonsense")]
    Broken(#[source] hyper::Error),
    #[error("the server behind this path did not answer within {after:?}")]
    Late { after: Duration },
}

/// Most kept connections that may turn out to be closed before a new one is made.
const STALE: usize = 8;

// === Lanes ===

impl Lanes {
    pub fn new(options: &ForwardOptions) -> Result<Self, ForwardError> {
        let (to, most) = (&options.to, options.most_at_once);
        let host = to.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = to.port_or_known_default().unwrap_or(80);
        let named = to.port().map_or_else(
            || to.host_str().unwrap_or_default().to_owned(),
            |port| format!("{}:{port}", to.host_str().unwrap_or_default()),
        );
        let authority = HeaderValue::from_str(&named)
            .map_err(|_| ForwardError::To { problem: "the host fits no header" })?;
        let base = to.path().trim_end_matches('/').to_owned();
        let trust = Trust::of(options)?;
        Ok(Self { host, port, base, authority, trust, idle: Mutex::default(), most })
    }

    /// Returns what goes before the path, with no slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Sends a request and waits for the head of its answer. A kept connection that was closed meanwhile
    /// gives the request back unsent; only then it goes over another.
    pub async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<(Response<Incoming>, Box<Lane>), SendError> {
        for _ in 0..STALE {
            let Some(mut lane) = self.idle.lock().pop_back() else { break };
            match lane.send(request).await {
                Ok(response) => return Ok((response, lane)),
                Err(Unanswered::Unsent(back)) => request = *back,
                Err(Unanswered::Failed(error)) => return Err(error),
            }
        }
        let mut lane = Box::pin(self.open()).await?;
        match lane.send(request).await {
            Ok(response) => Ok((response, lane)),
            Err(Unanswered::Failed(error)) => Err(error),
            Err(Unanswered::Unsent(_)) => Err(SendError::Connect {
                source: std::io::Error::new(std::io::ErrorKind::ConnectionReset, "closed at once"),
            }),
        }
    }

    async fn open(&self) -> Result<Box<Lane>, SendError> {
        let resolved = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let addresses = resolved.map_err(|source| SendError::Resolve { host: self.host.clone(), source })?;
        let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(socket) => {
                    // A request that waits for the one before to be acknowledged would wait 40 ms.
                    socket.set_nodelay(true).map_err(|source| SendError::Connect { source })?;
                    let socket = match &self.trust {
                        None => Either::Left(socket),
                        Some(trust) => Either::Right(Box::new(trust.agree(socket).await?)),
                    };
                    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await;
                    let (sender, connection) = shaken.map_err(SendError::Handshake)?;
                    return Ok(Box::new(Lane { sender, connection, ended: false }));
                }
                Err(error) => last = error,
            }
        }
        Err(SendError::Connect { source: last })
    }

    /// Keeps a connection whose answer was read to its end, unless it is still sending: a server may answer
    /// before it has read everything, and the next request must not wait for this one's caller.
    pub fn keep(&self, mut lane: Box<Lane>) {
        lane.run(&mut Context::from_waker(Waker::noop()));
        if lane.ended || !lane.sender.is_ready() {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.len() >= self.most {
            idle.pop_front();
        }
        idle.push_back(lane);
    }
}

// === Lane ===

enum Unanswered {
    /// Not a byte of it was sent.
    Unsent(Box<Request<Body>>),
    Failed(SendError),
}

impl Lane {
    /// Runs the connection as far as it goes now.
    pub fn run(&mut self, cx: &mut Context<'_>) {
        if !self.ended && Pin::new(&mut self.connection).poll(cx).is_ready() {
            self.ended = true;
        }
    }

    async fn ready(&mut self) -> bool {
        poll_fn(|cx| {
            self.run(cx);
            match self.sender.poll_ready(cx) {
                Poll::Ready(ready) => Poll::Ready(ready.is_ok() && !self.ended),
                Poll::Pending if self.ended => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        if !self.ready().await {
            return Err(Unanswered::Unsent(Box::new(request)));
        }
        let mut answer = Box::pin(self.sender.try_send_request(request));
        let (connection, ended) = (&mut self.connection, &mut self.ended);
        let outcome = poll_fn(|cx| {
            if !*ended && Pin::new(&mut *connection).poll(cx).is_ready() {
                *ended = true;
            }
            answer.as_mut().poll(cx)
        })
        .await;
        outcome.map_err(|mut error| match error.take_message() {
            Some(request) => Unanswered::Unsent(Box::new(request)),
            None => {
                let error = error.into_error();
                Unanswered::Failed(match error.is_user() {
                    true => SendError::Body(error),
                    false => SendError::Broken(error),
                })
            }
        })
    }
}

// === SendError ===

impl SendError {
    /// Tells whether the caller broke it, and not the server.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::Body(_))
    }
}
