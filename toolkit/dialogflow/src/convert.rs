//! Our words as Dialogflow's messages, and back.

use std::collections::BTreeMap;

use bytes::Bytes;
use ieum_core::Fault;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::Value;

use crate::proto::{place, v2};
use crate::{
    AgentName, Context, Detected, Encoding, EntityType, Input, Intent, IntentRef, Message, Query,
    SessionName, Sound, SoundFormat, Speech, SpeechWish, Values, context_id,
};

/// How deep values may nest.
const DEEPEST: usize = 32;

// === Values ===

/// Returns named values as a `Struct`. Whole numbers become floating-point ones, as everything does in a `Struct`.
pub fn struct_of(values: &Values) -> Struct {
    let fields: BTreeMap<String, ProtoValue> =
        values.iter().map(|(name, value)| (name.clone(), value_of(value))).collect();
    Struct { fields }
}

fn value_of(value: &Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(value_of).collect() }),
        Value::Object(values) => Kind::StructValue(struct_of(values)),
    };
    ProtoValue { kind: Some(kind) }
}

/// Returns a `Struct` as named values; numbers without a fraction are whole ones again.
pub fn values_of(given: Option<Struct>) -> Values {
    given.map(|given| fields(given, 0)).unwrap_or_default()
}

fn fields(given: Struct, depth: usize) -> Values {
    given.fields.into_iter().map(|(name, value)| (name, plain(value, depth + 1))).collect()
}

