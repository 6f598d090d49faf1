//! InfluxDB line protocol, version 1
//! (<https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/>).

use crate::{Field, Point};

/// Writes `point` as one line without a line end; its time is in microseconds (`precision=u`).
///
/// Measurements escape comma and space; tags and field names also the equals sign; texts escape the double
/// quote and the backslash. Names with line breaks or backslashes, for which there is no escape, are refused
/// before by every backend.
pub fn to_line(point: &Point) -> String {
    let mut line = escaped(&point.measurement, &[',', ' ']);
    for (name, value) in &point.tags {
        line.push(',');
        line.push_str(&escaped(name, KEYS));
        line.push('=');
        line.push_str(&escaped(value, KEYS));
    }
    for (i, (name, value)) in point.fields.iter().enumerate() {
        line.push(if i == 0 { ' ' } else { ',' });
        line.push_str(&escaped(name, KEYS));
        line.push('=');
        line.push_str(&value_text(value));
    }
    line.push(' ');
    line.push_str(&point.at.as_micros().to_string());
    line
}

const KEYS: &[char] = &[',', '=', ' '];

fn escaped(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        if special.contains(&letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn value_text(value: &Field) -> String {
    match value {
        Field::Float(number) => format!("{number:?}"),
        Field::Int(number) => format!("{number}i"),
        Field::Bool(truth) => truth.to_string(),
        Field::Text(text) => format!("\"{}\"", escaped(text, &['"', '\\'])),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ieum_core::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::point::check_points;

    #[test]
    fn the_reference_examples_come_out() {
        let point = Point::new("my Measurement,x", Timestamp::from_micros(1))
            .tag("tag Key,1=a", "value, 2=b")
            .field("f,1", "string \"field\" \\ value")
            .field("g", 1_i64)
            .field("h", 0.5)
            .field("i", true);
        assert_eq!(
            to_line(&point),
            r#"my\ Measurement\,x,tag\ Key\,1\=a=value\,\ 2\=b f\,1="string \"field\" \\ value",g=1i,h=0.5,i=true 1"#
        );
    }

    /// Splits at `separator` where it is neither escaped nor quoted.
    fn split(text: &str, separator: char, quotes: bool) -> Vec<String> {
        let (mut parts, mut escape, mut quoted) = (vec![String::new()], false, false);
        for letter in text.chars() {
            let last = parts.last_mut().expect("has one");
            if !escape && quotes && letter == '"' {
                quoted = !quoted;
            }
            if letter == separator && !escape && !quoted {
                parts.push(String::new());
            } else {
                last.push(letter);
            }
            escape = letter == '\\' && !escape;
        }
        parts
    }

    fn unescaped(text: &str) -> String {
        let (mut out, mut escape) = (String::new(), false);
        for letter in text.chars() {
            escape = letter == '\\' && !escape;
            if !escape {
                out.push(letter);
            }
        }
        out
    }

    /// A reader of its own, written from the reference's grammar.
    fn read(line: &str) -> Point {
        let parts = split(line, ' ', true);
        let [head, fields, time] = parts.as_slice() else { panic!("{line} has {} parts", parts.len()) };
        let mut head = split(head, ',', false).into_iter();
        let measurement = unescaped(&head.next().expect("has a measurement"));
        let pair = |text: &str| {
            let halves = split(text, '=', true);
            assert_eq!(halves.len(), 2, "{text}");
            (unescaped(&halves[0]), halves[1].clone())
        };
        let tags = head.map(|text| pair(&text)).map(|(name, value)| (name, unescaped(&value))).collect();
        let fields: BTreeMap<String, Field> = split(fields, ',', true)
            .iter()
            .map(|text| pair(text))
            .map(|(name, value)| {
                let field = match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                    Some(text) => Field::Text(unescaped(text)),
                    None if value.ends_with('i') => {
                        Field::Int(value[..value.len() - 1].parse().expect("is whole"))
                    }
                    None if value == "true" || value == "false" => Field::Bool(value == "true"),
                    None => Field::Float(value.parse().expect("is a number")),
                };
                (name, field)
            })
            .collect();
        Point { measurement, tags, fields, at: Timestamp::from_micros(time.parse().expect("is a time")) }
    }

    fn field() -> impl Strategy<Value = Field> {
        prop_oneof![
            any::<f64>().prop_filter("is finite", |number| number.is_finite()).prop_map(Field::Float),
            any::<i64>().prop_map(Field::Int),
            any::<bool>().prop_map(Field::Bool),
            "[a-z ,=\"\\\\\n가☕]{0,12}".prop_map(Field::Text),
        ]
    }

    proptest! {
        #[test]
        fn every_point_that_is_accepted_reads_back(
            measurement in "[a-z ,=\"'가#\\\\]{0,8}",
            tags in prop::collection::btree_map("[a-z ,=\"가]{1,6}", "[a-z ,=\"가\\\\\n]{0,6}", 0..3),
            fields in prop::collection::btree_map("[a-z ,=가\\\\]{1,6}", field(), 0..4),
            at in any::<i64>(),
        ) {
            let point = Point { measurement, tags, fields, at: Timestamp::from_micros(at) };
            if check_points(std::slice::from_ref(&point)).is_ok() {
                // A double quote in a name needs no escape, yet our small reader would take it for a text.
                let plain = !point.fields.keys().any(|name| name.contains('"'))
                    && !point.measurement.contains('"')
                    && !point.tags.iter().any(|(name, value)| name.contains('"') || value.contains('"'));
                if plain {
                    prop_assert_eq!(read(&to_line(&point)), point);
                }
            }
        }
    }
}
