//! One result row as plain data, read by column name.

use std::sync::Arc;

use ieum_core::Timestamp;
use sqlx::mysql::{MySqlRow, MySqlValueRef};
use sqlx::postgres::{PgRow, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Column as _, Decode, Row as _, TypeInfo as _, ValueRef as _};

use crate::{StoreError, Value};

/// One result row. It owns its values and outlives the connection.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

type DecodeError = Box<dyn std::error::Error + Send + Sync>;

macro_rules! readers {
    ($($name:ident, $optional:ident, $type:ty, $wanted:literal, |$value:ident| $read:expr;)*) => {$(
        #[doc = concat!("Returns the column's ", $wanted, ". Fails where it is missing, null or something else.")]
        pub fn $name(&self, column: &str) -> Result<$type, StoreError> {
            self.$optional(column)?.ok_or_else(|| wrong(column, "is null"))
        }

        #[doc = concat!("Returns the column's ", $wanted, ", or `None` for null. Fails where it is missing or something else.")]
        pub fn $optional(&self, column: &str) -> Result<Option<$type>, StoreError> {
            let $value = self.value(column)?;
            if matches!($value, Value::Null) {
                return Ok(None);
            }
            let read: Option<$type> = $read;
            read.map(Some).ok_or_else(|| wrong(column, &format!(concat!("holds {}, not ", $wanted), $value.kind())))
        }
    )*};
}

impl Row {
    /// Returns the column's value as it is. Fails where there is no such column.
    pub fn value(&self, column: &str) -> Result<&Value, StoreError> {
        let position = self.columns.iter().position(|name| name == column);
        let position =
            position.or_else(|| self.columns.iter().position(|name| name.eq_ignore_ascii_case(column)));
        position.and_then(|i| self.values.get(i)).ok_or_else(|| wrong(column, "is not in the result"))
    }

    /// Returns the column names in the order of the statement.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the values in the order of the statement.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    readers! {
        int, opt_int, i64, "a whole number", |value| match value {
            Value::Int(number) => Some(*number),
            Value::Bool(truth) => Some(i64::from(*truth)),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        float, opt_float, f64, "a number", |value| match value {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        bool, opt_bool, bool, "true or false", |value| match value {
            Value::Bool(truth) => Some(*truth),
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        };
        text, opt_text, String, "text", |value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        };
        bytes, opt_bytes, Vec<u8>, "bytes", |value| match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Text(text) => Some(text.clone().into_bytes()),
            _ => None,
        };
        timestamp, opt_timestamp, Timestamp, "a time in microseconds", |value| match value {
            Value::Int(micros) => Some(Timestamp::from_micros(*micros)),
            _ => None,
        };
        json, opt_json, serde_json::Value, "JSON", |value| match value {
            Value::Text(text) => serde_json::from_str(text).ok(),
            Value::Bytes(bytes) => serde_json::from_slice(bytes).ok(),
            _ => None,
        };
    }
}

fn wrong(column: &str, problem: &str) -> StoreError {
    StoreError::Column { column: column.to_owned(), problem: problem.to_owned() }
}

fn undecodable(column: &str, source: DecodeError) -> StoreError {
    wrong(column, &format!("cannot be read: {source}"))
}

macro_rules! rows_from {
    ($name:ident, $row:ty, $read:ident) => {
        /// Takes the driver's rows over.
        pub(crate) fn $name(rows: &[$row]) -> Result<Vec<Row>, StoreError> {
            let Some(first) = rows.first() else { return Ok(Vec::new()) };
            let columns: Arc<[String]> =
                first.columns().iter().map(|column| column.name().to_owned()).collect();
            rows.iter()
                .map(|row| {
                    let values = columns
                        .iter()
                        .enumerate()
                        .map(|(i, name)| {
                            let raw = row.try_get_raw(i).map_err(|error| undecodable(name, error.into()))?;
                            if raw.is_null() {
                                return Ok(Value::Null);
                            }
                            $read(raw).map_err(|error| undecodable(name, error))
                        })
                        .collect::<Result<Vec<Value>, StoreError>>()?;
                    Ok(Row { columns: Arc::clone(&columns), values })
                })
                .collect()
        }
    };
}

rows_from!(sqlite_rows, SqliteRow, sqlite_value);
rows_from!(postgres_rows, PgRow, postgres_value);
rows_from!(mysql_rows, MySqlRow, mysql_value);

fn sqlite_value(raw: SqliteValueRef<'_>) -> Result<Value, DecodeError> {
    let kind = raw.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INTEGER" | "BOOLEAN" => Value::Int(<i64 as Decode<sqlx::Sqlite>>::decode(raw)?),
        "REAL" => Value::Float(<f64 as Decode<sqlx::Sqlite>>::decode(raw)?),
        "BLOB" => Value::Bytes(<Vec<u8> as Decode<sqlx::Sqlite>>::decode(raw)?),
        _ => Value::Text(<String as Decode<sqlx::Sqlite>>::decode(raw)?),
    })
}

