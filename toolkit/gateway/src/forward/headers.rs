//! Headers of what is handed on: framing checked, hop-by-hop ones removed, identity ours alone.

use std::time::Duration;

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use ieum_core::Fault;

use crate::frame::SharedFrame;
use crate::gateway::Inner;
use crate::{ApiError, ClientAddress, Partner};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const CALLER: HeaderName = HeaderName::from_static(ieum_core::header::CALLER);
const TIMEOUT: HeaderName = HeaderName::from_static(ieum_core::header::TIMEOUT);
const TRACEPARENT: HeaderName = HeaderName::from_static(ieum_core::header::TRACEPARENT);
const TIER: HeaderName = HeaderName::from_static("ieum-tier");
const SCOPES: HeaderName = HeaderName::from_static("ieum-scopes");

/// What our headers begin with: whoever stands behind us believes them, so a stranger must not send them.
const OURS: &str = "ieum-";

/// Headers of one hop (RFC 9110 §7.6.1), beside those that `Connection` names.
const HOP: [HeaderName; 9] = [
    header::CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Refuses what cannot be handed on: tunnels, WebSockets, and requests whose length two servers could read
/// differently (RFC 9112 §6.3, §11.2).
pub(super) fn check(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let asks = |wanted: &str| {
        let values = headers.get_all(header::UPGRADE).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(wanted))
    };
    if *request.method() == Method::CONNECT || asks("websocket") {
        let message = "this path hands on requests and answers, and neither WebSockets nor tunnels";
        let fault = Fault::invalid_argument("gateway.upgrade_refused", message);
        return Err(ApiError::from(fault).with_status(StatusCode::NOT_IMPLEMENTED));
    }
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let coded = headers.contains_key(header::TRANSFER_ENCODING);
    let old = request.version() < Version::HTTP_11;
    if lengths > 1 || (coded && (lengths > 0 || old)) {
        let message = "the request says twice how long its body is";
        return Err(Fault::invalid_argument("gateway.request_framing", message).into());
    }
    Ok(())
}

/// Makes a request's headers those of our own request to the server.
pub(super) fn prepare(
    request: &mut Request,
    inner: &Inner,
    authority: &HeaderValue,
    frame: &SharedFrame,
    time: Duration,
) {
    let address = ClientAddress::peer(request.extensions());
    let trusted =
        address.is_some_and(|peer| inner.trusted_proxies.iter().any(|network| network.contains(&peer)));
    let holder = request.extensions_mut().remove::<Partner>();
    *request.version_mut() = Version::HTTP_11;
    // HTTP/2 names the host in the URI (RFC 9113 §8.3.1).
    let named = request.uri().authority().and_then(|named| HeaderValue::from_str(named.as_str()).ok());
    let headers = request.headers_mut();
    remove_hop(headers);
    remove_ours(headers);
    headers.remove(header::EXPECT);
    if let Some(host) = headers.insert(header::HOST, authority.clone()).or(named) {
        set_unless(trusted, headers, FORWARDED_HOST, host);
    }
    set_unless(trusted, headers, FORWARDED_PROTO, HeaderValue::from_static("http"));
    if !trusted {
        headers.remove(header::FORWARDED);
        headers.remove(FORWARDED_FOR);
    }
    if let Some(value) = address.and_then(|address| HeaderValue::from_str(&address.to_string()).ok()) {
        headers.append(FORWARDED_FOR, value);
    }
    if let Some(holder) = holder {
        headers.remove(X_API_KEY);
        headers.remove(header::AUTHORIZATION);
        let holder = holder.holder();
        headers.insert(CALLER, holder.header.clone());
        headers.insert(TIER, HeaderValue::from_static(holder.tier.name()));
        if let Some(scopes) = holder.scopes_header() {
            headers.insert(SCOPES, scopes);
        }
    }
    headers.insert(TIMEOUT, HeaderValue::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)));
    if let Some(traceparent) = frame.traceparent() {
        headers.insert(TRACEPARENT, traceparent);
    }
}

/// Takes off an answer what was meant for us alone.
pub(super) fn clean_answer(headers: &mut HeaderMap) {
    remove_hop(headers);
    remove_ours(headers);
}

/// A proxy that is trusted has said it already, of the first hop.
fn set_unless(trusted: bool, headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !(trusted && headers.contains_key(&name)) {
        headers.insert(name, value);
    }
}

fn remove_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let named = values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok());
        let named: Vec<HeaderName> = named.collect();
        // A stranger must not have what frames the body, or names the host, removed by naming it.
        let kept = [header::CONTENT_LENGTH, header::HOST];
        for name in named.into_iter().filter(|name| !kept.contains(name)) {
            headers.remove(name);
        }
    }
    for name in HOP {
        headers.remove(name);
    }
}

fn remove_ours(headers: &mut HeaderMap) {
    if headers.keys().any(|name| name.as_str().starts_with(OURS)) {
        let ours = headers.keys().filter(|name| name.as_str().starts_with(OURS)).cloned();
        for name in ours.collect::<Vec<_>>() {
            headers.remove(name);
        }
    }
}
