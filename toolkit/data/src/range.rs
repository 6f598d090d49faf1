//! Which points to read: measurement, tags, time, and whether whole or in steps.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_core::Timestamp;

use crate::SeriesError;
use crate::point::{Field, Point, check_name};

/// Which points to read.
#[derive(Clone, PartialEq, Debug)]
pub struct Range {
    /// The measurement.
    pub measurement: String,
    /// Tags that the points must have; others do not matter.
    pub tags: BTreeMap<String, String>,
    /// The first time.
    pub from: Timestamp,
    /// The time after the last.
    pub until: Timestamp,
    /// With it, each series becomes one point per step; steps begin at multiples of it since 1970.
    pub step: Option<(Duration, Aggregate)>,
    /// The most points to return, the earliest first.
    pub limit: usize,
}

/// How the points of one step become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aggregate {
    /// The mean of the numbers; texts and truth values are left out.
    Mean,
    /// The greatest number; texts and truth values are left out.
    Max,
    /// The sum of the numbers; texts and truth values are left out.
    Sum,
    /// The latest value of each field.
    Last,
}

/// As many points as one answer holds unless told otherwise.
const LIMIT: usize = 100_000;

impl Range {
    /// Begins a range over all series of `measurement` from `from` until before `until`.
    pub fn new(measurement: &str, from: Timestamp, until: Timestamp) -> Self {
        Self {
            measurement: measurement.to_owned(),
            tags: BTreeMap::new(),
            from,
            until,
            step: None,
            limit: LIMIT,
        }
    }

    /// Wants only points with this tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Wants one point per series and step.
    #[must_use]
    pub fn step(mut self, step: Duration, aggregate: Aggregate) -> Self {
        self.step = Some((step, aggregate));
        self
    }

    /// Wants at most `limit` points.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn check(&self) -> Result<(), SeriesError> {
        let wrong = |part, problem: &str| Err(SeriesError::Range { part, problem: problem.to_owned() });
        if let Err(problem) = check_name(&self.measurement) {
            return wrong("measurement", problem);
        }
        for (name, value) in &self.tags {
            if let Err(problem) = check_name(name).and_then(|()| check_name(value)) {
                return wrong("tags", problem);
            }
        }
        if self.from >= self.until {
            return wrong("until", "it is not after from");
        }
        match self.step {
            Some((step, _)) if step.as_millis() == 0 || step.subsec_micros() % 1_000 != 0 => {
                wrong("step", "it is not a whole number of milliseconds above zero")
            }
            Some((step, _)) if step > Duration::from_secs(366 * 86_400) => {
                wrong("step", "it is longer than a year")
            }
            _ => Ok(()),
        }
    }
}

type Tags = BTreeMap<String, String>;

/// Makes one point per series and step of raw points, as the backends do by themselves.
pub(crate) fn reduce(mut points: Vec<Point>, step: Duration, aggregate: Aggregate) -> Vec<Point> {
    let micros = i64::try_from(step.as_micros()).unwrap_or(i64::MAX);
    points.sort_by_key(|point| point.at);
    let mut steps: BTreeMap<(i64, Tags), (Point, BTreeMap<String, f64>)> = BTreeMap::new();
    for point in points {
        let begin = point.at.as_micros().div_euclid(micros) * micros;
        let fresh = Point::new(&point.measurement, Timestamp::from_micros(begin));
        let (kept, counts) =
            steps.entry((begin, point.tags.clone())).or_insert_with(|| (fresh, BTreeMap::new()));
        kept.tags = point.tags;
        for (name, value) in point.fields {
            let number = match value {
                Field::Float(number) => number,
                Field::Int(number) => number as f64,
                _ if aggregate != Aggregate::Last => continue,
                _ => 0.0,
            };
            let before = match kept.fields.get(&name) {
                Some(Field::Float(before)) => Some(*before),
                _ => None,
            };
            let count = counts.entry(name.clone()).or_insert(0.0);
            *count += 1.0;
            let now = match (aggregate, before) {
                (Aggregate::Last, _) => value,
                (Aggregate::Max, Some(before)) => Field::Float(before.max(number)),
                (Aggregate::Sum, Some(before)) => Field::Float(before + number),
                (Aggregate::Mean, Some(before)) => Field::Float(before + (number - before) / *count),
                (_, None) => Field::Float(number),
            };
            kept.fields.insert(name, now);
        }
    }
    steps.into_values().map(|(point, _)| point).filter(|point| !point.fields.is_empty()).collect()
}

/// Sorts by time, then tags, and cuts at the limit.
pub(crate) fn arrange(mut points: Vec<Point>, limit: usize) -> Vec<Point> {
    points.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.tags.cmp(&other.tags)));
    points.truncate(limit);
    points
}
