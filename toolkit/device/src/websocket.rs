//! MQTT over WebSocket (MQTT 5 §6): subprotocol `mqtt`, binary frames only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::{Buf, Bytes};
use futures::{Sink, Stream};
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::connection::serve;
use crate::listener::enter;

/// Bytes that are taken of a client whose connection ends by an error, so that it reads why.
const MOST_IGNORED: usize = 64 * 1024 * 1024;

/// Returns the route `path` at which clients upgrade to MQTT once `broker` is set; until then they are told to come
/// again. For servers whose routes are put together before the broker is open.
pub fn web_socket_of(broker: Arc<OnceLock<Broker>>, path: &str) -> Router {
    Router::new().route(path, get(upgrade)).with_state(broker)
}

/// Answers the upgrade and serves MQTT on what comes of it.
async fn upgrade(State(broker): State<Arc<OnceLock<Broker>>>, mut request: Request) -> Response {
    let Some(shared) = broker.get().map(Broker::shared) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let headers = request.headers();
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asks_for_websocket(headers)).cloned() else {
        return (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "websocket")], "this is MQTT over WebSocket")
            .into_response();
    };
    // MQTT 5 §6.0: the client must offer the subprotocol.
    if !has_token(headers, &SEC_WEBSOCKET_PROTOCOL, "mqtt") {
        return (StatusCode::BAD_REQUEST, "offer the subprotocol mqtt").into_response();
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let Some(pass) = enter(&shared, address) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let tasks = shared.tasks.clone();
    tasks.spawn(async move {
        let Ok(stream) = upgraded.await else { return };
        let most = shared.limits.packet as usize;
        let config = WebSocketConfig::default().max_message_size(Some(most)).max_frame_size(Some(most));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(config)).await;
        let stop = shared.stop.clone();
        serve(shared, Frames::of(socket, stop)).await;
        drop(pass);
    });
    let accept = derive_accept_key(key.as_bytes());
    let headers = [
        (CONNECTION, "upgrade".to_owned()),
        (UPGRADE, "websocket".to_owned()),
        (SEC_WEBSOCKET_ACCEPT, accept),
        (SEC_WEBSOCKET_PROTOCOL, "mqtt".to_owned()),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// The bytes inside binary frames, as a stream.
struct Frames<S> {
    socket: WebSocketStream<S>,
    rest: Bytes,
    /// The broker stops.
    stop: CancellationToken,
    /// What the client did that no WebSocket of MQTT does.
    wrong: Option<CloseFrame>,
    /// The last word is said.
    is_closing: bool,
    /// Reading failed: what comes now is no frame.
    is_broken: bool,
    /// Bytes taken since.
    ignored: usize,
}

fn broken(error: Error) -> io::Error {
    io::Error::other(error)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Frames<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            if self.is_broken {
                return self.poll_ignore(context);
            }
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                Some(Ok(Message::Text(_))) if !self.is_closing => {
                    let reason = "MQTT takes binary frames only";
                    self.wrong = Some(CloseFrame { code: CloseCode::Unsupported, reason: reason.into() });
                    return Poll::Ready(Err(io::Error::other(reason)));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                // Pings are answered by the library.
                Some(Ok(_)) => {}
                Some(Err(_)) if self.is_closing => self.is_broken = true,
                Some(Err(error)) => {
                    self.is_broken = true;
                    let wrong = match error {
                        Error::Capacity(_) => {
                            Some((CloseCode::Size, "the frame is larger than a packet may be"))
                        }
                        Error::Utf8(_) => Some((CloseCode::Invalid, "a text must be UTF-8")),
                        Error::Protocol(_) => Some((CloseCode::Protocol, "this is no WebSocket (RFC 6455)")),
                        _ => None,
                    };
                    self.wrong = wrong.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
                    return Poll::Ready(Err(broken(error)));
                }
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(broken)?;
        let frame = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.socket).start_send(frame).map_err(broken)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_closing {
            // Where the client took its leave first, what it said is said back, and this is one word too many.
            if ready!(Pin::new(&mut self.socket).poll_ready(context)).is_ok() {
                let last = self.last_word();
                let _ = Pin::new(&mut self.socket).start_send(Message::Close(Some(last)));
            }
            self.is_closing = true;
        }
        ready!(Pin::new(&mut self.socket).poll_close(context)).map_err(broken)?;
        match self.is_broken {
            // No frame is read any more, and so no answer to the last word: the client must not wait for that to be taken.
            true => Pin::new(self.socket.get_mut()).poll_shutdown(context),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Takes what a client still writes after an error, without a look at it, and then says that it ended. The library reads
    /// no further then, as from within a frame that is too long, and a socket closed with bytes unread resets the
    /// connection: a client that is still writing would lose the last word.
    fn poll_ignore(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ignored = [0; 8 * 1024];
        while self.ignored < MOST_IGNORED {
            let mut buffer = ReadBuf::new(&mut ignored);
            ready!(Pin::new(self.socket.get_mut()).poll_read(context, &mut buffer))?;
            match buffer.filled().len() {
                0 => break,
                count => self.ignored += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S> Frames<S> {
    fn of(socket: WebSocketStream<S>, stop: CancellationToken) -> Self {
        Self {
            socket,
            rest: Bytes::new(),
            stop,
            wrong: None,
            is_closing: false,
            is_broken: false,
            ignored: 0,
        }
    }

    /// Returns why the connection ends (RFC 6455 §7.4.1). What MQTT has to say of it was said before.
    fn last_word(&mut self) -> CloseFrame {
        let usual = match self.stop.is_cancelled() {
            true => CloseFrame { code: CloseCode::Away, reason: "the broker stops".into() },
            false => CloseFrame { code: CloseCode::Normal, reason: "".into() },
        };
        self.wrong.take().unwrap_or(usual)
    }
}
