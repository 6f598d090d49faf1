//! Reads from VictoriaMetrics, which makes one metric `measurement_field` of each numeric field
//! (<https://docs.victoriametrics.com/victoriametrics/integrations/influxdb/>).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ieum_core::Timestamp;
use serde_json::Value as Json;

use super::Server;
use crate::range::reduce;
use crate::{Aggregate, Field, Point, Range, SeriesError};

/// The label that holds the measurement: `a_b` of `c` and `a` of `b_c` make the same metric name.
const MEASUREMENT: &str = "ieum_measurement";

type Gathered = HashMap<(BTreeMap<String, String>, i64), BTreeMap<String, Field>>;

/// Returns the point with its measurement as a tag and without texts, which the server does not keep and
/// whose line breaks it takes for line ends; `None` where nothing is left.
pub(crate) fn marked(point: &Point) -> Option<Point> {
    let mut point = point.clone().tag(MEASUREMENT, &point.measurement);
    point.fields.retain(|_, value| !matches!(value, Field::Text(_)));
    (!point.fields.is_empty()).then_some(point)
}

/// Reads the points of `range`.
pub(crate) async fn query(server: &Server, range: &Range) -> Result<Vec<Point>, SeriesError> {
    let mut gathered = Gathered::new();
    match range.step {
        Some((step, aggregate)) if is_aligned(range, step) => {
            let millis = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
            in_steps(server, range, millis, aggregate, &mut gathered).await?;
            Ok(points(range, gathered))
        }
        Some((step, aggregate)) => {
            whole_points(server, range, &mut gathered).await?;
            Ok(reduce(points(range, gathered), step, aggregate))
        }
        None => {
            whole_points(server, range, &mut gathered).await?;
            Ok(points(range, gathered))
        }
    }
}

/// Tells whether the range is made of whole steps; the server cannot cut one.
fn is_aligned(range: &Range, step: Duration) -> bool {
    let micros = i64::try_from(step.as_micros()).unwrap_or(i64::MAX);
    range.from.as_micros() % micros == 0 && range.until.as_micros() % micros == 0
}

fn points(range: &Range, gathered: Gathered) -> Vec<Point> {
    gathered
        .into_iter()
        .map(|((tags, millis), fields)| Point {
            measurement: range.measurement.clone(),
            tags,
            fields,
            at: Timestamp::from_millis(millis),
        })
        .collect()
}

fn selector(server: &Server, range: &Range) -> String {
    let mut labels = vec![("db", server.database.as_str()), (MEASUREMENT, range.measurement.as_str())];
    labels.extend(range.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{}={}", label(name), Json::String((*value).to_owned())))
        .collect();
    format!("{{{}}}", labels.join(","))
}

/// MetricsQL takes letters beyond `[a-zA-Z0-9_]` in a label's name behind a backslash.
fn label(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if !letter.is_alphanumeric() && letter != '_' {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// The first millisecond at or after `at`: the server's times have no finer parts.
fn first_millis(at: Timestamp) -> i64 {
    at.as_millis() + i64::from(at.as_micros().rem_euclid(1_000) != 0)
}

async fn whole_points(server: &Server, range: &Range, gathered: &mut Gathered) -> Result<(), SeriesError> {
    let step = "reading points";
    let pairs = [
        ("match[]", selector(server, range)),
        ("start", seconds(first_millis(range.from))),
        ("end", seconds(first_millis(range.until) - 1)),
        ("reduce_mem_usage", "1".to_owned()),
    ];
    let answer = server.ask(step, server.client.get(server.at("api/v1/export")).query(&pairs)).await?;
    for line in answer.lines().filter(|line| !line.is_empty()) {
        let series: Json = serde_json::from_str(line).map_err(|error| server.odd(step, error.to_string()))?;
        let (values, times) = (series["values"].as_array(), series["timestamps"].as_array());
        let (Some(values), Some(times)) = (values, times) else {
            return Err(server.odd(step, "a series without values or timestamps"));
        };
        let samples =
            times.iter().zip(values).filter_map(|(time, value)| Some((time.as_i64()?, value.as_f64()?)));
        gather(gathered, &series["metric"], range, samples);
    }
    Ok(())
}

async fn in_steps(
    server: &Server,
    range: &Range,
    millis: i64,
    aggregate: Aggregate,
    gathered: &mut Gathered,
) -> Result<(), SeriesError> {
    let step = "reading points in steps";
    let function = match aggregate {
        Aggregate::Mean => "avg_over_time",
        Aggregate::Max => "max_over_time",
        Aggregate::Sum => "sum_over_time",
        Aggregate::Last => "last_over_time",
    };
    // A value at `t` covers the time after `t - step` up to `t`. Asked a millisecond before its end, a step
    // holds its first millisecond and not its last.
    let (from, until) = (first_millis(range.from), first_millis(range.until));
    let first = from.div_euclid(millis) * millis;
    let last = (until - 1).div_euclid(millis) * millis;
    let pairs = [
        ("query", format!("{function}({}[{millis}ms]) keep_metric_names", selector(server, range))),
        ("start", seconds(first + millis - 1)),
        ("end", seconds(last + millis - 1)),
        ("step", format!("{millis}ms")),
        ("nocache", "1".to_owned()),
    ];
    let answer = server.ask(step, server.client.get(server.at("api/v1/query_range")).query(&pairs)).await?;
    let answer: Json = serde_json::from_str(&answer).map_err(|error| server.odd(step, error.to_string()))?;
    let Some(found) = answer["data"]["result"].as_array() else {
        return Err(server.odd(step, "an answer without data"));
    };
    for series in found {
        let samples = series["values"].as_array().into_iter().flatten().filter_map(|sample| {
            let end = (sample[0].as_f64()? * 1_000.0).round() as i64;
            Some((end + 1 - millis, sample[1].as_str()?.parse().ok()?))
        });
        gather(gathered, &series["metric"], range, samples);
    }
    Ok(())
}

fn seconds(millis: i64) -> String {
    format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000))
}

fn gather(gathered: &mut Gathered, metric: &Json, range: &Range, samples: impl Iterator<Item = (i64, f64)>) {
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    let mut field = "";
    for (name, value) in metric.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        match name.as_str() {
            "__name__" => {
                let rest = value.strip_prefix(range.measurement.as_str()).unwrap_or(value);
                field = rest.strip_prefix('_').unwrap_or(rest);
            }
            "db" | MEASUREMENT => {}
            _ => {
                tags.insert(name.clone(), value.to_owned());
            }
        }
    }
    for (millis, value) in samples {
        gathered.entry((tags.clone(), millis)).or_default().insert(field.to_owned(), Field::Float(value));
    }
}
