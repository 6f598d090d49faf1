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
pub fn openapi_json() -> String {
    let told =
        "A key with the scope events:read; from this machine none is needed unless the settings say so.";
    ieum_gateway::describe_doors(HubApi::openapi(), told, |path| path.starts_with("/api/"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        ieum_testkit::openapi::is_committed("events", &super::openapi_json());
    }
}
