//! Who may operate: people of this machine, and holders of a key made for it. Seeing is not operating.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use ieum_events::Visitors;
use ieum_gateway::{ApiError, Gateway, Partner};

use crate::config::LinkCallers;

/// The scope that a key needs to operate, beside `events:read`.
const SCOPE: &str = "hub:operate";

/// Puts the hub's door around `router`, a little narrower: where everybody may see the hub's pages, only this
/// machine may operate without a key.
pub(super) fn guard(gateway: &Gateway, hub: LinkCallers, router: Router) -> Router {
    let visitors = match hub {
        LinkCallers::Loopback | LinkCallers::Anyone => Visitors::Loopback,
        LinkCallers::Nobody => Visitors::Nobody,
    };
    ieum_events::guard(gateway, visitors, router.layer(from_fn(admit)))
}

async fn admit(request: Request, next: Next) -> Response {
    match request.extensions().get::<Partner>().map_or(Ok(()), |partner| partner.require(SCOPE)) {
        Ok(()) => next.run(request).await,
        Err(fault) => ApiError::from(fault).into_response(),
    }
}
