//! The operator API's description, generated from the handlers.

use utoipa::OpenApi;
use utoipa::openapi::security::SecurityRequirement;

use super::{bus, dead, keys, links, overview, sources, webhooks};

/// The OpenAPI 3.1 document of the operator API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum operator API",
        description = "What the console asks: sources, keys, webhooks, dead letters, links. Open to people of \
            this machine; from elsewhere with a key that has the scopes events:read and hub:operate."
    ),
    paths(
        overview::show,
        overview::locate,
        bus::show,
        sources::list,
        sources::register,
        sources::check,
        sources::progress,
        sources::remove,
        keys::list,
        keys::create,
        keys::rotate,
        keys::revoke,
        webhooks::list,
        webhooks::enable,
        webhooks::disable,
        webhooks::deliveries,
        webhooks::delivery,
        webhooks::resend,
        dead::list,
        dead::show,
        dead::replay,
        dead::replay_all,
        dead::discard,
        links::list,
        links::steer,
    )
)]
struct OperatorApi;

/// Returns the document as pretty JSON with a line end.
///
/// # Panics
/// Never: the document holds only what JSON can.
pub(super) fn openapi_json() -> String {
    let mut document = OperatorApi::openapi();
    // A key opens the API from elsewhere; people of this machine need none.
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            let with_key = SecurityRequirement::new("key", Vec::<String>::new());
            operation.security = Some(vec![SecurityRequirement::default(), with_key]);
        }
    }
    let told = "A key with the scopes events:read and hub:operate.";
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
        let committed = Path::new("../contracts/openapi/operator.json");
        let generated = super::openapi_json();
        if std::fs::read_to_string(committed).unwrap_or_default() == generated {
            return;
        }
        let fresh = std::env::temp_dir().join("ieum-operator.json");
        std::fs::write(&fresh, generated).expect("writes the new document");
        panic!(
            "the API changed; look at the difference, then: cp {} {}",
            fresh.display(),
            committed.display()
        );
    }
}
