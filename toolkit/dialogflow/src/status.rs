//! Faults as gRPC statuses and as Google's JSON errors, and back; and the time a gRPC caller gives.

use std::time::Duration;

use ieum_core::{Code, Cx, Fault, SharedClock, describe};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

/// The longest message of a status, in bytes: it travels in a header.
const LONGEST_MESSAGE: usize = 1_000;

/// Google's error body (<https://cloud.google.com/apis/design/errors>).
#[derive(Serialize, Deserialize)]
pub struct ErrorBody {
    pub error: ErrorStatus,
}

/// What an error body says.
#[derive(Serialize, Deserialize)]
pub struct ErrorStatus {
    /// The HTTP status.
    pub code: u16,
    #[serde(default)]
    pub message: String,
    /// gRPC's code in capitals, such as `INVALID_ARGUMENT`.
    #[serde(default)]
    pub status: String,
    /// What programs read, each with its `@type` (google/rpc/error_details.proto).
    #[serde(default)]
    pub details: Vec<Value>,
}

/// The header of a status that says a fault's reason, for callers that are of this platform too.
const REASON: &str = "ieum-reason";

/// Returns a fault as a gRPC status.
pub fn status_of(fault: &Fault) -> Status {
    let mut status = Status::new(tonic::Code::from(fault.code.grpc_number()), cut(&fault.message));
    if let Ok(reason) = fault.reason.parse() {
        status.metadata_mut().insert(REASON, reason);
    }
    status
}

/// Returns the reason that a status says, where it is one of what hears and understands: no other is believed.
fn reason_of(status: &Status) -> Option<String> {
    let reason = status.metadata().get(REASON)?.to_str().ok()?;
    let plain = |letter: char| letter.is_ascii_lowercase() || "._".contains(letter);
    (reason.starts_with("voice.") && reason.len() <= 100 && reason.chars().all(plain))
        .then(|| reason.to_owned())
}

/// Returns the fault of a status that ended a call of `what`.
pub fn fault_of(what: &str, status: &Status) -> Fault {
    let broken = std::error::Error::source(status);
    if let Some(cause) = broken {
        let message = format!("{what}: the connection failed: {}", describe(cause));
        return Fault::unavailable("dialogflow.connection", message);
    }
    let code = match status.code() {
        tonic::Code::OutOfRange => Code::InvalidArgument,
        tonic::Code::Unknown => Code::Internal,
        code => Code::from_grpc_number(i32::from(code)),
    };
    let message = format!("{what}: {}", cut(status.message()));
    match reason_of(status) {
        Some(reason) => Fault::new(code, reason, message),
        None => Fault::new(code, "dialogflow.status", message),
    }
}

/// Returns a fault as Google's JSON error, with its HTTP status.
pub fn error_body(fault: &Fault) -> (u16, ErrorBody) {
    // Google answers 400 where others answer 412 (google/rpc/code.proto).
    let code = if fault.code == Code::FailedPrecondition { 400 } else { fault.code.http_status() };
    let status = fault.code.name().to_ascii_uppercase();
    let error = ErrorStatus { code, message: fault.message.clone(), status, details: details_of(fault) };
    (code, ErrorBody { error })
}

/// Returns why in a word, in the letters that such words have there, and when to come again.
fn details_of(fault: &Fault) -> Vec<Value> {
    let reason = fault.reason.replace(['.', '-'], "_").to_ascii_uppercase();
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let why = json!({ "@type": kind("ErrorInfo"), "reason": reason, "domain": "ieum" });
    let again = fault.retry_after.map(
        |wait| json!({ "@type": kind("RetryInfo"), "retryDelay": format!("{:.3}s", wait.as_secs_f64()) }),
    );
    [why].into_iter().chain(again).collect()
}

/// Returns the fault of an answer with an HTTP status of 400 or above to `what`.
pub fn fault_of_body(what: &str, status: u16, body: &[u8]) -> Fault {
    let said = serde_json::from_slice::<ErrorBody>(body).ok().map(|body| body.error);
    let named = said
        .as_ref()
        .and_then(|error| Code::ALL.into_iter().find(|code| code.name().eq_ignore_ascii_case(&error.status)));
    let code = named.unwrap_or_else(|| Code::from_http_status(status));
    let message = said.map_or_else(|| format!("answered {status}"), |error| cut(&error.message).to_owned());
    Fault::new(code, "dialogflow.status", format!("{what}: {message}"))
}

/// Returns the fault of `call`, which would write what an agent knows.
pub fn not_written(call: &str) -> Fault {
    let message = format!("{call} is not offered here: intents and entity types are read, never written");
    Fault::unimplemented("dialogflow.read_only", message)
}

/// Returns the context of a gRPC call: what a front door made of it, or else what the caller says, with the time the
/// caller gives.
pub fn context_of<T>(clock: &SharedClock, request: &Request<T>) -> Cx {
    let (now, metadata) = (clock.moment(), request.metadata());
    let said = || Cx::from_pairs(|name| metadata.get(name).and_then(|value| value.to_str().ok()), now);
    let cx = request.extensions().get::<Cx>().cloned().unwrap_or_else(said);
    match timeout_of(metadata) {
        Some(span) => cx.with_timeout(now, span),
        None => cx,
    }
}

/// Reads how long a gRPC caller waits (`grpc-timeout`: at most eight digits and a unit,
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
fn timeout_of(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_grpc_and_json() {
        for code in Code::ALL {
            let fault = Fault::new(code, "test.reason", "reading row 7");
            assert_eq!(fault_of("asking", &status_of(&fault)).code, code);
            let (status, body) = error_body(&fault);
            let text = serde_json::to_vec(&body).expect("is JSON");
            assert_eq!(fault_of_body("asking", status, &text).code, code);
        }
        let (status, body) = error_body(&Fault::failed_precondition("a.b", "not yet"));
        assert_eq!((status, body.error.status.as_str()), (400, "FAILED_PRECONDITION"));
        assert_eq!(fault_of_body("asking", 503, b"<html>").code, Code::Unavailable);
    }

    #[test]
    fn why_speech_was_not_heard_survives_grpc_and_no_other_reason_is_believed() {
        let told = |reason: &'static str| {
            let fault = Fault::invalid_argument(reason, "hearing");
            fault_of("asking", &status_of(&fault)).reason
        };
        assert_eq!(told("voice.audio.too_long"), "voice.audio.too_long");
        assert_eq!(told("gateway.password_ended"), "dialogflow.status");
        assert_eq!(told("voice.Ears\n"), "dialogflow.status");
    }

    #[test]
    fn a_callers_time_is_read_and_nonsense_is_not() {
        let read = |text: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", text.parse().expect("is ASCII"));
            timeout_of(&metadata)
        };
        assert_eq!(read("1500m"), Some(Duration::from_millis(1_500)));
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        for text in ["", "S", "5", "5x", "123456789S", "-1S"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
