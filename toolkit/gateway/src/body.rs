//! Request bodies within limits, on the wire and after decompression, while they stream.

use std::error::Error;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::{StatusCode, header};
use http_body::{Body as _, Frame};
use ieum_core::Fault;

use crate::ApiError;

/// Says why a request's body was not read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyRefused {
    /// More bytes came than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// Decompression gave more bytes than allowed.
    #[error("the compressed body is larger than {limit} bytes once decompressed")]
    Bomb {
        /// The limit that was passed.
        limit: usize,
    },
    /// The body says gzip and is none, or is cut off.
    #[error("the body is damaged gzip")]
    Damaged,
    /// Only gzip is decompressed.
    #[error("the body's encoding is not understood; send it plain or as gzip")]
    Encoding,
}

/// How large request bodies may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLimits {
    pub wire: usize,
    pub decompressed: usize,
}

/// A body that ends with [`BodyRefused`] at its limit.
struct LimitedBody {
    inner: Body,
    left: usize,
    limits: RequestLimits,
    gzip: Option<MultiGzDecoder<Capped>>,
    ended: bool,
    verdict: Verdict,
}

/// Where the body says why it was refused: an extractor that is not ours loses the reason.
pub(crate) type Verdict = Arc<OnceLock<BodyRefused>>;

/// Holds what one part decompressed to, and counts what all did.
struct Capped {
    bytes: Vec<u8>,
    left: usize,
    passed: bool,
}

/// Puts the limits around the request's body and takes compression off. Fails at once where the headers
/// say that the body will not pass.
pub(crate) fn guard(request: Request, limits: RequestLimits) -> Result<(Request, Option<Verdict>), ApiError> {
    if request.body().size_hint().exact() == Some(0) {
        return Ok((request, None));
    }
    let (mut parts, body) = request.into_parts();
    let encoding = parts.headers.get(header::CONTENT_ENCODING);
    let gzip = match encoding.map(|value| value.as_bytes().to_ascii_lowercase()).as_deref() {
        None | Some(b"identity" | b"") => false,
        Some(b"gzip" | b"x-gzip") => true,
        Some(_) => return Err(BodyRefused::Encoding.into()),
    };
    if body.size_hint().lower() > limits.wire as u64 {
        return Err(BodyRefused::TooLarge { limit: limits.wire }.into());
    }
    let decoder = gzip.then(|| {
        parts.headers.remove(header::CONTENT_ENCODING);
        parts.headers.remove(header::CONTENT_LENGTH);
        MultiGzDecoder::new(Capped { bytes: Vec::new(), left: limits.decompressed, passed: false })
    });
    let verdict = Verdict::default();
    let limited = LimitedBody {
        inner: body,
        left: limits.wire,
        limits,
        gzip: decoder,
        ended: false,
        verdict: verdict.clone(),
    };
    Ok((Request::from_parts(parts, Body::new(limited)), Some(verdict)))
}

/// Puts the limit on the wire around a body that is handed on as it came, compression included. One whose
/// length is known to fit goes through untouched: the server reads no more than that length.
pub(crate) fn guard_wire(request: Request, limit: usize) -> Result<(Request, Option<Verdict>), ApiError> {
    let size = request.body().size_hint();
    if size.lower() > limit as u64 {
        return Err(BodyRefused::TooLarge { limit }.into());
    }
    if size.exact().is_some() {
        return Ok((request, None));
    }
    let limits = RequestLimits { wire: limit, decompressed: 0 };
    let verdict = Verdict::default();
    let limited = request.map(|inner| {
        let verdict = verdict.clone();
        Body::new(LimitedBody { inner, left: limit, limits, gzip: None, ended: false, verdict })
    });
    Ok((limited, Some(verdict)))
}

/// Finds out whether an error while reading a body is a refusal of ours.
pub(crate) fn refusal(error: &(dyn Error + 'static)) -> Option<BodyRefused> {
    std::iter::successors(Some(error), |error| (*error).source())
        .find_map(|error| error.downcast_ref::<BodyRefused>().cloned())
}

// === LimitedBody ===

impl LimitedBody {
    fn take(&mut self, part: Bytes) -> Result<Bytes, BodyRefused> {
        self.left =
            self.left.checked_sub(part.len()).ok_or(BodyRefused::TooLarge { limit: self.limits.wire })?;
        let limit = self.limits.decompressed;
        match &mut self.gzip {
            None => Ok(part),
            Some(decoder) => match decoder.write_all(&part) {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes).into()),
                Err(_) => Err(decoder.get_ref().refusal(limit)),
            },
        }
    }

    fn finish(&mut self) -> Result<Bytes, BodyRefused> {
        let limit = self.limits.decompressed;
        match &mut self.gzip {
            None => Ok(Bytes::new()),
            Some(decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes).into()),
                Err(_) => Err(decoder.get_ref().refusal(limit)),
            },
        }
    }
}

impl http_body::Body for LimitedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let read = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(part) => self.take(part),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    self.ended = true;
                    self.finish()
                }
            };
            match read {
                Ok(part) if part.is_empty() => {}
                Ok(part) => return Poll::Ready(Some(Ok(Frame::data(part)))),
                Err(refused) => {
                    self.ended = true;
                    // Set at most once, since the body has ended.
                    let _ = self.verdict.set(refused.clone());
                    return Poll::Ready(Some(Err(refused.into())));
                }
            }
        }
    }
}

// === Capped ===

impl Capped {
    fn refusal(&self, limit: usize) -> BodyRefused {
        if self.passed { BodyRefused::Bomb { limit } } else { BodyRefused::Damaged }
    }
}

impl Write for Capped {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(part.len()) {
            Some(left) => {
                self.left = left;
                self.bytes.extend_from_slice(part);
                Ok(part.len())
            }
            None => {
                self.passed = true;
                Err(io::Error::other("over the limit"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === BodyRefused ===

impl From<BodyRefused> for ApiError {
    fn from(refused: BodyRefused) -> Self {
        let (reason, status) = match refused {
            BodyRefused::TooLarge { .. } => ("gateway.body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
            BodyRefused::Bomb { .. } => ("gateway.body_bomb", StatusCode::PAYLOAD_TOO_LARGE),
            BodyRefused::Damaged => ("gateway.body_damaged", StatusCode::BAD_REQUEST),
            BodyRefused::Encoding => ("gateway.body_encoding", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        };
        Self::from(Fault::invalid_argument(reason, refused.to_string())).with_status(status)
    }
}
