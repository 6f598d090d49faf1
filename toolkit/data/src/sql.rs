//! Time series in the SQL store: one row per field, so that steps are added up by the database.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::Timestamp;
use ieum_store::{Dialect, Insert, Migration, MigrationError, Row, Store, StoreError, Value, migrate};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::point::check_points;
use crate::range::arrange;
use crate::{Aggregate, Capabilities, Field, Point, Range, SeriesError, TimeSeries};

/// Time series in the tables `ieum_series…` of a SQL store.
#[derive(Clone)]
pub struct SqlSeries {
    store: Store,
    /// Series that are known to be in the table.
    known: Arc<Mutex<HashSet<String>>>,
}

/// Beyond so many, the known series are forgotten and found again.
const MOST_KNOWN: usize = 100_000;
/// How many series one statement asks for.
const SERIES_PER_QUERY: usize = 500;
/// How often a write is tried again after a concurrent one won.
const TRIES: usize = 5;

const MIGRATION: Migration = Migration { name: "0001_series", owner: "series", up: tables };

fn tables(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, int) = (types.key, types.int);
    vec![
        format!(
            "CREATE TABLE ieum_series (series {key} NOT NULL PRIMARY KEY, measurement {key} NOT NULL, \
             tags {} NOT NULL)",
            types.json
        ),
        "CREATE INDEX ieum_series_measurement ON ieum_series (measurement)".to_owned(),
        format!(
            "CREATE TABLE ieum_series_value (series {key} NOT NULL, field {key} NOT NULL, \
             at_micros {} NOT NULL, kind {int} NOT NULL, number {}, whole {int}, words {}, \
             PRIMARY KEY (series, field, at_micros))",
            types.timestamp, types.float, types.text
        ),
    ]
}

const FLOAT: i64 = 0;
const INT: i64 = 1;
const BOOL: i64 = 2;
const TEXT: i64 = 3;

type Tags = BTreeMap<String, String>;
type Gathered = HashMap<(String, i64), BTreeMap<String, Field>>;

fn failed(step: &'static str) -> impl Fn(StoreError) -> SeriesError {
    move |source| SeriesError::Store { step, source }
}

impl SqlSeries {
    /// Makes the tables where they are missing.
    ///
    /// # Errors
    /// A store that cannot be reached or has other tables of the same names.
    pub async fn open(store: Store) -> Result<Self, SeriesError> {
        let step = "making the tables";
        match migrate(&store, &[MIGRATION], |_| {}).await {
            Ok(_) => Ok(Self { store, known: Arc::default() }),
            Err(MigrationError::Journal(source)) => Err(SeriesError::Store { step, source }),
            Err(MigrationError::Statement { source, .. }) => {
                Err(SeriesError::Store { step, source: *source })
            }
            Err(other) => Err(SeriesError::Url { url: "sql:".to_owned(), problem: other.to_string() }),
        }
    }

    /// Returns the migrations, for who applies all of a process at once.
    pub fn migrations() -> Vec<Migration> {
        vec![MIGRATION]
    }

