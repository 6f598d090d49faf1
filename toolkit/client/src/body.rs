//! Reading a body within limits, on the wire and after decompression.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::StreamExt;
use http::{HeaderMap, header};
use ieum_core::Fault;

use crate::{BodyStream, TransportError};

/// How large an answer may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyLimits {
    /// On the wire. Default 16 MiB.
    pub wire: usize,
    /// After decompression. Default 64 MiB.
    pub decompressed: usize,
}

/// Says why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes came than allowed; reading stopped there.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// Decompression gave more bytes than allowed; it stopped there.
    #[error("the compressed body is larger than {limit} bytes once decompressed")]
    Bomb {
        /// The limit that was passed.
        limit: usize,
    },
    /// The body says gzip and is none, or is cut off.
    #[error("the body is damaged gzip")]
    Damaged(#[source] io::Error),
    /// Only gzip was asked for.
    #[error("the body is encoded as {encoding:?}; only gzip is understood")]
    Encoding {
        /// What the answer says, cut to 40 characters.
        encoding: String,
    },
    /// The connection broke on the way.
    #[error("reading the body failed")]
    Transport(#[source] TransportError),
}

/// Collects bytes up to a limit and fails on the first beyond it.
struct Capped {
    bytes: Vec<u8>,
    limit: usize,
    passed: bool,
}

enum Reader {
    Plain(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { wire: 16 << 20, decompressed: 64 << 20 }
    }
}

/// Reads `body` to its end. At no time more than one limit's bytes and one part are held.
pub(crate) async fn read_body(
    headers: &HeaderMap,
    mut body: BodyStream,
    limits: BodyLimits,
) -> Result<Bytes, BodyError> {
    let too_large = || BodyError::TooLarge { limit: limits.wire };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limits.wire as u64) {
        return Err(too_large());
    }
    let mut reader = Reader::for_headers(headers, limits)?;
    let mut came = 0_usize;
    while let Some(part) = body.next().await {
        let part = part.map_err(BodyError::Transport)?;
        came = came.saturating_add(part.len());
        if came > limits.wire {
            return Err(too_large());
        }
        reader.take(&part)?;
    }
    reader.finish(came)
}

// === Capped ===

impl Write for Capped {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > self.limit {
            self.passed = true;
            return Err(io::Error::other("over the limit"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === Reader ===

impl Reader {
    fn for_headers(headers: &HeaderMap, limits: BodyLimits) -> Result<Self, BodyError> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = encodings.next().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
        let capped = Capped { bytes: Vec::new(), limit: limits.decompressed, passed: false };
        match (encoding.as_str(), encodings.next()) {
            ("" | "identity", None) => Ok(Self::Plain(Vec::new())),
            ("gzip" | "x-gzip", None) => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(capped)))),
            _ => Err(BodyError::Encoding { encoding: encoding.chars().take(40).collect() }),
        }
    }

    fn take(&mut self, part: &[u8]) -> Result<(), BodyError> {
        match self {
            Self::Plain(bytes) => bytes.extend_from_slice(part),
            Self::Gzip(decoder) => {
                decoder.write_all(part).map_err(|error| gzip_failed(decoder.get_ref(), error))?
            }
        }
        Ok(())
    }

    fn finish(self, came: usize) -> Result<Bytes, BodyError> {
        match self {
            Self::Plain(bytes) => Ok(bytes.into()),
            // The answer to a HEAD request names the encoding of a body that is not sent.
            Self::Gzip(_) if came == 0 => Ok(Bytes::new()),
            Self::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|error| gzip_failed(decoder.get_ref(), error))?;
                Ok(std::mem::take(&mut decoder.get_mut().bytes).into())
            }
        }
    }
}

fn gzip_failed(capped: &Capped, error: io::Error) -> BodyError {
    if capped.passed { BodyError::Bomb { limit: capped.limit } } else { BodyError::Damaged(error) }
}

// === BodyError ===

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        let message = error.to_string();
        match error {
            BodyError::TooLarge { .. } => Self::internal("client.body_too_large", message),
            BodyError::Bomb { .. } => Self::internal("client.body_bomb", message),
            BodyError::Damaged(_) => Self::internal("client.body_damaged", message),
            BodyError::Encoding { .. } => Self::internal("client.body_encoding", message),
            BodyError::Transport(cause) => cause.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("writes to memory");
        encoder.finish().expect("writes to memory")
    }

    async fn read(encoding: &str, bytes: &[u8], limits: BodyLimits) -> Result<Bytes, BodyError> {
        let mut headers = HeaderMap::new();
        if !encoding.is_empty() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(encoding).expect("is text"));
        }
        let parts: Vec<_> = bytes.chunks(1000).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        read_body(&headers, futures::stream::iter(parts).boxed(), limits).await
    }

    const LIMITS: BodyLimits = BodyLimits { wire: 10_000, decompressed: 50_000 };

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
        assert_eq!(read("", &[7; 10_000], LIMITS).await.expect("is within").len(), 10_000);
        assert!(matches!(read("", &[7; 10_001], LIMITS).await, Err(BodyError::TooLarge { limit: 10_000 })));
        let exact = gzip(&[7; 50_000]);
        assert_eq!(read("gzip", &exact, LIMITS).await.expect("is within").len(), 50_000);
        let more = gzip(&[7; 50_001]);
        assert!(matches!(read("gzip", &more, LIMITS).await, Err(BodyError::Bomb { limit: 50_000 })));
    }

    #[tokio::test]
    async fn a_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![0; 9_000_000]);
        assert!(bomb.len() < 10_000, "passes the limit on the wire");
        assert!(matches!(read("GZIP", &bomb, LIMITS).await, Err(BodyError::Bomb { .. })));
        let twice = [gzip(&[0; 30_000]), gzip(&[0; 30_000])].concat();
        assert!(matches!(read("gzip", &twice, LIMITS).await, Err(BodyError::Bomb { .. })), "members add up");
    }

    #[tokio::test]
    async fn damaged_cut_off_and_strange_bodies_are_refused() {
        let whole = gzip(b"all of it");
        assert!(matches!(read("gzip", &whole[..12], LIMITS).await, Err(BodyError::Damaged(_))));
        assert!(matches!(read("gzip", b"no gzip at all", LIMITS).await, Err(BodyError::Damaged(_))));
        assert!(matches!(read("br", b"x", LIMITS).await, Err(BodyError::Encoding { .. })));
        assert!(matches!(read("gzip, gzip", b"x", LIMITS).await, Err(BodyError::Encoding { .. })));
    }
}
