//! The API's description, generated from the handlers.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::web;

/// The OpenAPI 3.1 document of the insights.
#[derive(OpenApi)]
#[openapi(
    info(title = "Ieum insights", description = "History, forecasts, returns and recommendations of events."),
    paths(web::event, web::forecast, web::behaviour, web::across, web::attendance, web::roi, web::ask),
    modifiers(&KeyScheme)
)]
struct InsightsApi;

struct KeyScheme;

impl Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let told = "A key with the scopes events:read and analytics:read; from this machine none is needed.";
        let header = ApiKeyValue::with_description("X-API-Key", told);
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// Returns the document as pretty JSON with a line end.
///
/// # Panics
/// Never: the document holds only what JSON can.
pub fn openapi_json() -> String {
    let mut text = InsightsApi::openapi().to_pretty_json().expect("the document holds only what JSON can");
    text.push('\n');
    text
}