fn postgres_value(raw: PgValueRef<'_>) -> Result<Value, DecodeError> {
    let kind = raw.type_info().name().to_owned();
    if raw.format() == PgValueFormat::Text {
        return Ok(Value::Text(raw.as_str()?.to_owned()));
    }
    Ok(match kind.as_str() {
        "BOOL" => Value::Bool(<bool as Decode<sqlx::Postgres>>::decode(raw)?),
        "INT2" => Value::Int(<i16 as Decode<sqlx::Postgres>>::decode(raw)?.into()),
        "INT4" => Value::Int(<i32 as Decode<sqlx::Postgres>>::decode(raw)?.into()),
        "INT8" => Value::Int(<i64 as Decode<sqlx::Postgres>>::decode(raw)?),
        "FLOAT4" => Value::Float(<f32 as Decode<sqlx::Postgres>>::decode(raw)?.into()),
        "FLOAT8" => Value::Float(<f64 as Decode<sqlx::Postgres>>::decode(raw)?),
        "NUMERIC" => numeric(raw.as_bytes()?)?,
        "BYTEA" => Value::Bytes(<Vec<u8> as Decode<sqlx::Postgres>>::decode(raw)?),
        "VOID" => Value::Null,
        "JSONB" => Value::Text(String::from_utf8(raw.as_bytes()?.get(1..).unwrap_or_default().to_vec())?),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "JSON" | "\"CHAR\"" => {
            Value::Text(raw.as_str()?.to_owned())
        }
        other => return Err(format!("type {other} is not supported; cast it to text or a number").into()),
    })
}

/// Reads PostgreSQL's binary `numeric` (`numeric_send`): digit groups of four decimal digits with a weight.
/// Whole numbers that fit become [`Value::Int`], anything else [`Value::Float`].
fn numeric(bytes: &[u8]) -> Result<Value, DecodeError> {
    let word = |i: usize| -> Result<i16, DecodeError> {
        let pair = bytes.get(i * 2..i * 2 + 2).ok_or("numeric is cut short")?;
        Ok(i16::from_be_bytes([pair[0], pair[1]]))
    };
    let (groups, weight, sign) = (word(0)?, i32::from(word(1)?), u16::from_be_bytes(word(2)?.to_be_bytes()));
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        0xD000 => return Ok(Value::Float(f64::INFINITY)),
        0xF000 => return Ok(Value::Float(f64::NEG_INFINITY)),
        _ => return Ok(Value::Float(f64::NAN)),
    };
    let groups = usize::try_from(groups)?;
    let mut text = String::from(if negative { "-" } else { "" });
    for i in 0..groups {
        text.push_str(&format!("{:04}", word(4 + i)?));
    }
    let exponent = (weight + 1 - i32::try_from(groups)?) * 4;
    if groups == 0 {
        return Ok(Value::Int(0));
    }
    if (0..=20).contains(&exponent) {
        let whole = format!("{text}{}", "0".repeat(usize::try_from(exponent)?));
        if let Ok(number) = whole.parse() {
            return Ok(Value::Int(number));
        }
    }
    Ok(Value::Float(format!("{text}e{exponent}").parse()?))
}

fn mysql_value(raw: MySqlValueRef<'_>) -> Result<Value, DecodeError> {
    let kind = raw.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "BIGINT UNSIGNED" => {
            let number = <u64 as Decode<sqlx::MySql>>::decode(raw)?;
            i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Int)
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "INT UNSIGNED" | "MEDIUMINT UNSIGNED" | "YEAR" => {
            Value::Int(<u32 as Decode<sqlx::MySql>>::decode(raw)?.into())
        }
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" => {
            Value::Int(<i64 as Decode<sqlx::MySql>>::decode(raw)?)
        }
        "FLOAT" => Value::Float(<f32 as Decode<sqlx::MySql>>::decode(raw)?.into()),
        "DOUBLE" => Value::Float(<f64 as Decode<sqlx::MySql>>::decode(raw)?),
        "DECIMAL" => {
            let text = <String as Decode<sqlx::MySql>>::decode(raw)?;
            match text.parse::<i64>() {
                Ok(number) => Value::Int(number),
                Err(_) => Value::Float(text.parse()?),
            }
        }
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            Value::Bytes(<Vec<u8> as Decode<sqlx::MySql>>::decode(raw)?)
        }
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" | "JSON" => {
            Value::Text(<String as Decode<sqlx::MySql>>::decode(raw)?)
        }
        other => return Err(format!("type {other} is not supported; cast it to text or a number").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numerics_become_numbers() {
        // 12345678 is the groups 1234 and 5678 with weight 1; -0.5 is the group 5000 with weight -1.
        assert_eq!(numeric(&packed(&[2, 1, 0, 0, 1234, 5678])).expect("is whole"), Value::Int(12_345_678));
        assert_eq!(numeric(&packed(&[1, 1, 0, 0, 3])).expect("is whole"), Value::Int(30_000));
        assert_eq!(numeric(&packed(&[1, 0xFFFF, 0x4000, 1, 5000])).expect("is a part"), Value::Float(-0.5));
        assert_eq!(numeric(&packed(&[0, 0, 0, 0])).expect("is zero"), Value::Int(0));
        assert!(numeric(&packed(&[2, 1, 0, 0, 1234])).is_err());
    }

    #[test]
    fn a_wrong_column_is_named() {
        let row = Row { columns: ["n".to_owned()].into(), values: vec![Value::Bytes(vec![255])] };
        assert_eq!(row.int("m").expect_err("is missing").to_string(), "column m is not in the result");
        assert_eq!(
            row.int("n").expect_err("is bytes").to_string(),
            "column n holds bytes, not a whole number"
        );
    }
}
