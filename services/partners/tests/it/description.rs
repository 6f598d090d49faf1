//! The committed OpenAPI document is what the handlers say.

#[test]
fn the_committed_openapi_document_is_up_to_date() {
    ieum_testkit::openapi::is_committed("partners", &ieum_partners::openapi_json());
}
