//! The pages that watch: raw connections, so that many fit beside what they measure. A page looks for the count of
//! people who came in the bytes as they arrive; neither an event stream nor an unmasked frame hides it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ieum_core::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::failed;

const COUNT: &[u8] = b"\"checkedIn\":";

/// Delays of more milliseconds than this are counted as this.
const LONGEST: usize = 60_000;

/// Everybody who watches.
pub struct Pages {
    shared: Arc<Shared>,
    count: usize,
}

struct Shared {
    /// How many had come when which request was answered.
    marks: Mutex<Vec<(u64, Instant)>>,
    /// Delays by milliseconds, of every page and request.
    delays: Mutex<Vec<u64>>,
    pictures: AtomicU64,
    /// Pages that show everybody.
    least: Mutex<Vec<u64>>,
}

impl Pages {
    /// Opens so many pages, every other one by WebSocket.
    pub async fn open(port: u16, count: usize) -> Result<Self, Fault> {
        let shared = Arc::new(Shared {
            marks: Mutex::default(),
            delays: Mutex::new(vec![0; LONGEST + 1]),
            pictures: AtomicU64::new(0),
            least: Mutex::new(vec![0; count]),
        });
        for page in 0..count {
            let mut stream = TcpStream::connect(("127.0.0.1", port))
                .await
                .map_err(|error| failed("connecting", &error))?;
            let host = format!("Host: 127.0.0.1:{port}\r\n");
            let request = if page % 2 == 0 {
                format!(
                    "GET /api/events/socket HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
            } else {
                format!("GET /api/events/stream HTTP/1.1\r\n{host}Accept: text/event-stream\r\n\r\n")
            };
            stream
                .write_all(request.as_bytes())
                .await
                .map_err(|error| failed("asking for the stream", &error))?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.map_err(|error| failed("opening a page", &error))?;
            if !answer.starts_with(b"HTTP/1.1 101") && !answer.starts_with(b"HTTP/1.1 200") {
                return Err(failed("opening a page", &String::from_utf8_lossy(&answer)));
            }
            let shared = shared.clone();
            tokio::spawn(async move { shared.watch(page, stream).await });
        }
        Ok(Self { shared, count })
    }

    /// Notes that a request with so many entries was answered just now.
    pub fn accepted(&self, entries: u64) {
        let mut marks = lock(&self.shared.marks);
        let before = marks.last().map_or(0, |mark| mark.0);
        marks.push((before + entries, Instant::now()));
    }

    /// Waits until every page shows everybody.
    pub async fn settle(&self, patience: Duration) -> Result<(), Fault> {
        let all = lock(&self.shared.marks).last().map_or(0, |mark| mark.0);
        let begun = Instant::now();
        loop {
            let least = lock(&self.shared.least).iter().min().copied().unwrap_or(all);
            if least >= all {
                return Ok(());
            }
            if begun.elapsed() > patience {
                return Err(failed("waiting for the pages", &format_args!("one shows {least} of {all}")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns the median and the 99th percentile of all delays, milliseconds, and the pictures per page.
    pub fn delays(&self) -> (f64, f64, f64) {
        let delays = lock(&self.shared.delays);
        let all: u64 = delays.iter().sum();
        let beyond = |share: f64| {
            let mut left = (all as f64 * share) as u64;
            let place = delays.iter().position(|count| {
                let found = left < *count;
                left = left.saturating_sub(*count);
                found
            });
            place.unwrap_or(LONGEST) as f64
        };
        let pictures = self.shared.pictures.load(Ordering::Relaxed) as f64 / self.count.max(1) as f64;
        (beyond(0.5), beyond(0.99), pictures)
    }
}

impl Shared {
    async fn watch(&self, page: usize, mut stream: TcpStream) {
        let mut buffer = vec![0; 16 * 1024];
        let (mut kept, mut next) = (Vec::new(), 0);
        while let Ok(count) = stream.read(&mut buffer).await {
            if count == 0 {
                return;
            }
            kept.extend_from_slice(&buffer[..count]);
            let (came, rest) = last_count(&kept);
            kept.drain(..rest);
            let Some(came) = came else { continue };
            self.pictures.fetch_add(1, Ordering::Relaxed);
            let now = Instant::now();
            let mut shown = Vec::new();
            {
                let marks = lock(&self.marks);
                while let Some((all, at)) = marks.get(next).filter(|mark| mark.0 <= came) {
                    let _ = all;
                    shown.push(now.saturating_duration_since(*at).as_millis() as usize);
                    next += 1;
                }
            }
            let mut delays = lock(&self.delays);
            for delay in shown {
                delays[delay.min(LONGEST)] += 1;
            }
            drop(delays);
            lock(&self.least)[page] = came;
        }
    }
}

/// Returns the last whole count in some bytes, and how many of them are done with.
fn last_count(bytes: &[u8]) -> (Option<u64>, usize) {
    let (mut found, mut done, mut place) = (None, bytes.len().saturating_sub(COUNT.len() + 20), 0);
    while let Some(at) = bytes[place..].windows(COUNT.len()).position(|window| window == COUNT) {
        let begin = place + at + COUNT.len();
        let digits = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if begin + digits == bytes.len() {
            // It may go on in what comes next.
            return (found, place + at);
        }
        found = std::str::from_utf8(&bytes[begin..begin + digits]).ok().and_then(|text| text.parse().ok());
        place = begin + digits;
        done = done.max(place);
    }
    (found, done)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_count_is_found_wherever_the_bytes_are_cut() {
        assert_eq!(last_count(b"x\"checkedIn\":12,\"a\""), (Some(12), 15));
        assert_eq!(last_count(b"\"checkedIn\":1,\"checkedIn\":2"), (Some(1), 14));
        assert_eq!(last_count(b"nothing").0, None);
    }
}
