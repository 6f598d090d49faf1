//! `voice.ears` and `voice.mouth`: speech engines by their URLs, checked as far as a URL tells.

use ieum_speech::{EngineUrl, SpeechError, check_engine_url, read_engine_url};

use super::reader::Reader;
use crate::ml_ear;

/// What engines of a list do.
struct List {
    key: &'static str,
    /// The schemes of those that do it.
    schemes: &'static [&'static str],
    /// What it is called.
    does: &'static str,
    /// Tells whether one does it.
    fits: fn(&EngineUrl) -> bool,
    /// What one that does not does instead, and where it belongs.
    instead: &'static str,
}

const EARS: List = List {
    key: "voice.ears",
    schemes: &["moonshine:", "whisper:", "wyoming://", "grpc://", "grpcs://"],
    does: "listens",
    fits: |engine| engine.listens,
    instead: "it speaks and does not listen; name it in voice.mouth",
};

const MOUTH: List = List {
    key: "voice.mouth",
    schemes: &["espeak:", "wyoming://"],
    does: "speaks",
    fits: |engine| engine.speaks,
    instead: "it listens and does not speak; name it in voice.ears",
};

/// Reads the engines that listen.
pub fn ears(reader: &mut Reader<'_>) -> Vec<String> {
    engines(reader, &EARS)
}

/// Reads the engines that speak.
pub fn mouth(reader: &mut Reader<'_>) -> Vec<String> {
    engines(reader, &MOUTH)
}

/// Reads URLs with ", " between them.
fn engines(reader: &mut Reader<'_>, list: &List) -> Vec<String> {
    let text = reader.text(list.key);
    let urls = text.split(", ").map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned);
    let urls: Vec<String> = urls.collect();
    for url in &urls {
        if let Err(problem) = check(url, list) {
            reader.wrong(list.key, problem);
        }
    }
    urls
}

fn check(url: &str, list: &List) -> Result<(), String> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    if rest.starts_with('~') {
        return Err(format!(
            "{url:?} holds ~, which is not expanded here; write the whole path of the folder"
        ));
    }
    let is_of = |known: &&&str| known.split(':').next() == Some(scheme);
    if matches!(scheme, "grpc" | "grpcs") && list.schemes.iter().any(|known| is_of(&known)) {
        return ml_ear::check_ear_url(url).map_err(told);
    }
    match read_engine_url(url) {
        Ok(engine) if !(list.fits)(&engine) => Err(format!("{url:?}: {}", list.instead)),
        Ok(_) => check_engine_url(url).map_err(told),
        // The toolkit's own list holds what does not belong here, and lacks an MLService.
        Err(_) if !list.schemes.iter().any(|known| is_of(&known)) => {
            let (does, schemes) = (list.does, list.schemes.join(", "));
            Err(format!("{url:?} begins with no scheme of an engine that {does}; expected one of {schemes}"))
        }
        Err(error) => Err(told(error)),
    }
}

fn told(error: SpeechError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use crate::config::{Sources, load};

    fn mistakes(voice: &str) -> String {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("own.toml");
        std::fs::write(&path, format!("[voice]\n{voice}")).expect("is written");
        let sources = Sources { file: Some(path), ..Sources::default() };
        load(&sources).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_engine_in_the_wrong_list_and_a_wrong_language_are_named() {
        for (voice, expected) in [
            (
                "ears = \"espeak:\"",
                "voice.ears: \"espeak:\": it speaks and does not listen; name it in voice.mouth",
            ),
            ("mouth = \"whisper:/m\"", "voice.mouth: \"whisper:/m\": it listens and does not speak"),
            (
                "mouth = \"grpc://a:1\"",
                "voice.mouth: \"grpc://a:1\" begins with no scheme of an engine that speaks",
            ),
            ("ears = \"espeek:\"", "expected one of moonshine:, whisper:, wyoming://, grpc://, grpcs://"),
            ("mouth = \"espeek:\"", "expected one of espeak:, wyoming://"),
            ("ears = \"whisper:/m?language=kr\"", "\"kr\" is no language of whisper"),
            ("ears = \"whisper:~/m\"", "voice.ears: \"whisper:~/m\" holds ~, which is not expanded here"),
            ("ears = \"grpc://a\"", "it names no host and port"),
        ] {
            let told = mistakes(voice);
            assert!(told.starts_with("1 setting is wrong") && told.contains(expected), "{voice}: {told}");
        }
        assert_eq!(mistakes("ears = \"wyoming://a:1, grpc://b:2?language=ko\"\nmouth = \"espeak:\""), "");
    }

    #[test]
    fn a_wrong_address_of_the_weather_is_told_once() {
        let told = mistakes("weather = \"htp:/x\"");
        assert!(told.starts_with("1 setting is wrong\n  voice.weather: \"htp:/x\" is no http"), "{told}");
        assert!(mistakes("weather = \"\"").contains("voice.weather: is empty"));
    }
}
