//! Sentences for people as stable codes with named values, so that a page may say them in any language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a sentence says: a code of [`PHRASES`] and the values that stand in it. It travels beside the sentence itself;
/// who does not know the code shows that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wording {
    /// Stable, such as `gate.silent`.
    #[schema(example = "forecast.too_few_hours")]
    pub code: String,
    /// The values by the names that stand in the sentence.
    #[serde(default)]
    #[schema(required)]
    #[schema(example = json!({"has": 20, "needed": 48}))]
    pub values: BTreeMap<String, WordingValue>,
}

/// A value in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum WordingValue {
    /// A whole number.
    Number(i64),
    /// A name, or a moment as RFC 3339.
    Text(String),
}

/// What may be said with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences of PHRASES say it")]
pub enum Phrase {
    CapacityInside,
    CapacityRegistered,
    GateClock,
    GateDown,
    GateMoreExits,
    GateSilent,
    GateSurge,
    ForecastOver,
    ForecastQuiet,
    ForecastNone,
    ForecastTooFewHours,
    ForecastTooFewDays,
    ForecastShortHours,
    ForecastShortDays,
    ForecastUnweighed,
    SourceAddressRefused,
    SourceRedirects,
    SourceUnreachable,
    SourceSlow,
    SourceGarbage,
    SourceTooLarge,
    SourceUnhealthy,
    SourceNoList,
    SourceKeyRefused,
    SourceNotAllowed,
    SourceNotFound,
    SourceThrottles,
    SourceFails,
    SourceOther,
}

/// Every phrase with its code and its English sentence, in the order of [`Phrase`]; values stand in braces. The
/// console's dictionaries have the same codes with the same values.
pub const PHRASES: [(Phrase, &str, &str); 29] = [
    (Phrase::CapacityInside, "capacity.inside", "{percent} % of the capacity are inside"),
    (Phrase::CapacityRegistered, "capacity.registered", "{percent} % of the people registered are inside"),
    (Phrase::GateClock, "gate.clock", "gate {gate} scans {seconds} s ahead of our clock; set its clock"),
    (Phrase::GateDown, "gate.down", "gate {gate} is {state}"),
    (
        Phrase::GateMoreExits,
        "gate.more_exits",
        "{left} people left and only {entered} came: entries are not scanned",
    ),
    (
        Phrase::GateSilent,
        "gate.silent",
        "gate {gate} has not scanned for {minutes} minutes, while the others did as ever; about {missing} scans are \
         missing",
    ),
    (
        Phrase::GateSurge,
        "gate.surge",
        "{people} people within a minute at gate {gate}, where {usual} are usual",
    ),
    (Phrase::ForecastOver, "forecast.over", "the event is over"),
    (Phrase::ForecastQuiet, "forecast.quiet", "nothing was told of the event since {since}"),
    (
        Phrase::ForecastNone,
        "forecast.none",
        "no forecast was made yet of what goes by this name; one is made every hour",
    ),
    (
        Phrase::ForecastTooFewHours,
        "forecast.too_few_hours",
        "{has} hours of history are too few for a forecast; it takes {needed}",
    ),
    (
        Phrase::ForecastTooFewDays,
        "forecast.too_few_days",
        "{has} days of history are too few for a forecast; it takes {needed}",
    ),
    (
        Phrase::ForecastShortHours,
        "forecast.short_hours",
        "only {has} hours of history: the season is repeated; models are weighed from {needed} on",
    ),
    (
        Phrase::ForecastShortDays,
        "forecast.short_days",
        "only {has} days of history: the season is repeated; models are weighed from {needed} on",
    ),
    (Phrase::ForecastUnweighed, "forecast.unweighed", "weighing models failed: the season is repeated"),
    (
        Phrase::SourceAddressRefused,
        "source.address_refused",
        "its address may not be called: give a public address, or name its network under outbound.allow if it is \
         meant",
    ),
    (
        Phrase::SourceRedirects,
        "source.redirects",
        "it redirects elsewhere: give the address that it redirects to, if you trust it",
    ),
    (
        Phrase::SourceUnreachable,
        "source.unreachable",
        "nobody answers there: check host and port, whether it is http or https, and its certificate",
    ),
    (Phrase::SourceSlow, "source.slow", "it takes too long; try again, or ask who runs it"),
    (
        Phrase::SourceGarbage,
        "source.garbage",
        "check that the address is the API's own and the connector the right one; this is no answer of such a system",
    ),
    (Phrase::SourceTooLarge, "source.too_large", "check the address; no such system answers like this"),
    (
        Phrase::SourceUnhealthy,
        "source.unhealthy",
        "it says that it is not healthy: try again once it says that it is healthy",
    ),
    (Phrase::SourceNoList, "source.no_list", "it has no check-in list: make a check-in list there"),
    (
        Phrase::SourceKeyRefused,
        "source.key_refused",
        "the token or key is wrong or was revoked; make a new one there and give it with --token-file",
    ),
    (
        Phrase::SourceNotAllowed,
        "source.not_allowed",
        "the token may not read it, or the organizer or event is spelled wrong: some systems answer the same for \
         what they do not know",
    ),
    (
        Phrase::SourceNotFound,
        "source.not_found",
        "check the address and the connector's options; nothing is at that path",
    ),
    (
        Phrase::SourceThrottles,
        "source.throttles",
        "it asks for fewer calls; try again later, or with a longer interval",
    ),
    (Phrase::SourceFails, "source.fails", "it fails itself; try again later"),
    (Phrase::SourceOther, "source.other", "check the address, the connector and its options"),
];

