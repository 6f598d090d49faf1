//! Sends requests over kept connections as fast as they are answered, and answers them at the other end.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::tokens::Tokens;

/// Connections at once.
pub const CONNECTIONS: usize = 64;

/// What the upstream answers: about a quarter of a kilobyte.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 256\r\n\r\n";
const LENGTH: usize = 256;

/// What was answered.
pub struct Driven {
    pub answered: u64,
    pub wall: Duration,
}

fn request(token: &str) -> Vec<u8> {
    let bearer = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "GET /api/bench/orders/7?full=yes HTTP/1.1\r\nhost: api.example.org\r\nuser-agent: bench\r\n\
         accept: application/json\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n\
         {bearer}\r\n"
    )
    .into_bytes()
}

/// Reads one answer; returns its status.
async fn read_answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    buffer.clear();
    loop {
        if socket.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            while buffer.len() < head + 4 + length {
                if socket.read_buf(buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let status = text.split(' ').nth(1).and_then(|text| text.parse().ok());
            return status.ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
    }
}

/// Returns the status of one request with `token`.
pub async fn status(port: u16, token: &str) -> io::Result<u16> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.write_all(&request(token)).await?;
    read_answer(&mut socket, &mut Vec::with_capacity(8 << 10)).await
}

/// Drives the front at `port` for `span`, each connection with a token of its own. Fails where any answer is
/// not 200.
pub async fn drive(port: u16, tokens: &Tokens, span: Duration) -> io::Result<Driven> {
    let begin = Instant::now();
    let until = begin + span;
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|i| {
            let request = request(tokens.right(i));
            tokio::spawn(async move {
                let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
                socket.set_nodelay(true)?;
                let (mut buffer, mut answered) = (Vec::with_capacity(8 << 10), 0_u64);
                while Instant::now() < until {
                    socket.write_all(&request).await?;
                    match read_answer(&mut socket, &mut buffer).await? {
                        200 => answered += 1,
                        other => return Err(io::Error::other(format!("answered {other}"))),
                    }
                }
                Ok::<_, io::Error>(answered)
            })
        })
        .collect();
    let mut answered = 0;
    for connection in connections {
        answered += connection.await.map_err(io::Error::other)??;
    }
    Ok(Driven { answered, wall: begin.elapsed() })
}

/// Answers every request on `listener` alike, without reading more of it than where it ends.
pub async fn upstream(listener: TcpListener) -> io::Result<()> {
    let answer: Vec<u8> = [ANSWER.as_bytes(), [b'x'; LENGTH].as_slice()].concat();
    loop {
        let (mut socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut buffer = Vec::with_capacity(8 << 10);
            loop {
                if !matches!(socket.read_buf(&mut buffer).await, Ok(1..)) {
                    return;
                }
                if buffer.ends_with(b"\r\n\r\n") {
                    buffer.clear();
                    if socket.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}
