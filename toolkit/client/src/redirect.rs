//! Which redirects are followed, and with what.

use http::{HeaderMap, Method, StatusCode, header};
use ieum_core::Fault;
use url::Url;

use crate::WireRequest;

/// Headers that may go to another origin: what says how to answer, and the trace. Everything else a
/// caller set may be a credential.
const HARMLESS: [header::HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// Tells whether two addresses have the same origin (RFC 6454 §5).
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Returns the request that follows `sent` after a redirect, or `None` where `status` is none.
///
/// Fails with `client.redirect_refused` on a redirect that names no address, leads from HTTPS to HTTP,
/// takes a body to another origin, or would turn a request with effects into one without.
pub(crate) fn follow(
    sent: &WireRequest,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<WireRequest>, Fault> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let url = location
        .and_then(|location| sent.url.join(location).ok())
        .ok_or_else(|| refused(sent, "its location is missing or no address"))?;
    if sent.url.scheme() == "https" && url.scheme() == "http" {
        return Err(refused(sent, "it leads from https: to http:"));
    }
    let elsewhere = !same_origin(&sent.url, &url);
    let safe = matches!(sent.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let mut next = WireRequest { url, ..sent.clone() };
    match status.as_u16() {
        303 if sent.method != Method::HEAD => {
            next.method = Method::GET;
            next.body = bytes::Bytes::new();
            next.headers.remove(header::CONTENT_TYPE);
            next.headers.remove(ieum_core::header::IDEMPOTENCY_KEY);
        }
        301 | 302 if !safe => return Err(refused(sent, "a request with effects is not turned into a GET")),
        _ if !safe && elsewhere => return Err(refused(sent, "it takes the body to another origin")),
        _ => {}
    }
    if elsewhere {
        let trace = next.headers.remove(ieum_core::header::TRACEPARENT);
        let mut kept = HeaderMap::new();
        for name in HARMLESS {
            kept.extend(next.headers.remove(&name).map(|value| (name, value)));
        }
        let trace_name = http::HeaderName::from_static(ieum_core::header::TRACEPARENT);
        kept.extend(trace.map(|value| (trace_name, value)));
        next.headers = kept;
    }
    Ok(Some(next))
}

fn refused(sent: &WireRequest, why: &str) -> Fault {
    let host = sent.url.host_str().unwrap_or_default();
    Fault::failed_precondition("client.redirect_refused", format!("{host} redirected, and {why}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;

    fn sent(method: Method) -> WireRequest {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "x-api-key", "accept", "traceparent", "content-type"] {
            headers.insert(name, HeaderValue::from_static("canary"));
        }
        let url = Url::parse("https://one.test/a?b").expect("is a URL");
        WireRequest { method, url, headers, body: Bytes::from_static(b"{}") }
    }

    fn go(method: Method, status: u16, location: &'static str) -> Result<Option<WireRequest>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static(location));
        follow(&sent(method), StatusCode::from_u16(status).expect("is a status"), &headers)
    }

    #[test]
    fn another_origin_gets_no_credentials() {
        for location in ["https://two.test/", "https://one.test:8443/", "//two.test/x"] {
            let next = go(Method::GET, 302, location).expect("is followed").expect("is a redirect");
            let mut names: Vec<_> = next.headers.keys().map(|name| name.as_str()).collect();
            names.sort_unstable();
            assert_eq!(names, ["accept", "traceparent"], "{location}");
        }
        let next = go(Method::GET, 302, "/c").expect("is followed").expect("is a redirect");
        assert_eq!(next.url.as_str(), "https://one.test/c");
        assert!(next.headers.contains_key("authorization"));
    }

    #[test]
    fn only_what_keeps_its_meaning_is_followed() {
        assert!(go(Method::GET, 301, "http://one.test/").is_err(), "downgrade");
        assert!(go(Method::POST, 302, "/c").is_err(), "post to get");
        assert!(go(Method::POST, 307, "https://two.test/").is_err(), "body elsewhere");
        let next = go(Method::POST, 308, "/c").expect("is followed").expect("is a redirect");
        assert_eq!((next.method, next.body.len()), (Method::POST, 2));
        let next = go(Method::POST, 303, "/c").expect("is followed").expect("is a redirect");
        assert_eq!((next.method, next.body.len()), (Method::GET, 0));
        assert!(go(Method::GET, 304, "/c").expect("is no failure").is_none());
        assert!(go(Method::GET, 302, "http://[").is_err(), "no address");
    }
}
