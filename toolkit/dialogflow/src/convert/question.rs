//! Turns as requests, and back.

use bytes::Bytes;
use ieum_core::Fault;

use super::{context_message, context_of, struct_of, values_of, wrong};
use crate::proto::{place, v2};
use crate::{Encoding, Input, Query, SessionName, Sound, SoundFormat, SpeechWish};

/// Reads a turn. Fails where it has no name of a session, nothing said, or a wrong context.
pub fn query_of(request: v2::DetectIntentRequest) -> Result<Query, Fault> {
    let session =
        SessionName::parse(&request.session).map_err(|error| wrong("session", error.to_string()))?;
    let input = request.query_input.and_then(|input| input.input);
    let (language, input) = match input.ok_or_else(|| wrong("query_input", "is empty"))? {
        // As Dialogflow does it: nothing was said, so that no turn takes place.
        v2::query_input::Input::Text(text) if text.text.trim().is_empty() => {
            return Err(wrong("query_input.text", "input text not set"));
        }
        v2::query_input::Input::Text(text) => (text.language_code, Input::Text(text.text)),
        v2::query_input::Input::Event(event) if event.name.trim().is_empty() => {
            return Err(wrong("query_input.event", "has no name"));
        }
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
fn format_of(config: v2::InputAudioConfig) -> Result<SoundFormat, Fault> {
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
