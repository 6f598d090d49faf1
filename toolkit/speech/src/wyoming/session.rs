//! One connection's talk: what was asked, the audio that arrived, and the answers.

use std::sync::Arc;

use bytes::Bytes;
use ieum_core::{Fault, describe};
use serde_json::{Value, json};
use tokio::net::tcp::OwnedWriteHalf;

use super::event::{WyomingEvent, write_event};
use super::handler;
use super::info::info;
use super::server::WyomingServer;
use crate::engine::{Hints, Say, Spoken, Synthesizer, Transcriber, Transcript};
use crate::listener::{Partials, same};
use crate::{Audio, AudioFormat, PcmReader, SpeechError};

/// Bytes of speech sent at once.
const CHUNK: usize = 4_096;

/// The most letters that may wait for the end of their sentence.
const LONGEST_SENTENCE: usize = 2_000;

/// What one side of a connection has asked.
pub struct Session<'a> {
    server: &'a WyomingServer,
    writer: OwnedWriteHalf,
    language: Option<String>,
    hearing: Option<Hearing>,
    saying: Option<Saying>,
}

struct Hearing {
    reader: PcmReader,
    samples: Vec<f32>,
    partials: Option<Partials>,
    told: usize,
    began: bool,
}

/// Text that arrives in pieces and is spoken by sentences.
struct Saying {
    say: Say,
    began: bool,
}

// === Session ===

impl<'a> Session<'a> {
    pub fn new(server: &'a WyomingServer, writer: OwnedWriteHalf) -> Self {
        Self { server, writer, language: None, hearing: None, saying: None }
    }

    /// Takes an event. What is wrong with it is answered; only a broken connection is an error.
    pub async fn take(&mut self, event: WyomingEvent) -> Result<(), SpeechError> {
        let outcome = match event.kind.as_str() {
            "describe" => self.describe().await,
            "ping" => self.send("pong", json!({ "text": event.text("text") })).await,
            "transcribe" => {
                self.language = event.text("language").map(short);
                self.hearing = None;
                Ok(())
            }
            "audio-start" => self.begin(&event),
            "audio-chunk" => self.hear(&event).await,
            "audio-stop" => self.end().await,
            "synthesize" => self.say(&event).await,
            "synthesize-start" => {
                self.saying = Some(Saying { say: what_to_say(&event), began: false });
                Ok(())
            }
            "synthesize-chunk" => self.say_more(event.text("text").unwrap_or_default()).await,
            "synthesize-stop" => self.say_rest().await,
            "transcript" => self.handle(&event).await,
            "recognize" => self.recognise(&event).await,
            // Events of other services are no business of ours.
            _ => Ok(()),
        };
        match outcome {
            Err(error @ SpeechError::Unreachable { .. }) => Err(error),
            Err(error) => {
                self.hearing = None;
                self.saying = None;
                self.refuse(&error).await
            }
            Ok(()) => Ok(()),
        }
    }

    /// Says what is wrong.
    pub async fn refuse(&mut self, error: &SpeechError) -> Result<(), SpeechError> {
        let data = json!({ "text": describe(error), "code": reason(error) });
        self.send("error", data).await
    }

    async fn describe(&mut self) -> Result<(), SpeechError> {
        let listens = self.server.transcriber.as_ref().map(|engine| engine.engine());
        let speaks = self.server.synthesizer.as_ref().map(|engine| engine.engine());
        let handles = self.server.handler.as_ref().map(|handler| handler.about());
        self.write(&info(listens.as_ref(), speaks.as_ref(), handles.as_ref())).await
    }

    /// Answers what was heard elsewhere. Without a handler it is no business of ours.
    async fn handle(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        let Some(handler) = self.server.handler.clone() else { return Ok(()) };
        let handled = handler.handle(handler::said(event)).await?;
        self.write(&handler::handled(event, &handled)).await
    }

    async fn recognise(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        let Some(handler) = self.server.handler.clone() else { return Ok(()) };
        let intention = handler.recognise(handler::said(event)).await?;
        self.write(&handler::recognised(event, intention.as_ref())).await
    }

    fn transcriber(&self) -> Result<Arc<dyn Transcriber>, SpeechError> {
        self.server.transcriber.clone().ok_or_else(|| missing("listens"))
    }

