//! How a stream ends: by the closing handshake, which tells the client why (RFC 6455 §7), within a bounded time.

use std::time::Duration;

use futures::StreamExt;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ieum_core::SharedClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A client's stream.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Why a stream ends (RFC 6455 §7.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Farewell {
    /// The client took its leave; what it said is said back.
    Answered,
    /// The process stops.
    Stopping,
    /// The client was silent for too long.
    Silent,
    /// Its secret is right no more.
    SecretEnded,
    /// It said something longer than is read.
    TooLong,
    /// It said text that is no UTF-8.
    NoText,
    /// It speaks no WebSocket.
    Garbled,
}

/// How long the closing may take in all.
const CLOSING: Duration = Duration::from_secs(2);

impl Farewell {
    /// Returns what to say where reading failed; `None` where nobody is there to hear it.
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Capacity(_) => Some(Self::TooLong),
            Error::Utf8(_) => Some(Self::NoText),
            Error::Protocol(_) => Some(Self::Garbled),
            _ => None,
        }
    }

    fn is_of_an_error(self) -> bool {
        matches!(self, Self::TooLong | Self::NoText | Self::Garbled)
    }

    fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Answered => (CloseCode::Normal, ""),
            Self::Stopping => (CloseCode::Away, "the platform stops; come again in a moment"),
            Self::Silent => (CloseCode::Away, "nothing was heard for too long"),
            Self::SecretEnded => (CloseCode::Policy, "sign in anew"),
            Self::TooLong => (CloseCode::Size, "a message may have 1048576 bytes"),
            Self::NoText => (CloseCode::Invalid, "a text must be UTF-8"),
            Self::Garbled => (CloseCode::Protocol, "this is no WebSocket (RFC 6455)"),
        };
        CloseFrame { code, reason: reason.into() }
    }
}

/// Ends a stream. What is still on its way is taken, for a moment: a socket closed with bytes unread resets the
/// connection, and the client may lose the last words.
pub(super) async fn close(mut socket: Socket, farewell: Farewell, clock: &SharedClock) {
    let closing = async {
        // What the client said first is answered by the library as soon as it is read on.
        let _ = socket.close(Some(farewell.frame())).await;
        while let Some(Ok(_)) = socket.next().await {}
        if !farewell.is_of_an_error() {
            return Ok(());
        }
        // After an error the library reads no further.
        let stream = socket.get_mut();
        stream.shutdown().await?;
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        // Whoever is gone need not be told.
        _ = closing => {}
        () = clock.sleep(CLOSING) => {}
    }
}
