//! The door of MQTT over WebSocket where devices need no secret: a page of another site is no device.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use ieum_core::Fault;
use ieum_events::{is_from_foreign_page, may_be_rebound};
use ieum_gateway::{ApiError, Gateway, Origins};

/// Puts the door around `router`. Where everybody is a device by saying so (`device.anonymous`), any page that is open in a
/// browser near here could be one; where a device shows a secret, no page has it that was not given it.
pub fn guard(gateway: &Gateway, anonymous: bool, router: Router) -> Router {
    if !anonymous {
        return router;
    }
    router.layer(from_fn_with_state(gateway.origins().clone(), admit))
}

async fn admit(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    if !is_from_foreign_page(&origins, &request) && !may_be_rebound(&origins, &request) {
        return next.run(request).await;
    }
    let message = "speaking MQTT from a page of another site, where devices need no secret (device.anonymous); name the \
                   page's origin in `gateway.origins`, or connect as a program that is no browser";
    ApiError::from(Fault::permission_denied("door.foreign_page", message)).into_response()
}
