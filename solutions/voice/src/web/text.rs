//! Turns as text, in two versions of the API.

use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use ieum_contracts::voice::{DialogTurn, Dialogue};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, Context, ProblemView};

use super::versions::Version;
use super::{Visitor, Web};
use crate::views::{AnswerV1, AnswerV2, TurnV1, TurnV2};

/// Answers a turn in the version that the header `API-Version` names, or `version` in `Accept`; v2 where none is named.
#[utoipa::path(post, path = "/api/dialog/text", tag = "dialog", operation_id = "say", security((), ("key" = []), ("device" = [])),
    request_body = TurnV2, responses(
    (status = 200, description = "The answer", body = AnswerV2),
    (status = 410, description = "The version has ended", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn negotiated(
    web: State<Web>,
    visitor: Visitor,
    cx: Context,
    request: Request,
) -> Result<Response, ApiError> {
    match Version::asked(request.headers())? {
        Version::First => first(web, visitor, cx, ApiJson::from_request(request, &()).await?).await,
        Version::Second => second(web, visitor, cx, ApiJson::from_request(request, &()).await?).await,
    }
}

/// Answers a turn as the first version did.
#[utoipa::path(post, path = "/api/v1/dialog/text", tag = "dialog", operation_id = "sayV1", security((), ("key" = []), ("device" = [])),
    request_body = TurnV1, responses(
    (status = 200, description = "The answer; `Deprecation` and `Sunset` say until when", body = AnswerV1),
    (status = 410, description = "The version has ended", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn first(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiJson(turn): ApiJson<TurnV1>,
) -> Result<Response, ApiError> {
    let headers = web.versions.headers(Version::First, web.manager.clock.now())?;
    let turn = DialogTurn {
        user_id: turn.user_id,
        device_id: turn.device_id,
        session_id: turn.session_id,
        text: turn.text,
        ..DialogTurn::default()
    };
    let turn = visitor.pin(&cx, &web.manager.directory, turn).await.map_err(at_field)?;
    let answer = web.manager.say(&cx, turn).await.map_err(at_field)?;
    Ok((headers, ApiJson(AnswerV1::from(answer))).into_response())
}

/// Answers a turn.
#[utoipa::path(post, path = "/api/v2/dialog/text", tag = "dialog", operation_id = "sayV2", security((), ("key" = []), ("device" = [])),
    request_body = TurnV2, responses(
    (status = 200, description = "The answer", body = AnswerV2),
))]
pub(crate) async fn second(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiJson(turn): ApiJson<TurnV2>,
) -> Result<Response, ApiError> {
    let headers = web.versions.headers(Version::Second, web.manager.clock.now())?;
    let turn = visitor.pin(&cx, &web.manager.directory, turn.into()).await.map_err(at_field)?;
    let answer = web.manager.say(&cx, turn).await.map_err(at_field)?;
    Ok((headers, ApiJson(AnswerV2::from(answer))).into_response())
}

/// Names the field that a fault names.
pub(crate) fn at_field(fault: Fault) -> ApiError {
    let field =
        fault.message.strip_prefix("field ").and_then(|rest| rest.split(':').next()).map(str::to_owned);
    let error = ApiError::from(fault);
    match field {
        Some(field) => error.at_field(field),
        None => error,
    }
}
