//! A client of MQTT 3.1.1 that does no more than a benchmark needs: bytes written by hand, answers counted.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Messages that a publisher sends before the first is acknowledged.
const WINDOW: u64 = 20;
/// The bytes of a message.
const PAYLOAD: [u8; 128] = [b'x'; 128];
/// The last message.
const END: &[u8] = b"end";
/// How long the last messages may take to arrive.
const LAST: Duration = Duration::from_secs(10);

/// Connects a client that then says nothing.
pub async fn idle(port: u16, client: &str) -> io::Result<TcpStream> {
    enter(port, client, true).await
}

/// Connects a client, to a new session or, where it is not `clean`, to one that outlives the connection.
async fn enter(port: u16, client: &str, clean: bool) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    socket.write_all(&connect(client, clean)).await?;
    let mut answer = [0; 4];
    socket.read_exact(&mut answer).await?;
    // The third byte says whether the session was there.
    if [answer[0], answer[1], answer[3]] != [0x20, 2, 0] {
        return Err(io::Error::other(format!("the CONNECT of {client} is answered with {answer:?}")));
    }
    Ok(socket)
}

/// Lets one publisher talk to one subscriber for `span`; returns how many messages arrived, which is how many were sent.
///
/// Where sessions are `kept`, the subscriber's outlives it and so do the messages that wait for it.
pub async fn exchange(port: u16, pair: usize, kept: bool, span: Duration) -> io::Result<u64> {
    let topic = format!("bench/{pair}");
    let mut subscriber = enter(port, &format!("subscriber-{pair}"), !kept).await?;
    subscriber.write_all(&subscribe(&topic)).await?;
    subscriber.read_exact(&mut [0; 5]).await?;
    let receiving = tokio::spawn(receive(subscriber, topic.len()));
    let publisher = idle(port, &format!("publisher-{pair}")).await?;
    let sent = publish(publisher, &topic, Instant::now() + span).await?;
    let late = |_| io::Error::other(format!("of {sent} messages the last did not arrive"));
    let received = tokio::time::timeout(LAST, receiving).await.map_err(late)?.map_err(io::Error::other)??;
    if received == sent {
        Ok(received)
    } else {
        Err(io::Error::other(format!("{received} of {sent} messages arrived")))
    }
}

/// Publishes until `until`, then [`END`]; returns how many messages it was.
async fn publish(mut socket: TcpStream, topic: &str, until: Instant) -> io::Result<u64> {
    let (mut sent, mut acknowledged) = (0_u64, 0_u64);
    let (mut out, mut answers) = (Vec::new(), Vec::with_capacity(4 << 10));
    let mut last = false;
    while !last || acknowledged < sent {
        out.clear();
        while !last && sent - acknowledged < WINDOW {
            last = Instant::now() >= until;
            sent += 1;
            // Numbers of messages are never 0 (MQTT 3.1.1 §2.3.1).
            let number = (sent % 60_000 + 1) as u16;
            put_publish(&mut out, topic, number, if last { END } else { &PAYLOAD });
        }
        if !out.is_empty() {
            socket.write_all(&out).await?;
        }
        if socket.read_buf(&mut answers).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let whole = answers.len() / 4;
        if answers.chunks_exact(4).any(|answer| answer[..2] != [0x40, 2]) {
            return Err(io::Error::other("something else than a PUBACK came"));
        }
        answers.drain(..whole * 4);
        acknowledged += whole as u64;
    }
    Ok(sent)
}

/// Takes and acknowledges messages up to [`END`]; returns how many came.
async fn receive(mut socket: TcpStream, topic: usize) -> io::Result<u64> {
    let (mut received, mut inbound, mut out) = (0_u64, Vec::with_capacity(64 << 10), Vec::new());
    loop {
        if socket.read_buf(&mut inbound).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut at, mut ended) = (0, false);
        out.clear();
        while let Some((head, length)) = header(&inbound[at..]) {
            let packet = at + head;
            let Some(body) = inbound.get(packet..packet + length) else { break };
            if inbound[at] & 0xf6 != 0x32 {
                return Err(io::Error::other("something else than a PUBLISH of quality 1 came"));
            }
            let id = 2 + topic;
            out.extend_from_slice(&[0x40, 2, body[id], body[id + 1]]);
            ended |= &body[id + 2..] == END;
            received += 1;
            at = packet + length;
        }
        inbound.drain(..at);
        if !out.is_empty() {
            socket.write_all(&out).await?;
        }
        if ended {
            return Ok(received);
        }
    }
}

// === Packets ===

/// Returns the lengths of a packet's fixed header and of what follows it; `None` where it is not whole.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for index in 0..4 {
        let byte = *bytes.get(1 + index)?;
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((2 + index, length));
        }
    }
    None
}

fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_publish(out: &mut Vec<u8>, topic: &str, number: u16, payload: &[u8]) {
    out.push(0x32);
    put_length(out, 2 + topic.len() + 2 + payload.len());
    put_text(out, topic);
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(payload);
}

fn connect(client: &str, clean: bool) -> Vec<u8> {
    let mut out = vec![0x10];
    put_length(&mut out, 10 + 2 + client.len());
    // An hour until silence counts.
    out.extend_from_slice(&[0, 4, b'M', b'Q', b'T', b'T', 4, u8::from(clean) << 1, 0x0e, 0x10]);
    put_text(&mut out, client);
    out
}

fn subscribe(topic: &str) -> Vec<u8> {
    let mut out = vec![0x82];
    put_length(&mut out, 2 + 2 + topic.len() + 1);
    out.extend_from_slice(&[0, 1]);
    put_text(&mut out, topic);
    out.push(1);
    out
}
