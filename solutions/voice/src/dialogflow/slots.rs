//! The values of a meaning in the forms of Dialogflow's system entities, and back.

use std::collections::BTreeMap;

use ieum_contracts::voice::{Slot, SlotValue};
use ieum_core::Timestamp;
use ieum_dialogflow::Values;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Returns slots as parameters: a length of time as `@sys.duration` has it, a moment as `@sys.date-time`, a day as
/// `@sys.date`, several as `@sys.date-period`.
pub fn parameters_of(slots: &BTreeMap<String, Slot>) -> Values {
    slots.iter().map(|(name, slot)| (name.clone(), parameter(&slot.value))).collect()
}

fn parameter(value: &SlotValue) -> Value {
    match value {
        SlotValue::Text { text } => json!(text),
        SlotValue::Number { number } => json!(number),
        SlotValue::Duration { seconds } => json!({"amount": seconds, "unit": "s"}),
        SlotValue::Moment { at, .. } => json!({"date_time": at}),
        SlotValue::Day { date, days: 0 | 1 } => json!(date),
        SlotValue::Day { date, days } => {
            let last = date.parse::<Date>().ok().and_then(|first| first.checked_add(span(*days)).ok());
            json!({"startDate": date, "endDate": last.map_or_else(|| date.clone(), |last| last.to_string())})
        }
    }
}

/// The days between the first of some days and the last.
fn span(days: u32) -> jiff::Span {
    jiff::Span::new().try_days(i64::from(days) - 1).unwrap_or_default()
}

/// Returns parameters as slots. Empty ones are left out: Dialogflow names every parameter of an intent.
pub fn slots_of(parameters: Values) -> BTreeMap<String, Slot> {
    let slot = |(name, value): (String, Value)| {
        let value = slot_value(&name, &value)?;
        Some((name, Slot { text: String::new(), value }))
    };
    parameters.into_iter().filter_map(slot).collect()
}

fn slot_value(name: &str, value: &Value) -> Option<SlotValue> {
    match value {
        Value::Null | Value::Bool(_) => None,
        Value::Number(number) => Some(SlotValue::Number { number: number.as_f64()? }),
        Value::String(text) => text_value(name, text),
        Value::Array(values) => slot_value(name, values.first()?),
        Value::Object(fields) => {
            let text = |field: &str| fields.get(field).and_then(Value::as_str);
            if let Some(at) = text("date_time").or_else(|| text("startDateTime")).and_then(Timestamp::parse) {
                return Some(SlotValue::Moment { at, exact: true });
            }
            if let (Some(first), Some(last)) =
                (text("startDate").and_then(day), text("endDate").and_then(day))
            {
                let days = last.since(first).ok()?.get_days();
                let days = u32::try_from(days).ok()?.saturating_add(1);
                return Some(SlotValue::Day { date: first.to_string(), days });
            }
            quantity(fields.get("amount")?.as_f64()?, text("unit")?)
        }
    }
}

fn text_value(name: &str, text: &str) -> Option<SlotValue> {
    let text = text.trim();
    // `@sys.date` comes as noon of the day, `@sys.time` as today's; only the names tell them apart.
    let whole_day =
        text.len() <= 10 || (name.contains("date") || name.contains("day")) && !name.contains("time");
    match (day(text), Timestamp::parse(text)) {
        (Some(date), _) if whole_day => Some(SlotValue::Day { date: date.to_string(), days: 1 }),
        (_, Some(at)) => Some(SlotValue::Moment { at, exact: true }),
        _ => (!text.is_empty()).then(|| SlotValue::Text { text: text.to_owned() }),
    }
}

/// Reads the day that a text such as `2026-05-01` or `2026-05-01T12:00:00+09:00` begins with.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn quantity(amount: f64, unit: &str) -> Option<SlotValue> {
    let seconds = match unit {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        "day" => 86_400.0,
        "wk" => 604_800.0,
        _ => return Some(SlotValue::Number { number: amount }),
    };
    (amount >= 0.0).then(|| SlotValue::Duration { seconds: (amount * seconds).round() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(value: Value) -> Values {
        value.as_object().cloned().expect("is an object")
    }

    #[test]
    fn what_is_given_reads_back() {
        let at = Timestamp::parse("2026-05-01T07:30:00+09:00").expect("is a time");
        let given: BTreeMap<String, Slot> = [
            ("city", SlotValue::Text { text: "서울".into() }),
            ("level", SlotValue::Number { number: 40.0 }),
            ("duration", SlotValue::Duration { seconds: 600 }),
            ("when", SlotValue::Moment { at, exact: true }),
            ("day", SlotValue::Day { date: "2026-05-01".into(), days: 1 }),
            ("days", SlotValue::Day { date: "2026-04-30".into(), days: 3 }),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Slot { text: String::new(), value }))
        .collect();
        assert_eq!(slots_of(parameters_of(&given)), given);
    }

    #[test]
    fn dialogflows_own_forms_are_read() {
        let slots = slots_of(values(json!({
            "duration": {"amount": 10, "unit": "min"},
            "date": "2026-05-01T12:00:00+09:00",
            "date-time": "2026-05-01T12:00:00+09:00",
            "geo-city": ["서울"],
            "percentage": {"amount": 30, "unit": "%"},
            "nothing": "", "none": null, "empty": [],
        })));
        let value = |name: &str| slots.get(name).map(|slot| slot.value.clone());
        assert_eq!(value("duration"), Some(SlotValue::Duration { seconds: 600 }));
        assert_eq!(value("date"), Some(SlotValue::Day { date: "2026-05-01".into(), days: 1 }));
        assert!(matches!(value("date-time"), Some(SlotValue::Moment { exact: true, .. })));
        assert_eq!(value("geo-city"), Some(SlotValue::Text { text: "서울".into() }));
        assert_eq!(value("percentage"), Some(SlotValue::Number { number: 30.0 }));
        assert_eq!(slots.len(), 5, "{slots:?}");
    }
}