fn plain(value: ProtoValue, depth: usize) -> Value {
    match value.kind {
        _ if depth > DEEPEST => Value::Null,
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::NumberValue(number)) => number_of(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(|value| plain(value, depth + 1)).collect(),
        Some(Kind::StructValue(inner)) => Value::Object(fields(inner, depth + 1)),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "only whole numbers that a double holds exactly are taken"
)]
fn number_of(number: f64) -> Value {
    let exact = 2_f64.powi(53);
    if number.fract() == 0.0 && number.abs() <= exact {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

// === Contexts ===

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

// === Questions ===

/// Reads a turn. Fails where it has no name of a session, nothing said, or a wrong context.
pub fn query_of(request: v2::DetectIntentRequest) -> Result<Query, Fault> {
    let session =
        SessionName::parse(&request.session).map_err(|error| wrong("session", error.to_string()))?;
    let input = request.query_input.and_then(|input| input.input);
    let (language, input) = match input.ok_or_else(|| wrong("query_input", "is empty"))? {
        v2::query_input::Input::Text(text) => (text.language_code, Input::Text(text.text)),
        v2::query_input::Input::Event(event) => {
            let parameters = values_of(event.parameters);
            (event.language_code, Input::Event { name: event.name, parameters })
        }
        v2::query_input::Input::AudioConfig(config) => {
            let language = config.language_code.clone();
            let format = format_of(config)?;
            (language, Input::Sound(Sound { format, data: Bytes::from(request.input_audio) }))
        }
    };
    let parameters = request.query_params.unwrap_or_default();
    let contexts = parameters.contexts.into_iter().map(context_of).collect::<Result<_, _>>()?;
    Ok(Query {
        session,
        language,
        input,
        contexts,
        reset_contexts: parameters.reset_contexts,
        time_zone: Some(parameters.time_zone).filter(|zone| !zone.is_empty()),
        location: parameters.geo_location.map(|place| (place.latitude, place.longitude)),
        payload: values_of(parameters.payload),
        speech: request.output_audio_config.map(wish_of),
    })
}

/// Reads what sound is. Fails where no such encoding is known.
pub fn format_of(config: v2::InputAudioConfig) -> Result<SoundFormat, Fault> {
    let encoding = Encoding::of_number(config.audio_encoding)
        .ok_or_else(|| wrong("audio_config", format!("no audio_encoding is {}", config.audio_encoding)))?;
    let sample_rate = u32::try_from(config.sample_rate_hertz)
        .map_err(|_| wrong("audio_config", "sample_rate_hertz is less than 0"))?;
    let contexts = config.speech_contexts.into_iter().flat_map(|context| context.phrases);
    Ok(SoundFormat {
        encoding,
        sample_rate,
        language: config.language_code,
        hints: config.phrase_hints.into_iter().chain(contexts).collect(),
        single_utterance: config.single_utterance,
    })
}

fn wish_of(config: v2::OutputAudioConfig) -> SpeechWish {
    let voice = config.synthesize_speech_config.unwrap_or_default();
    SpeechWish {
        encoding: config.audio_encoding,
        sample_rate: u32::try_from(config.sample_rate_hertz).unwrap_or_default(),
        voice: voice.voice.map(|voice| voice.name).unwrap_or_default(),
        rate: voice.speaking_rate,
    }
}

/// Returns a turn as a message; the session's name is the one given.
pub fn request_message(session: &SessionName, query: &Query) -> v2::DetectIntentRequest {
    let language_code = query.language.clone();
    let mut input_audio = Vec::new();
    let input = match &query.input {
        Input::Text(text) => {
            v2::query_input::Input::Text(v2::TextInput { text: text.clone(), language_code })
        }
        Input::Event { name, parameters } => v2::query_input::Input::Event(v2::EventInput {
            name: name.clone(),
            parameters: Some(struct_of(parameters)),
            language_code,
        }),
        Input::Sound(sound) => {
            input_audio = sound.data.to_vec();
            v2::query_input::Input::AudioConfig(audio_config(&sound.format, &language_code))
        }
    };
    let contexts = query.contexts.iter().map(|context| context_message(session, context)).collect();
    v2::DetectIntentRequest {
        session: session.to_string(),
        query_params: Some(v2::QueryParameters {
            time_zone: query.time_zone.clone().unwrap_or_default(),
            geo_location: query.location.map(|(latitude, longitude)| place::LatLng { latitude, longitude }),
            contexts,
            reset_contexts: query.reset_contexts,
            payload: (!query.payload.is_empty()).then(|| struct_of(&query.payload)),
            ..Default::default()
        }),
        query_input: Some(v2::QueryInput { input: Some(input) }),
        output_audio_config: query.speech.as_ref().map(wish_message),
        input_audio,
        output_audio_config_mask: None,
    }
}

/// Returns what sound is as a message.
pub fn audio_config(format: &SoundFormat, language: &str) -> v2::InputAudioConfig {
    v2::InputAudioConfig {
        audio_encoding: format.encoding as i32,
        sample_rate_hertz: i32::try_from(format.sample_rate).unwrap_or(i32::MAX),
        language_code: if format.language.is_empty() { language.to_owned() } else { format.language.clone() },
        phrase_hints: format.hints.clone(),
        single_utterance: format.single_utterance,
        ..Default::default()
    }
}

fn wish_message(wish: &SpeechWish) -> v2::OutputAudioConfig {
    let voice = (!wish.voice.is_empty())
        .then(|| v2::VoiceSelectionParams { name: wish.voice.clone(), ssml_gender: 0 });
    v2::OutputAudioConfig {
        audio_encoding: wish.encoding,
        sample_rate_hertz: i32::try_from(wish.sample_rate).unwrap_or_default(),
        synthesize_speech_config: Some(v2::SynthesizeSpeechConfig {
            speaking_rate: wish.rate,
            voice,
            ..Default::default()
        }),
    }
}

// === Answers ===

/// Returns what was understood as a message, with the contexts that are there after the turn.
pub fn result_message(session: &SessionName, detected: &Detected, contexts: &[Context]) -> v2::QueryResult {
    let text = fulfillment_text(detected);
    let mut messages: Vec<v2::intent::Message> = detected.messages.iter().map(message_of).collect();
    if messages.is_empty() && !text.is_empty() {
        messages.push(message_of(&Message::Text(vec![text.clone()])));
    }
    v2::QueryResult {
        query_text: detected.query_text.clone(),
        speech_recognition_confidence: detected.speech_confidence,
        action: detected.action.clone(),
        parameters: Some(struct_of(&detected.parameters)),
        all_required_params_present: detected.complete,
        fulfillment_text: text,
        fulfillment_messages: messages,
        webhook_payload: (!detected.payload.is_empty()).then(|| struct_of(&detected.payload)),
        output_contexts: contexts.iter().map(|context| context_message(session, context)).collect(),
        intent: detected.intent.as_ref().map(|intent| reference_message(&session.agent, intent)),
        intent_detection_confidence: detected.confidence,
        language_code: detected.language.clone(),
        ..Default::default()
    }
}

fn fulfillment_text(detected: &Detected) -> String {
    let first = detected.messages.iter().find_map(|message| match message {
        Message::Text(texts) => texts.first(),
        _ => None,
    });
    if detected.text.is_empty() { first.cloned().unwrap_or_default() } else { detected.text.clone() }
}

fn message_of(message: &Message) -> v2::intent::Message {
    use v2::intent::message::{Message as Kind, QuickReplies, Text};
    let kind = match message {
        Message::Text(texts) => Kind::Text(Text { text: texts.clone() }),
        Message::Choices(title, choices) => {
            Kind::QuickReplies(QuickReplies { title: title.clone(), quick_replies: choices.clone() })
        }
        Message::Payload(values) => Kind::Payload(struct_of(values)),
    };
    v2::intent::Message { message: Some(kind), platform: 0 }
}

fn reference_message(agent: &AgentName, intent: &IntentRef) -> v2::Intent {
    v2::Intent {
        name: format!("{agent}/intents/{}", intent.id),
        display_name: intent.display_name.clone(),
        is_fallback: intent.is_fallback,
        end_interaction: intent.ends,
        ..Default::default()
    }
}

/// Returns an answer as sound in the form of a message: its data and what it is.
pub fn speech_message(speech: Option<Speech>) -> (Vec<u8>, Option<v2::OutputAudioConfig>) {
    let Some(speech) = speech else { return (Vec::new(), None) };
    let config = v2::OutputAudioConfig {
        audio_encoding: speech.encoding,
        sample_rate_hertz: i32::try_from(speech.sample_rate).unwrap_or_default(),
        synthesize_speech_config: None,
    };
    (speech.data.to_vec(), Some(config))
}

/// Reads what was understood.
pub fn detected_of(response: v2::DetectIntentResponse) -> Result<Detected, Fault> {
    let strange =
        |problem: &str| Fault::internal("dialogflow.strange_answer", format!("the answer {problem}"));
    let result = response.query_result.ok_or_else(|| strange("has no query_result"))?;
    let contexts = result.output_contexts.into_iter().map(context_of).collect::<Result<_, _>>();
    let speech =
        response.output_audio_config.filter(|_| !response.output_audio.is_empty()).map(|config| Speech {
            encoding: config.audio_encoding,
            sample_rate: u32::try_from(config.sample_rate_hertz).unwrap_or_default(),
            data: Bytes::from(response.output_audio.clone()),
        });
    Ok(Detected {
        query_text: result.query_text,
        speech_confidence: result.speech_recognition_confidence,
        language: result.language_code,
        intent: result.intent.map(|intent| IntentRef {
            id: intent.name.rsplit('/').next().unwrap_or_default().to_owned(),
            display_name: intent.display_name,
            is_fallback: intent.is_fallback,
            ends: intent.end_interaction,
        }),
        confidence: result.intent_detection_confidence,
        action: result.action,
        parameters: values_of(result.parameters),
        complete: result.all_required_params_present,
        text: result.fulfillment_text,
        messages: result.fulfillment_messages.into_iter().filter_map(read_message).collect(),
        contexts: contexts
            .map_err(|fault: Fault| strange(&format!("has a wrong context: {}", fault.message)))?,
        payload: values_of(result.webhook_payload),
        speech,
    })
}

fn read_message(message: v2::intent::Message) -> Option<Message> {
    use v2::intent::message::Message as Kind;
    match message.message? {
        Kind::Text(text) => Some(Message::Text(text.text)),
        Kind::QuickReplies(replies) => Some(Message::Choices(replies.title, replies.quick_replies)),
        Kind::Payload(values) => Some(Message::Payload(values_of(Some(values)))),
        // Cards and pictures are for screens.
        Kind::Image(_) | Kind::Card(_) | Kind::SimpleResponses(_) => None,
    }
}

// === What an agent knows ===

/// Returns an intent as a message, with its phrases where they are `wanted`.
pub fn intent_message(agent: &AgentName, intent: &Intent, wanted: bool) -> v2::Intent {
    use v2::intent::training_phrase::{Part, Type};
    use v2::intent::{Parameter, TrainingPhrase};
    let phrase = |text: &String| TrainingPhrase {
        r#type: Type::Example as i32,
        parts: vec![Part { text: text.clone(), ..Default::default() }],
        ..Default::default()
    };
    let parameter = |(name, kind, mandatory): &(String, String, bool)| Parameter {
        display_name: name.clone(),
        value: format!("${name}"),
        entity_type_display_name: format!("@{kind}"),
        mandatory: *mandatory,
        ..Default::default()
    };
    let phrases = if wanted { intent.phrases.iter().map(phrase).collect() } else { Vec::new() };
    let session = |id: &String| format!("{agent}/sessions/-/contexts/{id}");
    v2::Intent {
        training_phrases: phrases,
        parameters: intent.parameters.iter().map(parameter).collect(),
        events: intent.events.clone(),
        input_context_names: intent.input_contexts.iter().map(session).collect(),
        action: intent.action.clone(),
        ..reference_message(agent, &intent.reference)
    }
}

/// Returns a kind of values as a message.
pub fn entity_message(agent: &AgentName, kind: &EntityType) -> v2::EntityType {
    use v2::entity_type::{Entity, Kind};
    let entity = |(value, synonyms): &(String, Vec<String>)| Entity {
        value: value.clone(),
        synonyms: if synonyms.is_empty() { vec![value.clone()] } else { synonyms.clone() },
    };
    v2::EntityType {
        name: format!("{agent}/entityTypes/{}", kind.id),
        display_name: kind.display_name.clone(),
        kind: Kind::Map as i32,
        entities: kind.values.iter().map(entity).collect(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(value: Value) -> Values {
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
