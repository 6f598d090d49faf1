//! Who may operate: people of this machine, and holders of a key made for it. Seeing is not operating.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use ieum_core::Fault;
use ieum_events::Visitors;
use ieum_gateway::{ApiError, Gateway, Partner};

use crate::config::LinkCallers;

/// The scope that a key needs to operate, beside `events:read`.
const SCOPE: &str = "hub:operate";

/// Puts the hub's door around `router`, a little narrower: where everybody may see the hub's pages, only this
/// machine may operate without a key; and a page of another site may change nothing by way of a browser here.
pub(super) fn guard(gateway: &Gateway, hub: LinkCallers, router: Router) -> Router {
    let visitors = match hub {
        LinkCallers::Loopback | LinkCallers::Anyone => Visitors::Loopback,
        LinkCallers::Nobody => Visitors::Nobody,
    };
    ieum_events::guard(gateway, visitors, router.layer(from_fn(admit)))
}

async fn admit(request: Request, next: Next) -> Response {
    match refuse(&request) {
        None => next.run(request).await,
        Some(fault) => ApiError::from(fault).into_response(),
    }
}

fn refuse(request: &Request) -> Option<Fault> {
    if let Some(partner) = request.extensions().get::<Partner>() {
        return partner.require(SCOPE).err();
    }
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if changes && is_foreign(request.uri(), request.headers()) {
        let message = "changing the platform from a page of another site; open the console itself";
        return Some(Fault::permission_denied("operator.foreign_page", message));
    }
    None
}

/// Tells whether a browser sends this on behalf of a page that is not ours (RFC 6454 §7: `Origin`).
fn is_foreign(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let named = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = named.or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|(_, origin)| origin);
    origin.is_none() || origin != host
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn refused(method: Method, origin: Option<&str>) -> bool {
        let mut request = Request::builder().method(method).uri("/api/operator/keys");
        request = request.header("host", "127.0.0.1:8080");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        refuse(&request.body(Body::empty()).expect("is a request")).is_some()
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        assert!(!refused(Method::POST, None), "a program");
        assert!(!refused(Method::POST, Some("http://127.0.0.1:8080")), "our page");
        assert!(refused(Method::POST, Some("http://127.0.0.1:9090")), "another server of this machine");
        assert!(refused(Method::DELETE, Some("https://elsewhere.example")));
        assert!(refused(Method::POST, Some("null")), "a page without an origin");
        assert!(!refused(Method::GET, Some("https://elsewhere.example")), "the browser hides the answer");
    }
}
