//! The API's description, generated from the handlers.

use utoipa::OpenApi;

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
    let told = "A key with the scope voice:use; from this machine none is needed.";
    ieum_gateway::describe_doors(VoiceApi::openapi(), told, |_| true)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        ieum_testkit::openapi::is_committed("voice", &super::openapi_json());
    }
}