    fn synthesizer(&self) -> Result<Arc<dyn Synthesizer>, SpeechError> {
        self.server.synthesizer.clone().ok_or_else(|| missing("speaks"))
    }

    fn begin(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        let transcriber = self.transcriber()?;
        let format: AudioFormat = event.read()?;
        let reader = PcmReader::new(format, self.server.options.limits)?;
        let language = self.language.clone();
        let partials = self.server.options.partial.map(|every| Partials::new(transcriber, language, every));
        self.hearing = Some(Hearing { reader, samples: Vec::new(), partials, told: 0, began: false });
        Ok(())
    }

    async fn hear(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        if self.hearing.is_none() {
            // Some senders leave the beginning out; every chunk says how its samples lie.
            self.begin(event)?;
        }
        let Some(hearing) = &mut self.hearing else { return Ok(()) };
        hearing.samples.extend(hearing.reader.read(&event.payload)?);
        let Some(partials) = &mut hearing.partials else { return Ok(()) };
        if partials.look(&hearing.samples).is_none() {
            return Ok(());
        }
        let new = partials.settled()[hearing.told..].join(" ");
        if !new.is_empty() {
            let space = if hearing.told > 0 { " " } else { "" };
            hearing.told = partials.settled().len();
            let first = !std::mem::replace(&mut hearing.began, true);
            if first {
                let language = self.language.clone();
                self.send("transcript-start", json!({ "language": language })).await?;
            }
            self.send("transcript-chunk", json!({ "text": format!("{space}{new}") })).await?;
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), SpeechError> {
        let Some(hearing) = self.hearing.take() else { return Ok(()) };
        let mut samples = hearing.samples;
        samples.extend(hearing.reader.finish()?);
        let settled: Vec<String> =
            hearing.partials.map(|partials| partials.settled().to_vec()).unwrap_or_default();
        let engine = self.transcriber()?;
        let hints = Hints { language: self.language.clone(), grammar: None };
        let transcript = engine.transcribe(Audio::from_samples(samples), &hints).await?;
        if !hearing.began {
            self.send("transcript-start", json!({ "language": transcript.language })).await?;
        }
        if let Some(rest) = what_is_left(&transcript, &settled[..hearing.told.min(settled.len())]) {
            self.send("transcript-chunk", json!({ "text": rest })).await?;
        }
        let data = json!({ "text": transcript.text, "language": transcript.language });
        self.send("transcript", data).await?;
        self.send("transcript-stop", json!({})).await
    }

    async fn say(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        // Whoever sends the text in pieces sends the whole too, for servers that know no pieces.
        if self.saying.is_some() {
            return Ok(());
        }
        let spoken = self.synthesizer()?.synthesize(&what_to_say(event)).await?;
        self.send("audio-start", format_of(spoken.format)).await?;
        self.play(&spoken).await?;
        self.send("audio-stop", json!({})).await
    }

    async fn say_more(&mut self, text: &str) -> Result<(), SpeechError> {
        let Some(saying) = &mut self.saying else { return Ok(()) };
        saying.say.text.push_str(text);
        if saying.say.text.chars().count() > LONGEST_SENTENCE {
            let problem = format!("a sentence is longer than {LONGEST_SENTENCE} letters");
            return Err(SpeechError::Text { problem });
        }
        while let Some(sentence) = self.saying.as_mut().and_then(|saying| cut_sentence(&mut saying.say.text))
        {
            self.say_part(sentence).await?;
        }
        Ok(())
    }

    async fn say_rest(&mut self) -> Result<(), SpeechError> {
        let Some(saying) = &mut self.saying else { return Ok(()) };
        let rest = std::mem::take(&mut saying.say.text);
        if !rest.trim().is_empty() {
            self.say_part(rest).await?;
        }
        if self.saying.take().is_some_and(|saying| saying.began) {
            self.send("audio-stop", json!({})).await?;
        }
        self.send("synthesize-stopped", json!({})).await
    }

    async fn say_part(&mut self, text: String) -> Result<(), SpeechError> {
        let Some(saying) = &mut self.saying else { return Ok(()) };
        let say = Say { text, ..saying.say.clone() };
        let first = !std::mem::replace(&mut saying.began, true);
        let spoken = self.synthesizer()?.synthesize(&say).await?;
        if first {
            self.send("audio-start", format_of(spoken.format)).await?;
        }
        self.play(&spoken).await
    }

    async fn play(&mut self, spoken: &Spoken) -> Result<(), SpeechError> {
        for start in (0..spoken.pcm.len()).step_by(CHUNK) {
            let chunk: Bytes = spoken.pcm.slice(start..(start + CHUNK).min(spoken.pcm.len()));
            let event = WyomingEvent::new("audio-chunk", format_of(spoken.format)).with_payload(chunk);
            self.write(&event).await?;
        }
        Ok(())
    }

    async fn send(&mut self, kind: &str, data: Value) -> Result<(), SpeechError> {
        self.write(&WyomingEvent::new(kind, data)).await
    }

    async fn write(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        write_event(&mut self.writer, event)
            .await
            .map_err(|source| SpeechError::Unreachable { address: "the one who asked".to_owned(), source })
    }
}

fn format_of(format: AudioFormat) -> Value {
    json!({ "rate": format.rate, "width": format.width, "channels": format.channels })
}

fn missing(what: &'static str) -> SpeechError {
    SpeechError::Engine {
        engine: "this server".to_owned(),
        step: "the start",
        problem: format!("it has no engine that {what}"),
    }
}

fn reason(error: &SpeechError) -> String {
    match error {
        SpeechError::Busy { .. } => "speech.busy".to_owned(),
        SpeechError::Protocol { .. } => "speech.protocol".to_owned(),
        SpeechError::Audio { .. } => "speech.audio".to_owned(),
        SpeechError::TooLong { .. } => "speech.too_long".to_owned(),
        SpeechError::Text { .. } => "speech.text".to_owned(),
        SpeechError::Language { .. } => "speech.language".to_owned(),
        _ => Fault::unavailable("speech.engine", "").reason.into_owned(),
    }
}

/// `en_US` and `en-US` are `en`.
pub fn short(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

fn what_to_say(event: &WyomingEvent) -> Say {
    let voice = |field: &str| event.data.get("voice")?.get(field)?.as_str();
    let named = voice("name");
    // Our voices are called by their language.
    let language = voice("language").or(named.filter(|name| name.len() == 2)).map(short);
    let voice = named.filter(|name| name.len() != 2).map(str::to_owned);
    Say { text: event.text("text").unwrap_or_default().to_owned(), language, voice }
}

/// Returns what was not told yet, where the whole begins with what was.
fn what_is_left(transcript: &Transcript, told: &[String]) -> Option<String> {
    let words: Vec<&str> = transcript.text.split_whitespace().collect();
    let begins = told.len() <= words.len() && told.iter().zip(&words).all(|(a, b)| same(a, b));
    let rest = if begins { words[told.len()..].join(" ") } else { return None };
    let space = if told.is_empty() { "" } else { " " };
    (!rest.is_empty()).then(|| format!("{space}{rest}"))
}

/// Cuts off the first sentence that is whole: after its sign comes a space.
fn cut_sentence(text: &mut String) -> Option<String> {
    let end = text.char_indices().find_map(|(at, letter)| {
        let after = at + letter.len_utf8();
        let ends = matches!(letter, '.' | '!' | '?' | '\u{3002}');
        let whole = ends && text[after..].starts_with(char::is_whitespace);
        (whole || letter == '\n').then_some(after)
    })?;
    let rest = text.split_off(end);
    let sentence = std::mem::replace(text, rest.trim_start().to_owned());
    if sentence.trim().is_empty() { cut_sentence(text) } else { Some(sentence) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_spoken_sentence_by_sentence_and_numbers_stay_whole() {
        let mut text = "It is 3.5 degrees. 내일은 맑아요! And th".to_owned();
        assert_eq!(cut_sentence(&mut text).as_deref(), Some("It is 3.5 degrees."));
        assert_eq!(cut_sentence(&mut text).as_deref(), Some("내일은 맑아요!"));
        assert_eq!(cut_sentence(&mut text), None);
        assert_eq!(text, "And th");
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let said = Transcript { text: "Turn on the light.".to_owned(), ..Transcript::default() };
        let told = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(what_is_left(&said, &told(&["turn", "on"])).as_deref(), Some(" the light."));
        assert_eq!(what_is_left(&said, &told(&["burn"])), None);
        assert_eq!(what_is_left(&said, &[]).as_deref(), Some("Turn on the light."));
    }
}
