//! Our words as Dialogflow's messages, and back.

mod answer;
mod known;
mod question;
mod values;

use ieum_core::Fault;

use crate::proto::v2;
use crate::{Context, SessionName, context_id};

pub use answer::{detected_of, result_message, speech_message};
pub use known::{entity_message, intent_message};
pub use question::{audio_config, query_of, request_message};
pub use values::{struct_of, values_of};

/// Returns a context as a message.
pub fn context_message(session: &SessionName, context: &Context) -> v2::Context {
    v2::Context {
        name: session.context(&context.id),
        lifespan_count: i32::try_from(context.lifespan).unwrap_or(i32::MAX),
        parameters: (!context.parameters.is_empty()).then(|| struct_of(&context.parameters)),
    }
}

/// Reads a context. Fails with `dialogflow.context` where its name is none or its turns are fewer than none.
pub fn context_of(message: v2::Context) -> Result<Context, Fault> {
    let id = message.name.rsplit('/').next().unwrap_or_default();
    let id = context_id(id).map_err(|error| wrong("context", error.to_string()))?;
    let lifespan = u32::try_from(message.lifespan_count)
        .map_err(|_| wrong("context", format!("lifespan_count of {id} is less than 0")))?;
    Ok(Context { id, lifespan, parameters: values_of(message.parameters) })
}

/// Makes the fault of a request that can never be right.
pub fn wrong(field: &'static str, problem: impl Into<String>) -> Fault {
    Fault::invalid_argument("dialogflow.request", format!("{field}: {}", problem.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Detected, IntentRef, Message, Query, Values};

    fn values(value: serde_json::Value) -> Values {
        value.as_object().cloned().expect("is an object")
    }

    #[test]
    fn values_survive_and_whole_numbers_stay_whole() {
        let given = values(json!({"n": 3, "f": 1.5, "l": [true, null, {"a": "가"}], "s": ""}));
        assert_eq!(values_of(Some(struct_of(&given))), given);
    }

    #[test]
    fn a_turn_and_its_answer_survive_their_messages() {
        let session = SessionName::new("p", "s");
        let mut query = Query::text(session.clone(), "ko", "내일은?");
        query.contexts = vec![Context::new("Weather", 2, values(json!({"city": "서울"})))];
        query.time_zone = Some("Asia/Seoul".into());
        query.location = Some((37.5, 127.0));
        let back = query_of(request_message(&session, &query)).expect("is read");
        assert_eq!(
            (&back.session, &back.language, &back.contexts),
            (&session, &query.language, &query.contexts)
        );
        assert_eq!((back.time_zone, back.location), (query.time_zone, query.location));
        let detected = Detected {
            query_text: "내일은?".into(),
            language: "ko".into(),
            intent: Some(IntentRef { id: "7".into(), display_name: "weather".into(), ..Default::default() }),
            confidence: 0.5,
            parameters: values(json!({"date": "tomorrow"})),
            complete: true,
            text: "맑아요".into(),
            messages: vec![Message::Text(vec!["맑아요".into()])],
            contexts: vec![Context::new("weather", 1, Values::new())],
            ..Default::default()
        };
        let result = result_message(&session, &detected, &detected.contexts);
        let response = v2::DetectIntentResponse { query_result: Some(result), ..Default::default() };
        assert_eq!(detected_of(response).expect("is read"), detected);
    }

    #[test]
    fn what_is_wrong_with_a_turn_is_named() {
        let session = SessionName::new("p", "s");
        let good = request_message(&session, &Query::text(session.clone(), "ko", "안녕"));
        let nameless = v2::DetectIntentRequest { session: "s".into(), ..good.clone() };
        let empty = v2::DetectIntentRequest { query_input: None, ..good.clone() };
        let mut negative = good;
        negative.query_params.as_mut().expect("is there").contexts =
            vec![v2::Context { name: "a".into(), lifespan_count: -1, parameters: None }];
        for (request, field) in [(nameless, "session:"), (empty, "query_input:"), (negative, "context:")] {
            let fault = query_of(request).expect_err(field);
            assert!(fault.message.starts_with(field), "{fault}");
        }
    }
}
