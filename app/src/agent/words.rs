//! What is typed on the device: text, events and telemetry, a line each.

use std::error::Error;
use std::io::BufRead;

use ieum_edge::Kind;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::Speaker;

/// A line that was typed, understood.
#[derive(Debug, PartialEq)]
enum Line {
    Nothing,
    Say(Kind, Map<String, Value>),
    Wrong(&'static str),
}

/// Says every line of the standard input, to its end. `/event TYPE {…}` and `/telemetry {…}` are what they say; all
/// else is text.
pub async fn say_typed(speaker: &Speaker) -> Result<(), Box<dyn Error>> {
    let mut lines = typed();
    while let Some(line) = lines.recv().await {
        match read(&line) {
            Line::Nothing => {}
            Line::Wrong(problem) => speaker.told.trouble(problem),
            Line::Say(kind, mut body) => {
                if kind == Kind::Text {
                    body.extend(speaker.besides().map(|(name, value)| (name.to_owned(), value.into())));
                }
                match speaker.agent.say(kind, body, None).await {
                    Ok(taken) => speaker.told.taken(kind, &taken),
                    Err(error) => speaker.told.refused(error, None)?,
                }
            }
        }
    }
    Ok(())
}

/// Reads lines on a thread of their own: a terminal has no other way, and may never say anything.
fn typed() -> mpsc::Receiver<String> {
    let (lines, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn read(line: &str) -> Line {
    let line = line.trim();
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    if line.is_empty() {
        return Line::Nothing;
    }
    if let Some(rest) = line.strip_prefix("/event ") {
        let (kind, data) = rest.trim().split_once(' ').unwrap_or((rest.trim(), "{}"));
        let Some(data) = object(data) else { return Line::Wrong("write /event TYPE {\"name\": \"value\"}") };
        let body = json!({ "eventType": kind, "data": data }).as_object().cloned().unwrap_or_default();
        return Line::Say(Kind::Event, body);
    }
    if let Some(rest) = line.strip_prefix("/telemetry ") {
        return match object(rest) {
            Some(body) => Line::Say(Kind::Telemetry, body),
            None => Line::Wrong("write /telemetry {\"name\": 1.5}"),
        };
    }
    if line.starts_with('/') {
        return Line::Wrong("there are /event TYPE {…} and /telemetry {…}; everything else is said as text");
    }
    Line::Say(Kind::Text, Map::from_iter([("text".to_owned(), line.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_text_unless_they_say_otherwise() {
        let said = |line: &str| match read(line) {
            Line::Say(kind, body) => (kind.name(), Value::Object(body)),
            other => panic!("{other:?}"),
        };
        assert_eq!(said(" 오늘 날씨 어때? "), ("text", json!({ "text": "오늘 날씨 어때?" })));
        let motion = json!({ "eventType": "motion_detected", "data": { "location": "door" } });
        assert_eq!(said("/event motion_detected {\"location\":\"door\"}"), ("event", motion));
        assert_eq!(said("/event button"), ("event", json!({ "eventType": "button", "data": {} })));
        assert_eq!(said("/telemetry {\"load\":0.5}"), ("telemetry", json!({ "load": 0.5 })));
        assert_eq!(read("  "), Line::Nothing);
        for wrong in ["/telemetry 5", "/event x 5", "/quit"] {
            assert!(matches!(read(wrong), Line::Wrong(_)), "{wrong}");
        }
    }
}
