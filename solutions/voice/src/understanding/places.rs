//! Where the weather is asked for: what is a time is no place, and within a talk the place stays.

use ieum_contracts::voice::{Meaning, Slot, SlotValue, Understand};
use ieum_understanding::value::{Kind, Language, Value, find_kinds};
use jiff::Zoned;

use super::values::day;

/// Where people are anyway.
const HERE: [&str; 22] = [
    "밖",
    "바깥",
    "여기",
    "이곳",
    "우리 동네",
    "동네",
    "우리 집",
    "집",
    "지금",
    "현재",
    "요즘",
    "혹시",
    "외부",
    "here",
    "outside",
    "out",
    "home",
    "my area",
    "my city",
    "the moment",
    "town",
    "there",
];
const AIR: [(&str, &str); 8] = [
    ("미세먼지", "pm10"),
    ("미세 먼지", "pm10"),
    ("초미세먼지", "pm25"),
    ("초미세 먼지", "pm25"),
    ("공기", "air"),
    ("오존", "ozone"),
    ("air quality", "air"),
    ("fine dust", "pm10"),
];

/// Makes of places what they are, and takes over the place that the talk is about: that of the question before in the same
/// sentence, or in the session.
pub fn settle(meanings: &mut [Meaning], ask: &Understand, language: Language, now: &Zoned) {
    let is_same_talk = ask.state.topic.as_deref() == Some("weather");
    let mut known = ask.state.slots.get("place").filter(|_| is_same_talk).map(|place| place.value.clone());
    for meaning in meanings.iter_mut().filter(|meaning| meaning.intent.starts_with("weather.")) {
        of_weather(meaning, language, now);
        if let Some(value) = known {
            let slot = Slot { text: String::new(), value };
            meaning.slots.entry("place".to_owned()).or_insert(slot);
        }
        known = meaning.slots.get("place").map(|place| place.value.clone());
    }
}

fn of_weather(meaning: &mut Meaning, language: Language, now: &Zoned) {
    if let Some(said) = meaning.slots.get("place").map(|slot| slot.text.trim().to_lowercase()) {
        let is_date = whole_date(&said, language, now).is_some();
        let air = AIR.iter().find(|(name, _)| *name == said);
        if let Some((_, what)) = air {
            meaning.intent = "weather.air".to_owned();
            let value = SlotValue::Text { text: (*what).to_owned() };
            meaning.slots.insert("air".to_owned(), Slot { text: said.clone(), value });
        } else if is_date && !meaning.slots.contains_key("day") {
            let value = day(&said, language, now);
            meaning.slots.insert("day".to_owned(), Slot { text: said.clone(), value });
        }
        if is_date || air.is_some() || HERE.contains(&&*said) {
            meaning.slots.remove("place");
        }
    }
}

/// Reads words that name a day or a time of one, and nothing else; a time of day is one of today.
pub fn whole_date(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    let words = words.trim();
    let found = find_kinds(words, language, now, &[Kind::Time]).into_iter().next()?;
    let is_whole = found.span.start == 0 && found.span.end == words.len();
    match found.value {
        Value::Time(_) if is_whole => Some(day(words, language, now)),
        _ => None,
    }
}
