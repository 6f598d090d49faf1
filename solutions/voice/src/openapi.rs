//! The API's description, generated from the handlers.

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::web;

/// The OpenAPI 3.1 document of dialogues.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum voice",
        description = "Turns of a dialogue as text, as recordings and as a stream. Devices speak MQTT beside it, with the \
            same messages."
    ),
    paths(
        web::text::negotiated,
        web::text::first,
        web::text::second,
        web::upload::audio,
        web::stream::stream,
        web::assistant::process,
    )
)]
struct VoiceApi;

/// Returns the document as pretty JSON with a line end.
pub fn openapi_json() -> String {
    let mut document = VoiceApi::openapi();
    let told = "A device's id and secret, the ones it connects with by MQTT. It speaks for itself alone: `deviceId` may be \
                left out, and naming another device, another person than its owner, or another's conversation is \
                answered with 403 and the field.";
    let device = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(told)).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("device", SecurityScheme::Http(device));
    let told = "A key with the scope voice:use, which speaks for any device and person, as an app's own backend does; \
                from this machine none is needed.";
    ieum_gateway::describe_doors(document, told, |_| true)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        ieum_testkit::openapi::is_committed("voice", &super::openapi_json());
    }
}