    async fn write_once(&self, new: &[Vec<Value>], values: &[Vec<Value>]) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        Insert::into("ieum_series")
            .columns(["series", "measurement", "tags"])
            .rows(new.iter().cloned())
            .or_ignore(["series"])
            .run_in(&mut transaction)
            .await?;
        Insert::into("ieum_series_value")
            .columns(["series", "field", "at_micros", "kind", "number", "whole", "words"])
            .rows(values.iter().cloned())
            .or_update(["series", "field", "at_micros"])
            .run_in(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// Returns the series of the range with their tags.
    async fn find_series(&self, range: &Range) -> Result<HashMap<String, Tags>, StoreError> {
        let sql = "SELECT series, tags FROM ieum_series WHERE measurement = ?";
        let rows = self.store.fetch_all(sql, &[range.measurement.as_str().into()]).await?;
        let mut found = HashMap::new();
        for row in rows {
            let tags: Tags = serde_json::from_value(row.json("tags")?).unwrap_or_default();
            if range.tags.iter().all(|(name, value)| tags.get(name) == Some(value)) {
                found.insert(row.text("series")?, tags);
            }
        }
        Ok(found)
    }

    async fn read(&self, range: &Range, series: &[&str]) -> Result<Vec<Row>, StoreError> {
        let (sql, mut values) = match range.step {
            None => (whole_points(series.len()), Vec::new()),
            Some((step, Aggregate::Last)) => (last_in_step(series.len()), step_values(step)),
            Some((step, aggregate)) => (added_up(series.len(), aggregate), step_values(step)),
        };
        values.extend([range.from.into(), range.until.into()]);
        values.extend(series.iter().map(|series| Value::from(*series)));
        self.store.fetch_all(&sql, &values).await
    }
}

fn series_of(point: &Point) -> (String, String) {
    let tags = serde_json::json!(point.tags).to_string();
    let mut hash = Sha256::new();
    hash.update(point.measurement.as_bytes());
    hash.update([0]);
    hash.update(tags.as_bytes());
    (hex::encode(hash.finalize()), tags)
}

fn value_row(series: &str, field: &str, at: Timestamp, value: &Field) -> Vec<Value> {
    let (kind, number, whole, words): (i64, Option<f64>, Option<i64>, Option<&str>) = match value {
        Field::Float(number) => (FLOAT, Some(*number), None, None),
        Field::Int(whole) => (INT, Some(*whole as f64), Some(*whole), None),
        Field::Bool(truth) => (BOOL, None, Some(i64::from(*truth)), None),
        Field::Text(text) => (TEXT, None, None, Some(text)),
    };
    vec![series.into(), field.into(), at.into(), kind.into(), number.into(), whole.into(), words.into()]
}

/// The values of the two placeholders of [`BUCKET`].
fn step_values(step: Duration) -> Vec<Value> {
    let micros = Value::Int(i64::try_from(step.as_micros()).unwrap_or(i64::MAX));
    vec![micros.clone(), micros.clone(), micros]
}

/// The beginning of a row's step, rounded down before 1970 as well.
const BUCKET: &str = "at_micros - (((at_micros % ?) + ?) % ?)";

fn within(series: usize) -> String {
    format!("at_micros >= ? AND at_micros < ? AND series IN ({})", vec!["?"; series].join(", "))
}

fn whole_points(series: usize) -> String {
    format!(
        "SELECT series, field, at_micros, kind, number, whole, words FROM ieum_series_value \
         WHERE {} ORDER BY at_micros",
        within(series)
    )
}

fn added_up(series: usize, aggregate: Aggregate) -> String {
    let function = match aggregate {
        Aggregate::Max => "MAX",
        Aggregate::Sum => "SUM",
        Aggregate::Mean | Aggregate::Last => "AVG",
    };
    format!(
        "SELECT series, field, bucket AS at_micros, {FLOAT} AS kind, {function}(number) AS number, \
         NULL AS whole, NULL AS words FROM (SELECT series, field, number, {BUCKET} AS bucket \
         FROM ieum_series_value WHERE {} AND number IS NOT NULL) AS cut \
         GROUP BY series, field, bucket ORDER BY bucket",
        within(series)
    )
}

fn last_in_step(series: usize) -> String {
    format!(
        "SELECT kept.series AS series, kept.field AS field, latest.bucket AS at_micros, kind, number, whole, words \
         FROM ieum_series_value AS kept JOIN (SELECT series, field, bucket, MAX(at_micros) AS newest \
         FROM (SELECT series, field, at_micros, {BUCKET} AS bucket FROM ieum_series_value WHERE {}) AS cut \
         GROUP BY series, field, bucket) AS latest \
         ON kept.series = latest.series AND kept.field = latest.field AND kept.at_micros = latest.newest \
         ORDER BY latest.bucket",
        within(series)
    )
}

fn gather(rows: &[Row], gathered: &mut Gathered) -> Result<(), StoreError> {
    for row in rows {
        let value = match row.int("kind")? {
            INT => Field::Int(row.int("whole")?),
            BOOL => Field::Bool(row.int("whole")? != 0),
            TEXT => Field::Text(row.text("words")?),
            _ => Field::Float(row.float("number")?),
        };
        let key = (row.text("series")?, row.int("at_micros")?);
        gathered.entry(key).or_default().insert(row.text("field")?, value);
    }
    Ok(())
}

#[async_trait]
impl TimeSeries for SqlSeries {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            resolution: Duration::from_micros(1),
            text_fields: true,
            whole_numbers: true,
            reads_own_writes: true,
            atomic_batches: true,
        }
    }

    async fn ping(&self) -> Result<(), SeriesError> {
        self.store.ping().await.map_err(failed("asking for an answer"))
    }

    async fn write(&self, points: &[Point]) -> Result<(), SeriesError> {
        check_points(points)?;
        let mut new: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        // A later field of the same key replaces an earlier one: PostgreSQL refuses both in one statement.
        let mut values: BTreeMap<(String, String, Timestamp), Vec<Value>> = BTreeMap::new();
        for point in points {
            let (series, tags) = series_of(point);
            if !self.known.lock().contains(&series) {
                let row = vec![series.as_str().into(), point.measurement.as_str().into(), tags.into()];
                new.insert(series.clone(), row);
            }
            for (field, value) in &point.fields {
                let row = value_row(&series, field, point.at, value);
                values.insert((series.clone(), field.clone(), point.at), row);
            }
        }
        // Sorted, so that two writers take the same rows in the same order.
        let (names, new): (Vec<String>, Vec<Vec<Value>>) = new.into_iter().unzip();
        let values: Vec<Vec<Value>> = values.into_values().collect();
        let mut tries = 1;
        loop {
            match self.write_once(&new, &values).await {
                Ok(()) => break,
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(failed("keeping points")(error)),
            }
        }
        let mut known = self.known.lock();
        if known.len() + names.len() > MOST_KNOWN {
            known.clear();
        }
        known.extend(names);
        Ok(())
    }

    async fn query(&self, range: &Range) -> Result<Vec<Point>, SeriesError> {
        range.check()?;
        let tags = self.find_series(range).await.map_err(failed("finding series"))?;
        let mut series: Vec<&str> = tags.keys().map(String::as_str).collect();
        series.sort_unstable();
        let mut gathered = Gathered::new();
        for some in series.chunks(SERIES_PER_QUERY) {
            let rows = self.read(range, some).await.map_err(failed("reading points"))?;
            gather(&rows, &mut gathered).map_err(failed("reading points"))?;
        }
        let points = gathered.into_iter().map(|((series, at), fields)| Point {
            measurement: range.measurement.clone(),
            tags: tags.get(&series).cloned().unwrap_or_default(),
            fields,
            at: Timestamp::from_micros(at),
        });
        Ok(arrange(points.collect(), range.limit))
    }
}
