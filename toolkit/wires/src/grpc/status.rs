//! A fault as a gRPC status, and back.

use std::time::Duration;

use ieum_core::{Code, Fault};
use tonic::Status;
use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};

/// The fault's reason, as bytes.
const REASON: &str = "ieum-reason-bin";
/// The fault's wait, milliseconds.
const WAIT: &str = "grpc-retry-pushback-ms";
/// That the call was repeated below already.
const RETRIED: &str = "ieum-retried";
/// Percent-encoded text grows up to threefold, and peers take 8 KiB of headers at least.
const LONGEST_MESSAGE: usize = 2_000;

/// Writes `fault` as a status; the wait travels as gRPC's own pushback
/// (<https://github.com/grpc/proposal/blob/master/A6-client-retries.md>, "Pushback").
pub(crate) fn status_of(fault: &Fault) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(REASON, BinaryMetadataValue::from_bytes(shorten(&fault.reason).as_bytes()));
    if let Some(wait) = fault.retry_after {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        metadata.insert(WAIT, MetadataValue::from(millis));
    }
    if fault.retried {
        metadata.insert(RETRIED, MetadataValue::from_static("1"));
    }
    Status::with_metadata(tonic::Code::from(fault.code.grpc_number()), shorten(&fault.message), metadata)
}

fn shorten(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Reads the fault of a status that ended an answer of `path` at the caller's side.
pub(crate) fn answer_fault_of(path: &str, status: &Status) -> Fault {
    // tonic has no other mark for an answer that this side did not take.
    let too_long = status.code() == tonic::Code::OutOfRange
        && status.metadata().get_bin(REASON).is_none()
        && status.message().contains("decoded message length too large");
    if too_long {
        let message = format!("calling {path}, whose answer is longer than is taken here");
        return Fault::internal("link.answer_too_long", message);
    }
    fault_of(path, status)
}

/// Reads the fault of a status that came while calling `path`. A status without our reason is a stranger's
/// or the connection's own.
pub(crate) fn fault_of(path: &str, status: &Status) -> Fault {
    let metadata = status.metadata();
    let wait = metadata.get(WAIT).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let retry_after = wait.map(Duration::from_millis);
    let reason = metadata.get_bin(REASON).and_then(|value| value.to_bytes().ok());
    if let Some(reason) = reason.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()) {
        let code = Code::from_grpc_number(i32::from(status.code()));
        let (reason, message) = (reason.into(), status.message().to_owned());
        return Fault { code, reason, message, retry_after, retried: metadata.contains_key(RETRIED) };
    }
    tracing::debug!(operation = path, code = ?status.code(), start = status.message(), "status has no reason");
    let (code, reason, what) = match status.code() {
        tonic::Code::OutOfRange => {
            (Code::InvalidArgument, "link.message_too_long", "the message is longer than the receiver takes")
        }
        _ if has_source(status) => {
            (Code::Unavailable, "link.cut", "the connection broke before the whole answer")
        }
        tonic::Code::Unknown => (Code::Internal, "link.foreign_answer", "answered with status UNKNOWN"),
        code => (
            Code::from_grpc_number(i32::from(code)),
            "link.foreign_answer",
            "answered with a status that has no reason",
        ),
    };
    let message = format!("calling {path}: {what}");
    Fault { code, reason: reason.into(), message, retry_after, retried: false }
}

/// Tells whether a status was made here from a broken connection rather than sent by the peer.
fn has_source(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_back_as_it_was() {
        for code in Code::ALL {
            let fault = Fault::new(code, "stock.품절", "예약: reading row 7, 100%")
                .with_retry_after(Duration::from_millis(1_500))
                .with_retried();
            let mut headers = http::HeaderMap::new();
            status_of(&fault).add_header(&mut headers).expect("fits into headers");
            let status = Status::from_header_map(&headers).expect("is a status");
            assert_eq!(fault_of("stock.items/get", &status), fault);
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let fault = Fault::internal("test.long", "가".repeat(5_000));
        let back = fault_of("a.b/c", &status_of(&fault));
        assert_eq!(back.message.chars().count(), LONGEST_MESSAGE / 3);
    }
}
