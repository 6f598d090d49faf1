//! Pure sums: from cells and days to the report of attendance by type, hour and weekday.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::analytics::{AttendanceGroup, AttendanceRange, AttendanceReport, AttendanceTrend};
use ieum_core::{Fault, Timestamp};

/// What is looked at where nothing is asked for: the seed's year.
const USUAL: Duration = Duration::from_secs(366 * 86_400);
/// The longest range.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);
/// The most names that one question may hold.
const MOST_NAMES: usize = 1_000;

/// A range of time, its end not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// Sums over the hours of one type, weekday and hour of the day.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The type.
    pub event_type: String,
    /// 1 (Monday) to 7.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// Arrivals.
    pub came: f64,
    /// Arrivals of each hour, squared.
    pub came_squared: f64,
    /// Hours that have a rate.
    pub rated: u64,
    /// Their rates.
    pub rates: f64,
    /// Their rates, squared.
    pub rates_squared: f64,
}

/// Sums over the event days of one type, weekday and half of the range.
#[derive(Clone, Debug, PartialEq)]
pub struct Days {
    /// The type.
    pub event_type: String,
    /// 1 (Monday) to 7.
    pub weekday: u8,
    /// Whether they are in the later half.
    pub later: bool,
    /// How many.
    pub days: u64,
    /// Arrivals.
    pub came: f64,
    /// Arrivals of each day, squared.
    pub came_squared: f64,
}

/// Sums that any groups of cells and days add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    days: u64,
    came: f64,
    came_squared: f64,
    rated: u64,
    rates: f64,
    rates_squared: f64,
}

// === Span ===

impl Span {
    /// Returns the range that is asked for. Fails with `analytics.range.invalid`, naming the field.
    pub fn of(ask: &AttendanceRange, now: Timestamp) -> Result<Self, Fault> {
        let until = ask.until.unwrap_or(now);
        let from = ask.from.unwrap_or(until - USUAL);
        let wrong = |field: &str, problem: String| {
            Fault::invalid_argument("analytics.range.invalid", format!("field {field}: {problem}"))
        };
        if from >= until {
            return Err(wrong("from", format!("{from} is not before until, which is {until}")));
        }
        if until.since(from) > LONGEST {
            return Err(wrong("from", format!("{from} is more than ten years before until")));
        }
        let names = [("eventIds", &ask.event_ids), ("eventTypes", &ask.event_types)];
        for (field, list) in names {
            if list.as_ref().is_some_and(|list| list.len() > MOST_NAMES) {
                return Err(wrong(field, format!("has more than {MOST_NAMES} entries")));
            }
        }
        Ok(Self { from, until })
    }

    /// Returns the moment between its halves.
    pub fn middle(self) -> Timestamp {
        self.from + self.until.since(self.from) / 2
    }
}

// === Report ===

/// Returns the report of what the store counted.
pub fn report(span: Span, cells: &[Cell], days: &[Days]) -> AttendanceReport {
    AttendanceReport {
        from: span.from,
        until: span.until,
        by_event_type: by_event_type(cells, days),
        by_time_of_day: by_time_of_day(cells, days),
        by_day_of_week: by_day_of_week(cells, days),
        cells: single(cells, days),
        trends: trends(days),
    }
}

fn by_event_type(cells: &[Cell], days: &[Days]) -> Vec<AttendanceGroup> {
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    days.iter().for_each(|days| sums.entry(&days.event_type).or_default().add_days(days));
    cells.iter().for_each(|cell| sums.entry(&cell.event_type).or_default().add_rates(cell));
    let group =
        |(kind, sums): (&str, Sums)| AttendanceGroup { event_type: Some(kind.to_owned()), ..sums.group() };
    let mut groups: Vec<_> = sums.into_iter().map(group).collect();
    groups.sort_by(|one, other| other.average_arrivals.total_cmp(&one.average_arrivals));
    groups
}

