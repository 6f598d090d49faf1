//! The committed OpenAPI document is what the handlers say.

use std::path::Path;

#[test]
fn the_committed_openapi_document_is_up_to_date() {
    let committed = Path::new("../../contracts/openapi/partners.json");
    let generated = ieum_partners::openapi_json();
    if std::fs::read_to_string(committed).unwrap_or_default() == generated {
        return;
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("partners.json");
    std::fs::write(&fresh, generated).expect("writes the new document");
    panic!("the API changed; look at the difference, then: cp {} {}", fresh.display(), committed.display());
}
