//! The one error that crosses a link, and its closed mapping to HTTP and gRPC.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What kind of failure it is. The set is closed and equals the gRPC status codes that mean a failure
/// (<https://grpc.io/docs/guides/status-codes/>), so that no mapping loses anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The caller gave up.
    Cancelled,
    /// The request can never be right as it is.
    InvalidArgument,
    /// The deadline passed before the answer.
    DeadlineExceeded,
    /// The named thing does not exist.
    NotFound,
    /// The thing to be made exists already.
    AlreadyExists,
    /// The caller is known and may not do this.
    PermissionDenied,
    /// The caller is not known.
    Unauthenticated,
    /// A quota, rate limit, bulkhead or disk is used up.
    ResourceExhausted,
    /// The system is not in the state that this needs.
    FailedPrecondition,
    /// A concurrent change won.
    Aborted,
    /// The operation is not offered here.
    Unimplemented,
    /// An invariant broke.
    Internal,
    /// The answerer cannot be reached now.
    Unavailable,
    /// Data is lost or damaged.
    DataLoss,
}

/// The only error that crosses a link.
///
/// `code` says what kind it is, `reason` is a stable dotted word that programs match on
/// (`stock.sold_out`), `message` is for people: lower case, what was tried, on what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What kind of failure.
    pub code: Code,
    /// Stable dotted word, such as `link.timeout`.
    pub reason: Cow<'static, str>,
    /// For people: what was tried, on what.
    pub message: String,
    /// The earliest time at which trying again makes sense, as a floor from now, in milliseconds.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_millis",
        rename = "retryAfterMs"
    )]
    pub retry_after: Option<Duration>,
    /// Whether a layer below has sent the call again already, or would have and held it back. Layers above
    /// leave it then, so that the repeats of several layers never add up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
}

/// A fault as problem+json (RFC 9457 §3). Field names beyond the RFC's are `code`, `reason`,
/// `traceId`, `retryAfterMs` and `retried`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URI that names the kind of problem: `urn:ieum:problem:{reason}`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The fault's message.
    pub detail: String,
    /// The fault's code.
    pub code: Code,
    /// The fault's reason.
    pub reason: Cow<'static, str>,
    /// The trace in which it happened, 32 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// See [`Fault::retry_after`], milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// See [`Fault::retried`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retried: bool,
}

// === Code ===

impl Code {
    /// Every code, in gRPC's order.
    pub const ALL: [Self; 14] = [
        Self::Cancelled,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// Returns the HTTP status (RFC 9110 §15; 499 is the common one for a caller that gave up).
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Cancelled => 499,
            Self::InvalidArgument => 400,
            Self::DeadlineExceeded => 504,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::PermissionDenied => 403,
            Self::Unauthenticated => 401,
            Self::ResourceExhausted => 429,
            Self::FailedPrecondition => 412,
            Self::Unimplemented => 501,
            Self::Internal | Self::DataLoss => 500,
            Self::Unavailable => 503,
        }
    }

    /// Returns the code that an HTTP status of a stranger stands for. Codes that share a status
    /// come back exactly only by way of [`Problem`].
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            409 => Self::Aborted,
            408 | 504 => Self::DeadlineExceeded,
            412 | 428 => Self::FailedPrecondition,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            501 | 405 => Self::Unimplemented,
            502 | 503 => Self::Unavailable,
            400..=499 => Self::InvalidArgument,
            _ => Self::Internal,
        }
    }

    /// Returns the gRPC status code's number.
    pub const fn grpc_number(self) -> i32 {
        match self {
            Self::Cancelled => 1,
            Self::InvalidArgument => 3,
            Self::DeadlineExceeded => 4,
            Self::NotFound => 5,
            Self::AlreadyExists => 6,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::FailedPrecondition => 9,
            Self::Aborted => 10,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::DataLoss => 15,
            Self::Unauthenticated => 16,
        }
    }

    /// Returns the code of a gRPC status number; unknown numbers and `OK` are [`Code::Internal`].
    pub fn from_grpc_number(number: i32) -> Self {
        Self::ALL.into_iter().find(|code| code.grpc_number() == number).unwrap_or(Self::Internal)
    }

    /// Returns the snake-case name, as JSON shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::InvalidArgument => "invalid_argument",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::PermissionDenied => "permission_denied",
            Self::Unauthenticated => "unauthenticated",
            Self::ResourceExhausted => "resource_exhausted",
            Self::FailedPrecondition => "failed_precondition",
            Self::Aborted => "aborted",
            Self::Unimplemented => "unimplemented",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::DataLoss => "data_loss",
        }
    }

    /// Tells whether the same request may succeed later without anybody changing it.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::DeadlineExceeded | Self::ResourceExhausted | Self::Aborted)
    }
}

