//! The API's description, generated from the handlers.

use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, Ref, Response};
use utoipa::{Modify, OpenApi};

use crate::{hooks, usage, web};

/// The OpenAPI 3.1 document of the partner API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Ieum partner API", description = "Live events, attendance, sums and webhooks for partners."),
    paths(
        web::public_events,
        web::events,
        web::attendance,
        web::summary,
        web::history,
        usage::usage,
        hooks::register,
        hooks::list,
        hooks::show,
        hooks::delete,
        hooks::enable,
        hooks::rotate_secret,
        hooks::deliveries,
        hooks::delivery,
        hooks::send_test,
        hooks::attempts,
        hooks::resend,
        hooks::resend_since,
    ),
    modifiers(&KeyScheme, &CommonAnswers)
)]
struct PartnerApi;

struct KeyScheme;

impl Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let header = ApiKeyValue::with_description("X-API-Key", "A key as `ieum key create` prints it.");
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// What any operation may answer, so that no handler repeats it.
struct CommonAnswers;

impl Modify for CommonAnswers {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let keyed = !path.starts_with("/api/public/");
                let read = operation.request_body.is_some();
                let given = read || operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
                let managing = path.contains("/webhooks");
                for (status, description, applies) in [
                    ("400", "Something in the request is malformed", given || keyed),
                    ("401", "No valid key", true),
                    ("403", "The key may not do this", keyed),
                    ("412", "What is asked for needs another state first", managing),
                    ("413", "The body is larger than allowed", read),
                    ("415", "The body is not JSON", read),
                    ("429", "Too many requests, now or today", true),
                    ("503", "It cannot be answered now", true),
                ] {
                    if applies {
                        let answers = &mut operation.responses.responses;
                        answers.entry(status.to_owned()).or_insert_with(|| problem(description).into());
                    }
                }
            }
        }
    }
}

fn problem(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("ProblemView")));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// Returns the document as pretty JSON with a line end.
///
/// # Panics
/// Never: the document holds only what JSON can.
pub fn openapi_json() -> String {
    let mut text = PartnerApi::openapi().to_pretty_json().expect("the document holds only what JSON can");
    text.push('\n');
    text
}
