//! The messages, clients and servers that are compiled from the `.proto` files, and their JSON form.

use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, SerializeOptions};

#[allow(missing_docs, clippy::all, reason = "written by the compiler of the .proto files")]
mod packages {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use packages::google::cloud::dialogflow::v2;
pub use packages::google::rpc;
pub use packages::google::r#type as place;
pub use packages::ieum::ml;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
    DescriptorPool::decode(bytes.as_slice()).expect("the build wrote it")
});

/// Says why a text is not the JSON of a message.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is no JSON, or a field has the wrong type.
    #[error("reading {name} from JSON: {problem}")]
    Read {
        /// The message's name.
        name: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// The message cannot be written.
    #[error("writing {name} as JSON: {problem}")]
    Write {
        /// The message's name.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// Returns `message` in JSON as Protocol Buffers map it (<https://protobuf.dev/programming-guides/json/>):
/// lowerCamelCase, defaults left out, enums by name or, with `numbers`, by number.
///
/// # Errors
/// A number that JSON lacks, such as an infinite one within a `Struct`.
pub fn to_json<M: Message + Name>(message: &M, numbers: bool) -> Result<Vec<u8>, JsonError> {
    let wrong = |problem: String| JsonError::Write { name: M::full_name(), problem };
    let dynamic = DynamicMessage::decode(descriptor::<M>(), message.encode_to_vec().as_slice())
        .map_err(|error| wrong(error.to_string()))?;
    let mut text = Vec::new();
    let options = SerializeOptions::new().use_enum_numbers(numbers);
    dynamic
        .serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options)
        .map_err(|error| wrong(error.to_string()))?;
    Ok(text)
}

/// Reads a message from JSON. Fields that are not known are left out: our `.proto` files are a part of Google's.
///
/// # Errors
/// No JSON, something behind it, or a field of another type.
pub fn from_json<M: Message + Name + Default>(text: &[u8]) -> Result<M, JsonError> {
    let wrong = |problem: String| JsonError::Read { name: M::full_name(), problem };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let dynamic = DynamicMessage::deserialize_with_options(descriptor::<M>(), &mut reader, &options)
        .map_err(|error| wrong(error.to_string()))?;
    reader.end().map_err(|error| wrong(error.to_string()))?;
    dynamic.transcode_to().map_err(|error| wrong(error.to_string()))
}

fn descriptor<M: Name>() -> prost_reflect::MessageDescriptor {
    POOL.get_message_by_name(&M::full_name()).expect("every message is compiled from the same files")
}

#[cfg(test)]
mod tests {
    use super::v2::{DetectIntentRequest, OutputAudioEncoding, query_input};
    use super::*;

    #[test]
    fn json_is_googles_form_and_reads_back() {
        let text = r#"{"queryInput":{"text":{"text":"내일은?","languageCode":"ko"}},"newer":[1],
            "queryParams":{"contexts":[{"name":"a/contexts/weather","lifespanCount":2,"parameters":{"n":1.5}}]},
            "outputAudioConfig":{"audioEncoding":"OUTPUT_AUDIO_ENCODING_LINEAR_16"},"inputAudio":"AAE="}"#;
        let request: DetectIntentRequest = from_json(text.as_bytes()).expect("is read");
        let Some(query_input::Input::Text(said)) = request.query_input.clone().and_then(|input| input.input)
        else {
            panic!("{request:?}");
        };
        assert_eq!((said.text.as_str(), said.language_code.as_str()), ("내일은?", "ko"));
        assert_eq!(request.input_audio, [0, 1]);
        let encoding = request.output_audio_config.as_ref().map(|config| config.audio_encoding);
        assert_eq!(encoding, Some(OutputAudioEncoding::Linear16 as i32));
        let written = String::from_utf8(to_json(&request, true).expect("is written")).expect("is text");
        assert!(
            written.contains(r#""audioEncoding":1"#) && written.contains(r#""lifespanCount":2"#),
            "{written}"
        );
        assert_eq!(from_json::<DetectIntentRequest>(written.as_bytes()).expect("is read"), request);
    }

    #[test]
    fn wrong_json_is_refused_with_its_place() {
        for text in [r#"{"inputAudio":7}"#, "{} {}", "[]", r#"{"queryInput":{"text":"bare"}}"#, ""] {
            let error = from_json::<DetectIntentRequest>(text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains("google.cloud.dialogflow.v2.DetectIntentRequest"), "{text}: {error}");
        }
    }
}
