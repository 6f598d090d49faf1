//! Microsoft Recognizers-Text: its specifications for Korean and, as a sample, English.

use ieum_understanding::value::{Conventions, Found, Kind, Language, Moment, Value as Said, find_with};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::{Table, material};

const KINDS: &[&str] = &[
    "Number/NumberModel",
    "Number/OrdinalModel",
    "Number/PercentModel",
    "NumberWithUnit/CurrencyModel",
    "NumberWithUnit/DimensionModel",
    "NumberWithUnit/AgeModel",
    "NumberWithUnit/TemperatureModel",
    "DateTime/DurationParser",
    "DateTime/DateParser",
    "DateTime/HolidayParser",
    "DateTime/TimeParser",
    "DateTime/DatePeriodParser",
    "DateTime/TimePeriodParser",
    "DateTime/DateTimePeriodParser",
    "DateTime/DateTimeModel",
];

fn text<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| value[*key].as_str())
}

fn moment(text: &str) -> Option<DateTime> {
    let text = text.replacen(' ', "T", 1);
    text.parse::<DateTime>()
        .ok()
        .or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))
}

/// Returns whether a unit is a hundredth of a currency, which is no currency of its own here.
fn is_hundredth(unit: &Value) -> bool {
    ["Cent", "Pence", "Penny"].iter().any(|name| unit == name)
}

/// Returns whether what was found is what one resolution says.
fn resolves(found: &Said, resolution: &Value) -> bool {
    let number = |keys: &[&str]| {
        text(resolution, keys)
            .and_then(|value| value.trim_end_matches('%').replace(',', "").parse::<f64>().ok())
    };
    let near = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs().max(1.0) * 1000.0;
    match found {
        Said::Number(value) | Said::Percent(value) => {
            number(&["value"]).is_some_and(|expected| near(*value, expected))
        }
        Said::Ordinal(place) => number(&["offset", "value"]).is_some_and(|expected| {
            expected == *place as f64
                || (*place < 0 && resolution["relativeTo"] == "end" && expected == (*place + 1) as f64)
        }),
        Said::Money { amount, .. } if is_hundredth(&resolution["unit"]) => {
            number(&["value"]).is_some_and(|expected| near(*amount * 100.0, expected))
        }
        Said::Duration(amount) if resolution.get("unit").is_some() => number(&["value"])
            .is_some_and(|expected| amount.parts.first().is_some_and(|(count, _)| near(*count, expected))),
        // Feet and inches are given in inches here.
        Said::Measure { amount, unit: "inch" } if resolution["unit"] == "Foot" => {
            number(&["value"]).is_some_and(|expected| near(*amount / 12.0, expected))
        }
        Said::Money { amount, .. } | Said::Measure { amount, .. } => {
            number(&["value"]).is_some_and(|expected| near(*amount, expected))
        }
        Said::Duration(amount) => {
            number(&["duration", "value"]).is_some_and(|expected| near(amount.seconds(), expected))
        }
        Said::MoneyRange { from, to, .. } | Said::MeasureRange { from, to, .. } => {
            number(&["value"]).is_some_and(|expected| [from, to].contains(&&Some(expected)))
        }
        Said::Time(time) => is_time(time, resolution),
    }
}

fn is_time(time: &Moment, resolution: &Value) -> bool {
    let (start, end) = (time.start(), time.end());
    // Their ends lie a second or a unit earlier: they name the last unit of the period, we the first after it.
    let same = |wanted: &str, actual: DateTime| {
        let clock = wanted.parse::<jiff::civil::Time>().is_ok_and(|time| time == actual.time());
        moment(wanted) == Some(actual) || clock
    };
    let last = |wanted: &str| {
        let earlier = |seconds: i64| end.checked_sub(jiff::Span::new().seconds(seconds));
        same(wanted, time.grain().add(end, -1))
            || same(wanted, end)
            || [1, 60, 3_600, 86_400]
                .iter()
                .any(|seconds| earlier(*seconds).is_ok_and(|end| same(wanted, end)))
    };
    let clock = |wanted: &str, actual: DateTime| {
        wanted.parse::<jiff::civil::Time>().is_ok_and(|time| time == actual.time())
    };
    if let Some(value) = text(resolution, &["date", "dateTime", "value"]) {
        // Of what is to happen until or within something they name the last moment.
        let bounded = matches!(time, Moment::Before(..) | Moment::Between(..));
        return moment(value) == Some(start) || clock(value, start) || bounded && last(value);
    }
    if let Some(value) = text(resolution, &["time"]) {
        return clock(value, start);
    }
    let from = text(resolution, &["startDate", "startDateTime", "startTime", "start"]);
    let to = text(resolution, &["endDate", "endDateTime", "endTime", "end"]);
    from.is_some() | to.is_some() && from.is_none_or(|from| same(from, start)) && to.is_none_or(last)
}

fn resolutions(result: &Value) -> Vec<Value> {
    if let Some(values) = result["Resolution"]["values"].as_array() {
        return values.clone();
    }
    match &result["Value"] {
        Value::Object(value) => vec![value["FutureResolution"].clone(), value["PastResolution"].clone()],
        _ => vec![result["Resolution"].clone()],
    }
}

