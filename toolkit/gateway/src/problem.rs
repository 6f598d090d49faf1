//! Every error of the front door as problem+json (RFC 9457).

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ieum_core::{Fault, Problem};
use serde::Serialize;

use crate::limit::whole_seconds;

/// The one error of handlers and extractors: a fault, the HTTP status where the fault's own is not exact
/// enough (405, 413, 415), and the field of the request that is wrong.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Answer>);

#[derive(Clone, Debug)]
struct Answer {
    fault: Fault,
    status: StatusCode,
    field: Option<String>,
    headers: HeaderMap,
}

/// Marks a response as a problem, so that the frame can write the trace id into it.
#[derive(Clone)]
pub(crate) struct Marked(pub Arc<ApiError>);

#[derive(Serialize)]
struct Body9457 {
    #[serde(flatten)]
    problem: Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

// === ApiError ===

impl ApiError {
    /// Names the field of the request that is wrong, such as `timeRange` or `gates[2].id`.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Answers with another status than that of the fault's code.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// Adds headers to the answer.
    #[must_use]
    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.0.headers.extend(headers);
        self
    }

    /// Returns the fault.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// Returns the answer, naming the trace.
    pub(crate) fn render(&self, trace_id: Option<String>) -> Response {
        let mut problem = self.0.fault.to_problem(trace_id);
        problem.status = self.0.status.as_u16();
        let body = serde_json::to_vec(&Body9457 { problem, field: self.0.field.clone() }).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        if let Some(wait) = self.0.fault.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(wait).max(1).into());
        }
        headers.extend(self.0.headers.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // Errors are about this moment; a cache must not keep them.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let code = fault.code.http_status();
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §11.6.1: a 401 names how to sign in.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"api\""));
        }
        Self(Box::new(Answer { fault, status, field: None, headers }))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        response.extensions_mut().insert(Marked(Arc::new(self)));
        response
    }
}
