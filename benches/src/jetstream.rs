//! NATS JetStream as the durable bus's peer: as lean a publisher as its protocol allows.
//!
//! One connection keeps a number of publishes outstanding and sends the next one for each acknowledgement
//! (<https://docs.nats.io/reference/reference-protocols/nats-protocol>), so that the server's own pace is seen.

use std::time::{Duration, Instant};

use ieum_core::Fault;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const INBOX: &str = "_INBOX.bench";

/// A connection to a server with a stream of its own.
pub struct JetStream {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl JetStream {
    /// Connects to `nats://host:port` and makes a stream on file storage with one replica.
    pub async fn connect(url: &str) -> Result<Self, Fault> {
        let address = url.trim_start_matches("nats://");
        let stream = TcpStream::connect(address).await.map_err(|error| failed("connecting", &error))?;
        stream.set_nodelay(true).map_err(|error| failed("connecting", &error))?;
        let (reader, writer) = stream.into_split();
        let mut client = Self { reader: BufReader::with_capacity(1 << 16, reader), writer };
        let hello = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {INBOX}.* 1\r\n");
        client.send(hello.as_bytes()).await?;
        let stream = br#"{"name":"bench","subjects":["bench.>"],"storage":"file","num_replicas":1}"#;
        let mut request = Vec::new();
        add_publish(&mut request, "$JS.API.STREAM.CREATE.bench", "make", stream);
        client.send(&request).await?;
        client.answer().await?;
        Ok(client)
    }

    /// Publishes with `outstanding` at once for `round` and returns how many were acknowledged.
    pub async fn publish(
        &mut self,
        outstanding: usize,
        round: Duration,
        mut event: impl FnMut() -> String,
    ) -> Result<u64, Fault> {
        let until = Instant::now() + round;
        let mut batch = Vec::new();
        let mut add = |batch: &mut Vec<u8>| add_publish(batch, "bench.event", "ack", event().as_bytes());
        (0..outstanding).for_each(|_| add(&mut batch));
        self.send(&batch).await?;
        let (mut acknowledged, mut open) = (0, outstanding);
        while open > 0 {
            batch.clear();
            // What came in one piece is answered in one piece.
            loop {
                self.answer().await?;
                acknowledged += 1;
                open -= 1;
                if Instant::now() < until {
                    add(&mut batch);
                    open += 1;
                }
                if self.reader.buffer().is_empty() || open == 0 {
                    break;
                }
            }
            self.send(&batch).await?;
        }
        Ok(acknowledged)
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.writer.write_all(bytes).await.map_err(|error| failed("sending", &error))
    }

    /// Reads up to the next answer of the stream and refuses one that is an error.
    async fn answer(&mut self) -> Result<(), Fault> {
        let mut line = String::new();
        loop {
            line.clear();
            let count = self.reader.read_line(&mut line).await.map_err(|error| failed("reading", &error))?;
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("MSG") => break,
                Some("PING") => self.send(b"PONG\r\n").await?,
                Some("-ERR") => return Err(failed("publishing", &line)),
                _ if count == 0 => return Err(failed("reading", &"the server closed the connection")),
                _ => {}
            }
        }
        let size = line.split_ascii_whitespace().next_back().and_then(|size| size.parse::<usize>().ok());
        let size = size.ok_or_else(|| failed("reading", &line))?;
        let mut body = vec![0; size + 2];
        self.reader.read_exact(&mut body).await.map_err(|error| failed("reading", &error))?;
        let body = String::from_utf8_lossy(&body);
        if body.contains("\"error\"") { Err(failed("publishing", &body)) } else { Ok(()) }
    }
}

fn add_publish(batch: &mut Vec<u8>, subject: &str, reply: &str, body: &[u8]) {
    batch.extend_from_slice(format!("PUB {subject} {INBOX}.{reply} {}\r\n", body.len()).as_bytes());
    batch.extend_from_slice(body);
    batch.extend_from_slice(b"\r\n");
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.jetstream", format!("{step}: {error}"))
}
