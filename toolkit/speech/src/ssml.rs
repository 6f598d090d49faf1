//! What to say and how: plain text, or the part of SSML 1.1 (<https://www.w3.org/TR/speech-synthesis11/>) that every
//! engine can do: `speak`, `p`, `s`, `break`, `prosody` with rate and pitch, `say-as`.

use std::time::Duration;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::SpeechError;

/// The most letters of a text.
const MOST_LETTERS: usize = 2_000;

/// The longest pause, and the longest of all together.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSES: Duration = Duration::from_secs(60);

const DEEPEST: usize = 16;

/// A text ready to be said.
#[derive(Clone, Debug, PartialEq)]
pub struct Speech {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Words.
    Words {
        /// The words, without markup.
        text: String,
        /// How fast, 1 is usual.
        rate: f32,
        /// How high, 1 is usual.
        pitch: f32,
    },
    /// Silence.
    Pause(Duration),
}

#[derive(Clone, Copy)]
struct Manner {
    rate: f32,
    pitch: f32,
    spelled: bool,
}

// === Speech ===

impl Speech {
    /// Reads plain text, or SSML where it begins with `<speak`.
    ///
    /// # Errors
    /// [`SpeechError::Text`] for nothing, for more than 2,000 letters, and for SSML beyond the part above.
    pub fn read(text: &str) -> Result<Self, SpeechError> {
        let wrong = |problem: String| SpeechError::Text { problem };
        let letters = text.chars().count();
        if letters > MOST_LETTERS {
            return Err(wrong(format!("{letters} letters are more than {MOST_LETTERS}; say it in parts")));
        }
        let parts = if text.trim_start().starts_with("<speak") {
            read_ssml(text).map_err(wrong)?
        } else {
            vec![Part::Words { text: cleaned(text), rate: 1.0, pitch: 1.0 }]
        };
        let speaks = |part: &Part| matches!(part, Part::Words { text, .. } if !text.trim().is_empty());
        if !parts.iter().any(speaks) {
            return Err(wrong("there is nothing to say".to_owned()));
        }
        Ok(Self { parts })
    }

    /// Returns the words alone, for engines that know no more.
    pub fn words(&self) -> String {
        let words: Vec<&str> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Words { text, .. } => Some(text.trim()),
                Part::Pause(_) => None,
            })
            .filter(|text| !text.is_empty())
            .collect();
        words.join(" ")
    }

    /// Returns SSML that says this and nothing else: every letter of the text is data.
    pub fn to_ssml(&self) -> String {
        let mut out = String::from("<speak>");
        for part in &self.parts {
            match part {
                Part::Words { text, rate, pitch } => {
                    let percent = |value: f32| (value * 100.0).round();
                    let text = quick_xml::escape::escape(text.as_str());
                    if percent(*rate) == 100.0 && percent(*pitch) == 100.0 {
                        out.push_str(&text);
                    } else {
                        let (rate, pitch) = (percent(*rate), percent(*pitch));
                        let open = format!("<prosody rate=\"{rate}%\" pitch=\"{pitch}%\">");
                        out.extend([open.as_str(), &text, "</prosody>"]);
                    }
                }
                Part::Pause(span) => out.push_str(&format!("<break time=\"{}ms\"/>", span.as_millis())),
            }
        }
        out.push_str("</speak>");
        out
    }
}

