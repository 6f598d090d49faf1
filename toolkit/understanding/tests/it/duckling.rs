//! Facebook's Duckling: its corpora for Korean and English, read from their Haskell source.

use ieum_understanding::value::{ALL, Amount, Conventions, Found, Grain, Language, Moment, Value, find_with};
use jiff::civil::{DateTime, datetime};
use jiff::tz::TimeZone;

use crate::{Table, material};

const KINDS: &[&str] = &[
    "Numeral",
    "Ordinal",
    "Duration",
    "Time",
    "Temperature",
    "Volume",
    "Distance",
    "Quantity",
    "AmountOfMoney",
];

/// Returns the expected value as written, with its sentences.
fn examples(source: &str) -> Vec<(String, Vec<String>)> {
    let plain: Vec<&str> = source
        .lines()
        .map(|line| line.split("--").next().filter(|_| !line.contains('"')).unwrap_or(line))
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect();
    let source = plain.join("\n");
    let start = source.find("allExamples").unwrap_or(0);
    let mut found = Vec::new();
    for block in source[start..].split("examples ").skip(1) {
        let Some(open) = block
            .find("\n             [")
            .or_else(|| block.find("\n            ["))
            .or_else(|| block.find(" ["))
        else {
            continue;
        };
        let expected = block[..open].trim().to_owned();
        let listed = &block[open..];
        let listed = listed.split("\n  ,").next().unwrap_or(listed);
        let sentences = listed
            .lines()
            .filter(|line| !line.trim_start().trim_start_matches(['[', ',', ' ']).starts_with("--"));
        let sentences = sentences.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect();
        found.push((expected, sentences));
    }
    found
}

fn numbers(text: &str) -> Vec<f64> {
    let cleaned: String = text
        .chars()
        .map(|char| if char.is_ascii_digit() || matches!(char, '.' | '-' | 'e') { char } else { ' ' })
        .collect();
    cleaned.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

fn moments(text: &str) -> Vec<DateTime> {
    numbers(text)
        .chunks(6)
        .filter(|parts| parts.len() == 6)
        .map(|at| datetime(at[0] as i16, at[1] as i8, at[2] as i8, at[3] as i8, at[4] as i8, at[5] as i8, 0))
        .collect()
}

fn grain(text: &str) -> Option<Grain> {
    let named = [
        ("Second", Grain::Second),
        ("Minute", Grain::Minute),
        ("Hour", Grain::Hour),
        ("Day", Grain::Day),
        ("Week", Grain::Week),
        ("Month", Grain::Month),
        ("Quarter", Grain::Quarter),
        ("Year", Grain::Year),
    ];
    text.split_whitespace().rev().find_map(|word| {
        named
            .iter()
            .find(|(name, _)| *name == word.trim_matches(['"', ')', '(', ',']))
            .map(|(_, grain)| *grain)
    })
}

/// Returns whether a value is the one expected; grains count for moments, ends for periods.
fn fits(expected: &str, value: &Value) -> bool {
    let all = numbers(expected);
    let first = all.first().copied().unwrap_or(f64::NAN);
    let near = |one: f64, other: f64| (one - other).abs() < 1e-6 * one.abs().max(1.0);
    match value {
        Value::Number(number) | Value::Percent(number) => near(*number, first),
        Value::Ordinal(place) => *place as f64 == first,
        Value::Duration(amount) => grain(expected).is_some_and(|grain| match grain {
            Grain::Month => near(months(amount), first),
            _ => near(amount.seconds(), first * grain.seconds()),
        }),
        Value::Money { amount, currency } => {
            let amount = if expected.contains("Cent") { amount * 100.0 } else { *amount };
            let same = expected.contains(currency)
                || expected.to_lowercase().contains(&currency.to_lowercase())
                || expected.contains("Cent");
            let bounded = ["between", "above", "under"].iter().any(|word| expected.contains(word));
            near(amount, first) && same && !bounded
        }
        Value::MoneyRange { from, to, .. } => {
            let ends: Vec<f64> = [*from, *to].into_iter().flatten().collect();
            expected.contains(bound(from, to)) && ends == all
        }
        Value::Measure { amount, unit } => {
            // It gives every weight in grams.
            let grams = match *unit {
                "kilogram" if expected.contains("Gram") => amount * 1e3,
                "milligram" if expected.contains("Gram") => amount / 1e3,
                _ => *amount,
            };
            near(grams, first)
        }
        Value::MeasureRange { from, to, unit } => {
            let size = if *unit == "kilogram" && expected.contains("Gram") { 1e3 } else { 1.0 };
            let ends: Vec<f64> = [*from, *to].into_iter().flatten().map(|end| end * size).collect();
            expected.contains(bound(from, to))
                && ends.len() == all.len()
                && ends.iter().zip(&all).all(|(end, other)| near(*end, *other))
        }
        Value::Time(moment) => is_time(expected, moment),
    }
}

/// Returns a length of time in months, of which a year has twelve.
fn months(amount: &Amount) -> f64 {
    let part = |(count, grain): &(f64, Grain)| match grain {
        Grain::Year => count * 12.0,
        Grain::Quarter => count * 3.0,
        grain => count * grain.seconds() / Grain::Month.seconds(),
    };
    amount.parts.iter().map(part).sum()
}

fn bound(from: &Option<f64>, to: &Option<f64>) -> &'static str {
    match (from, to) {
        (Some(_), None) => "above",
        (None, _) => "under",
        _ => "between",
    }
}

