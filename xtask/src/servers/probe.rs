//! Free ports, and whether something answers on them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::failure::{Failure, Tried};

/// Returns `N` free ports of 127.0.0.1.
///
/// # Errors
/// When none is left.
pub fn free_ports<const N: usize>() -> Result<[u16; N], Failure> {
    // All are held until the last is found, so that they differ.
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").tried("looking for a free port")?;
        *port = listener.local_addr().tried("looking for a free port")?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Tells whether something accepts connections on `port`.
pub fn is_open(port: u16) -> bool {
    connect(port).is_some()
}

/// Sends `bytes` to `port` and returns what comes back, up to 4 KiB, or nothing.
pub fn say(port: u16, bytes: &[u8]) -> String {
    let Some(mut stream) = connect(port) else { return String::new() };
    if stream.write_all(bytes).is_err() {
        return String::new();
    }
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).unwrap_or(0);
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

/// Sends an HTTP request without a body and returns the status of the answer.
pub fn http_status(port: u16, method: &str, path: &str) -> Option<u16> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let answer = say(port, request.as_bytes());
    answer.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    Some(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ() {
        let [one, other] = free_ports::<2>().expect("two ports are free");
        assert_ne!(one, other);
        assert!(!is_open(one));
    }
}
