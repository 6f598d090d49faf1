//! What was understood as answers, and back.

use bytes::Bytes;
use ieum_core::Fault;

use super::known::reference_message;
use super::{context_message, context_of, struct_of, values_of};
use crate::proto::v2;
use crate::{Context, Detected, IntentRef, Message, SessionName, Speech};

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
        is_apart: false,
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
