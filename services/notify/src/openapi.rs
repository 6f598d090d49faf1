//! The API's description, generated from the handlers.

use utoipa::OpenApi;

use crate::web;

/// The OpenAPI 3.1 document of messages in the page.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum notifications",
        description = "A recipient's messages in the page, and how the recipient wants to be told. The holder of a key \
            is a recipient; people of this machine name one."
    ),
    paths(web::list, web::stream, web::mark_read, web::recipient, web::save_recipient)
)]
struct NotifyApi;

/// Returns the document as pretty JSON with a line end.
pub fn openapi_json() -> String {
    let told =
        "A key with the scope events:read, which sees its own messages; from this machine none is needed.";
    ieum_gateway::describe_doors(NotifyApi::openapi(), told, |_| true)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        ieum_testkit::openapi::is_committed("notify", &super::openapi_json());
    }
}
