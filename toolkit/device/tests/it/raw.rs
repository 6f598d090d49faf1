//! A small MQTT client for tests: bytes written and read by hand, so that nothing of the broker checks itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A property's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Held {
    Number(u32),
    Bytes(Vec<u8>),
    Pair(String, String),
}

pub type Properties = Vec<(u8, Held)>;

/// A packet from the broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Got {
    Connack { present: bool, code: u8, properties: Properties },
    Publish(Published),
    Ack { kind: u8, id: u16, code: u8 },
    Suback { id: u16, codes: Vec<u8> },
    Unsuback { id: u16, codes: Vec<u8> },
    Pong,
    Disconnect { code: u8 },
    Closed,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    pub topic: String,
    pub payload: Vec<u8>,
    pub quality: u8,
    pub retain: bool,
    pub again: bool,
    pub id: u16,
    pub properties: Properties,
}

/// A CONNECT to be.
#[derive(Clone)]
pub struct Hello {
    pub version: u8,
    pub client: String,
    pub clean: bool,
    pub keep_alive: u16,
    pub properties: Properties,
    pub will: Option<Will>,
    pub user: Option<(String, String)>,
}

#[derive(Clone)]
pub struct Will {
    pub topic: String,
    pub payload: Vec<u8>,
    pub quality: u8,
    pub retain: bool,
    pub properties: Properties,
}

pub struct Raw {
    stream: Box<dyn Transport>,
    buffer: Vec<u8>,
    version: u8,
    next_id: u16,
    /// Messages that came while something else was waited for.
    pub inbox: VecDeque<Published>,
    /// Answers messages as a client should.
    pub polite: bool,
}

pub fn hello(version: u8, client: &str) -> Hello {
    Hello {
        version,
        client: client.to_owned(),
        clean: true,
        keep_alive: 0,
        properties: Vec::new(),
        will: None,
        user: None,
    }
}

impl Hello {
    pub fn kept(mut self) -> Self {
        self.clean = false;
        if self.version == 5 {
            self.properties.push((0x11, Held::Number(99_999)));
        }
        self
    }

    pub fn with(mut self, id: u8, number: u32) -> Self {
        self.properties.push((id, Held::Number(number)));
        self
    }

    pub fn keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
        self
    }

    pub fn will(mut self, topic: &str, payload: &[u8], properties: Properties) -> Self {
        let (topic, payload) = (topic.to_owned(), payload.to_vec());
        self.will = Some(Will { topic, payload, quality: 1, retain: false, properties });
        self
    }

    pub fn user(mut self, user: &str, password: &str) -> Self {
        self.user = Some((user.to_owned(), password.to_owned()));
        self
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', self.version];
        let mut flags = u8::from(self.clean) << 1;
        if let Some(will) = &self.will {
            flags |= 4 | will.quality << 3 | u8::from(will.retain) << 5;
        }
        if self.user.is_some() {
            flags |= 0xC0;
        }
        body.push(flags);
        body.extend(self.keep_alive.to_be_bytes());
        if self.version == 5 {
            put_properties(&mut body, &self.properties);
        }
        put_bytes(&mut body, self.client.as_bytes());
        if let Some(will) = &self.will {
            if self.version == 5 {
                put_properties(&mut body, &will.properties);
            }
            put_bytes(&mut body, will.topic.as_bytes());
            put_bytes(&mut body, &will.payload);
        }
        if let Some((user, password)) = &self.user {
            put_bytes(&mut body, user.as_bytes());
            put_bytes(&mut body, password.as_bytes());
        }
        packet(0x10, &body)
    }
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    put_varint(&mut out, body.len());
    out.extend_from_slice(body);
    out
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Bytes of a property's number, 0 for a variable one, or `None` for bytes and pairs.
fn width(id: u8) -> Option<usize> {
    match id {
        0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2A => Some(1),
        0x13 | 0x21 | 0x22 | 0x23 => Some(2),
        0x02 | 0x11 | 0x18 | 0x27 => Some(4),
        0x0B => Some(0),
        _ => None,
    }
}

