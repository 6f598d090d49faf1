//! Offers our engines to whoever speaks Wyoming: Home Assistant, satellites, other people's programs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::SharedClock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::event::WyomingReader;
use super::handler::Handler;
use super::session::Session;
use crate::engine::{Synthesizer, Transcriber};
use crate::{AudioLimits, SpeechError};

/// What a server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WyomingOptions {
    /// The most connections; one more is closed at once.
    pub connections: usize,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How much may be said at once.
    pub limits: AudioLimits,
    /// How much new speech is worth telling what was heard so far; nothing for the whole alone.
    pub partial: Option<Duration>,
}

/// A server of our engines.
pub struct WyomingServer {
    pub(super) transcriber: Option<Arc<dyn Transcriber>>,
    pub(super) synthesizer: Option<Arc<dyn Synthesizer>>,
    pub(super) handler: Option<Arc<dyn Handler>>,
    pub(super) options: WyomingOptions,
    clock: SharedClock,
}

// === WyomingOptions ===

impl Default for WyomingOptions {
    fn default() -> Self {
        Self {
            connections: 64,
            idle: Duration::from_secs(300),
            limits: AudioLimits::default(),
            partial: Some(Duration::from_millis(800)),
        }
    }
}

// === WyomingServer ===

impl WyomingServer {
    /// Makes a server of these engines, either of which may be missing.
    pub fn new(
        transcriber: Option<Arc<dyn Transcriber>>,
        synthesizer: Option<Arc<dyn Synthesizer>>,
        options: WyomingOptions,
        clock: SharedClock,
    ) -> Arc<Self> {
        Self::with_handler(transcriber, synthesizer, None, options, clock)
    }

    /// Makes a server that also answers what was heard elsewhere.
    pub fn with_handler(
        transcriber: Option<Arc<dyn Transcriber>>,
        synthesizer: Option<Arc<dyn Synthesizer>>,
        handler: Option<Arc<dyn Handler>>,
        options: WyomingOptions,
        clock: SharedClock,
    ) -> Arc<Self> {
        Arc::new(Self { transcriber, synthesizer, handler, options, clock })
    }

    /// Serves `listener` until `stop`, and then ends every connection.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let places = Arc::new(Semaphore::new(self.options.connections));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        tasks.spawn(Arc::clone(&self).connection(stream, peer, place, stop.clone()));
                    }
                    Err(_) => tracing::warn!(%peer, "wyoming connection refused: too many are open"),
                },
                Err(error) => {
                    tracing::warn!(%error, "accepting a wyoming connection failed");
                    // Out of sockets: none is free until another connection ends.
                    self.clock.sleep(Duration::from_millis(100)).await;
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        _place: OwnedSemaphorePermit,
        stop: CancellationToken,
    ) {
        let outcome = tokio::select! {
            outcome = self.talk(stream) => outcome,
            () = stop.cancelled() => Ok(()),
        };
        if let Err(error) = outcome {
            tracing::debug!(%peer, %error, "wyoming connection ended");
        }
    }

    async fn talk(&self, stream: TcpStream) -> Result<(), SpeechError> {
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        let mut reader = WyomingReader::new(reader);
        let mut session = Session::new(self, writer);
        loop {
            let event = tokio::select! {
                event = reader.next() => event,
                () = self.clock.sleep(self.options.idle) => {
                    let after = self.options.idle;
                    return Err(SpeechError::Late { engine: "the other side".to_owned(), after });
                }
            };
            match event {
                Ok(Some(event)) => {
                    // Nobody waits for an answer over a connection that is closed, nor over one that is not read.
                    tokio::select! {
                        outcome = session.take(event) => outcome?,
                        () = reader.gone() => return Ok(()),
                        () = self.clock.sleep(self.options.idle) => return Ok(()),
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    session.refuse(&error).await?;
                    return Err(error);
                }
            }
        }
    }
}
