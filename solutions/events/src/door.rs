//! Who may see the hub's pages: this machine, holders of a key, or everybody, as the settings say.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, Uri, header};
use ieum_contracts::events::EventStates;
use ieum_core::Fault;
use ieum_gateway::{ApiError, Gateway, Origins, Partner};

/// The scope that a key needs to see the hub's pages.
const SCOPE: &str = "events:read";

/// Who may see the hub's pages without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visitors {
    /// People and programs of this machine, and not through a proxy or a page of another site.
    #[default]
    Loopback,
    /// Whoever reaches the port.
    Anyone,
    /// Nobody.
    Nobody,
}

impl Visitors {
    /// Returns why a request that shows nothing of itself is not let in: `missing`, which says what to show, or that a page
    /// of another site asks by a browser of this machine, which is none of `origins`. `None` where it is of these.
    pub fn refuse(self, origins: &Origins, request: &Request, missing: Fault) -> Option<Fault> {
        match self {
            Self::Anyone => None,
            Self::Loopback if is_near(request) => foreign_page(origins, request),
            Self::Loopback | Self::Nobody => Some(missing),
        }
    }
}

/// Puts the gateway's judging door around `router`, and asks those for a key whom `visitors` does not name.
/// A key may be brought by everybody; it sees its own events only. Who shows something is judged by it, and no more
/// trusted for where it comes from.
pub fn guard(gateway: &Gateway, visitors: Visitors, router: Router) -> Router {
    let door = (visitors, gateway.origins().clone());
    gateway.judged(router.layer(from_fn_with_state(door, admit)))
}

async fn admit(
    State((visitors, origins)): State<(Visitors, Origins)>,
    request: Request,
    next: Next,
) -> Response {
    match refuse(visitors, &origins, &request) {
        None => next.run(request).await,
        Some(fault) => ApiError::from(fault).into_response(),
    }
}

fn refuse(visitors: Visitors, origins: &Origins, request: &Request) -> Option<Fault> {
    if let Some(partner) = request.extensions().get::<Partner>() {
        return partner.require(SCOPE).err();
    }
    let message = "seeing the hub's pages from another machine needs an API key in the header X-API-Key; \
                   `gateway.hub` says who needs none";
    visitors.refuse(origins, request, Fault::unauthenticated("events.key_missing", message))
}

/// Tells whether a request comes from this machine. One that a proxy hands on, or that names another host (as
/// a foreign page does that rebinds its name to this machine), comes from elsewhere.
fn is_near(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let forwarded = [header::FORWARDED.as_str(), "x-forwarded-for", "x-real-ip", header::VIA.as_str()];
    peer.is_some_and(|peer| peer.is_loopback())
        && !forwarded.iter().any(|name| request.headers().contains_key(*name))
        && names_this_machine(request.uri(), request.headers())
}

fn names_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    names_address(uri, headers, |address| address.is_loopback())
}

/// Tells whether a request names this server `localhost`, or by an address that is `right`.
fn names_address(uri: &Uri, headers: &HeaderMap, right: impl Fn(IpAddr) -> bool) -> bool {
    let named = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let Some(named) = named.or_else(|| uri.authority().map(|authority| authority.as_str())) else {
        // HTTP/1.0; no browser speaks it.
        return true;
    };
    let host = match named.parse::<http::uri::Authority>() {
        Ok(authority) => authority.host().trim_matches(['[', ']']).to_owned(),
        Err(_) => return false,
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| right(address.to_canonical()))
}

/// Tells whether a page asks that may be one of another site although it names this server as its own: any site can give
/// its name this machine's address (DNS rebinding), and no address. `origins` are let in by name.
pub fn may_be_rebound(origins: &Origins, request: &Request) -> bool {
    let origin = request.headers().get(header::ORIGIN);
    origin.is_some_and(|origin| !origins.hold(origin))
        && !names_address(request.uri(), request.headers(), |_| true)
}

/// Returns why a page of another site may not ask.
fn foreign_page(origins: &Origins, request: &Request) -> Option<Fault> {
    let message = "asking from a page of another site; open this server's own page, ask as a program with a key in \
                   the header X-API-Key, or name the page's origin in `gateway.origins`";
    is_from_foreign_page(origins, request).then(|| Fault::permission_denied("door.foreign_page", message))
}

/// Tells whether a page of another site asks, which is none of `origins`. A browser lets any page send anything anywhere
/// and open a WebSocket (RFC 6455 §10.2); it tells whose page it is in `Origin` (RFC 6454 §7), and where that is left out
/// in `Sec-Fetch-Site` (<https://www.w3.org/TR/fetch-metadata/>). Programs that are no browsers send neither. A link that
/// somebody follows shows a page and tells its own nothing. `origins` are let in by name, which is in `Origin` alone.
pub fn is_from_foreign_page(origins: &Origins, request: &Request) -> bool {
    let headers = request.headers();
    if headers.get(header::ORIGIN).is_some_and(|origin| origins.hold(origin)) {
        return false;
    }
    let says =
        |name: &str, value: &str| headers.get(name).is_some_and(|given| given.as_bytes() == value.as_bytes());
    let follows = matches!(*request.method(), Method::GET | Method::HEAD)
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document");
    let elsewhere = ["cross-site", "same-site"].iter().any(|site| says("sec-fetch-site", site));
    !is_own_page(request.uri(), headers) || (elsewhere && !follows)
}