fn put_properties(out: &mut Vec<u8>, properties: &Properties) {
    let mut encoded = Vec::new();
    for (id, held) in properties {
        encoded.push(*id);
        match held {
            Held::Number(number) => match width(*id).expect("holds a number") {
                0 => put_varint(&mut encoded, *number as usize),
                width => encoded.extend_from_slice(&number.to_be_bytes()[4 - width..]),
            },
            Held::Bytes(bytes) => put_bytes(&mut encoded, bytes),
            Held::Pair(name, value) => {
                put_bytes(&mut encoded, name.as_bytes());
                put_bytes(&mut encoded, value.as_bytes());
            }
        }
    }
    put_varint(out, encoded.len());
    out.extend(encoded);
}

/// Reads from the front of bytes.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Vec<u8> {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head.to_vec()
    }

    fn number(&mut self, width: usize) -> u32 {
        self.take(width).iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
    }

    fn varint(&mut self) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.number(1);
            value |= (byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.number(2) as usize;
        self.take(length)
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.bytes()).expect("is UTF-8")
    }

    fn properties(&mut self) -> Properties {
        let length = self.varint() as usize;
        let bytes = self.take(length);
        let mut inner = Reader(&bytes);
        let mut properties = Vec::new();
        while !inner.0.is_empty() {
            let id = inner.number(1) as u8;
            let held = match (id, width(id)) {
                (_, Some(0)) => Held::Number(inner.varint()),
                (_, Some(width)) => Held::Number(inner.number(width)),
                (0x26, None) => Held::Pair(inner.text(), inner.text()),
                (_, None) => Held::Bytes(inner.bytes()),
            };
            properties.push((id, held));
        }
        properties
    }
}

pub fn number(properties: &Properties, id: u8) -> Option<u32> {
    properties.iter().find_map(|(found, held)| match held {
        Held::Number(number) if *found == id => Some(*number),
        _ => None,
    })
}

impl Published {
    pub fn text(&self) -> String {
        String::from_utf8(self.payload.clone()).expect("is UTF-8")
    }

    pub fn number(&self, id: u8) -> Option<u32> {
        number(&self.properties, id)
    }
}

impl Raw {
    pub fn over(stream: impl Transport + 'static, version: u8) -> Self {
        let stream = Box::new(stream);
        Self { stream, buffer: Vec::new(), version, next_id: 0, inbox: VecDeque::new(), polite: true }
    }

    pub async fn open(address: SocketAddr, version: u8) -> Self {
        Self::over(TcpStream::connect(address).await.expect("connects"), version)
    }

    /// Connects and returns the client with what the CONNACK says.
    pub async fn connect(address: SocketAddr, hello: &Hello) -> (Self, Got) {
        let mut raw = Self::open(address, hello.version).await;
        raw.send(&hello.encode()).await;
        let got = raw.next().await;
        (raw, got)
    }

    /// Connects and is let in.
    pub async fn enter(address: SocketAddr, hello: &Hello) -> Self {
        let (raw, got) = Self::connect(address, hello).await;
        assert!(matches!(got, Got::Connack { code: 0, .. }), "is let in: {got:?}");
        raw
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        // A broker that has closed already is seen by who reads.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads the next packet.
    pub async fn next(&mut self) -> Got {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("the broker says something")
    }

    async fn read(&mut self) -> Got {
        loop {
            if let Some((first, body)) = self.cut() {
                return self.decode(first, &body);
            }
            let mut bytes = vec![0; 65_536];
            match self.stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return Got::Closed,
                Ok(count) => self.buffer.extend_from_slice(&bytes[..count]),
            }
        }
    }

