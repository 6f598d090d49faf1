//! The API's description, generated from the handlers.

use utoipa::OpenApi;

use crate::web;

/// The OpenAPI 3.1 document of the insights.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum insights",
        description = "History, forecasts, returns and recommendations of events."
    ),
    paths(web::event, web::forecast, web::behaviour, web::across, web::attendance, web::roi, web::ask)
)]
struct InsightsApi;

/// Returns the document as pretty JSON with a line end.
pub fn openapi_json() -> String {
    let told = "A key with the scopes events:read and analytics:read; from this machine none is needed.";
    ieum_gateway::describe_doors(InsightsApi::openapi(), told, |_| true)
}
