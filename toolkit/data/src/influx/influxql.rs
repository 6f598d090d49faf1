//! Reads from InfluxDB 1 with InfluxQL
//! (<https://docs.influxdata.com/influxdb/v1/query_language/spec/>).

use std::collections::BTreeMap;

use ieum_core::Timestamp;
use serde_json::Value as Json;

use super::Server;
use crate::{Aggregate, Field, Point, Range, SeriesError};

/// Makes the server's database where it is missing.
pub(crate) async fn make_database(server: &Server) -> Result<(), SeriesError> {
    let statement = format!("CREATE DATABASE {}", identifier(&server.database));
    let request = server.client.post(server.at("query")).query(&[("q", statement.as_str())]);
    server.ask("making the database", request).await.map(drop)
}

/// Reads the points of `range`.
pub(crate) async fn query(server: &Server, range: &Range) -> Result<Vec<Point>, SeriesError> {
    let step = "reading points";
    let text = statement(range);
    let pairs = [("db", server.database.as_str()), ("epoch", "u"), ("q", text.as_str())];
    let answer = server.ask(step, server.client.get(server.at("query")).query(&pairs)).await?;
    let answer: Json = serde_json::from_str(&answer).map_err(|error| server.odd(step, error.to_string()))?;
    let result = &answer["results"][0];
    if let Some(error) = result["error"].as_str() {
        return Err(server.odd(step, error));
    }
    let prefix = range.step.map(|(_, aggregate)| format!("{}_", function(aggregate))).unwrap_or_default();
    let empty = Vec::new();
    let mut points = Vec::new();
    for series in result["series"].as_array().unwrap_or(&empty) {
        points.extend(
            series_points(series, range, &prefix).ok_or_else(|| server.odd(step, "no such columns"))?,
        );
    }
    Ok(points)
}

fn statement(range: &Range) -> String {
    let mut conditions =
        vec![format!("time >= {}u", range.from.as_micros()), format!("time < {}u", range.until.as_micros())];
    conditions
        .extend(range.tags.iter().map(|(name, value)| format!("{} = {}", identifier(name), text(value))));
    let conditions = conditions.join(" AND ");
    let source = identifier(&range.measurement);
    let limit = range.limit;
    match range.step {
        None => format!("SELECT *::field FROM {source} WHERE {conditions} GROUP BY * LIMIT {limit}"),
        Some((step, aggregate)) => format!(
            "SELECT {}(*) FROM {source} WHERE {conditions} GROUP BY time({}ms), * fill(none) LIMIT {limit}",
            function(aggregate),
            step.as_millis()
        ),
    }
}

const fn function(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Mean => "mean",
        Aggregate::Max => "max",
        Aggregate::Sum => "sum",
        Aggregate::Last => "last",
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn series_points(series: &Json, range: &Range, prefix: &str) -> Option<Vec<Point>> {
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in series["tags"].as_object().into_iter().flatten() {
        // A tag that other series have and this one has not comes as an empty text.
        if let Some(value) = value.as_str().filter(|value| !value.is_empty()) {
            tags.insert(name.clone(), value.to_owned());
        }
    }
    let columns: Vec<&str> = series["columns"].as_array()?.iter().map(Json::as_str).collect::<Option<_>>()?;
    let mut points = Vec::new();
    for row in series["values"].as_array()? {
        let row = row.as_array()?;
        let at = Timestamp::from_micros(row.first()?.as_i64()?);
        let mut fields = BTreeMap::new();
        for (column, value) in columns.iter().zip(row).skip(1) {
            let name = column.strip_prefix(prefix).unwrap_or(column);
            if let Some(value) = field(value) {
                fields.insert(name.to_owned(), value);
            }
        }
        if !fields.is_empty() {
            points.push(Point { measurement: range.measurement.clone(), tags: tags.clone(), fields, at });
        }
    }
    Some(points)
}

fn field(value: &Json) -> Option<Field> {
    match value {
        Json::Bool(truth) => Some(Field::Bool(*truth)),
        Json::String(text) => Some(Field::Text(text.clone())),
        Json::Number(number) => number.as_f64().map(Field::Float),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_hostile_name_stays_one_word() {
        let range =
            Range::new("a\"; DROP DATABASE x --", Timestamp::from_micros(1), Timestamp::from_micros(2))
                .tag("t\"", "v' OR 1=1")
                .step(Duration::from_secs(60), Aggregate::Max);
        assert_eq!(
            statement(&range),
            r#"SELECT max(*) FROM "a\"; DROP DATABASE x --" WHERE time >= 1u AND time < 2u AND "t\"" = 'v\' OR 1=1' GROUP BY time(60000ms), * fill(none) LIMIT 100000"#
        );
    }
}
