//! Reading requests: whatever is wrong is named, field first, as problem+json.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ieum_core::{Cx, Fault};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ApiError;
use crate::body::refusal;

/// How many characters of a wrong parameter are repeated.
const MOST_GIVEN: usize = 60;

/// A JSON body, in requests and answers. A request's must say `application/json` (or `…+json`) and have
/// the shape of `T`, an object; else the answer is `gateway.media_type`, `gateway.json_syntax` or
/// `gateway.json_invalid` with the field.
#[derive(Clone, Copy, Debug)]
pub struct ApiJson<T>(pub T);

/// The query string as `T`; else the answer is `gateway.query_invalid` with the field, what it was given and what it takes.
#[derive(Clone, Copy, Debug)]
pub struct ApiQuery<T>(pub T);

/// The path's parameters as `T`; else the answer is `gateway.path_invalid` with the parameter.
#[derive(Clone, Copy, Debug)]
pub struct ApiPath<T>(pub T);

/// The request's context: trace, deadline, caller, idempotency key.
#[derive(Clone, Debug)]
pub struct Context(pub Cx);

// === ApiJson ===

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            let message = "the body must be JSON and say so: content-type: application/json";
            let fault = Fault::invalid_argument("gateway.media_type", message);
            return Err(ApiError::from(fault).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        // The body carries its limit; see `body::guard`.
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.map_err(|error| {
            refusal(&error).map_or_else(
                || Fault::invalid_argument("gateway.body_interrupted", "the body ended early").into(),
                ApiError::from,
            )
        })?;
        read_json(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for ApiJson<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let media_type = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, media_type)], body).into_response()
            }
            Err(error) => {
                tracing::error!(error = %error, "writing an answer as JSON");
                let message = "the answer could not be written as JSON";
                ApiError::from(Fault::internal("gateway.answer_json", message)).into_response()
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // serde reads a list as an object without names, and one of nothing as an object in which nothing is set.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(wrong_field("gateway.json_invalid", ".", "the body is a list, expected an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.is_data() {
            true => wrong_field("gateway.json_invalid", &path, &inner.to_string()),
            false => syntax(&inner),
        }
    })?;
    reader.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

fn syntax(error: &serde_json::Error) -> ApiError {
    Fault::invalid_argument("gateway.json_syntax", format!("the body is no JSON: {error}")).into()
}

/// Names the field: the path to it, and for a missing one the name that is missing.
fn wrong_field(reason: &'static str, path: &str, problem: &str) -> ApiError {
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let field = match (path, missing) {
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    };
    let problem: String = problem.chars().take(300).collect();
    match field.as_str() {
        "." => Fault::invalid_argument(reason, problem).into(),
        _ => ApiError::from(Fault::invalid_argument(reason, format!("field {field}: {problem}")))
            .at_field(field),
    }
}

// === ApiQuery ===

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let reader = serde_urlencoded::Deserializer::new(pairs);
        let read = serde_path_to_error::deserialize(reader);
        read.map(Self).map_err(|error| {
            let path = error.path().to_string();
            let problem = error.into_inner().to_string();
            let mut given = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| *name == path);
            let told = expected(&problem).zip(given.next()).map(|(expected, (_, value))| {
                let value: String = value.chars().take(MOST_GIVEN).collect();
                format!("{value:?} was given, expected {expected}")
            });
            wrong_field("gateway.query_invalid", &path, told.as_ref().unwrap_or(&problem))
        })
    }
}

/// Returns what a parameter takes whose text could not be read as such; the standard library says that it is wrong alone.
fn expected(problem: &str) -> Option<&'static str> {
    let tells = |what: &str| problem.contains(what);
    match () {
        () if tells("invalid digit found") || tells("parse integer from") => Some("a whole number"),
        () if tells("number too large") => Some("a smaller number"),
        () if tells("number too small") => Some("a greater number"),
        () if tells("invalid float literal") || tells("parse float from") => Some("a number"),
        () if tells("was not `true` or `false`") => Some("true or false"),
        () => None,
    }
}

// === ApiPath ===

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ApiPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let rejection = match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
            return Err(Fault::internal("gateway.path_missing", "the route has no parameters").into());
        };
        let wrong = |name: &str, problem: &str| wrong_field("gateway.path_invalid", name, problem);
        Err(match failed.kind() {
            ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
                wrong(key, &format!("is no {expected_type}"))
            }
            ErrorKind::ParseError { expected_type, .. } => {
                wrong(&only_parameter(parts, state).await, &format!("is no {expected_type}"))
            }
            ErrorKind::DeserializeError { key, message, .. } => wrong(key, message),
            ErrorKind::InvalidUtf8InPathParam { key } => wrong(key, "is no UTF-8"),
            other => wrong(".", &other.to_string()),
        })
    }
}

/// Returns the name of a route's one parameter, or `.` where it has several.
async fn only_parameter<S: Send + Sync>(parts: &mut Parts, state: &S) -> String {
    let parameters = RawPathParams::from_request_parts(parts, state).await.ok();
    let mut names = parameters.iter().flatten().map(|(name, _)| name.to_owned());
    match (names.next(), names.next()) {
        (Some(name), None) => name,
        _ => ".".to_owned(),
    }
}

// === Context ===

impl<S: Send + Sync> FromRequestParts<S> for Context {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let cx = parts.extensions.get::<Cx>().cloned();
        cx.map(Self).ok_or_else(|| {
            Fault::internal("gateway.no_frame", "the route is not within the gateway's frame").into()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Wish {
        topic: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "is read alone")]
    struct Asked {
        days: Option<u32>,
        shift: Option<i64>,
        share: Option<f64>,
        live: Option<bool>,
    }

    #[tokio::test]
    async fn a_wrong_parameter_is_told_with_what_it_was_given_and_what_it_takes() {
        for (query, told) in [
            ("days=abc", "field days: \"abc\" was given, expected a whole number"),
            ("days=", "field days: \"\" was given, expected a whole number"),
            ("days=-1", "field days: \"-1\" was given, expected a whole number"),
            ("days=3.5", "field days: \"3.5\" was given, expected a whole number"),
            ("live=true&days=7%20days", "field days: \"7 days\" was given, expected a whole number"),
            ("days=99999999999", "field days: \"99999999999\" was given, expected a smaller number"),
            ("shift=-99999999999999999999", "expected a greater number"),
            ("share=much", "field share: \"much\" was given, expected a number"),
            ("live=yes", "field live: \"yes\" was given, expected true or false"),
        ] {
            let request = Request::get(format!("/statistics?{query}")).body(axum::body::Body::empty());
            let (mut parts, _) = request.expect("is a request").into_parts();
            let error = ApiQuery::<Asked>::from_request_parts(&mut parts, &()).await.expect_err(query);
            let message = &error.fault().message;
            assert!(message.contains(told), "{query}: {message}");
        }
    }

    #[test]
    fn a_list_is_no_object_in_which_nothing_is_set() {
        assert_eq!(read_json::<Wish>(b" {}").expect("is one"), Wish::default());
        for list in [&b"[]"[..], b"[null, null]", b"\n\t[]"] {
            assert!(read_json::<Wish>(list).is_err(), "{list:?}");
        }
    }
}
