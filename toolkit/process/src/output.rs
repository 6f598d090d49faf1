//! What a process says, line by line: its handshake, and the rest for the log.

use std::time::Duration;

use ieum_core::{Moment, SharedClock};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::oneshot;

use crate::{Address, AddressError};

/// The longest line that is told, bytes; the rest of it is left out.
const LONGEST: usize = 2_000;
/// The most lines of one stream that are told within [`SPAN`]; the others are counted.
const MOST: u32 = 100;
/// See [`MOST`].
const SPAN: Duration = Duration::from_secs(1);

/// What becomes of the handshake.
pub type Handshake = oneshot::Sender<Result<Address, AddressError>>;

/// Reads what a process says until it says nothing more. The first handshake goes to `handshake`.
pub async fn listen(
    stream: impl AsyncRead + Unpin,
    name: String,
    clock: SharedClock,
    mut handshake: Option<Handshake>,
) {
    let mut lines = Lines { reader: BufReader::new(stream) };
    let mut told = Told { clock, since: Moment::START, lines: 0, left_out: 0 };
    while let Some(line) = lines.next().await {
        if handshake.is_some()
            && let Some(found) = Address::of_line(&line).transpose()
        {
            if let Some(handshake) = handshake.take() {
                // Nobody waits any more where it came too late.
                let _ = handshake.send(found);
            }
            continue;
        }
        if line.trim().is_empty() || !told.may_tell(&name) {
            continue;
        }
        tracing::info!(process = name, said = line, "a process says something");
    }
}

/// Lines of a stream, each shortened to what may be told.
struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Returns the next line without characters that a terminal would obey; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let mut any = false;
        loop {
            let chunk = self.reader.fill_buf().await.ok()?;
            if chunk.is_empty() {
                return any.then(|| clean(&line));
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = LONGEST.saturating_sub(line.len()).min(part.len());
            line.extend_from_slice(&part[..room]);
            let read = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(read);
            if end.is_some() {
                return Some(clean(&line));
            }
        }
    }
}

fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Counts what is told, so that one process does not fill the log.
struct Told {
    clock: SharedClock,
    since: Moment,
    lines: u32,
    left_out: u64,
}

impl Told {
    fn may_tell(&mut self, name: &str) -> bool {
        let now = self.clock.moment();
        if now.since(self.since) >= SPAN {
            if self.left_out > 0 {
                tracing::warn!(process = name, lines = self.left_out, "lines of a process were left out");
            }
            (self.since, self.lines, self.left_out) = (now, 0, 0);
        }
        self.lines += 1;
        let may = self.lines <= MOST;
        self.left_out += u64::from(!may);
        may
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::ManualClock;

    use super::*;

    #[tokio::test]
    async fn lines_are_shortened_and_lose_what_a_terminal_would_obey() {
        let said = format!("one\x1b[2Jtwo\r\n{}\n\nlast", "x".repeat(LONGEST * 3));
        let mut lines = Lines { reader: BufReader::new(said.as_bytes()) };
        assert_eq!(lines.next().await.as_deref(), Some("one [2Jtwo"));
        assert_eq!(lines.next().await.map(|line| line.len()), Some(LONGEST));
        assert_eq!(lines.next().await.as_deref(), Some(""));
        assert_eq!(lines.next().await.as_deref(), Some("last"));
        assert_eq!(lines.next().await, None);
    }

    #[tokio::test]
    async fn the_first_handshake_is_told_and_what_stands_around_it_is_not_taken_for_one() {
        let said = "warming up\nieum-plugin http://127.0.0.1:7\nieum-plugin http://127.0.0.1:8\n";
        let (sender, handshake) = oneshot::channel();
        let clock = ManualClock::default().shared();
        listen(said.as_bytes(), "coffee".into(), clock, Some(sender)).await;
        let address = handshake.await.expect("is told").expect("may be called");
        assert_eq!(address.as_str(), "http://127.0.0.1:7");
    }

    #[test]
    fn a_flood_of_lines_is_cut_off_until_the_next_second() {
        let clock = ManualClock::default();
        let mut told = Told { clock: clock.shared(), since: Moment::START, lines: 0, left_out: 0 };
        clock.advance(SPAN);
        let told_of = |told: &mut Told| (0..MOST + 50).filter(|_| told.may_tell("coffee")).count();
        assert_eq!((told_of(&mut told), told.left_out), (MOST as usize, 50));
        clock.advance(SPAN);
        assert_eq!(told_of(&mut told), MOST as usize);
    }
}