fn by_day_of_week(cells: &[Cell], days: &[Days]) -> Vec<AttendanceGroup> {
    let mut sums: BTreeMap<u8, Sums> = BTreeMap::new();
    days.iter().for_each(|days| sums.entry(days.weekday).or_default().add_days(days));
    cells.iter().for_each(|cell| sums.entry(cell.weekday).or_default().add_rates(cell));
    let group = |(day, sums): (u8, Sums)| AttendanceGroup { day_of_week: Some(day), ..sums.group() };
    sums.into_iter().map(group).collect()
}

/// An hour of the day is averaged over every event day, whether or not anything was told in it.
fn by_time_of_day(cells: &[Cell], days: &[Days]) -> Vec<AttendanceGroup> {
    let all = days.iter().map(|days| days.days).sum();
    let mut sums: BTreeMap<u8, Sums> = BTreeMap::new();
    for cell in cells {
        let sum = sums.entry(cell.hour).or_default();
        sum.add_rates(cell);
        sum.add_hours(cell, all);
    }
    let group = |(hour, sums): (u8, Sums)| AttendanceGroup { hour_of_day: Some(hour), ..sums.group() };
    sums.into_iter().map(group).collect()
}

fn single(cells: &[Cell], days: &[Days]) -> Vec<AttendanceGroup> {
    let mut counts: BTreeMap<(&str, u8), u64> = BTreeMap::new();
    for days in days {
        *counts.entry((&days.event_type, days.weekday)).or_default() += days.days;
    }
    let group = |cell: &Cell| {
        let mut sums = Sums::default();
        sums.add_rates(cell);
        sums.add_hours(cell, counts.get(&(cell.event_type.as_str(), cell.weekday)).copied().unwrap_or(0));
        AttendanceGroup {
            event_type: Some(cell.event_type.clone()),
            hour_of_day: Some(cell.hour),
            day_of_week: Some(cell.weekday),
            ..sums.group()
        }
    };
    cells.iter().map(group).collect()
}

fn trends(days: &[Days]) -> Vec<AttendanceTrend> {
    let mut halves: BTreeMap<&str, [Sums; 2]> = BTreeMap::new();
    for days in days {
        halves.entry(&days.event_type).or_default()[usize::from(days.later)].add_days(days);
    }
    let trend = |(kind, [earlier, later]): (&str, [Sums; 2])| {
        let (before, after) = (earlier.average(), later.average());
        let comparable = earlier.days > 0 && later.days > 0 && before > 0.0;
        AttendanceTrend {
            event_type: kind.to_owned(),
            earlier_days: earlier.days,
            earlier_average: before,
            later_days: later.days,
            later_average: after,
            change: comparable.then(|| after / before - 1.0),
        }
    };
    halves.into_iter().map(trend).collect()
}

// === Sums ===

impl Sums {
    fn add_days(&mut self, days: &Days) {
        self.days += days.days;
        self.came += days.came;
        self.came_squared += days.came_squared;
    }

    /// Adds the arrivals of hours, which are averaged over `days`.
    fn add_hours(&mut self, cell: &Cell, days: u64) {
        self.days = days;
        self.came += cell.came;
        self.came_squared += cell.came_squared;
    }

    fn add_rates(&mut self, cell: &Cell) {
        self.rated += cell.rated;
        self.rates += cell.rates;
        self.rates_squared += cell.rates_squared;
    }

    fn average(&self) -> f64 {
        if self.days == 0 { 0.0 } else { self.came / self.days as f64 }
    }

    fn group(&self) -> AttendanceGroup {
        AttendanceGroup {
            arrivals: self.came,
            event_days: self.days,
            average_arrivals: self.average(),
            arrivals_deviation: deviation(self.days, self.came, self.came_squared),
            sample_size: self.rated,
            average_attendance: (self.rated > 0).then(|| self.rates / self.rated as f64),
            attendance_deviation: deviation(self.rated, self.rates, self.rates_squared),
            ..AttendanceGroup::default()
        }
    }
}