/// Control letters, which some engines take for commands, become spaces.
fn cleaned(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn read_ssml(text: &str) -> Result<Vec<Part>, String> {
    let mut xml = Reader::from_str(text);
    let mut open: Vec<(String, Manner)> = Vec::new();
    let mut parts = Vec::new();
    let usual = Manner { rate: 1.0, pitch: 1.0, spelled: false };
    loop {
        let place = xml.buffer_position();
        let event = xml.read_event().map_err(|_| format!("it is no XML from byte {place} on"))?;
        let manner = open.last().map_or(usual, |(_, manner)| *manner);
        match event {
            Event::Start(start) => {
                let (name, inner) = enter(&start, manner, open.len(), &mut parts)?;
                open.push((name, inner));
                if open.len() > DEEPEST {
                    return Err(format!("it nests deeper than {DEEPEST} elements"));
                }
            }
            Event::Empty(start) => drop(enter(&start, manner, open.len(), &mut parts)?),
            Event::End(_) => {
                let (name, _) = open.pop().unwrap_or((String::new(), usual));
                if name == "p" || name == "s" {
                    pause(Duration::from_millis(300), &mut parts)?;
                }
            }
            Event::Text(text) => say(&text.xml10_content(), manner, &mut parts),
            Event::CData(text) => say(&text.xml10_content(), manner, &mut parts),
            Event::GeneralRef(name) => {
                let letter = match name.resolve_char_ref() {
                    Ok(Some(letter)) => letter.to_string(),
                    _ => {
                        let known = quick_xml::escape::resolve_predefined_entity(&name.xml10_content());
                        known.ok_or("it names an entity that XML does not define")?.to_owned()
                    }
                };
                say(&letter, manner, &mut parts);
            }
            Event::Eof if open.is_empty() => return Ok(parts),
            Event::Eof => return Err("it ends before its elements do".to_owned()),
            Event::DocType(_) => return Err("a document type is not taken".to_owned()),
            _ => {}
        }
    }
}

/// Enters an element and returns its name and how its words are said.
fn enter(
    start: &BytesStart<'_>,
    outer: Manner,
    depth: usize,
    parts: &mut Vec<Part>,
) -> Result<(String, Manner), String> {
    let name = start.local_name().into_inner().to_owned();
    if (depth == 0) != (name == "speak") {
        return Err("speak is the outermost element, and only that".to_owned());
    }
    let attribute = |wanted: &str| -> Option<String> {
        let found = start.attributes().filter_map(Result::ok).find(|found| found.key.as_ref() == wanted)?;
        quick_xml::escape::unescape(&found.value).ok().map(|text| text.into_owned())
    };
    let mut manner = outer;
    match name.as_str() {
        "speak" | "p" | "s" => {}
        "break" => pause(break_length(attribute("time"), attribute("strength"))?, parts)?,
        "prosody" => {
            if let Some(rate) = attribute("rate") {
                manner.rate = (outer.rate * factor("rate", &rate, &RATES)?).clamp(0.3, 3.0);
            }
            if let Some(pitch) = attribute("pitch") {
                manner.pitch = (outer.pitch * factor("pitch", &pitch, &PITCHES)?).clamp(0.3, 2.0);
            }
        }
        "say-as" => match attribute("interpret-as").as_deref() {
            Some("characters" | "spell-out" | "digits" | "telephone") => manner.spelled = true,
            Some("cardinal" | "number" | "ordinal" | "date" | "time") => {}
            Some(other) => return Err(format!("say-as does not know interpret-as {other:?}")),
            None => return Err("say-as lacks interpret-as".to_owned()),
        },
        other => return Err(format!("the element {other} is not known; use p, s, break, prosody, say-as")),
    }
    Ok((name, manner))
}

const RATES: [(&str, f32); 6] =
    [("x-slow", 0.5), ("slow", 0.75), ("medium", 1.0), ("default", 1.0), ("fast", 1.25), ("x-fast", 1.6)];
const PITCHES: [(&str, f32); 6] =
    [("x-low", 0.6), ("low", 0.8), ("medium", 1.0), ("default", 1.0), ("high", 1.2), ("x-high", 1.4)];

/// Reads a word of `names`, `80%` (of the usual) or `+10%` and `-10%` (apart from the usual).
fn factor(what: &str, text: &str, names: &[(&str, f32)]) -> Result<f32, String> {
    if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let number = text.strip_suffix('%').and_then(|digits| digits.parse::<f32>().ok());
    let number = number.filter(|value| value.is_finite());
    let wrong = || format!("prosody does not know {what} {text:?}; use a word such as medium, or percent");
    let part = number.ok_or_else(wrong)? / 100.0;
    Ok(if text.starts_with(['+', '-']) { 1.0 + part } else { part })
}

fn break_length(time: Option<String>, strength: Option<String>) -> Result<Duration, String> {
    if let Some(text) = time {
        let read = |digits: Option<&str>| digits.and_then(|digits| digits.trim().parse::<f64>().ok());
        let millis = match text.strip_suffix("ms") {
            Some(digits) => read(Some(digits)),
            None => read(text.strip_suffix('s')).map(|seconds| seconds * 1_000.0),
        };
        let span = millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1_000.0).ok());
        return span
            .filter(|span| *span <= LONGEST_PAUSE)
            .ok_or_else(|| format!("break does not know time {text:?}; use 500ms or 2s, at most 10s"));
    }
    match strength.as_deref() {
        Some("none") => Ok(Duration::ZERO),
        Some("x-weak") => Ok(Duration::from_millis(100)),
        Some("weak") => Ok(Duration::from_millis(200)),
        Some("medium") | None => Ok(Duration::from_millis(400)),
        Some("strong") => Ok(Duration::from_millis(700)),
        Some("x-strong") => Ok(Duration::from_millis(1_200)),
        Some(other) => Err(format!("break does not know strength {other:?}")),
    }
}