// === Phrase ===

impl Phrase {
    /// Returns its stable code.
    pub fn code(self) -> &'static str {
        PHRASES[self as usize].1
    }

    /// Returns its English sentence, with values in braces.
    pub fn english(self) -> &'static str {
        PHRASES[self as usize].2
    }

    /// Says it with the values given, by name.
    pub fn with<const N: usize>(self, values: [(&str, WordingValue); N]) -> Wording {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Wording { code: self.code().to_owned(), values }
    }
}

// === Wording ===

impl Wording {
    /// Returns the English sentence; the code itself where this version does not know it.
    pub fn english(&self) -> String {
        let Some((_, _, sentence)) = PHRASES.iter().find(|(_, code, _)| *code == self.code) else {
            return self.code.clone();
        };
        let fill = |sentence: String, (name, value): (&String, &WordingValue)| {
            let value = match value {
                WordingValue::Number(number) => number.to_string(),
                WordingValue::Text(text) => text.clone(),
            };
            sentence.replace(&format!("{{{name}}}"), &value)
        };
        self.values.iter().fold((*sentence).to_owned(), fill)
    }
}

// === WordingValue ===

impl From<&str> for WordingValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for WordingValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for WordingValue {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u64> for WordingValue {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for WordingValue {
    /// To the nearest whole number.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a share or a count of people; what is larger ends at the most"
    )]
    fn from(number: f64) -> Self {
        Self::Number(number.round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// What stands in braces.
    fn names(sentence: &str) -> BTreeSet<&str> {
        sentence.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    /// The dictionary of a language as the console has it: lines of `"code": "sentence",`.
    fn dictionary(language: &str) -> BTreeMap<String, String> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../console/src/text/wording.{language}.json"));
        let text = std::fs::read_to_string(&file).expect("the console has a dictionary");
        serde_json::from_str(&text).expect("it is a map of texts")
    }

    #[test]
    fn every_phrase_stands_at_its_own_place_under_its_own_code() {
        for (place, (phrase, ..)) in PHRASES.iter().enumerate() {
            assert_eq!(*phrase as usize, place, "{phrase:?}");
        }
        let codes: BTreeSet<&str> = PHRASES.iter().map(|(_, code, _)| *code).collect();
        assert_eq!(codes.len(), PHRASES.len());
    }

    #[test]
    fn a_sentence_is_filled_with_its_values() {
        let silent = Phrase::GateSilent.with([
            ("gate", "북문".into()),
            ("minutes", 12_i64.into()),
            ("missing", 33.6.into()),
        ]);
        let sentence = silent.english();
        assert!(sentence.starts_with("gate 북문 has not scanned for 12 minutes"), "{sentence}");
        assert!(sentence.ends_with("about 34 scans are missing"), "{sentence}");
        let newer = Wording { code: "gate.haunted".into(), values: BTreeMap::new() };
        assert_eq!(newer.english(), "gate.haunted");
    }

    #[test]
    fn the_console_says_every_phrase_in_both_languages_with_the_same_values() {
        for language in ["en", "ko"] {
            let mut said = dictionary(language);
            for (_, code, english) in PHRASES {
                let sentence = said.remove(code).unwrap_or_else(|| panic!("{language} has no {code}"));
                assert_eq!(names(&sentence), names(english), "the values of {code} in {language}");
                let korean = sentence.chars().any(|letter| ('가'..='힣').contains(&letter));
                assert_eq!(korean, language == "ko", "{code} in {language}: {sentence}");
            }
            assert!(said.is_empty(), "{language} has codes that nobody says: {said:?}");
        }
    }
}