fn is_time(expected: &str, moment: &Moment) -> bool {
    let at = moments(expected);
    match (at.len(), moment) {
        (2, moment) => {
            // Duckling counts the last hour or minute in: from nine to eleven ends at twelve for it.
            let counted = moment.grain() < Grain::Day && moment.grain().add(moment.end(), 1) == at[1];
            moment.start() == at[0] && (moment.end() == at[1] || counted)
        }
        (1, Moment::After(from, _)) => *from == at[0] && expected.contains("After"),
        (1, Moment::Before(until, _)) => *until == at[0] && expected.contains("Before"),
        (1, moment) => {
            moment.start() == at[0]
                && (grain(expected).is_none_or(|grain| grain == moment.grain())
                    || expected.contains("Holiday"))
        }
        _ => false,
    }
}

/// Returns whether the value takes the whole sentence, as Duckling's tests demand; particles and what is measured aside.
fn is_whole(kind: &str, sentence: &str, span: &std::ops::Range<usize>) -> bool {
    let rest = [sentence[..span.start].trim(), sentence[span.end..].trim()];
    let words = [
        "",
        "에",
        "약",
        "at",
        "on",
        "in",
        "the",
        "for",
        "about",
        "around",
        "exactly",
        "approximately",
        ".",
        "on the",
        "in the",
    ];
    kind == "Quantity" || rest.iter().all(|rest| words.contains(&rest.to_lowercase().as_str()))
}

/// Returns whether something is of the kind whose corpus has a sentence as an example of what holds none.
fn is_of(kind: &str, found: &Found) -> bool {
    match found.value {
        Value::Time(_) => kind == "Time",
        Value::Duration(_) => kind == "Duration",
        Value::Number(_) => kind == "Numeral",
        Value::Ordinal(_) => kind == "Ordinal",
        Value::Money { .. } | Value::MoneyRange { .. } => kind == "AmountOfMoney",
        Value::Measure { .. } | Value::MeasureRange { .. } => {
            matches!(kind, "Temperature" | "Volume" | "Distance" | "Quantity")
        }
        Value::Percent(_) => false,
    }
}

fn measure(language: Language, folder: &str) -> Option<f64> {
    let root = material("duckling", "IEUM_TEST_DUCKLING")?.join("Duckling");
    let zone = TimeZone::fixed(jiff::tz::offset(-2));
    let now = datetime(2013, 2, 12, 4, 30, 0, 0).to_zoned(zone).expect("a moment");
    let conventions = match language {
        Language::Korean => Conventions::DUCKLING,
        Language::English => Conventions::DUCKLING_ENGLISH,
    };
    let mut table = Table::default();
    for kind in KINDS {
        let Ok(source) = std::fs::read_to_string(root.join(kind).join(folder).join("Corpus.hs")) else {
            continue;
        };
        for (expected, sentences) in examples(&source) {
            for sentence in sentences {
                let found = find_with(&sentence, language, &now, &ALL, &conventions);
                let right = match expected.as_str() {
                    "=" => !found.iter().any(|found| is_of(kind, found)),
                    _ => found
                        .iter()
                        .any(|found| fits(&expected, &found.value) && is_whole(kind, &sentence, &found.span)),
                };
                table.count(kind, right, || {
                    let found: Vec<_> =
                        found.iter().map(|found| (&sentence[found.span.clone()], &found.value)).collect();
                    format!("\"{sentence}\" wants {expected} and has {found:?}")
                });
            }
        }
    }
    Some(table.print(&format!("Duckling, {folder}")))
}

#[test]
#[ignore = "needs duckling"]
fn korean_values_of_duckling_are_found() {
    assert!(measure(Language::Korean, "KO").is_none_or(|share| share > 95.0));
}

#[test]
#[ignore = "needs duckling"]
fn english_values_of_duckling_are_found() {
    assert!(measure(Language::English, "EN").is_none_or(|share| share > 86.57));
}