    fn cut(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut length = 0;
        for index in 0..4 {
            let byte = *self.buffer.get(1 + index)?;
            length |= usize::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                let head = 2 + index;
                if self.buffer.len() < head + length {
                    return None;
                }
                let first = self.buffer[0];
                let body = self.buffer[head..head + length].to_vec();
                self.buffer.drain(..head + length);
                return Some((first, body));
            }
        }
        panic!("the broker sent a length of more than four bytes");
    }

    fn decode(&self, first: u8, body: &[u8]) -> Got {
        let five = self.version == 5;
        let mut reader = Reader(body);
        match first >> 4 {
            2 => {
                let present = reader.number(1) == 1;
                let code = reader.number(1) as u8;
                let properties = if five && !reader.0.is_empty() { reader.properties() } else { Vec::new() };
                Got::Connack { present, code, properties }
            }
            3 => {
                let topic = reader.text();
                let quality = (first >> 1) & 3;
                let id = if quality > 0 { reader.number(2) as u16 } else { 0 };
                let properties = if five { reader.properties() } else { Vec::new() };
                let (retain, again) = (first & 1 == 1, first & 8 == 8);
                Got::Publish(Published {
                    topic,
                    payload: reader.0.to_vec(),
                    quality,
                    retain,
                    again,
                    id,
                    properties,
                })
            }
            kind @ 4..=7 => {
                let id = reader.number(2) as u16;
                let code = if reader.0.is_empty() { 0 } else { reader.number(1) as u8 };
                Got::Ack { kind, id, code }
            }
            kind @ (9 | 11) => {
                let id = reader.number(2) as u16;
                if five {
                    reader.properties();
                }
                let codes = reader.0.to_vec();
                if kind == 9 { Got::Suback { id, codes } } else { Got::Unsuback { id, codes } }
            }
            13 => Got::Pong,
            14 => Got::Disconnect { code: body.first().copied().unwrap_or(0) },
            kind => panic!("the broker sent a packet of kind {kind}"),
        }
    }

    /// Reads until `wanted` finds what it wants; messages on the way go to the inbox and are answered.
    async fn until<T>(&mut self, mut wanted: impl FnMut(&Got) -> Option<T>) -> T {
        loop {
            let got = self.next().await;
            if let Some(found) = wanted(&got) {
                return found;
            }
            match got {
                Got::Publish(published) => {
                    self.answer(&published).await;
                    self.inbox.push_back(published);
                }
                Got::Ack { kind: 6, id, .. } if self.polite => self.send_ack(7, id).await,
                Got::Closed | Got::Disconnect { .. } => panic!("the broker ended the connection: {got:?}"),
                _ => {}
            }
        }
    }

    async fn answer(&mut self, published: &Published) {
        if self.polite && published.quality > 0 {
            let kind = if published.quality == 1 { 4 } else { 5 };
            self.send_ack(kind, published.id).await;
        }
    }

    pub async fn send_ack(&mut self, kind: u8, id: u16) {
        let flags = if kind == 6 { 2 } else { 0 };
        self.send(&packet(kind << 4 | flags, &id.to_be_bytes())).await;
    }

    pub fn id(&mut self) -> u16 {
        self.next_id += 1;
        self.next_id
    }

    /// Subscribes and returns the code of each filter; options are those of MQTT 5 (§3.8.3.1).
    pub async fn subscribe_with(&mut self, filters: &[(&str, u8)], properties: &Properties) -> Vec<u8> {
        let id = self.id();
        let mut body = id.to_be_bytes().to_vec();
        if self.version == 5 {
            put_properties(&mut body, properties);
        }
        for (filter, options) in filters {
            put_bytes(&mut body, filter.as_bytes());
            body.push(*options);
        }
        self.send(&packet(0x82, &body)).await;
        self.until(|got| match got {
            Got::Suback { id: found, codes } if *found == id => Some(codes.clone()),
            _ => None,
        })
        .await
    }

    pub async fn subscribe(&mut self, filter: &str, options: u8) -> u8 {
        self.subscribe_with(&[(filter, options)], &Vec::new()).await[0]
    }

    pub async fn unsubscribe(&mut self, filter: &str) -> Vec<u8> {
        let id = self.id();
        let mut body = id.to_be_bytes().to_vec();
        if self.version == 5 {
            body.push(0);
        }
        put_bytes(&mut body, filter.as_bytes());
        self.send(&packet(0xA2, &body)).await;
        self.until(|got| match got {
            Got::Unsuback { id: found, codes } if *found == id => Some(codes.clone()),
            _ => None,
        })
        .await
    }

    pub fn encode_publish(&self, published: &Published) -> Vec<u8> {
        let mut body = Vec::new();
        put_bytes(&mut body, published.topic.as_bytes());
        if published.quality > 0 {
            body.extend(published.id.to_be_bytes());
        }
        if self.version == 5 {
            put_properties(&mut body, &published.properties);
        }
        body.extend_from_slice(&published.payload);
        let flags = u8::from(published.again) << 3 | published.quality << 1 | u8::from(published.retain);
        packet(0x30 | flags, &body)
    }

    /// Publishes and returns the code of the answer, after the whole exchange.
    pub async fn publish_as(&mut self, mut published: Published) -> u8 {
        if published.quality > 0 && published.id == 0 {
            published.id = self.id();
        }
        let id = published.id;
        let bytes = self.encode_publish(&published);
        self.send(&bytes).await;
        match published.quality {
            0 => 0,
            1 => self.answered(4, id).await,
            _ => match self.answered(5, id).await {
                0 => {
                    self.send_ack(6, id).await;
                    self.answered(7, id).await
                }
                refused => refused,
            },
        }
    }

    /// Waits for an answer of `kind` to `id`.
    pub async fn answered(&mut self, wanted: u8, id: u16) -> u8 {
        self.until(|got| match got {
            Got::Ack { kind, id: found, code } if *kind == wanted && *found == id => Some(*code),
            _ => None,
        })
        .await
    }

    pub async fn publish(&mut self, topic: &str, payload: &str, quality: u8) -> u8 {
        self.publish_as(message(topic, payload, quality)).await
    }

    /// Waits for the next message and answers it.
    pub async fn message(&mut self) -> Published {
        if let Some(published) = self.inbox.pop_front() {
            return published;
        }
        let published = self
            .until(|got| match got {
                Got::Publish(published) => Some(published.clone()),
                _ => None,
            })
            .await;
        self.answer(&published).await;
        published
    }

    pub async fn messages(&mut self, count: usize) -> Vec<Published> {
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(self.message().await);
        }
        messages
    }

    /// Returns once everything that the broker had for this client has come: the second answer comes after what
    /// waited when the first was asked for.
    pub async fn settle(&mut self) {
        for _ in 0..3 {
            self.send(&[0xC0, 0]).await;
            self.until(|got| matches!(got, Got::Pong).then_some(())).await;
        }
    }

    /// Fails where a message is there.
    pub async fn nothing(&mut self) {
        self.settle().await;
        assert!(self.inbox.is_empty(), "nothing was to come: {:?}", self.inbox);
    }

    /// Reads until the connection ends and returns the code of a DISCONNECT before.
    pub async fn end(&mut self) -> Option<u8> {
        let mut code = None;
        loop {
            match self.next().await {
                Got::Disconnect { code: told } => code = Some(told),
                Got::Closed => return code,
                _ => {}
            }
        }
    }

    /// Takes leave.
    pub async fn leave(mut self) {
        self.send(&[0xE0, 0]).await;
        self.end().await;
    }

    /// Takes leave and sets for how long the session is kept.
    pub async fn leave_with(mut self, reason: u8, expiry: u32) {
        let mut body = vec![reason];
        put_properties(&mut body, &vec![(0x11, Held::Number(expiry))]);
        self.send(&packet(0xE0, &body)).await;
        self.end().await;
    }
}

pub fn message(topic: &str, payload: &str, quality: u8) -> Published {
    Published {
        topic: topic.to_owned(),
        payload: payload.as_bytes().to_vec(),
        quality,
        retain: false,
        again: false,
        id: 0,
        properties: Vec::new(),
    }
}

impl Published {
    pub fn kept(mut self) -> Self {
        self.retain = true;
        self
    }

    pub fn with(mut self, id: u8, held: Held) -> Self {
        self.properties.push((id, held));
        self
    }
}
