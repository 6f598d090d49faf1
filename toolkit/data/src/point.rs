//! One point of a time series, and what makes it one that every backend can keep.

use std::collections::BTreeMap;

use ieum_core::Timestamp;

use crate::SeriesError;

/// One point: what was measured, of what, when.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// What was measured, such as `attendance`.
    pub measurement: String,
    /// Of what; each combination is a series of its own, so keep them few.
    pub tags: BTreeMap<String, String>,
    /// The values.
    pub fields: BTreeMap<String, Field>,
    /// When.
    pub at: Timestamp,
}

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub enum Field {
    /// A floating point number; NaN and infinity are refused.
    Float(f64),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Text of any length.
    Text(String),
}

impl Point {
    /// Begins a point without tags and fields.
    pub fn new(measurement: &str, at: Timestamp) -> Self {
        Self { measurement: measurement.to_owned(), tags: BTreeMap::new(), fields: BTreeMap::new(), at }
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Field>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the field as a number, or `None` where it is missing or text.
    pub fn number(&self, field: &str) -> Option<f64> {
        match self.fields.get(field)? {
            Field::Float(number) => Some(*number),
            Field::Int(number) => Some(*number as f64),
            Field::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Field::Text(_) => None,
        }
    }

    fn check(&self, point: usize) -> Result<(), SeriesError> {
        let wrong = |part: String, problem| Err(SeriesError::Point { point, part, problem });
        if let Err(problem) = check_name(&self.measurement) {
            return wrong("measurement".to_owned(), problem);
        }
        for (name, value) in &self.tags {
            if let Err(problem) = check_name(name).and_then(|()| check_name(value)) {
                return wrong(format!("tag {name:?}"), problem);
            }
        }
        for (name, value) in &self.fields {
            if let Err(problem) = check_name(name).and_then(|()| check_field(value)) {
                return wrong(format!("field {name:?}"), problem);
            }
        }
        if self.fields.is_empty() {
            return wrong("fields".to_owned(), "it has none");
        }
        Ok(())
    }
}

/// Refuses the first point that some backend could not keep.
pub(crate) fn check_points(points: &[Point]) -> Result<(), SeriesError> {
    points.iter().enumerate().try_for_each(|(i, point)| point.check(i))
}

/// Refuses what line protocol has no words for: its escapes know no line break and no backslash before what
/// they escape (<https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/>).
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.chars().count() > 190 {
        return Err("it is longer than 190 characters");
    }
    if name.chars().any(char::is_control) {
        return Err("it holds a control character");
    }
    if name.contains('\\') {
        return Err("it holds a backslash");
    }
    if name.starts_with(['#', '_']) || name == "time" {
        return Err("it begins with # or _ or is \"time\", which are reserved");
    }
    Ok(())
}

fn check_field(value: &Field) -> Result<(), &'static str> {
    match value {
        Field::Float(number) if !number.is_finite() => Err("it is NaN or infinite"),
        Field::Text(text) if text.contains('\0') => Err("it holds the letter NUL"),
        _ => Ok(()),
    }
}

macro_rules! field_from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$type> for Field {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

field_from! {
    f64 => |value| Self::Float(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    bool => |value| Self::Bool(value);
    &str => |value| Self::Text(value.to_owned());
    String => |value| Self::Text(value);
}
