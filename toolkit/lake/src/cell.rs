//! Rows as people and programs read them, whatever engine gave them.

use ieum_core::Timestamp;
use serde::{Serialize, Serializer};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// True or false.
    Bool,
    /// 64-bit whole numbers.
    Int,
    /// 64-bit floating point numbers.
    Float,
    /// Text.
    Text,
    /// Days, without a time.
    Date,
    /// Points in time, in microseconds of UTC.
    Timestamp,
}

/// A column's name and kind. Every column may hold nulls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name, lower case.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Nothing is known.
    Null,
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Int`].
    Int(i64),
    /// See [`Kind::Float`].
    Float(f64),
    /// See [`Kind::Text`].
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// See [`Kind::Timestamp`].
    Timestamp(Timestamp),
}

/// Rows under named columns.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// One cell per column in each.
    pub rows: Vec<Vec<Cell>>,
}

impl Column {
    /// Names a column.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind }
    }
}

impl Cell {
    /// Tells whether a column of `kind` can hold it.
    pub const fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Null, _)
                | (Self::Bool(_), Kind::Bool)
                | (Self::Int(_), Kind::Int)
                | (Self::Float(_), Kind::Float)
                | (Self::Text(_), Kind::Text)
                | (Self::Date(_), Kind::Date)
                | (Self::Timestamp(_), Kind::Timestamp)
        )
    }
}

impl Serialize for Cell {
    /// Null, truth, number or text; a date is its count of days and a time its microseconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Date(days) => serializer.serialize_i32(*days),
            Self::Timestamp(at) => serializer.serialize_i64(at.as_micros()),
        }
    }
}

macro_rules! cells {
    ($($from:ty => $cell:ident;)*) => {$(
        impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                Self::$cell(value.into())
            }
        }
    )*};
}

cells! {
    bool => Bool;
    i32 => Int;
    i64 => Int;
    f64 => Float;
    &str => Text;
    String => Text;
    Timestamp => Timestamp;
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
