//! Rows turned into columns, so that PostgreSQL takes any number of rows through one short statement.
//!
//! `INSERT … SELECT * FROM UNNEST($1::bigint[], $2::text[])` has the same text for 2 rows and for 1000: it is
//! parsed, planned and described once a connection, where `VALUES` with a placeholder a value is a statement of its
//! own for each number of rows.

use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use crate::Value;

/// The values of one column, all of one type or null.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Column {
    Bool(Vec<Option<bool>>),
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    /// Makes the column with room for `rows` values of the type of `example`; `None` for null, which has none.
    fn like(example: &Value, rows: usize) -> Option<Self> {
        Some(match example {
            Value::Null => return None,
            Value::Bool(_) => Self::Bool(Vec::with_capacity(rows)),
            Value::Int(_) => Self::Int(Vec::with_capacity(rows)),
            Value::Float(_) => Self::Float(Vec::with_capacity(rows)),
            Value::Text(_) => Self::Text(Vec::with_capacity(rows)),
            Value::Bytes(_) => Self::Bytes(Vec::with_capacity(rows)),
        })
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Bool(column), Value::Bool(value)) => column.push(Some(value)),
            (Self::Int(column), Value::Int(value)) => column.push(Some(value)),
            (Self::Float(column), Value::Float(value)) => column.push(Some(value)),
            (Self::Text(column), Value::Text(value)) => column.push(Some(value)),
            (Self::Bytes(column), Value::Bytes(value)) => column.push(Some(value)),
            (Self::Bool(column), _) => column.push(None),
            (Self::Int(column), _) => column.push(None),
            (Self::Float(column), _) => column.push(None),
            (Self::Text(column), _) => column.push(None),
            (Self::Bytes(column), _) => column.push(None),
        }
    }

    const fn array(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean[]",
            Self::Int(_) => "bigint[]",
            Self::Float(_) => "double precision[]",
            Self::Text(_) => "text[]",
            Self::Bytes(_) => "bytea[]",
        }
    }
}

/// Returns the columns of `rows`; gives the rows back where a column has no type or two, or where there is but one
/// row, for which nothing is gained.
pub(crate) fn columns_of(rows: Vec<Vec<Value>>) -> Result<Vec<Column>, Vec<Vec<Value>>> {
    let width = rows.first().map_or(0, Vec::len);
    let columns = (0..width).map(|column| {
        let mut typed = rows.iter().map(|row| &row[column]).filter(|value| **value != Value::Null);
        let first = typed.next()?;
        let is_one = typed.all(|value| value.kind_letter() == first.kind_letter());
        is_one.then(|| Column::like(first, rows.len()))?
    });
    let Some(mut columns) = columns.collect::<Option<Vec<_>>>().filter(|_| rows.len() > 1) else {
        return Err(rows);
    };
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    Ok(columns)
}

/// Returns what stands in the place of `VALUES …`.
pub(crate) fn source(columns: &[Column]) -> String {
    let arrays = columns.iter().enumerate().map(|(i, column)| format!("${}::{}", i + 1, column.array()));
    format!("SELECT * FROM UNNEST({})", arrays.collect::<Vec<_>>().join(", "))
}

/// Hands the columns to the driver.
pub(crate) fn arguments(columns: Vec<Column>) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    for column in columns {
        match column {
            Column::Bool(values) => arguments.add(values)?,
            Column::Int(values) => arguments.add(values)?,
            Column::Float(values) => arguments.add(values)?,
            Column::Text(values) => arguments.add(values)?,
            Column::Bytes(values) => arguments.add(values)?,
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_the_order_of_rows_and_their_nulls() {
        let rows = vec![vec![1_i64.into(), "a".into()], vec![Value::Null, "b".into()]];
        let columns = columns_of(rows).expect("each has one type");
        let texts = vec![Some("a".to_owned()), Some("b".to_owned())];
        assert_eq!(columns, [Column::Int(vec![Some(1), None]), Column::Text(texts)]);
        assert_eq!(source(&columns), "SELECT * FROM UNNEST($1::bigint[], $2::text[])");
    }

    #[test]
    fn what_has_no_type_or_two_stays_rows() {
        for rows in [
            vec![vec![Value::Null], vec![Value::Null]],
            vec![vec![1_i64.into()], vec![1.5.into()]],
            vec![vec![1_i64.into()]],
        ] {
            assert_eq!(columns_of(rows.clone()), Err(rows));
        }
    }
}