/// The standard deviation of a sample from its count, sum and sum of squares; `None` of fewer than two.
fn deviation(count: u64, sum: f64, squares: f64) -> Option<f64> {
    let n = count as f64;
    (count > 1).then(|| ((squares - sum * sum / n).max(0.0) / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(event_type: &str, weekday: u8, hour: u8, hours: &[(f64, Option<f64>)]) -> Cell {
        let rates: Vec<f64> = hours.iter().filter_map(|(_, rate)| *rate).collect();
        Cell {
            event_type: event_type.into(),
            weekday,
            hour,
            came: hours.iter().map(|(came, _)| came).sum(),
            came_squared: hours.iter().map(|(came, _)| came * came).sum(),
            rated: rates.len() as u64,
            rates: rates.iter().sum(),
            rates_squared: rates.iter().map(|rate| rate * rate).sum(),
        }
    }

    fn days(event_type: &str, weekday: u8, later: bool, days: &[f64]) -> Days {
        Days {
            event_type: event_type.into(),
            weekday,
            later,
            days: days.len() as u64,
            came: days.iter().sum(),
            came_squared: days.iter().map(|came| came * came).sum(),
        }
    }

    fn span() -> Span {
        Span { from: Timestamp::from_seconds(0), until: Timestamp::from_seconds(100) }
    }

    #[test]
    fn an_hour_in_which_nothing_was_told_counts_as_nobody_and_a_missing_rate_as_nothing() {
        let cells = [cell("concert", 6, 18, &[(10.0, Some(0.5)), (20.0, None)])];
        let days = [days("concert", 6, false, &[10.0, 20.0, 0.0])];
        let report = report(span(), &cells, &days);
        let hour = &report.by_time_of_day[0];
        assert_eq!((hour.hour_of_day, hour.event_days, hour.average_arrivals), (Some(18), 3, 10.0));
        assert_eq!(hour.arrivals_deviation, Some(10.0), "of 10, 20 and 0");
        assert_eq!((hour.sample_size, hour.average_attendance), (1, Some(0.5)));
        assert_eq!(hour.attendance_deviation, None, "one hour deviates from nothing");
    }

    #[test]
    fn groups_add_up_to_the_same_whole() {
        let cells = [
            cell("concert", 6, 18, &[(10.0, Some(0.5))]),
            cell("fair", 6, 10, &[(4.0, Some(1.0))]),
            cell("fair", 7, 10, &[(6.0, None)]),
        ];
        let days = [
            days("concert", 6, true, &[10.0]),
            days("fair", 6, false, &[4.0]),
            days("fair", 7, true, &[6.0]),
        ];
        let report = report(span(), &cells, &days);
        let all = |groups: &[AttendanceGroup]| groups.iter().map(|group| group.arrivals).sum::<f64>();
        for groups in [&report.by_event_type, &report.by_time_of_day, &report.by_day_of_week, &report.cells] {
            assert!((all(groups) - 20.0).abs() < f64::EPSILON, "{groups:?}");
        }
        assert_eq!(report.by_event_type[0].event_type.as_deref(), Some("concert"), "most a day first");
        let fair = report.trends.iter().find(|trend| trend.event_type == "fair").expect("is there");
        assert_eq!((fair.earlier_average, fair.later_average, fair.change), (4.0, 6.0, Some(0.5)));
        assert_eq!(report.trends[0].change, None, "no concert in the earlier half");
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused_by_field() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let usual = Span::of(&AttendanceRange::default(), now).expect("is a range");
        assert_eq!(usual.until.since(usual.from), USUAL);
        let ask = AttendanceRange { from: Some(now), ..AttendanceRange::default() };
        let fault = Span::of(&ask, now).expect_err("is refused");
        assert!(fault.reason == "analytics.range.invalid" && fault.message.contains("field from"), "{fault}");
    }
}