/// Returns whether the specification itself leaves open what something means.
fn is_open(options: &[Value]) -> bool {
    options.iter().all(|option| {
        option.is_null()
            || option.as_object().is_some_and(serde_json::Map::is_empty)
            || option["value"] == "not resolved"
    })
}

/// Returns whether a result is something recurring, which no value here is.
fn is_recurring(result: &Value) -> bool {
    resolutions(result).iter().any(|option| option["type"] == "set")
}

/// Returns whether the specification gives the first day of all time, which stands for none.
fn is_impossible(result: &Value) -> bool {
    resolutions(result).iter().any(|option| option["date"] == "0001-01-01")
}

fn is_right(found: &[Found], expected: &[Value], input: &str, open: bool) -> bool {
    let unspaced = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    expected.iter().all(|result| {
        let wanted = unspaced(result["Text"].as_str().unwrap_or_default());
        let options = resolutions(result);
        // Some results are in English still; they count by what they mean.
        let foreign = !unspaced(input).contains(&wanted);
        let open = (open || is_open(&options)) && !foreign;
        found.iter().any(|found| {
            let said = unspaced(&input[found.span.clone()]);
            let overlap = foreign || wanted.contains(&said) || said.contains(&wanted);
            overlap && (open || options.iter().any(|resolution| resolves(&found.value, resolution)))
        })
    })
}

/// Returns the kinds of values that a specification is about.
fn kinds(specification: &str) -> &'static [Kind] {
    match specification.split_once('/').expect("a kind").1 {
        "NumberModel" => &[Kind::Number],
        "OrdinalModel" => &[Kind::Ordinal],
        "PercentModel" => &[Kind::Percent],
        "CurrencyModel" => &[Kind::Money],
        "AgeModel" => &[Kind::Measure, Kind::Duration],
        "DimensionModel" | "TemperatureModel" => &[Kind::Measure],
        "DurationParser" => &[Kind::Duration],
        "DateTimeModel" => &[Kind::Time, Kind::Duration],
        _ => &[Kind::Time],
    }
}

/// Returns whether a value is of the kind that a specification is about; the others are right in their own.
fn belongs(kind: &str, value: &Said) -> bool {
    let unit = match value {
        Said::Measure { unit, .. } | Said::MeasureRange { unit, .. } => *unit,
        _ => return true,
    };
    match unit {
        "celsius" | "fahrenheit" | "kelvin" | "degree" => kind.contains("Temperature"),
        unit if unit.contains("age") => kind.contains("Age"),
        _ => kind.contains("Dimension"),
    }
}

fn measure(language: Language, folder: &str) -> Option<f64> {
    let specs = material("recognizers", "IEUM_TEST_RECOGNIZERS")?.join("Specs");
    let mut table = Table::default();
    for kind in KINDS {
        let (area, name) = kind.split_once('/').expect("a kind");
        let path = specs.join(area).join(folder).join(format!("{name}.json"));
        let Ok(json) = std::fs::read_to_string(path) else { continue };
        let cases: Vec<Value> =
            serde_json::from_str(json.trim_start_matches('\u{feff}')).expect("a list of cases");
        for case in &cases {
            let input = case["Input"].as_str().unwrap_or_default();
            let now = case["Context"]["ReferenceDateTime"]
                .as_str()
                .and_then(|now| moment(&now[..now.len().min(19)]));
            let now = now.unwrap_or(jiff::civil::date(2016, 11, 7).at(0, 0, 0, 0));
            let zoned = now.to_zoned(TimeZone::UTC).expect("a moment");
            let found = find_with(input, language, &zoned, kinds(kind), &Conventions::RECOGNIZERS);
            let expected = case["Results"].as_array().cloned().unwrap_or_default();
            // A unit without an amount is no value here.
            // Neither is what happens again and again, nor is there anything to say of what they give no value.
            let valued = |result: &Value| !is_recurring(result) && !is_impossible(result);
            if !expected.is_empty() && !expected.iter().any(valued) {
                continue;
            }
            let expected: Vec<Value> = expected
                .into_iter()
                .filter(|result| !result["Resolution"].get("value").is_some_and(Value::is_null))
                .filter(valued)
                .collect();
            // Cases whose resolution the specification itself sets aside count by their words.
            let open =
                matches!(&case["IgnoreResolution"], Value::Bool(true)) || case["IgnoreResolution"] == "true";
            let right = match expected.is_empty() {
                true => !found.iter().any(|found| belongs(kind, &found.value)),
                false => is_right(&found, &expected, input, open),
            };
            table.count(kind, right, || {
                let wanted: Vec<_> =
                    expected.iter().map(|result| (result["Text"].clone(), resolutions(result))).collect();
                let found: Vec<_> =
                    found.iter().map(|found| (&input[found.span.clone()], &found.value)).collect();
                format!("\"{input}\" wants {} and has {found:?}", serde_json::json!(wanted))
            });
        }
    }
    Some(table.print(&format!("Recognizers-Text, {folder}")))
}

#[test]
#[ignore = "needs recognizers"]
fn korean_values_of_recognizers_text_are_found() {
    assert!(measure(Language::Korean, "Korean").is_none_or(|share| share > 95.0));
}

#[test]
#[ignore = "needs recognizers"]
fn english_values_of_recognizers_text_are_found() {
    assert!(measure(Language::English, "English").is_none_or(|share| share > 86.05));
}
