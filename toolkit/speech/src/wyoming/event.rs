//! Events on the wire: a line of JSON that names the kind and the lengths of what follows, then data, then bytes.

use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::SpeechError;

/// The version of the protocol whose events we know.
pub const VERSION: &str = "1.10.2";

/// The longest first line, further data, and payload.
const LONGEST_LINE: usize = 64 * 1024;
const LONGEST_DATA: usize = 1024 * 1024;
const LONGEST_PAYLOAD: usize = 1024 * 1024;

/// An event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WyomingEvent {
    /// What it is, such as `audio-chunk`.
    pub kind: String,
    /// What it says.
    pub data: Map<String, Value>,
    /// Bytes that go with it, such as samples.
    pub payload: Bytes,
}

/// Reads events one after the other.
pub struct WyomingReader<R> {
    inner: R,
    buffer: BytesMut,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Option<Map<String, Value>>,
    #[serde(default)]
    data_length: Option<usize>,
    #[serde(default)]
    payload_length: Option<usize>,
}

// === WyomingEvent ===

impl WyomingEvent {
    /// Makes an event; `data` that is no object counts as none.
    pub fn new(kind: &str, data: Value) -> Self {
        let data = if let Value::Object(data) = data { data } else { Map::new() };
        Self { kind: kind.to_owned(), data, payload: Bytes::new() }
    }

    /// Adds bytes.
    #[must_use]
    pub fn with_payload(mut self, payload: Bytes) -> Self {
        self.payload = payload;
        self
    }

    /// Returns what it says as a type.
    ///
    /// # Errors
    /// [`SpeechError::Protocol`] when a field is missing or of another kind.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SpeechError> {
        serde_json::from_value(Value::Object(self.data.clone()))
            .map_err(|error| SpeechError::Protocol { problem: format!("{}: {error}", self.kind) })
    }

    /// Returns the text of a field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.data.get(field).and_then(Value::as_str)
    }

    /// Returns the bytes that say it.
    pub fn encode(&self) -> Vec<u8> {
        let mut line = json!({ "type": self.kind, "version": VERSION });
        let data = if self.data.is_empty() {
            Vec::new()
        } else {
            let data = serde_json::to_vec(&self.data).unwrap_or_default();
            line["data_length"] = data.len().into();
            data
        };
        if !self.payload.is_empty() {
            line["payload_length"] = self.payload.len().into();
        }
        let mut bytes = line.to_string().into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&data);
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// Writes an event.
///
/// # Errors
/// What the connection says.
pub async fn write_event<W: AsyncWrite + Unpin>(into: &mut W, event: &WyomingEvent) -> std::io::Result<()> {
    into.write_all(&event.encode()).await?;
    into.flush().await
}

// === WyomingReader ===

impl<R: AsyncRead + Unpin> WyomingReader<R> {
    /// Makes a reader.
    pub fn new(inner: R) -> Self {
        Self { inner, buffer: BytesMut::with_capacity(8 * 1024) }
    }

    /// Returns the next event, or nothing at the end. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`SpeechError::Protocol`] for what is no event, is too long or is cut off, [`SpeechError::Cut`] where the connection
    /// broke; nothing can be read after.
    pub async fn next(&mut self) -> Result<Option<WyomingEvent>, SpeechError> {
        loop {
            if let Some(event) = self.parse()? {
                return Ok(Some(event));
            }
            let read = self.inner.read_buf(&mut self.buffer).await;
            match read.map_err(|source| SpeechError::Cut { source })? {
                0 if self.buffer.is_empty() => return Ok(None),
                0 => return Err(wrong("the connection ended within it")),
                _ => {}
            }
        }
    }

    /// Completes once the other side is gone, taking in some of what it still sends.
    pub async fn gone(&mut self) {
        while self.buffer.len() < 2 * LONGEST_PAYLOAD {
            if !matches!(self.inner.read_buf(&mut self.buffer).await, Ok(count) if count > 0) {
                return;
            }
        }
        std::future::pending().await
    }

    fn parse(&mut self) -> Result<Option<WyomingEvent>, SpeechError> {
        let Some(end) = self.buffer.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n') else {
            let long = self.buffer.len() >= LONGEST_LINE;
            return if long { Err(wrong("its first line does not end")) } else { Ok(None) };
        };
        let line: Line = serde_json::from_slice(&self.buffer[..end])
            .map_err(|error| SpeechError::Protocol { problem: format!("its first line: {error}") })?;
        let more = line.data_length.unwrap_or(0);
        let payload = line.payload_length.unwrap_or(0);
        if more > LONGEST_DATA || payload > LONGEST_PAYLOAD {
            return Err(wrong("it is longer than 1 MiB; send audio in shorter chunks"));
        }
        if self.buffer.len() < end + 1 + more + payload {
            return Ok(None);
        }
        self.buffer.advance(end + 1);
        let more = self.buffer.split_to(more);
        let payload = self.buffer.split_to(payload).freeze();
        let mut data = line.data.unwrap_or_default();
        if !more.is_empty() {
            let more: Map<String, Value> = serde_json::from_slice(&more)
                .map_err(|error| SpeechError::Protocol { problem: format!("its data: {error}") })?;
            data.extend(more);
        }
        Ok(Some(WyomingEvent { kind: line.kind, data, payload }))
    }
}

fn wrong(problem: &str) -> SpeechError {
    SpeechError::Protocol { problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8]) -> Result<Vec<WyomingEvent>, SpeechError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it needs nothing");
        runtime.block_on(async {
            let mut reader = WyomingReader::new(bytes);
            let mut events = Vec::new();
            while let Some(event) = reader.next().await? {
                events.push(event);
            }
            Ok(events)
        })
    }

    #[test]
    fn data_in_the_line_and_after_it_come_together() {
        let bytes = b"{\"type\":\"a\",\"data\":{\"x\":1,\"y\":1},\"data_length\":7,\"payload_length\":3}\n{\"y\":2}abc";
        let event = read_all(bytes).expect("it is one").remove(0);
        assert_eq!(event, WyomingEvent::new("a", json!({"x": 1, "y": 2})).with_payload(Bytes::from("abc")));
    }

    #[test]
    fn what_is_no_event_is_refused_before_it_costs_anything() {
        let problem = |bytes: &[u8]| read_all(bytes).expect_err("it is refused").to_string();
        assert!(problem(b"GET / HTTP/1.1\r\n\r\n").starts_with("reading a wyoming event: its first line: "));
        assert_eq!(problem(&[b'x'; 70_000]), "reading a wyoming event: its first line does not end");
        assert_eq!(
            problem(b"{\"type\":\"a\",\"payload_length\":99999999}\n"),
            "reading a wyoming event: it is longer than 1 MiB; send audio in shorter chunks"
        );
        assert_eq!(
            problem(b"{\"type\":\"a\",\"payload_length\":9}\nabc"),
            "reading a wyoming event: the connection ended within it"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(kind in "[a-z-]{1,12}", text in "\\PC{0,30}", payload: Vec<u8>) {
            let event = WyomingEvent::new(&kind, json!({ "text": text })).with_payload(payload.into());
            let twice = [event.encode(), event.encode()].concat();
            prop_assert_eq!(read_all(&twice).expect("we wrote it"), [event.clone(), event]);
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let _ = read_all(&bytes);
        }
    }
}
