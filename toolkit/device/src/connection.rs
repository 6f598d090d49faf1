//! One connection: from its CONNECT to its end, packets in and out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ieum_core::{BoxFuture, Moment, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::Message;
use crate::admission::Admitted;
use crate::broker::Shared;
use crate::hub::{Attached, Departure, Hello, Hub, Incoming};
use crate::packet::{
    Ack, Connect, Greeting, Packet, Publish, Reason, Requested, Version, next_frame, read, read_connect,
    write_connack, write_disconnect,
};
use crate::rules::{Permissions, Principal};
use crate::session::Answer;
use crate::settings::Overflow;

/// Bytes read at once: a batch of small packets shares one lock and one write.
const READ: usize = 16 * 1024;
/// What an idle connection keeps ready for reading.
const IDLE_READ: usize = 512;
/// No more is made ready than this while the client does not take it.
const WRITE: usize = 64 * 1024;
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(2);

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
}

/// What a packet asks of the hub, after all that needs no lock is decided.
enum Action {
    Publish(Incoming),
    Acknowledge(Ack, u16, bool),
    Subscribe(u16, Vec<(Requested, Option<Reason>)>),
    Unsubscribe(u16, Vec<String>),
    Ping,
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
            if let Some((version, reason)) = refusal {
                shared.counters.refused(reason);
                let mut out = BytesMut::new();
                write_refusal(version, reason, &mut out);
                farewell(&shared, &mut reader, &mut writer, &mut out).await;
            }
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
        Ok(Departure::Lost) => {}
        Ok(Departure::Disconnect { .. }) => connection.release().await,
        Err(reason) => connection.dismiss(reason).await,
    }
}

/// Reads a CONNECT and decides about it. A refusal without a version is not answered.
async fn greet<R: AsyncRead + Unpin>(
    shared: &Shared,
    reader: &mut R,
    inbound: &mut BytesMut,
) -> Result<(Connect, Admitted), Option<(Version, Reason)>> {
    let most = shared.limits.packet as usize;
    let frame = loop {
        match next_frame(inbound, most) {
            Ok(Some(frame)) => break frame,
            Ok(None) => {}
            Err(_) => return Err(None),
        }
        // A first byte of something else is not waited for.
        if inbound.first().is_some_and(|byte| *byte != 0x10) {
            return Err(None);
        }
        match reader.read_buf(inbound).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
    };
    let connect = read_connect(&frame).map_err(Some)?;
    let version = connect.version;
    let admitted = shared.admission.admit(&connect).await.map_err(|reason| Some((version, reason)))?;
    if let Some(will) = &connect.will {
        let permissions = shared.rules.permissions(&admitted.principal, &admitted.client);
        permissions.publish(&will.message.topic).map_err(|reason| Some((version, reason)))?;
    }
    Ok((connect, admitted))
}

fn write_refusal(version: Version, reason: Reason, out: &mut BytesMut) {
    match (version, reason.return_code()) {
        (Version::V5, _) => out.extend_from_slice(&[0x20, 3, 0, reason.code(), 0]),
        (Version::V4, Some(code)) => out.extend_from_slice(&[0x20, 2, 0, code]),
        (Version::V4, None) => {}
    }
}

/// Writes the last words, then takes what is still on its way, for a moment: a socket closed with bytes unread
/// resets the connection, and the client may lose the last words.
async fn farewell<R, W>(shared: &Shared, reader: &mut R, writer: &mut W, out: &mut BytesMut)
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

