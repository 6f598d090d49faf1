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
///
/// # Panics
/// Never: the document holds only what JSON can.
pub fn openapi_json() -> String {
    let mut document = NotifyApi::openapi();
    let told =
        "A key with the scope events:read, which sees its own messages; from this machine none is needed.";
    ieum_gateway::describe_doors(&mut document, told, |_| true);
    let mut text = document.to_pretty_json().expect("the document holds only what JSON can");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        let committed = Path::new("../../contracts/openapi/notify.json");
        let generated = super::openapi_json();
        if std::fs::read_to_string(committed).unwrap_or_default() == generated {
            return;
        }
        let fresh = std::env::temp_dir().join("ieum-notify.json");
        std::fs::write(&fresh, generated).expect("writes the new document");
        panic!(
            "the API changed; look at the difference, then: cp {} {}",
            fresh.display(),
            committed.display()
        );
    }
}
