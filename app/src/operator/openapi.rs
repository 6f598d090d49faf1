//! The operator API's description, generated from the handlers.

use utoipa::OpenApi;
use utoipa::openapi::security::SecurityRequirement;

use super::{
    bus, dead, keys, links, overview, process, sources, voice, voice_counts, voice_devices, voice_replay,
    webhooks,
};

/// The OpenAPI 3.1 document of the operator API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ieum operator API",
        description = "What the console asks: sources, keys, webhooks, dead letters, links. Open to people of \
            this machine; from elsewhere with a key that has the scopes events:read and hub:operate. With it what \
            machines ask of a process: its health and its figures."
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
        voice::devices,
        voice_devices::add,
        voice_devices::rotate,
        voice_devices::revoke,
        voice::turns,
        voice_replay::replay,
        voice_counts::statistics,
        process::live,
        process::ready,
        process::startup,
        process::metrics,
        process::document,
    )
)]
struct OperatorApi;

/// Returns the document as pretty JSON with a line end.
pub(super) fn openapi_json() -> String {
    let mut document = OperatorApi::openapi();
    // A key opens the API from elsewhere; people of this machine need none.
    let doors = document.paths.paths.iter_mut().filter(|(path, _)| is_behind_a_door(path));
    for (_, item) in doors {
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            let with_key = SecurityRequirement::new("key", Vec::<String>::new());
            operation.security = Some(vec![SecurityRequirement::default(), with_key]);
        }
    }
    let told = "A key with the scopes events:read and hub:operate.";
    ieum_gateway::describe_doors(document, told, is_behind_a_door)
}

fn is_behind_a_door(path: &str) -> bool {
    path.starts_with("/api/") || path == "/metrics"
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_up_to_date() {
        ieum_testkit::openapi::is_committed("operator", &super::openapi_json());
    }
}
