//! A fault as a problem+json answer, and back.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use ieum_core::{Code, Cx, Fault, Problem, Timestamp, parse_retry_after};

const PROBLEM: &str = "application/problem+json";

/// Writes `fault` as problem+json with the trace's id; `status` replaces the status of its code.
pub(crate) fn problem(fault: &Fault, cx: &Cx, status: Option<StatusCode>) -> Response {
    let mut problem = fault.to_problem(Some(cx.trace().trace_id.to_string()));
    if let Some(status) = status {
        problem.status = status.as_u16();
    }
    let mut response = Response::default();
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    if let Some(wait) = fault.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    // A problem has text and numbers only, so writing it cannot fail.
    *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
    response
}

/// Returns seconds rounded up, as `Retry-After` counts them (RFC 9110 §10.2.3).
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Reads the fault of an answer that is no success. A problem+json of ours comes back as it was; anything
/// else keeps the class of its status, and its words stay in the log.
pub(crate) fn fault_of(
    path: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Fault {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let wait = text(RETRY_AFTER).and_then(|value| parse_retry_after(value, now));
    let is_problem = text(CONTENT_TYPE).is_some_and(|value| value.trim_start().starts_with(PROBLEM));
    if is_problem && let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        let mut fault = Fault::from(problem);
        fault.retry_after = fault.retry_after.or(wait);
        return fault;
    }
    let start: String = String::from_utf8_lossy(body).chars().take(200).collect();
    tracing::debug!(operation = path, status = status.as_u16(), start, "answer is no problem+json");
    let code = if status.is_success() || status.is_redirection() || status.is_informational() {
        Code::Internal
    } else {
        Code::from_http_status(status.as_u16())
    };
    let message = format!("calling {path}, answered with status {} and no problem+json", status.as_u16());
    Fault { code, reason: "link.foreign_answer".into(), message, retry_after: wait, retried: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, content_type: &'static str, wait: &'static str, body: &str) -> Fault {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(RETRY_AFTER, HeaderValue::from_static(wait));
        let status = StatusCode::from_u16(status).expect("is a status");
        let now = Timestamp::parse("2026-11-21T10:00:00Z").expect("is RFC 3339");
        fault_of("stock.items/get", status, &headers, body.as_bytes(), now)
    }

    #[test]
    fn a_foreign_answer_keeps_its_class_and_wait_but_not_its_words() {
        let fault = read(503, "text/html", "Sat, 21 Nov 2026 10:00:30 GMT", "<b>root@db-7 is down</b>");
        assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.foreign_answer"));
        assert_eq!(fault.retry_after, Some(Duration::from_secs(30)));
        assert!(!fault.message.contains("db-7"), "{}", fault.message);
        assert_eq!(read(429, "text/plain", "7", "").retry_after, Some(Duration::from_secs(7)));
        assert_eq!(read(302, "text/plain", "", "").code, Code::Internal);
    }

    #[test]
    fn a_problem_of_somebody_else_without_our_fields_is_foreign() {
        let fault = read(404, PROBLEM, "", r#"{"type":"about:blank","status":404,"detail":"x"}"#);
        assert_eq!((fault.code, &*fault.reason), (Code::NotFound, "link.foreign_answer"));
    }
}
