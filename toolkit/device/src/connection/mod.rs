//! One connection: from its CONNECT to its end, packets in and out.

mod actions;
mod farewell;
mod greeting;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ieum_core::{BoxFuture, Moment};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::broker::Shared;
use crate::hub::{Attached, Departure};
use crate::packet::{Reason, Version};
use crate::rules::Permissions;
use actions::act;
use farewell::{farewell, write_refusal};
use greeting::{begin, greet};

/// Bytes read at once: a batch of small packets shares one lock and one write.
const READ: usize = 16 * 1024;
/// What an idle connection keeps ready for reading.
const IDLE_READ: usize = 512;
/// No more is made ready than this while the client does not take it.
const WRITE: usize = 64 * 1024;

/// A connection with its session.
struct Connection<S> {
    shared: Arc<Shared>,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    inbound: BytesMut,
    outbound: BytesMut,
    version: Version,
    permissions: Permissions,
    /// Topics that the client gave a number.
    aliases: HashMap<u16, Arc<str>>,
    attached: Attached,
    /// The session expiry of the CONNECT was 0.
    ends_with_connection: bool,
    /// The longest silence.
    silence: Option<Duration>,
    heard_at: Moment,
    /// The last read brought more than an idle connection has room for.
    busy: bool,
    /// Bytes were written that the transport may still hold.
    unflushed: bool,
    /// So many answers wait that nothing is read.
    stalled: bool,
    /// What ends the connection was counted as a message that was refused.
    counted: bool,
}

/// Serves a connection until its end.
pub(crate) async fn serve<S>(shared: Arc<Shared>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut inbound = BytesMut::with_capacity(IDLE_READ);
    let limit = shared.state.clock.sleep(shared.limits.connect_timeout);
    let greeted = tokio::select! {
        greeted = greet(&shared, &mut reader, &mut inbound) => greeted,
        () = limit => Err(None),
        () = shared.stop.cancelled() => Err(None),
    };
    let (connect, admitted) = match greeted {
        Ok(greeted) => greeted,
        Err(refusal) => {
            let mut out = BytesMut::new();
            if let Some((version, reason)) = refusal {
                shared.counters.refused(reason);
                write_refusal(version, reason, &mut out);
            }
            farewell(&shared, &mut reader, &mut writer, &mut out).await;
            return;
        }
    };
    let mut connection = begin(shared, reader, writer, inbound, connect, &admitted);
    let outcome = connection.run().await;
    let Attached { key, generation, .. } = connection.attached;
    let state = &connection.shared.state;
    let now = state.clock.now();
    let departure = outcome.unwrap_or(Departure::Lost);
    state.with(|hub| hub.detach(key, generation, departure, now));
    state.left.notify_one();
    // The session is left before: nobody waits for a client that does not listen.
    match outcome {
        // Also of a connection that is lost, which may be one whose client closed it in the way of its transport.
        Ok(Departure::Lost | Departure::Disconnect { .. }) => connection.release().await,
        Err(reason) => connection.dismiss(reason).await,
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection<S> {
    /// Takes and sends packets until the client ends it, or the broker does for a reason.
    async fn run(&mut self) -> Result<Departure, Reason> {
        let mut silence = self.until_silent();
        let wake = Arc::clone(&self.attached.wake);
        loop {
            if let Some(departure) = self.step()? {
                return Ok(departure);
            }
            let may_read = !self.stalled && self.outbound.len() < WRITE;
            let may_push = self.unflushed || self.outbound.has_remaining();
            tokio::select! {
                read = self.reader.read_buf(&mut self.inbound), if may_read => match read {
                    Ok(0) | Err(_) => return Ok(Departure::Lost),
                    Ok(count) => {
                        self.heard_at = self.shared.state.clock.moment();
                        self.busy = count >= IDLE_READ;
                    }
                },
                pushed = push(&mut self.writer, &mut self.outbound), if may_push => match pushed {
                    Ok(unflushed) => self.unflushed = unflushed,
                    Err(_) => return Ok(Departure::Lost),
                },
                () = wake.notified() => {}
                () = &mut silence => {
                    if self.is_silent() {
                        return Err(Reason::KeepAliveTimeout);
                    }
                    silence = self.until_silent();
                }
                () = self.shared.stop.cancelled() => return Err(Reason::ShuttingDown),
            }
        }
    }

    fn until_silent(&self) -> BoxFuture<'static, ()> {
        match self.silence {
            Some(silence) => self.shared.state.clock.sleep_until(self.heard_at + silence),
            None => Box::pin(std::future::pending()),
        }
    }

    fn is_silent(&self) -> bool {
        let now = self.shared.state.clock.moment();
        self.silence.is_some_and(|silence| now.since(self.heard_at) >= silence)
    }

    /// Takes all packets that have arrived and readies what may go out.
    fn step(&mut self) -> Result<Option<Departure>, Reason> {
        let now = self.shared.state.clock.now();
        let mut actions = Vec::new();
        let ending = if self.stalled { Ok(None) } else { self.read_actions(now, &mut actions) };
        let Attached { key, generation, .. } = self.attached;
        let outbound = &mut self.outbound;
        let heard = !actions.is_empty();
        let drained = self.shared.state.with(|hub| {
            if heard {
                hub.saw(key, generation, now)?;
            }
            for action in actions {
                act(hub, key, generation, action, now)?;
            }
            Ok::<_, Reason>(hub.drain(key, generation, outbound, WRITE, now))
        })?;
        if let Some(departure) = ending? {
            return Ok(Some(departure));
        }
        self.stalled = drained.stalled;
        self.make_room();
        if self.outbound.is_empty() && self.outbound.capacity() > READ {
            self.outbound = BytesMut::new();
        }
        drained.closing.map_or(Ok(None), Err)
    }

    /// Readies the next read: much for who sends much, little for who mostly is there.
    fn make_room(&mut self) {
        let held = self.inbound.capacity();
        if self.inbound.is_empty() && held > if self.busy { READ } else { IDLE_READ } {
            self.inbound = BytesMut::new();
        }
        let room = self.inbound.capacity() - self.inbound.len();
        if self.inbound.is_empty() && !self.busy {
            if room < IDLE_READ / 2 {
                self.inbound.reserve(IDLE_READ);
            }
        } else if room < IDLE_READ {
            self.inbound.reserve(READ);
        }
    }
}

/// Writes what it can, or pushes on what the transport holds, and tells whether the transport may hold some.
async fn push<W: AsyncWrite + Unpin>(writer: &mut W, outbound: &mut BytesMut) -> std::io::Result<bool> {
    if outbound.has_remaining() {
        return writer.write_buf(outbound).await.map(|_| true);
    }
    writer.flush().await.map(|()| false)
}