// === Fault ===

macro_rules! fault_constructors {
    ($($name:ident => $code:ident, $what:literal;)*) => {$(
        #[doc = concat!("Makes a fault for: ", $what, ".")]
        pub fn $name(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
            Self::new(Code::$code, reason, message)
        }
    )*};
}

impl Fault {
    /// Makes a fault.
    pub fn new(code: Code, reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), message: message.into(), retry_after: None, retried: false }
    }

    fault_constructors! {
        cancelled => Cancelled, "the caller gave up";
        invalid_argument => InvalidArgument, "a request that can never be right";
        deadline_exceeded => DeadlineExceeded, "a deadline that passed";
        not_found => NotFound, "a named thing that does not exist";
        already_exists => AlreadyExists, "a thing that exists already";
        permission_denied => PermissionDenied, "a known caller who may not";
        unauthenticated => Unauthenticated, "an unknown caller";
        resource_exhausted => ResourceExhausted, "a quota or limit that is used up";
        failed_precondition => FailedPrecondition, "a state that this needs and is not there";
        aborted => Aborted, "a concurrent change that won";
        unimplemented => Unimplemented, "an operation not offered here";
        internal => Internal, "a broken invariant";
        unavailable => Unavailable, "an answerer that cannot be reached now";
        data_loss => DataLoss, "lost or damaged data";
    }

    /// Says when trying again makes sense, as a floor from now.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says that whoever hands this on has repeated the call as often as it may be.
    #[must_use]
    pub fn with_retried(mut self) -> Self {
        self.retried = true;
        self
    }

    /// Tells whether the same request may succeed later without anybody changing it.
    pub const fn is_retryable(&self) -> bool {
        self.code.is_retryable()
    }

    /// Returns the fault as problem+json for `trace_id`.
    pub fn to_problem(&self, trace_id: Option<String>) -> Problem {
        Problem {
            kind: format!("urn:ieum:problem:{}", self.reason),
            title: self.code.name().replace('_', " "),
            status: self.code.http_status(),
            detail: self.message.clone(),
            code: self.code,
            reason: self.reason.clone(),
            trace_id,
            retry_after_ms: self.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            retried: self.retried,
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code,
            reason: problem.reason,
            message: problem.detail,
            retry_after: problem.retry_after_ms.map(Duration::from_millis),
            retried: problem.retried,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({}, {})", self.message, self.reason, self.code.name())
    }
}

impl std::error::Error for Fault {}

mod optional_millis {
    //! An optional duration as whole milliseconds.

    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(wait: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match wait {
            Some(wait) => serializer.serialize_u64(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_grpc_and_problem_json() {
        for code in Code::ALL {
            assert_eq!(Code::from_grpc_number(code.grpc_number()), code);
            let fault = Fault::new(code, "test.reason", "reading row 7")
                .with_retry_after(Duration::from_millis(1500))
                .with_retried();
            let text = serde_json::to_string(&fault.to_problem(Some("ab".into()))).expect("is JSON");
            let problem: Problem = serde_json::from_str(&text).expect("is a problem");
            assert_eq!(Fault::from(problem), fault);
        }
    }

    #[test]
    fn a_strangers_status_keeps_its_class() {
        assert_eq!(Code::from_http_status(503), Code::Unavailable);
        assert_eq!(Code::from_http_status(418), Code::InvalidArgument);
        assert_eq!(Code::from_http_status(599), Code::Internal);
    }
}
