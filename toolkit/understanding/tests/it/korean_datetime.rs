//! korean-datetime's gold sentences: dates and times, and sentences that hold none (a length of time is none).
//!
//! The folder holds `cases.jsonl`, made from its sentences by its own evaluator, which shares no code with its parser:
//! one line each with `now`, `category`, `text` and `expected` (`start`, `end`, `kind`), which is `null` where nothing
//! is to be found. As there, the first that a sentence holds counts.

use ieum_understanding::value::{Conventions, Kind, Language, Moment, Value, find_with};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::{Table, material};

/// Returns whether the first value is the expected one. A moment without an expected end may be of any grain, and of a
/// period that is open at one side only the date it names counts: that library has no such periods.
fn is_right(expected: &Json, found: Option<&Value>) -> bool {
    let at = |name: &str| expected[name].as_str().and_then(|text| text.parse::<DateTime>().ok());
    match (expected.as_object().and(expected["kind"].as_str()), found) {
        (None, found) => found.is_none(),
        (Some("date" | "time" | "datetime"), Some(Value::Time(moment))) => {
            let open = matches!(moment, Moment::Before(..) | Moment::After(..));
            let ends = open || at("end").is_none_or(|end| moment.end() == end);
            at("start") == Some(moment.start()) && ends
        }
        _ => false,
    }
}

#[test]
#[ignore = "needs korean-datetime"]
fn korean_dates_and_times_of_korean_datetime_are_found() {
    let Some(folder) = material("korean-datetime", "IEUM_TEST_KOREAN_DATETIME") else { return };
    let cases = std::fs::read_to_string(folder.join("cases.jsonl")).expect("the folder holds cases.jsonl");
    let mut table = Table::default();
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).expect("a line is a case");
        let text = |name: &str| case[name].as_str().expect("a case has its fields");
        let now: DateTime = text("now").parse().expect("a moment");
        let zoned = now.to_zoned(TimeZone::UTC).expect("a moment");
        let conventions = &Conventions::KOREAN_DATETIME;
        let found = find_with(text("text"), Language::Korean, &zoned, &[Kind::Time], conventions);
        let first = found.first().map(|found| &found.value);
        table.count(text("category"), is_right(&case["expected"], first), || {
            format!("\"{}\" at {now} wants {} and has {first:?}", text("text"), case["expected"])
        });
    }
    assert!(table.print("korean-datetime") > 95.0);
}