/// Attaches the session and readies the answer to the CONNECT.
fn begin<S>(
    shared: Arc<Shared>,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    inbound: BytesMut,
    connect: Connect,
    admitted: &Admitted,
) -> Connection<S> {
    let version = connect.version;
    let limits = &shared.limits;
    let owner: Arc<str> = match &admitted.principal {
        Principal::Device(device) => Arc::clone(device),
        Principal::Anonymous => "".into(),
    };
    let asked = connect.keep_alive;
    let server_keep_alive =
        (version == Version::V5 && (asked == 0 || asked > limits.keep_alive)).then_some(limits.keep_alive);
    let keep_alive = server_keep_alive.unwrap_or(asked);
    let hello = Hello {
        owner,
        client: Arc::clone(&admitted.client),
        version,
        clean_start: connect.clean_start,
        expiry: connect.expiry,
        receive_maximum: connect.receive_maximum,
        packet_maximum: connect.packet_maximum,
        alias_maximum: connect.alias_maximum,
        will: connect.will,
        strict: limits.overflow == Overflow::Refuse,
        fair: false,
    };
    let now = shared.state.clock.now();
    let (attached, granted) = shared.state.with(|hub| {
        let granted = hub.expiry_within_limits(connect.expiry);
        (hub.attach(hello, now), granted)
    });
    let greeting = Greeting {
        session_present: attached.present,
        assigned_client: admitted.assigned.then(|| admitted.client.to_string()),
        server_keep_alive,
        receive_maximum: limits.receive,
        packet_maximum: limits.packet,
        alias_maximum: limits.aliases,
        expiry: (granted != connect.expiry).then_some(granted),
    };
    let mut outbound = BytesMut::new();
    write_connack(version, &greeting, &mut outbound);
    Connection {
        permissions: shared.rules.permissions(&admitted.principal, &admitted.client),
        reader,
        writer,
        inbound,
        outbound,
        version,
        aliases: HashMap::new(),
        attached,
        ends_with_connection: connect.expiry == 0,
        silence: (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1_500)),
        heard_at: shared.state.clock.moment(),
        busy: false,
        unflushed: false,
        stalled: false,
        shared,
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

    /// Reads packets as far as they are whole. What came before a mistake is still acted upon.
    fn read_actions(
        &mut self,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Result<Option<Departure>, Reason> {
        let most = self.shared.limits.packet as usize;
        while let Some(frame) = next_frame(&mut self.inbound, most)? {
            let action = match read(self.version, &frame)? {
                Packet::Publish(publish) => Action::Publish(self.incoming(publish, now)?),
                Packet::Acknowledge { kind, id, failed } => Action::Acknowledge(kind, id, failed),
                Packet::Subscribe(subscribe) => {
                    let decide = |requested: Requested| {
                        let refused = self.permissions.subscribe(&requested.filter).err();
                        (requested, refused)
                    };
                    Action::Subscribe(subscribe.id, subscribe.entries.into_iter().map(decide).collect())
                }
                Packet::Unsubscribe { id, filters } => Action::Unsubscribe(id, filters),
                Packet::Ping => Action::Ping,
                Packet::Disconnect { without_will, expiry } => {
                    // MQTT 5 §3.14.2.2.2: a session that was to end now cannot be prolonged.
                    if self.ends_with_connection && expiry.is_some_and(|seconds| seconds > 0) {
                        return Err(Reason::ProtocolError);
                    }
                    return Ok(Some(Departure::Disconnect { without_will, expiry }));
                }
            };
            actions.push(action);
        }
        Ok(None)
    }

    /// Resolves the alias of a PUBLISH and decides whether it may be published.
    fn incoming(&mut self, publish: Publish, now: Timestamp) -> Result<Incoming, Reason> {
        let topic = match publish.alias {
            None => publish.topic,
            Some(alias) if alias > self.shared.limits.aliases => return Err(Reason::TopicAliasInvalid),
            Some(alias) if publish.topic.is_empty() => {
                let known = self.aliases.get(&alias).ok_or(Reason::TopicAliasInvalid)?;
                Arc::clone(known)
            }
            Some(alias) => {
                self.aliases.insert(alias, Arc::clone(&publish.topic));
                publish.topic
            }
        };
        let refused = self.permissions.publish(&topic).err();
        if let Some(reason) = refused {
            self.shared.counters.refused(reason);
            // Without a reason code in the answer, the end of the connection is the only no there is.
            if self.version == Version::V4 || publish.id == 0 {
                return Err(reason);
            }
        }
        self.shared.counters.received(&topic, publish.payload.len());
        let message = Message {
            topic,
            payload: publish.payload,
            quality: publish.quality,
            retain: publish.retain,
            expires_at: publish.expiry.map(|seconds| now + Duration::from_secs(seconds.into())),
            properties: publish.properties,
        };
        Ok(Incoming { message: Arc::new(message), packet: publish.id, refused })
    }

    /// Ends the connection of a client that took its leave, in the way of its transport: a WebSocket cut without
    /// its closing handshake (RFC 6455 §7.1.1) is an error to the other side.
    async fn release(&mut self) {
        self.outbound.clear();
        farewell(&self.shared, &mut self.reader, &mut self.writer, &mut self.outbound).await;
    }

    /// Ends the connection with a word why.
    async fn dismiss(&mut self, reason: Reason) {
        if !matches!(reason, Reason::SessionTakenOver | Reason::ShuttingDown) {
            self.shared.counters.refused(reason);
        }
        // What is half written must be completed, or the last word is read as a part of it.
        write_disconnect(self.version, reason, &mut self.outbound);
        farewell(&self.shared, &mut self.reader, &mut self.writer, &mut self.outbound).await;
    }
}

/// Writes what it can, or pushes on what the transport holds, and tells whether the transport may hold some.
async fn push<W: AsyncWrite + Unpin>(writer: &mut W, outbound: &mut BytesMut) -> std::io::Result<bool> {
    if outbound.has_remaining() {
        return writer.write_buf(outbound).await.map(|_| true);
    }
    writer.flush().await.map(|()| false)
}

fn act(hub: &mut Hub, key: u32, generation: u64, action: Action, now: Timestamp) -> Result<(), Reason> {
    match action {
        Action::Publish(incoming) => hub.receive(key, generation, &incoming, now),
        Action::Acknowledge(kind, id, failed) => hub.acknowledge(key, generation, kind, id, failed),
        Action::Subscribe(id, entries) => hub.subscribe(key, generation, id, &entries, now),
        Action::Unsubscribe(id, filters) => hub.unsubscribe(key, generation, id, &filters),
        Action::Ping => hub.answer(key, generation, Answer::Pong),
    }
}
