//! Messages as they are: JSON bytes in gRPC frames.

use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, HeaderValue};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// The content type of requests and answers
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Content-Type").
pub(crate) const CONTENT_TYPE: &str = "application/grpc+json";

/// Tells a server of ours whether the caller sends one message or a stream: in gRPC both look alike, and a
/// caller of another version may be wrong about it.
const KIND: &str = "ieum-kind";

/// Writes how an operation is called.
pub(crate) fn call_as(headers: &mut HeaderMap, streams: bool) {
    headers.insert(KIND, HeaderValue::from_static(if streams { "stream" } else { "single" }));
}

/// Returns whether the operation is called as a stream; `None` where a stranger's client does not tell.
pub(crate) fn called_as(headers: &HeaderMap) -> Option<bool> {
    match headers.get(KIND)?.as_bytes() {
        b"stream" => Some(true),
        b"single" => Some(false),
        _ => None,
    }
}

/// Hands the bytes of a frame through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JsonCodec;

impl Codec for JsonCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for JsonCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, frame: &mut EncodeBuf<'_>) -> Result<(), Status> {
        frame.put(message);
        Ok(())
    }
}

impl Decoder for JsonCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, frame: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(frame.copy_to_bytes(frame.remaining())))
    }
}