/// Tells whether a browser asks for a page of this very server, or no browser asks.
pub fn is_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let named = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = named.or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|(_, origin)| origin);
    origin.is_some() && origin == host
}

/// What somebody who watches may see.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sight {
    /// Only these events; `None` for all.
    pub events: Option<Vec<String>>,
    /// More than totals: rows about single gates, and alerts about them.
    pub details: bool,
}

impl Sight {
    /// Everything.
    pub const ALL: Self = Self { events: None, details: true };

    /// Returns what a request may see. Who needs no key sees everything.
    pub fn of(partner: Option<&Partner>) -> Self {
        Self {
            events: partner.and_then(|partner| partner.events().ids()),
            details: partner.is_none_or(Partner::sees_details),
        }
    }

    /// Leaves of the states what may be seen.
    pub fn narrow(&self, states: &mut EventStates) {
        if let Some(ids) = &self.events {
            states.events.retain(|event| ids.contains(&event.data.event_id));
        }
        if !self.details {
            states.events.iter_mut().for_each(|event| event.data.keep_totals());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn refused(visitors: Visitors, peer: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::get("/api/events");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).expect("is a request");
        let peer = SocketAddr::new(peer.parse().expect("is an address"), 1);
        request.extensions_mut().insert(ConnectInfo(peer));
        refuse(visitors, &Origins::default(), &request).is_some()
    }

    #[test]
    fn who_needs_a_key_follows_from_the_connection_and_not_from_words() {
        let near = |peer, headers: &[(&str, &str)]| !refused(Visitors::Loopback, peer, headers);
        assert!(near("127.0.0.1", &[("host", "127.0.0.1:8080")]));
        assert!(near("::1", &[("host", "[::1]:8080")]));
        assert!(near("127.0.0.1", &[("host", "localhost")]));
        assert!(!near("10.0.0.7", &[("host", "localhost")]), "another machine");
        assert!(!near("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "127.0.0.1")]), "a proxy");
        assert!(!near("127.0.0.1", &[("host", "rebound.example")]), "a rebound name");
        assert!(refused(Visitors::Nobody, "127.0.0.1", &[]));
        assert!(!refused(Visitors::Anyone, "10.0.0.7", &[]));
    }

    #[test]
    fn a_page_of_another_site_is_not_this_machine() {
        let none = Origins::default();
        let asks_with = |origins: &Origins, method: Method, headers: &[(&'static str, &'static str)]| {
            let mut request =
                Request::builder().method(method).uri("/api/dialog/audio").header("host", "127.0.0.1:8080");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut request = request.body(Body::empty()).expect("is a request");
            let peer = SocketAddr::from(([127, 0, 0, 1], 9));
            request.extensions_mut().insert(ConnectInfo(peer));
            let missing = Fault::unauthenticated("missing", "missing");
            Visitors::Loopback.refuse(origins, &request, missing).map(|fault| fault.reason)
        };
        let asks =
            |method: Method, headers: &[(&'static str, &'static str)]| asks_with(&none, method, headers);
        let foreign = Some("door.foreign_page".into());
        assert_eq!(asks(Method::POST, &[]), None, "a program");
        let own = [("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")];
        assert_eq!(asks(Method::POST, &own), None, "our page");
        assert_eq!(asks(Method::GET, &[("sec-fetch-site", "none")]), None, "typed by somebody");
        for origin in ["https://evil.example", "http://127.0.0.1:9090", "https://evil.example:8080", "null"] {
            assert_eq!(asks(Method::POST, &[("origin", origin)]), foreign, "{origin}");
            assert_eq!(
                asks(Method::GET, &[("origin", origin), ("upgrade", "websocket")]),
                foreign,
                "{origin}"
            );
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(asks(Method::POST, &[("sec-fetch-site", site)]), foreign, "{site}");
            assert_eq!(
                asks(Method::GET, &[("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")]),
                foreign
            );
            let link =
                [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
            assert_eq!(asks(Method::GET, &link), None, "a link that somebody follows");
            assert_eq!(asks(Method::POST, &link), foreign, "a form that another page sends");
        }
        let named = Origins::from(vec!["https://board.example.org".parse().expect("is an origin")]);
        let board = [("origin", "https://board.example.org"), ("sec-fetch-site", "cross-site")];
        assert_eq!(asks(Method::POST, &board), foreign, "nobody named it");
        assert_eq!(asks_with(&named, Method::POST, &board), None, "it is named");
        assert_eq!(
            asks_with(&named, Method::GET, &[board[0], ("upgrade", "websocket")]),
            None,
            "a WebSocket of its"
        );
        for other in
            ["http://board.example.org", "https://board.example.org:8443", "https://evil.example", "null"]
        {
            assert_eq!(asks_with(&named, Method::POST, &[("origin", other)]), foreign, "{other}");
        }
        let silent = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        assert_eq!(asks_with(&named, Method::GET, &silent), foreign, "it does not say whose page it is");
        assert_eq!(asks_with(&named, Method::POST, &[("origin", "http://127.0.0.1:8080")]), None, "our page");
    }
}
