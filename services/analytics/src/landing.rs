//! History on its way into files, day by day, and questions over them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::analytics::{HISTORY_TABLE, HistoryAnswer, HistoryCell};
use ieum_core::{Fault, Timestamp};
use ieum_lake::{Cell, Column, Kind, Rows, SqlEngine};
use ieum_store::{Row, Store, StoreError};

const DAY: Duration = Duration::from_secs(86_400);
/// Days that may still change by themselves: today, and yesterday's late scans.
const OPEN_DAYS: i64 = 2;
/// The longest question, in bytes.
const LONGEST: usize = 16 << 10;

/// Brings history into files and asks an engine over them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Landing {
    engine: Arc<dyn SqlEngine>,
    sql: Store,
}

impl Landing {
    pub fn new(engine: Arc<dyn SqlEngine>, sql: Store) -> Self {
        Self { engine, sql }
    }

    /// Lands the days that are not there yet and those that may still change; with `all`, every day. Returns how many.
    pub async fn land(&self, now: Timestamp, all: bool) -> Result<u64, Fault> {
        let there: BTreeSet<String> = self.engine.partitions(HISTORY_TABLE)?.into_iter().collect();
        let span = "SELECT MIN(slot_at) AS first_at, MAX(slot_at) AS last_at FROM ieum_analytics_slot";
        let row = self.sql.fetch_one(span, &[]).await?;
        let (Some(first), Some(last)) = (row.opt_int("first_at")?, row.opt_int("last_at")?) else {
            // A table without rows can be asked too.
            self.engine.declare(HISTORY_TABLE, &columns()).await?;
            return Ok(0);
        };
        let today = day_of(now.as_micros());
        let (mut day, last, mut landed) = (day_of(first), day_of(last), 0);
        while day <= last {
            let name = name_of(day);
            let is_there = there.contains(&name);
            if !is_there {
                // Days without rows never land, however many: they are left behind in one step.
                let next = self.day_from(day).await?.unwrap_or(last + 1);
                if next > day {
                    day = next;
                    continue;
                }
            }
            if all || !is_there || today - day < OPEN_DAYS {
                self.land_day(day, &name).await?;
                landed += 1;
            }
            day += 1;
        }
        Ok(landed)
    }

    /// Returns the first day from `day` on that has rows.
    async fn day_from(&self, day: i64) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT MIN(slot_at) AS next_at FROM ieum_analytics_slot WHERE slot_at >= ?";
        Ok(self.sql.fetch_one(sql, &[begin_of(day).into()]).await?.opt_int("next_at")?.map(day_of))
    }

    async fn land_day(&self, day: i64, name: &str) -> Result<(), Fault> {
        let sql = "SELECT s.*, e.event_name, e.event_type FROM ieum_analytics_slot s \
                   LEFT JOIN ieum_analytics_event e ON e.event_id = s.event_id \
                   WHERE s.slot_at >= ? AND s.slot_at < ? ORDER BY s.event_id, s.slot_at";
        let begin = begin_of(day);
        let found = self.sql.fetch_all(sql, &[begin.into(), (begin + DAY).into()]).await?;
        let rows = found.iter().map(cells).collect::<Result<Vec<_>, _>>()?;
        Ok(self.engine.keep(HISTORY_TABLE, name, &columns(), rows).await?)
    }

    /// Answers one question.
    pub async fn ask(&self, sql: &str) -> Result<HistoryAnswer, Fault> {
        if sql.len() > LONGEST {
            let message = format!("reading a question over history: it is longer than {LONGEST} bytes");
            return Err(Fault::invalid_argument("lake.refused", message));
        }
        let Rows { columns, rows } = self.engine.query(sql).await?;
        Ok(HistoryAnswer {
            engine: self.engine.name().to_owned(),
            columns: columns.into_iter().map(|column| column.name).collect(),
            rows: rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect(),
        })
    }
}

fn columns() -> Vec<Column> {
    let named = [
        ("event_id", Kind::Text),
        ("event_name", Kind::Text),
        ("event_type", Kind::Text),
        ("slot_at", Kind::Timestamp),
        ("event_date", Kind::Date),
        ("hour_of_day", Kind::Int),
        ("day_of_week", Kind::Int),
        ("arrivals", Kind::Float),
        ("most_inside", Kind::Int),
        ("registered", Kind::Int),
        ("checked_in", Kind::Int),
        ("attendance_rate", Kind::Float),
    ];
    named.map(|(name, kind)| Column::new(name, kind)).into()
}

fn cells(row: &Row) -> Result<Vec<Cell>, StoreError> {
    Ok(vec![
        row.text("event_id")?.into(),
        row.opt_text("event_name")?.into(),
        row.opt_text("event_type")?.into(),
        Timestamp::from_micros(row.int("slot_at")?).into(),
        Cell::Date(i32::try_from(row.int("local_day")?).unwrap_or(i32::MAX)),
        row.int("local_hour")?.into(),
        row.int("local_weekday")?.into(),
        row.float("arrivals")?.into(),
        row.int("most_inside")?.into(),
        row.int("registered")?.into(),
        row.int("checked_in")?.into(),
        row.opt_float("rate")?.into(),
    ])
}

fn shown(cell: Cell) -> HistoryCell {
    match cell {
        Cell::Null => HistoryCell::Null,
        Cell::Bool(truth) => HistoryCell::Bool(truth),
        Cell::Int(number) => HistoryCell::Int(number),
        // JSON has no infinity and no NaN.
        Cell::Float(number) if number.is_finite() => HistoryCell::Float(number),
        Cell::Float(_) => HistoryCell::Null,
        Cell::Text(text) => HistoryCell::Text(text),
        Cell::Date(days) => HistoryCell::Int(days.into()),
        Cell::Timestamp(at) => HistoryCell::Int(at.as_micros()),
    }
}

fn day_of(micros: i64) -> i64 {
    micros.div_euclid(86_400_000_000)
}

fn begin_of(day: i64) -> Timestamp {
    Timestamp::from_seconds(day * 86_400)
}

/// Returns a day's partition, such as `2026-11-21`.
fn name_of(day: i64) -> String {
    let text = begin_of(day).to_string();
    text.chars().take(10).collect()
}
