//! The API's description, generated from the handlers.

use utoipa::OpenApi;

use crate::{gates, hook, web};

/// The OpenAPI 3.1 document of the hub.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum events hub",
        description = "Live events, their gates, programme and history, and where sources and gates push. Errors are \
            problem+json; a method that a path does not offer is answered with 405 and the header Allow."
    ),
    paths(
        web::list,
        web::one,
        web::history,
        web::programme,
        web::dashboard,
        web::stream,
        web::socket,
        gates::web::now,
        gates::web::flow,
        gates::web::scans,
        hook::hint,
    )
)]
struct HubApi;

/// Returns the document as pretty JSON with a line end.
///
/// # Panics
/// Never: the document holds only what JSON can.
pub fn openapi_json() -> String {
    let mut document = HubApi::openapi();
    let told =
        "A key with the scope events:read; from this machine none is needed unless the settings say so.";
    ieum_gateway::describe_doors(&mut document, told, |path| path.starts_with("/api/"));
    let mut text = document.to_pretty_json().expect("the document holds only what JSON can");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        let committed = Path::new("../../contracts/openapi/events.json");
        let generated = super::openapi_json();
        if std::fs::read_to_string(committed).unwrap_or_default() == generated {
            return;
        }
        let fresh = std::env::temp_dir().join("ieum-events.json");
        std::fs::write(&fresh, generated).expect("writes the new document");
        panic!(
            "the API changed; look at the difference, then: cp {} {}",
            fresh.display(),
            committed.display()
        );
    }
}
