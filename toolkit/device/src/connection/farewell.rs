//! The end of a connection: its last words, in the way of its version and transport.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Connection, IDLE_READ};
use crate::broker::Shared;
use crate::packet::{Reason, Version, write_disconnect};

/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(2);

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection<S> {
    /// Ends the connection of a client that took its leave, in the way of its transport: a WebSocket cut without
    /// its closing handshake (RFC 6455 §7.1.1) is an error to the other side.
    pub(super) async fn release(&mut self) {
        self.outbound.clear();
        farewell(&self.shared, &mut self.reader, &mut self.writer, &mut self.outbound).await;
    }

    /// Ends the connection with a word why.
    pub(super) async fn dismiss(&mut self, reason: Reason) {
        // Only a message for a full queue ends a connection with a quota, and the hub counts it as such.
        let is_counted = self.counted || reason == Reason::QuotaExceeded;
        if !is_counted && !matches!(reason, Reason::SessionTakenOver | Reason::ShuttingDown) {
            self.shared.counters.refused(reason);
        }
        // What is half written must be completed, or the last word is read as a part of it.
        write_disconnect(self.version, reason, &mut self.outbound);
        farewell(&self.shared, &mut self.reader, &mut self.writer, &mut self.outbound).await;
    }
}

/// Readies the answer to a CONNECT that is refused.
pub(super) fn write_refusal(version: Version, reason: Reason, out: &mut BytesMut) {
    match (version, reason.return_code()) {
        (Version::V5, _) => out.extend_from_slice(&[0x20, 3, 0, reason.code(), 0]),
        (Version::V4, Some(code)) => out.extend_from_slice(&[0x20, 2, 0, code]),
        (Version::V4, None) => {}
    }
}

/// Writes the last words, then takes what is still on its way, for a moment: a socket closed with bytes unread
/// resets the connection, and the client may lose the last words.
pub(super) async fn farewell<R, W>(shared: &Shared, reader: &mut R, writer: &mut W, out: &mut BytesMut)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let limit = shared.state.clock.sleep(FAREWELL);
    let words = async {
        writer.write_all_buf(out).await?;
        writer.flush().await?;
        writer.shutdown().await?;
        let mut ignored = [0; IDLE_READ];
        while reader.read(&mut ignored).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        _ = words => {}
        () = limit => {}
    }
}
