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
///
/// # Panics
/// Never: the document holds only what JSON can.
pub fn openapi_json() -> String {
    let mut document = InsightsApi::openapi();
    let told = "A key with the scopes events:read and analytics:read; from this machine none is needed.";
    ieum_gateway::describe_doors(&mut document, told, |_| true);
    let mut text = document.to_pretty_json().expect("the document holds only what JSON can");
    text.push('\n');
    text
}
