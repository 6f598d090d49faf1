//! The API's description, generated from the handlers.

use utoipa::OpenApi;

use crate::{hooks, usage, web};

/// The OpenAPI 3.1 document of the partner API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum partner API",
        description = "Live events, attendance, sums and webhooks for partners."
    ),
    paths(
        web::public_events,
        web::events,
        web::attendance,
        web::summary,
        web::history,
        usage::usage,
        hooks::register,
        hooks::list,
        hooks::show,
        hooks::delete,
        hooks::enable,
        hooks::rotate_secret,
        hooks::deliveries,
        hooks::delivery,
        hooks::send_test,
        hooks::attempts,
        hooks::resend,
        hooks::resend_since,
    )
)]
struct PartnerApi;

/// Returns the document as pretty JSON with a line end.
pub fn openapi_json() -> String {
    ieum_gateway::describe_doors(PartnerApi::openapi(), "A key as `ieum key create` prints it.", |_| true)
}
