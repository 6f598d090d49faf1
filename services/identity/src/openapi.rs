//! The API's description, generated from the handlers.

use utoipa::OpenApi;

use crate::web;

/// The OpenAPI 3.1 document of people and their devices.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum identity",
        description = "People, the devices that are theirs, and how a device becomes somebody's."
    ),
    paths(
        web::list,
        web::show,
        web::save,
        web::remove,
        web::devices,
        web::register,
        web::registration,
        web::remove_device,
    )
)]
struct IdentityApi;

/// Returns the document as pretty JSON with a line end.
pub fn openapi_json() -> String {
    let told = "A key with the scopes events:read and users:read, and users:write to change anything; from this \
                machine none is needed.";
    ieum_gateway::describe_doors(IdentityApi::openapi(), told, |_| true)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        ieum_testkit::openapi::is_committed("identity", &super::openapi_json());
    }
}
