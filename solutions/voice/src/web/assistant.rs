//! The shape in which Home Assistant's conversation API asks
//! (<https://developers.home-assistant.io/docs/intent_conversation_api>).

use axum::extract::State;
use ieum_contracts::voice::{DialogOutcome, DialogTurn, Dialogue};
use ieum_core::new_id;
use ieum_gateway::{ApiError, ApiJson, Context};

use super::text::at_field;
use super::{Visitor, Web};
use crate::views::{Plain, ProcessAnswer, ProcessAsk, ProcessData, ProcessResponse, Speech};

/// Who speaks where nobody is named: a device of nobody's.
const ASSISTANT: &str = "assistant";

/// Answers a sentence as Home Assistant's conversation API does.
#[utoipa::path(post, path = "/api/conversation/process", tag = "dialog", operation_id = "process",
    security((), ("key" = []), ("device" = [])), request_body = ProcessAsk, responses(
    (status = 200, description = "The answer", body = ProcessAnswer),
))]
pub(crate) async fn process(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiJson(ask): ApiJson<ProcessAsk>,
) -> Result<ApiJson<ProcessAnswer>, ApiError> {
    let turn = DialogTurn {
        device_id: ask.device_id,
        session_id: ask.conversation_id,
        text: ask.text,
        language: ask.language,
        area: ask.area,
        ..DialogTurn::default()
    };
    let mut turn = visitor.pin(&cx, &web.manager.directory, turn).await.map_err(at_field)?;
    if turn.device_id.is_none() {
        turn.device_id = Some(ASSISTANT.to_owned());
        // Who names nobody begins a conversation of its own, as with Home Assistant; the answer says how to go on with it.
        turn.session_id.get_or_insert_with(|| new_id().to_string());
    }
    let answer = web.manager.say(&cx, turn).await.map_err(at_field)?;
    let code = match answer.outcome {
        DialogOutcome::Answered | DialogOutcome::Asked => None,
        DialogOutcome::NotUnderstood => Some("no_intent_match"),
        _ => Some("failed_to_handle"),
    };
    let kind = match (code, answer.intent.ends_with(".query")) {
        (Some(_), _) => "error",
        (None, true) => "query_answer",
        (None, false) => "action_done",
    };
    let plain = Plain { speech: answer.text, extra_data: None };
    Ok(ApiJson(ProcessAnswer {
        continue_conversation: answer.expects_answer,
        conversation_id: answer.session_id,
        response: ProcessResponse {
            response_type: kind.to_owned(),
            language: answer.language,
            data: ProcessData { code: code.map(str::to_owned), ..ProcessData::default() },
            speech: Speech { plain },
        },
    }))
}
