//! One request to a source, before addresses and credentials are put on.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use ieum_core::{Cx, Fault};
use ieum_policy::PolicyRequest;
use serde::Serialize;

/// A request to a source.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) any_status: bool,
}

/// A request on its way through the policies.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub cx: Cx,
    pub request: Arc<Request>,
    pub operation: Arc<str>,
}

// === Request ===

impl Request {
    /// Makes a request for `path`, which follows the source's base address and may hold a query. A whole
    /// address (`https://…`, as in links to a next page) is taken as it is; credentials go along only to
    /// the source's own origin.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: Bytes::new(), any_status: false }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(mut self, media_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, media_type);
        self.body = body.into();
        self
    }

    /// Sets a JSON body. Fails with `client.request_json` where `value` has no JSON form.
    pub fn json(self, value: &impl Serialize) -> Result<Self, Fault> {
        let body = serde_json::to_vec(value).map_err(|error| {
            Fault::invalid_argument("client.request_json", format!("writing the body as JSON: {error}"))
        })?;
        Ok(self.body(HeaderValue::from_static("application/json"), body))
    }

    /// Takes every status below 500 but 429 as an answer; without this a status of 400 and above is a
    /// fault.
    #[must_use]
    pub fn any_status(mut self) -> Self {
        self.any_status = true;
        self
    }

    /// Returns method and path without the query, which may hold secrets.
    pub(crate) fn name(&self) -> String {
        let end = self.path.find(['?', '#']).unwrap_or(self.path.len());
        let path = &self.path[..end];
        let path = path.find('@').map_or(path, |at| &path[at..]);
        format!("{} {}", self.method, path.chars().take(200).collect::<String>())
    }

    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        let mut out = out.debug_struct("Request");
        out.field("request", &self.name()).field("headers", &names).field("body_bytes", &self.body.len());
        out.finish()
    }
}

// === Attempt ===

impl PolicyRequest for Attempt {
    fn cx(&self) -> &Cx {
        &self.cx
    }

    fn with_cx(&mut self, cx: Cx) {
        self.cx = cx;
    }

    fn is_repeatable(&self) -> bool {
        // A PUT or DELETE is idempotent by RFC 9110 §9.2.2, yet few sources keep that promise.
        self.request.is_safe() || self.cx.idempotency_key().is_some()
    }

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn operation(&self) -> &str {
        &self.operation
    }

    fn fingerprint(&self) -> Option<u64> {
        static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let request = &self.request;
        let accept = request.headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
        request.is_safe().then(|| KEYS.hash_one((request.method.as_str(), &request.path, accept)))
    }
}
