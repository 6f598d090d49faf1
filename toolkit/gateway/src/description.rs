//! What the doors add to an API's description: how to sign in, what any operation may be refused with, and the
//! headers of every answer.

use serde::Serialize;
use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Header, Object, OpenApi, PathItem, Ref, RefOr, Response, Type};
use utoipa::{PartialSchema, ToSchema};

/// An error (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemView {
    /// `urn:ieum:problem:{reason}`.
    #[serde(rename = "type")]
    #[schema(example = "urn:ieum:problem:gateway.scope_missing")]
    pub kind: String,
    /// The code in words.
    #[schema(example = "permission denied")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 403)]
    pub status: u16,
    /// What was tried, on what.
    #[schema(example = "this key lacks the scope events:read")]
    pub detail: String,
    /// The closed code, such as `permission_denied`.
    #[schema(example = "permission_denied")]
    pub code: String,
    /// The stable reason, such as `gateway.scope_missing`.
    #[schema(example = "gateway.scope_missing")]
    pub reason: String,
    /// The field of the request that is wrong, such as `timeRange` or `gates[2].id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The trace in which it happened, 32 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The earliest time at which trying again makes sense, milliseconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What a caller must bring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entrance {
    /// Nothing; a key changes nothing.
    Open,
    /// A key, or nothing from where the settings let people in without one.
    Either,
    /// A key.
    Keyed,
}

/// What any operation may be refused with: status, name of the answer, what it says.
const REFUSALS: [(&str, &str, &str); 8] = [
    ("400", "Malformed", "Something in the request is malformed, or it carries two keys"),
    ("401", "NoKey", "No valid key"),
    ("403", "Forbidden", "The key may not do this"),
    ("413", "TooLarge", "The body is larger than allowed"),
    ("415", "WrongMedia", "The body is no JSON, or is encoded otherwise than by gzip"),
    ("429", "TooMany", "Too many requests, now or today, or too many wrong keys"),
    ("503", "Unavailable", "It cannot be answered now"),
    ("504", "TooLate", "It could not be answered within the time that the request gives"),
];

/// The headers of answers: name, what it says, an example.
const HEADERS: [(&str, &str, &str); 6] = [
    ("X-Request-Id", "What the request named itself, else its trace", "5b8aa5a2d2c872e8321cf37308d69df2"),
    (
        "traceparent",
        "The trace it is part of (W3C Trace Context)",
        "00-5b8aa5a2d2c872e8321cf37308d69df2-5fb397be34d26b51-01",
    ),
    (
        "RateLimit-Policy",
        "What the limit is (draft-ietf-httpapi-ratelimit-headers)",
        r#""partner";q=600;w=60"#,
    ),
    ("RateLimit", "What is left of the limit", r#""partner";r=599;t=1"#),
    ("Retry-After", "After how many seconds to come again", "12"),
    ("WWW-Authenticate", "How to sign in (RFC 9110 §11.6.1)", r#"Bearer realm="api""#),
];

/// Completes the description of the operations that stand behind a door of [`crate::Gateway`], and returns the document
/// as pretty JSON with a line end. `is_behind` tells of a path whether it stands behind one.
///
/// Who must bring a key stands in each operation's `security`, by the name `key`; whoever takes a key takes it as a
/// bearer too. `told` says what the key must allow. What an operation says itself of an answer stays.
///
/// # Panics
/// Never: a document holds only what JSON can.
pub fn describe_doors(mut document: OpenApi, told: &str, is_behind: impl Fn(&str) -> bool) -> String {
    let components = document.components.get_or_insert_with(Default::default);
    components.schemas.entry("ProblemView".to_owned()).or_insert_with(ProblemView::schema);
    let header = ApiKeyValue::with_description("X-API-Key", told);
    components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    let told = "The same key as a bearer, or a token (JWT) of an issuer that `gateway.issuers` names.";
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(told)).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for (name, told, example) in HEADERS {
        let header = HeaderBuilder::new().schema(Some(Object::with_type(Type::String)));
        let header = header.description(Some(told)).example(Some(json!(example))).build();
        components.headers.insert(name.to_owned(), header.into());
    }
    for (status, name, told) in REFUSALS {
        components.responses.insert(name.to_owned(), problem(status, told).into());
    }
    let behind = document.paths.paths.iter_mut().filter(|(path, _)| is_behind(path));
    for operation in behind.flat_map(|(_, item)| operations(item)) {
        let entrance = entrance(operation);
        if entrance != Entrance::Open {
            let bearer = SecurityRequirement::new("bearer", Vec::<String>::new());
            operation.security.get_or_insert_default().push(bearer);
        }
        for (status, answer) in &mut operation.responses.responses {
            if let RefOr::T(answer) = answer {
                answer.headers.extend(headers(status));
            }
        }
        refuse(operation, entrance);
    }
    let mut text = document.to_pretty_json().expect("a document holds only what JSON can");
    text.push('\n');
    text
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn entrance(operation: &Operation) -> Entrance {
    match operation.security.as_deref() {
        None | Some([]) => Entrance::Open,
        Some(ways) if ways.contains(&SecurityRequirement::default()) => Entrance::Either,
        Some(_) => Entrance::Keyed,
    }
}

/// Adds what doors and extractors refuse, so that no handler repeats it.
fn refuse(operation: &mut Operation, entrance: Entrance) {
    for (status, name, _) in REFUSALS {
        let applies = match status {
            "403" => entrance != Entrance::Open,
            "413" | "415" => operation.request_body.is_some(),
            _ => true,
        };
        if applies {
            let answers = &mut operation.responses.responses;
            answers.entry(status.to_owned()).or_insert_with(|| Ref::from_response_name(name).into());
        }
    }
}

fn problem(status: &str, told: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("ProblemView")));
    let answer = ResponseBuilder::new().description(told).content("application/problem+json", content);
    let mut answer = answer.build();
    answer.headers = headers(status).collect();
    answer
}

/// Returns the headers of an answer. Who has no valid key is told of no limit.
fn headers(status: &str) -> impl Iterator<Item = (String, RefOr<Header>)> {
    let names = HEADERS.iter().map(|(name, ..)| *name).filter(move |name| match *name {
        "RateLimit-Policy" | "RateLimit" => status != "401",
        "Retry-After" => ["429", "503"].contains(&status),
        "WWW-Authenticate" => status == "401",
        _ => true,
    });
    let named = |name: &str| RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    names.map(move |name| (name.to_owned(), named(name)))
}
