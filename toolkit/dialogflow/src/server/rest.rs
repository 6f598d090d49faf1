//! The REST side: the paths of Google's HTTP rules, JSON as Protocol Buffers map it, Google's errors.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use ieum_core::{Cx, Fault};
use percent_encoding::percent_decode_str;
use prost::{Message, Name};
use prost_types::FieldMask;

use super::Inner;
use crate::convert::wrong;
use crate::name::{LONGEST_SESSION, Resource};
use crate::proto::{from_json, to_json, v2};
use crate::status::{error_body, not_written};

/// Where everything of version 2 is.
const PREFIX: &str = "/v2/";
/// What a body holds beside sound, in bytes; sound itself grows by a third as text.
const MARGIN: usize = 256 << 10;

/// The few query parameters that are understood.
#[derive(Default)]
struct Wishes {
    language: String,
    full: bool,
    page_size: i32,
    page_token: String,
    mask: Option<FieldMask>,
    enum_numbers: bool,
}

/// A request with everything read from it but its message.
struct Call {
    cx: Cx,
    method: Method,
    path: String,
    wishes: Wishes,
    body: Bytes,
}

pub fn router(inner: Arc<Inner>) -> Router {
    Router::new().route("/v2/{*path}", any(handle)).with_state(inner)
}

async fn handle(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    match answer(&inner, request).await {
        Ok(body) => json(StatusCode::OK, body),
        Err(fault) => rest_refusal(&fault),
    }
}

/// Tells whether a path is one of Dialogflow's REST API, whose errors are Google's.
pub fn is_rest(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers a call over REST with `fault` alone, also where a door before it refuses: Google's clients read no
/// problem+json.
pub fn rest_refusal(fault: &Fault) -> Response {
    let (status, body) = error_body(fault);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, serde_json::to_vec(&body).unwrap_or_default())
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn answer(inner: &Inner, request: Request) -> Result<Vec<u8>, Fault> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8().map_err(|_| wrong("path", "is no UTF-8"))?.into_owned();
    let wishes = Wishes::read(head.uri.query().unwrap_or_default())?;
    let most = inner.options.most_sound / 3 * 4 + MARGIN;
    let body = to_bytes(body, most).await.map_err(|error| {
        wrong("body", format!("could not be read, or is longer than {most} bytes: {error}"))
    })?;
    // A front door knows better than the caller who that is.
    let known = head.extensions.get::<Cx>().cloned();
    let cx = known.unwrap_or_else(|| Cx::from_headers(&head.headers, inner.clock.moment()));
    route(inner, Call { cx, method: head.method, path, wishes, body }).await
}

/// Answers what path and method name.
async fn route(inner: &Inner, call: Call) -> Result<Vec<u8>, Fault> {
    let (path, verb) = match call.path.rsplit_once(':') {
        Some((path, "detectIntent")) => (path.to_owned(), true),
        _ => (call.path.clone(), false),
    };
    let resource = Resource::parse(&path).ok_or_else(|| written(&call).unwrap_or_else(|| unknown(&call)))?;
    match (&call.method, resource, verb) {
        (&Method::POST, Resource::Session(_), true) => {
            let request = v2::DetectIntentRequest { session: path, ..call.read()? };
            call.write(&inner.detect(&call.cx, request).await?)
        }
        (method, Resource::Contexts(_) | Resource::Context(..), false) => {
            contexts(inner, &call, &method.clone(), path).await
        }
        (&Method::GET, resource, false) => agent(inner, &call, resource, path).await,
        _ => Err(written(&call).unwrap_or_else(|| unknown(&call))),
    }
}

async fn contexts(inner: &Inner, call: &Call, method: &Method, name: String) -> Result<Vec<u8>, Fault> {
    let Wishes { page_size, page_token, mask, .. } = &call.wishes;
    let one = name.rsplit('/').nth(1) == Some("contexts");
    match (method, one) {
        (&Method::GET, false) => {
            let (page_size, page_token) = (*page_size, page_token.clone());
            let request = v2::ListContextsRequest { parent: parent(&name), page_size, page_token };
            call.write(&inner.list_contexts(request).await?)
        }
        (&Method::POST, false) => {
            let request = v2::CreateContextRequest { parent: parent(&name), context: Some(call.read()?) };
            call.write(&inner.create_context(request).await?)
        }
        (&Method::DELETE, false) => {
            inner.delete_all_contexts(v2::DeleteAllContextsRequest { parent: parent(&name) }).await?;
            Ok(b"{}".to_vec())
        }
        (&Method::GET, true) => call.write(&inner.get_context(v2::GetContextRequest { name }).await?),
        (&Method::PATCH, true) => {
            let context = v2::Context { name, ..call.read()? };
            let request = v2::UpdateContextRequest { context: Some(context), update_mask: mask.clone() };
            call.write(&inner.update_context(request).await?)
        }
        (&Method::DELETE, true) => {
            inner.delete_context(v2::DeleteContextRequest { name }).await?;
            Ok(b"{}".to_vec())
        }
        _ => Err(unknown(call)),
    }
}