fn pause(span: Duration, parts: &mut Vec<Part>) -> Result<(), String> {
    let length = |part: &Part| if let Part::Pause(span) = part { *span } else { Duration::ZERO };
    if parts.iter().map(length).sum::<Duration>() + span > LONGEST_PAUSES {
        return Err(format!("its pauses are longer than {LONGEST_PAUSES:?} together"));
    }
    if !span.is_zero() {
        parts.push(Part::Pause(span));
    }
    Ok(())
}

fn say(text: &str, manner: Manner, parts: &mut Vec<Part>) {
    let mut text = cleaned(text);
    if manner.spelled {
        let letters: Vec<String> = text.chars().filter(|c| c.is_alphanumeric()).map(String::from).collect();
        text = letters.join(", ");
    }
    if let Some(Part::Words { text: before, rate, pitch }) = parts.last_mut()
        && (*rate, *pitch) == (manner.rate, manner.pitch)
    {
        before.push_str(&text);
        return;
    }
    if !text.is_empty() {
        parts.push(Part::Words { text, rate: manner.rate, pitch: manner.pitch });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str, rate: f32, pitch: f32) -> Part {
        Part::Words { text: text.to_owned(), rate, pitch }
    }

    fn problem(text: &str) -> String {
        Speech::read(text).expect_err("it is refused").to_string()
    }

    #[test]
    fn what_is_marked_up_is_said_as_marked() {
        let speech = Speech::read(
            "<speak>비밀번호는 <say-as interpret-as='digits'>4-21</say-as>\
             <break time='0.5s'/><prosody rate='slow' pitch='+20%'>Tom &amp; Jerry</prosody></speak>",
        )
        .expect("it is ours");
        let wanted = [
            words("비밀번호는 4, 2, 1", 1.0, 1.0),
            Part::Pause(Duration::from_millis(500)),
            words("Tom & Jerry", 0.75, 1.2),
        ];
        assert_eq!(speech.parts, wanted);
        assert_eq!(speech.words(), "비밀번호는 4, 2, 1 Tom & Jerry");
        assert_eq!(
            speech.to_ssml(),
            "<speak>비밀번호는 4, 2, 1<break time=\"500ms\"/><prosody rate=\"75%\" pitch=\"120%\">\
             Tom &amp; Jerry</prosody></speak>"
        );
    }

    #[test]
    fn plain_text_stays_text_whatever_it_looks_like() {
        let speech = Speech::read("1 < 2 <b>fat</b>\u{1}").expect("it is text");
        assert_eq!(speech.to_ssml(), "<speak>1 &lt; 2 &lt;b&gt;fat&lt;/b&gt; </speak>");
    }

    #[test]
    fn what_no_engine_of_ours_can_say_is_refused_by_name() {
        let begin = "reading the text to speak: ";
        let cases = [
            ("  ", "there is nothing to say"),
            ("<speak><break/></speak>", "there is nothing to say"),
            (
                "<speak><audio src='x'/></speak>",
                "the element audio is not known; use p, s, break, prosody, say-as",
            ),
            ("<speak>hello", "it ends before its elements do"),
            ("<speak><speak>a</speak></speak>", "speak is the outermost element, and only that"),
            ("<speak>a &boom; b</speak>", "it names an entity that XML does not define"),
            (
                "<speak>a<break time='1h'/></speak>",
                "break does not know time \"1h\"; use 500ms or 2s, at most 10s",
            ),
            (
                "<speak><say-as interpret-as='vxml'>a</say-as></speak>",
                "say-as does not know interpret-as \"vxml\"",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(problem(text), format!("{begin}{wanted}"), "{text}");
        }
        assert_eq!(
            problem(&"가".repeat(2_001)),
            format!("{begin}2001 letters are more than 2000; say it in parts")
        );
        let pauses = format!("<speak>a{}</speak>", "<break time='9s'/>".repeat(7));
        assert_eq!(problem(&pauses), format!("{begin}its pauses are longer than 60s together"));
    }

    proptest! {
        #[test]
        fn what_is_handed_to_an_engine_reads_back_as_the_same(text in "\\PC{1,60}") {
            if let Ok(speech) = Speech::read(&text) {
                let again = Speech::read(&speech.to_ssml());
                prop_assert!(again.is_ok_and(|again| again.words() == speech.words()));
            }
        }
    }
}
