//! One SQL value as a parameter or a column, and how each driver takes it.

use ieum_core::{Id, Timestamp};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::MySqlArguments;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Encode, Postgres, Type};

/// One SQL value.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false. SQLite and MySQL keep it as 1 or 0.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating point number. MySQL has no NaN or infinity and refuses them.
    Float(f64),
    /// Text. PostgreSQL refuses the letter NUL.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// `NULL` without a type, so that PostgreSQL takes the column's.
struct UntypedNull;

impl Value {
    /// Returns one letter per type, as it goes into the key of the statement cache.
    pub(crate) const fn kind_letter(&self) -> char {
        match self {
            Self::Null => 'n',
            Self::Bool(_) => 'b',
            Self::Int(_) => 'i',
            Self::Float(_) => 'f',
            Self::Text(_) => 't',
            Self::Bytes(_) => 'x',
        }
    }

    /// Returns the type's name for error messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

macro_rules! arguments {
    ($name:ident, $arguments:ty, $null:expr) => {
        /// Hands the values to the driver.
        pub(crate) fn $name(values: &[Value]) -> Result<$arguments, BoxDynError> {
            let mut arguments = <$arguments>::default();
            for value in values {
                match value {
                    Value::Null => arguments.add($null)?,
                    Value::Bool(value) => arguments.add(*value)?,
                    Value::Int(value) => arguments.add(*value)?,
                    Value::Float(value) => arguments.add(*value)?,
                    Value::Text(value) => arguments.add(value.as_str())?,
                    Value::Bytes(value) => arguments.add(value.as_slice())?,
                }
            }
            Ok(arguments)
        }
    };
}

arguments!(sqlite_arguments, SqliteArguments, Option::<i64>::None);
arguments!(postgres_arguments, PgArguments, UntypedNull);
arguments!(mysql_arguments, MySqlArguments, Option::<i64>::None);

impl Type<Postgres> for UntypedNull {
    fn type_info() -> PgTypeInfo {
        // Parse message: "placing a zero here is equivalent to leaving the type unspecified"
        // (https://www.postgresql.org/docs/current/protocol-message-formats.html).
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for UntypedNull {
    fn encode_by_ref(&self, _buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

value_from! {
    bool => |value| Self::Bool(value);
    i64 => |value| Self::Int(value);
    i32 => |value| Self::Int(i64::from(value));
    u32 => |value| Self::Int(i64::from(value));
    u16 => |value| Self::Int(i64::from(value));
    f64 => |value| Self::Float(value);
    &str => |value| Self::Text(value.to_owned());
    String => |value| Self::Text(value);
    &String => |value| Self::Text(value.clone());
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
    bytes::Bytes => |value| Self::Bytes(value.into());
    Timestamp => |value| Self::Int(value.as_micros());
    Id => |value| Self::Text(value.to_string());
    serde_json::Value => |value| Self::Text(value.to_string());
    &serde_json::Value => |value| Self::Text(value.to_string());
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
