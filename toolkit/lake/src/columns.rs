//! Rows to Arrow's columns and back (<https://arrow.apache.org/docs/format/Columnar.html>).

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::arrow::record_batch::RecordBatch;
use ieum_core::Timestamp;

use crate::{Cell, Column, Kind, Rows};

/// Returns the columns as a schema; each may hold nulls.
pub fn schema_of(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| Field::new(&column.name, data_type(column.kind), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Returns the rows as a batch, or the row and column whose cell does not fit, from 0.
pub fn batch_of(columns: &[Column], rows: &[Vec<Cell>]) -> Result<RecordBatch, Misfit> {
    for (row, cells) in rows.iter().enumerate() {
        if cells.len() != columns.len() {
            return Err(Misfit { row, column: None });
        }
        for (cell, column) in cells.iter().zip(columns) {
            if !cell.fits(column.kind) {
                return Err(Misfit { row, column: Some(column.name.clone()) });
            }
        }
    }
    let arrays = columns.iter().enumerate().map(|(at, column)| array_of(column.kind, at, rows)).collect();
    // Every array has as many cells as there are rows, of its field's type.
    RecordBatch::try_new(schema_of(columns), arrays).map_err(|_| Misfit { row: 0, column: None })
}

/// The first row that does not fit: its number from 0, and the column unless the row's length is wrong.
#[derive(Debug)]
pub struct Misfit {
    pub row: usize,
    pub column: Option<String>,
}

/// Adds a batch's rows to `into`; a column of a type that rows do not have is an error that names it.
pub fn read_batch(batch: &RecordBatch, into: &mut Rows) -> Result<(), String> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    let mut cells = Vec::with_capacity(batch.num_columns());
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let kind = kind_of(field.data_type()).ok_or_else(|| {
            format!("column {} is of type {}, which no answer holds", field.name(), field.data_type())
        })?;
        let array =
            cast(array, &canonical(kind)).map_err(|error| format!("column {}: {error}", field.name()))?;
        columns.push(Column { name: field.name().to_lowercase(), kind });
        cells.push((kind, array));
    }
    let rows =
        (0..batch.num_rows()).map(|row| cells.iter().map(|(kind, array)| cell(*kind, array, row)).collect());
    into.rows.extend(rows);
    into.columns = columns;
    Ok(())
}

/// Returns what a stored column holds, or `None` where it was not written here.
pub fn kind_of(data_type: &DataType) -> Option<Kind> {
    use DataType as T;
    Some(match data_type {
        T::Boolean => Kind::Bool,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => Kind::Int,
        T::Float16 | T::Float32 | T::Float64 | T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) => {
            Kind::Float
        }
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Null => Kind::Text,
        T::Date32 | T::Date64 => Kind::Date,
        T::Timestamp(..) => Kind::Timestamp,
        T::Dictionary(_, values) => kind_of(values)?,
        _ => return None,
    })
}

/// What is written into files. Times carry their zone, which makes Spark read them as points in time.
fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other => canonical(other),
    }
}

fn canonical(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Text => DataType::Utf8,
        Kind::Date => DataType::Date32,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

fn array_of(kind: Kind, at: usize, rows: &[Vec<Cell>]) -> ArrayRef {
    macro_rules! gather {
        ($array:ty, $cell:pat => $value:expr) => {{
            let cells = rows.iter().map(|row| match &row[at] {
                $cell => Some($value),
                _ => None,
            });
            cells.collect::<$array>()
        }};
    }
    match kind {
        Kind::Bool => Arc::new(gather!(BooleanArray, Cell::Bool(truth) => *truth)),
        Kind::Int => Arc::new(gather!(Int64Array, Cell::Int(number) => *number)),
        Kind::Float => Arc::new(gather!(Float64Array, Cell::Float(number) => *number)),
        Kind::Text => Arc::new(gather!(StringArray, Cell::Text(text) => text.as_str())),
        Kind::Date => Arc::new(gather!(Date32Array, Cell::Date(days) => *days)),
        Kind::Timestamp => {
            let times = gather!(TimestampMicrosecondArray, Cell::Timestamp(at) => at.as_micros());
            Arc::new(times.with_timezone("UTC"))
        }
    }
}

/// Reads a cell of an array that is of the kind's canonical type.
fn cell(kind: Kind, array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match kind {
        Kind::Bool => Cell::Bool(array.as_boolean().value(row)),
        Kind::Int => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        Kind::Float => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        Kind::Text => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        Kind::Date => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
        Kind::Timestamp => Cell::Timestamp(Timestamp::from_micros(
            array.as_primitive::<TimestampMicrosecondType>().value(row),
        )),
    }
}
