//! One connection to a broker as its client: quality 1 both ways, with its silence watched.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use ieum_core::{Moment, Secret, SharedClock, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::packets::{self, Packet, Terms};
use crate::stream::{Both, Trust, reach};
use crate::{Address, ConnectError, Refusal};

/// How a client introduces itself.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The client identifier, under which the broker keeps its session.
    pub client: String,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
    /// Seconds between two words at most, unless the broker says another number.
    pub keep_alive: u16,
    /// How many seconds the broker keeps the session after the connection.
    pub session_seconds: u32,
    /// The most messages that come before the first is acknowledged.
    pub receive: u16,
}

/// What the broker says to a client that it lets in.
#[derive(Clone, Copy, Debug)]
pub struct Greeting {
    /// It knows the session of before.
    pub present: bool,
    /// The most messages it takes before it acknowledges the first.
    pub receive: u16,
    /// The most bytes of one packet it takes.
    pub packet: u32,
}

/// What came from a broker.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// A message. One with an id is to be acknowledged.
    Message {
        /// Its topic.
        topic: String,
        /// What it says.
        payload: Bytes,
        /// The broker keeps it for later subscribers.
        retain: bool,
        /// It may have come before.
        again: bool,
        /// To acknowledge it by.
        id: Option<u16>,
    },
    /// The broker has a message.
    Taken {
        /// The message's number.
        id: u16,
    },
    /// The broker refuses a message.
    Refused {
        /// The message's number.
        id: u16,
        /// Why.
        refusal: Refusal,
    },
}

/// A connection to a broker. Dropping it ends it without a word, which keeps the session.
pub struct Connection {
    reader: ReadHalf<Box<dyn Both>>,
    writer: WriteHalf<Box<dyn Both>>,
    inbound: BytesMut,
    outbound: BytesMut,
    /// Bytes were written that the transport may still hold.
    unflushed: bool,
    clock: SharedClock,
    keep_alive: Duration,
    spoke_at: Moment,
    /// A ping is on its way since then.
    pinged_at: Option<Moment>,
}

/// How long an answer to CONNECT, SUBSCRIBE and PINGREQ may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes read at once.
const READ: usize = 16 * 1024;

impl Connection {
    /// Connects, and is let in.
    ///
    /// # Errors
    /// A broker that cannot be reached, is no broker, or refuses the client.
    pub async fn open(
        address: &Address,
        hello: &Hello,
        trust: &Trust,
        clock: &SharedClock,
    ) -> Result<(Self, Greeting), ConnectError> {
        let first = packets::write_connect(hello)?;
        let stream = reach(address, trust, clock).await?;
        let (reader, writer) = tokio::io::split(stream);
        let mut connection = Self {
            reader,
            writer,
            inbound: BytesMut::new(),
            outbound: BytesMut::from(&first[..]),
            unflushed: false,
            clock: clock.clone(),
            keep_alive: Duration::from_secs(hello.keep_alive.max(1).into()),
            spoke_at: clock.moment(),
            pinged_at: None,
        };
        let foreign = || ConnectError::NoBroker { address: address.to_string() };
        let answer = connection.answer("an answer to CONNECT").await;
        // What is no MQTT at all may look like any packet, or like the beginning of one that never ends.
        let is_foreign = match &answer {
            Err(ConnectError::Garbled(_)) => true,
            Err(ConnectError::Silent { .. }) => !connection.inbound.is_empty(),
            _ => false,
        };
        match answer.map_err(|error| if is_foreign { foreign() } else { error })? {
            Packet::Welcome { code: 0, present, properties } => {
                Ok((connection.with(properties), Greeting::of(present, properties)))
            }
            Packet::Welcome { code, .. } => Err(ConnectError::Refused {
                client: hello.client.clone(),
                address: address.to_string(),
                refusal: Refusal(code),
            }),
            _ => Err(foreign()),
        }
    }

    fn with(mut self, terms: Terms) -> Self {
        if let Some(seconds) = terms.keep_alive.filter(|seconds| *seconds > 0) {
            self.keep_alive = Duration::from_secs(seconds.into());
        }
        self
    }

    /// Subscribes to `filter` with quality 1. What comes meanwhile is returned, in order.
    ///
    /// # Errors
    /// A broker that refuses, or is gone.
    pub async fn subscribe(&mut self, filter: &str) -> Result<Vec<Incoming>, ConnectError> {
        // No message under way has this number: theirs begin at 1 and are given by who publishes.
        let number = u16::MAX;
        self.outbound.extend_from_slice(&packets::write_subscribe(number, filter)?);
        let mut meanwhile = Vec::new();
        loop {
            match self.answer("an answer to SUBSCRIBE").await? {
                Packet::Subscribed { id, codes } if id == number => {
                    let refused = codes.iter().copied().find(|code| *code >= 0x80);
                    return match refused.map(Refusal) {
                        Some(refusal) => Err(ConnectError::Subscribe { filter: filter.to_owned(), refusal }),
                        None => Ok(meanwhile),
                    };
                }
                packet => meanwhile.extend(self.take(packet)?),
            }
        }
    }

