//! The API's description, generated from the handlers.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::{hooks, web};

/// The OpenAPI 3.1 document of the partner API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Ieum partner API", description = "Live events, attendance, sums and webhooks for partners."),
    paths(
        web::public_events,
        web::events,
        web::attendance,
        web::summary,
        web::history,
        hooks::register,
        hooks::list,
        hooks::show,
        hooks::delete,
        hooks::enable,
        hooks::rotate_secret,
        hooks::deliveries,
        hooks::attempts,
        hooks::resend,
        hooks::resend_since,
    ),
    modifiers(&KeyScheme)
)]
struct PartnerApi;

struct KeyScheme;

impl Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let header = ApiKeyValue::with_description("X-API-Key", "A key as `ieum key create` prints it.");
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// Returns the document as pretty JSON with a line end.
///
/// # Panics
/// Never: the document holds only what JSON can.
pub fn openapi_json() -> String {
    let mut text = PartnerApi::openapi().to_pretty_json().expect("the document holds only what JSON can");
    text.push('\n');
    text
}