/// Answers what is asked of the agent itself.
async fn agent(inner: &Inner, call: &Call, resource: Resource, name: String) -> Result<Vec<u8>, Fault> {
    let Wishes { language, full, page_size, page_token, .. } = &call.wishes;
    let (language_code, page_size, page_token) = (language.clone(), *page_size, page_token.clone());
    let intent_view = i32::from(*full);
    match resource {
        Resource::Intents(agent) => {
            let parent = agent.to_string();
            let request =
                v2::ListIntentsRequest { parent, language_code, intent_view, page_size, page_token };
            call.write(&inner.list_intents(&call.cx, request).await?)
        }
        Resource::Intent(..) => {
            let request = v2::GetIntentRequest { name, language_code, intent_view };
            call.write(&inner.get_intent(&call.cx, request).await?)
        }
        Resource::EntityTypes(agent) => {
            let parent = agent.to_string();
            let request = v2::ListEntityTypesRequest { parent, language_code, page_size, page_token };
            call.write(&inner.list_entity_types(&call.cx, request).await?)
        }
        Resource::EntityType(..) => {
            let request = v2::GetEntityTypeRequest { name, language_code };
            call.write(&inner.get_entity_type(&call.cx, request).await?)
        }
        Resource::Session(_) | Resource::Contexts(_) | Resource::Context(..) => Err(unknown(call)),
    }
}

/// Returns the session of `…/contexts`.
fn parent(name: &str) -> String {
    name.strip_suffix("/contexts").unwrap_or(name).to_owned()
}

/// Returns the fault of a call that would write what the agent knows, also by `:batchUpdate` and the like.
fn written(call: &Call) -> Option<Fault> {
    let path = call.path.rsplit_once(':').map_or(&*call.path, |(path, _)| path);
    let known = matches!(
        Resource::parse(path)?,
        Resource::Intents(_) | Resource::Intent(..) | Resource::EntityTypes(_) | Resource::EntityType(..)
    );
    (known && call.method != Method::GET).then(|| {
        let path: String = call.path.chars().take(300).collect();
        not_written(&format!("{} {PREFIX}{path}", call.method))
    })
}

fn unknown(call: &Call) -> Fault {
    if call.path.split('/').any(|part| part.len() > LONGEST_SESSION) {
        return wrong("session", format!("its id has more than {LONGEST_SESSION} bytes"));
    }
    let path: String = call.path.chars().take(300).collect();
    let message = format!("{} {PREFIX}{path} is not offered here", call.method);
    Fault::not_found("dialogflow.path", message)
}

impl Call {
    fn read<M: Message + Name + Default>(&self) -> Result<M, Fault> {
        from_json(&self.body).map_err(|error| wrong("body", error.to_string()))
    }

    fn write<M: Message + Name>(&self, message: &M) -> Result<Vec<u8>, Fault> {
        to_json(message, self.wishes.enum_numbers)
            .map_err(|error| Fault::internal("dialogflow.json", error.to_string()))
    }
}

impl Wishes {
    fn read(query: &str) -> Result<Self, Fault> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| wrong("query", format!("is not understood: {error}")))?;
        let mut wishes = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "languageCode" | "language_code" => wishes.language = value,
                "intentView" | "intent_view" => wishes.full = matches!(&*value, "1" | "INTENT_VIEW_FULL"),
                "pageSize" | "page_size" => {
                    wishes.page_size = value.parse().map_err(|_| wrong("pageSize", "is no number"))?;
                }
                "pageToken" | "page_token" => wishes.page_token = value,
                "updateMask" | "update_mask" => {
                    let paths = value.split(',').map(ToOwned::to_owned).collect();
                    wishes.mask = Some(FieldMask { paths });
                }
                // What Google's own clients ask for: `$alt=json;enum-encoding=int`.
                "$alt" | "alt" => wishes.enum_numbers = value.contains("enum-encoding=int"),
                _ => {}
            }
        }
        Ok(wishes)
    }
}