    /// Readies a message of quality 1 under the number `id`, 1 to 65534. It goes out while [`Connection::next`] is
    /// waited for.
    ///
    /// # Errors
    /// A topic or a payload that no packet can hold.
    pub fn publish(
        &mut self,
        id: u16,
        topic: &str,
        payload: &[u8],
        (retain, again): (bool, bool),
    ) -> Result<(), ConnectError> {
        let packet = packets::write_publish(id, topic, payload, (retain, again))?;
        self.outbound.extend_from_slice(&packet);
        Ok(())
    }

    /// Readies the acknowledgement of a message.
    pub fn acknowledge(&mut self, id: u16) {
        self.outbound.extend_from_slice(&packets::write_puback(id));
    }

    /// Returns how many bytes wait to be written: while the broker is slow they grow.
    pub fn unsent(&self) -> usize {
        self.outbound.len()
    }

    /// Waits for what comes next, and writes what is ready meanwhile. May be dropped and called again.
    ///
    /// # Errors
    /// A connection that has ended; see [`ConnectError`].
    pub async fn next(&mut self) -> Result<Incoming, ConnectError> {
        loop {
            let packet = self.packet().await?;
            if let Some(incoming) = self.take(packet)? {
                return Ok(incoming);
            }
        }
    }

    /// Takes leave, so that the broker need not wait.
    pub async fn close(mut self) {
        self.outbound.extend_from_slice(&packets::write_disconnect());
        let end = self.clock.moment() + Duration::from_secs(2);
        let Self { mut writer, outbound, clock, .. } = self;
        let last = async {
            writer.write_all(&outbound).await?;
            writer.shutdown().await
        };
        // Who does not hear it sees that the connection is gone.
        let _ = within(&clock, end, last).await;
    }

    fn take(&mut self, packet: Packet) -> Result<Option<Incoming>, ConnectError> {
        match packet {
            Packet::Message { topic, payload, retain, again, id } => {
                Ok(Some(Incoming::Message { topic, payload, retain, again, id }))
            }
            Packet::Taken { id, code } if code < 0x80 => Ok(Some(Incoming::Taken { id })),
            Packet::Taken { id, code } => Ok(Some(Incoming::Refused { id, refusal: Refusal(code) })),
            Packet::Pong => {
                self.pinged_at = None;
                Ok(None)
            }
            Packet::Leave(refusal) => Err(ConnectError::Ended(refusal)),
            Packet::Subscribed { .. } => Ok(None),
            Packet::Welcome { .. } => Err(ConnectError::Garbled("a second CONNACK")),
        }
    }

    /// Waits for the next packet, but not for ever.
    async fn answer(&mut self, what: &'static str) -> Result<Packet, ConnectError> {
        let (clock, end) = (self.clock.clone(), self.clock.moment() + PATIENCE);
        within(&clock, end, self.packet()).await.unwrap_or(Err(ConnectError::Silent { what }))
    }

    async fn packet(&mut self) -> Result<Packet, ConnectError> {
        loop {
            if let Some(packet) = packets::next(&mut self.inbound)? {
                return Ok(packet);
            }
            self.move_bytes().await?;
        }
    }

    /// Reads or writes some bytes, or asks whether the broker is still there.
    async fn move_bytes(&mut self) -> Result<(), ConnectError> {
        let due = match self.pinged_at {
            Some(at) => at + self.keep_alive.min(PATIENCE),
            None => self.spoke_at + self.keep_alive,
        };
        let clock = self.clock.clone();
        self.inbound.reserve(READ);
        let to_write = !self.outbound.is_empty() || self.unflushed;
        tokio::select! {
            read = self.reader.read_buf(&mut self.inbound) => match read.map_err(ConnectError::Lost)? {
                0 => Err(ConnectError::Lost(io::ErrorKind::UnexpectedEof.into())),
                _ => Ok(()),
            },
            written = write_some(&mut self.writer, &self.outbound), if to_write => {
                let count = written.map_err(ConnectError::Lost)?;
                self.outbound.advance(count);
                // Nothing is left to write after a flush.
                self.unflushed = count > 0;
                self.spoke_at = clock.moment();
                Ok(())
            }
            () = clock.sleep_until(due) => {
                if self.pinged_at.is_some() {
                    return Err(ConnectError::Silent { what: "an answer to PINGREQ" });
                }
                self.outbound.extend_from_slice(&packets::PING);
                self.pinged_at = Some(clock.moment());
                Ok(())
            }
        }
    }
}

/// Writes what the transport takes, or flushes it where nothing is left; returns how much was written.
async fn write_some(writer: &mut WriteHalf<Box<dyn Both>>, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        return writer.flush().await.map(|()| 0);
    }
    match writer.write(bytes).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        count => Ok(count),
    }
}

impl Greeting {
    fn of(present: bool, terms: Terms) -> Self {
        Self { present, receive: terms.receive, packet: terms.packet }
    }
}
