//! What an engine says of itself: the `info` event, written and read.

use serde_json::{Value, json};

use super::event::{VERSION, WyomingEvent};
use crate::engine::Engine;

/// Makes the answer to `describe`.
pub fn info(listens: Option<&Engine>, speaks: Option<&Engine>, handles: Option<&Engine>) -> WyomingEvent {
    let asr: Vec<Value> = listens
        .map(|engine| {
            let mut program = program(engine);
            program["supports_transcript_streaming"] = json!(true);
            // Whoever sends the audio says where it ends.
            program["requires_external_vad"] = json!(true);
            program
        })
        .into_iter()
        .collect();
    let tts: Vec<Value> = speaks
        .map(|engine| {
            let mut program = artifact(&engine.name);
            let voice = |language: &String| {
                let mut voice = artifact(language);
                voice["languages"] = json!([language]);
                voice
            };
            program["voices"] = engine.languages.iter().map(voice).collect();
            program["supports_synthesize_streaming"] = json!(true);
            program
        })
        .into_iter()
        .collect();
    let handle: Vec<Value> = handles.map(program).into_iter().collect();
    let nothing: [Value; 0] = [];
    // Who answers a sentence understands it too.
    let data = json!({
        "asr": asr, "tts": tts, "handle": handle, "intent": handle, "wake": nothing, "mic": nothing, "snd": nothing,
    });
    WyomingEvent::new("info", data)
}

/// Returns a program of one model.
fn program(engine: &Engine) -> Value {
    let (mut program, mut model) = (artifact(&engine.name), artifact(&engine.name));
    model["languages"] = json!(engine.languages);
    program["models"] = json!([model]);
    program
}

fn artifact(name: &str) -> Value {
    json!({
        "name": name, "description": name, "installed": true, "version": VERSION,
        "attribution": { "name": "", "url": "" },
    })
}

/// Reads what an engine says of itself under `what` (`asr` or `tts`), whose parts are called `parts`; nothing where
/// it does not do that.
pub fn engine_in(event: &WyomingEvent, what: &str, parts: &str) -> Option<Engine> {
    let program = event.data.get(what)?.as_array()?.first()?;
    let name = program.get("name").and_then(Value::as_str).unwrap_or("wyoming");
    let mut languages = Vec::new();
    let of_parts = program.get(parts).and_then(Value::as_array).into_iter().flatten();
    for language in of_parts.filter_map(|part| part.get("languages")?.as_array()).flatten() {
        // Some say `en_US`, some `en-US`, some `en`.
        let short = language.as_str().and_then(|text| text.split(['-', '_']).next()).map(str::to_lowercase);
        if let Some(short) = short
            && !languages.contains(&short)
        {
            languages.push(short);
        }
    }
    Some(Engine { name: name.to_owned(), languages })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_read_as_it_was_described_and_one_that_is_not_there_is_missed() {
        let ear = Engine { name: "ear".to_owned(), languages: vec!["ko".to_owned(), "en".to_owned()] };
        let event = info(Some(&ear), None, Some(&ear));
        assert_eq!(engine_in(&event, "asr", "models"), Some(ear.clone()));
        assert_eq!(engine_in(&event, "handle", "models"), Some(ear));
        assert_eq!(engine_in(&event, "tts", "voices"), None);
    }
}
