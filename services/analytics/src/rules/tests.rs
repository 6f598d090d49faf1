//! Each rule applies where it should, and not where a little less is known.

use ieum_contracts::analytics::{
    AttendanceTrend, EventRoi, ForecastPoint, ForecastScore, GateFlow, MoneyEntry, RoiFigures,
};

use super::*;

struct Case {
    performance: PerformanceMetrics,
    patterns: AttendanceReport,
    usual: Option<AttendanceGroup>,
    forecasts: Vec<EventForecast>,
    roi: RoiReport,
    over: bool,
}

impl Case {
    fn new() -> Self {
        Self {
            performance: PerformanceMetrics::default(),
            patterns: AttendanceReport::default(),
            usual: None,
            forecasts: Vec::new(),
            roi: RoiReport::default(),
            over: false,
        }
    }

    fn kinds(&self) -> Vec<String> {
        let found = self.found();
        for one in &found {
            assert!(!one.evidence.is_empty() && !one.rule.is_empty(), "{one:?} has nothing to show");
            assert!(one.message_korean.chars().any(|letter| ('가'..='힣').contains(&letter)), "{one:?}");
        }
        found.into_iter().map(|one| one.kind).collect()
    }

    fn found(&self) -> Vec<Recommendation> {
        let gates_needed = gates_needed(&self.performance, &self.forecasts);
        about_event(&Facts {
            event_id: "expo",
            over: self.over,
            performance: &self.performance,
            patterns: &self.patterns,
            usual: self.usual.as_ref(),
            forecasts: &self.forecasts,
            gates_needed: &gates_needed,
            roi: &self.roi,
        })
    }
}

fn gates(shares: &[f64]) -> Vec<GateFlow> {
    let gate = |(i, share): (usize, &f64)| GateFlow {
        gate_id: format!("g{i}"),
        people: share * 1_000.0,
        share: *share,
        most_per_hour: share * 200.0,
    };
    shares.iter().enumerate().map(gate).collect()
}

fn forecast(step: ForecastStep, value: f64, upper: f64) -> EventForecast {
    let point = ForecastPoint { at: Timestamp::from_seconds(3_600), value, lower: 0.0, upper };
    EventForecast { event_id: "expo".into(), step, points: vec![point], ..EventForecast::default() }
}

fn group(event_days: u64, average_arrivals: f64, deviation: f64) -> AttendanceGroup {
    let arrivals_deviation = Some(deviation);
    AttendanceGroup { event_days, average_arrivals, arrivals_deviation, ..AttendanceGroup::default() }
}

#[test]
fn an_event_of_which_nothing_is_known_gets_no_advice() {
    assert_eq!(Case::new().kinds(), [""; 0]);
}

#[test]
fn a_gate_that_takes_far_more_than_its_share_is_relieved() {
    let mut case = Case::new();
    case.performance.gates = gates(&[0.7, 0.2, 0.1]);
    assert_eq!(case.kinds(), ["gates.unequal"]);
    assert_eq!(case.found()[0].evidence[0].value, 0.7);
    case.performance.gates = gates(&[0.6, 0.4]);
    assert_eq!(case.kinds(), [""; 0], "of two gates three quarters are unequal");
    case.performance.gates = gates(&[0.07, 0.02, 0.01]);
    assert_eq!(case.kinds(), [""; 0], "of ninety people nothing follows");
}

#[test]
fn gates_and_room_are_asked_for_before_they_run_out() {
    let mut case = Case::new();
    case.performance.gates = gates(&[0.5, 0.5]);
    case.performance.capacity = Some(900);
    case.forecasts =
        vec![forecast(ForecastStep::Hour, 150.0, 250.0), forecast(ForecastStep::Day, 950.0, 1_000.0)];
    assert_eq!(case.kinds(), ["capacity.ahead", "gates.too_few"]);
    assert_eq!(case.found()[0].severity, Severity::Critical, "even the expected number is too many");
    case.forecasts =
        vec![forecast(ForecastStep::Hour, 150.0, 190.0), forecast(ForecastStep::Day, 800.0, 899.0)];
    assert_eq!(case.kinds(), [""; 0], "two gates take 200 an hour");
    case.performance.highest_occupancy = Some(0.95);
    assert_eq!(case.kinds(), ["capacity.reached"]);
}

#[test]
fn peaks_and_weekdays_need_days_enough_and_more_than_chance() {
    let mut case = Case::new();
    let hour = |hour: u8, average: f64| AttendanceGroup { hour_of_day: Some(hour), ..group(5, average, 1.0) };
    case.patterns.by_time_of_day = vec![hour(10, 5.0), hour(11, 5.0), hour(18, 40.0)];
    assert_eq!(case.kinds(), ["hours.peak"]);
    case.patterns.by_time_of_day[2].event_days = 2;
    assert_eq!(case.kinds(), [""; 0]);
    let day = |day: u8, average: f64, deviation: f64| AttendanceGroup {
        day_of_week: Some(day),
        ..group(4, average, deviation)
    };
    case.patterns.by_day_of_week = vec![day(1, 100.0, 10.0), day(6, 180.0, 10.0)];
    assert_eq!(case.kinds(), ["weekday.better"]);
    case.patterns.by_day_of_week = vec![day(1, 100.0, 150.0), day(6, 180.0, 150.0)];
    assert_eq!(case.kinds(), [""; 0], "that may be chance");
}

#[test]
fn a_low_attendance_is_told_once_an_event_is_over() {
    let mut case = Case::new();
    case.performance.attendance_rate = Some(0.4);
    case.usual = Some(AttendanceGroup {
        event_type: Some("concert".into()),
        sample_size: 30,
        average_attendance: Some(0.8),
        attendance_deviation: Some(0.1),
        ..AttendanceGroup::default()
    });
    assert_eq!(case.kinds(), [""; 0], "people may still come");
    case.over = true;
    assert_eq!(case.kinds(), ["attendance.low"]);
    case.performance.attendance_rate = Some(0.75);
    assert_eq!(case.kinds(), [""; 0], "within one deviation");
}

#[test]
fn a_loss_shows_its_sums_and_largest_costs() {
    let mut case = Case::new();
    let entry = |id: &str, amount_minor: i64| MoneyEntry {
        entry_id: id.into(),
        kind: MoneyKind::Cost,
        label: id.into(),
        amount_minor,
        currency: "KRW".into(),
        at: None,
    };
    let entries = vec![entry("a", 1), entry("b", 50), entry("c", 20), entry("d", 30)];
    let figures =
        RoiFigures { currency: "KRW".into(), cost_minor: 101, net_minor: -101, ..RoiFigures::default() };
    case.roi.events = vec![EventRoi { event_id: "expo".into(), figures, entries }];
    assert_eq!(case.kinds(), ["money.loss"]);
    let rows: Vec<String> = case.found()[0].evidence.iter().map(|row| row.row.clone()).collect();
    assert_eq!(rows, ["revenueMinor", "costMinor", "b", "d", "c"]);
    case.roi.events[0].figures.net_minor = 0;
    assert_eq!(case.kinds(), [""; 0]);
}

#[test]
fn a_forecast_that_keeps_missing_is_told() {
    let mut case = Case::new();
    let mut made = forecast(ForecastStep::Hour, 10.0, 20.0);
    made.score = ForecastScore { steps: 48, within: 30, absolute_error: 1.0, actual: 1.0 };
    case.forecasts = vec![made];
    assert_eq!(case.kinds(), ["forecast.unsure"]);
    case.forecasts[0].score.within = 40;
    assert_eq!(case.kinds(), [""; 0]);
}

#[test]
fn a_type_that_loses_or_wins_people_is_told() {
    let trend = |kind: &str, change: f64, days: u64| AttendanceTrend {
        event_type: kind.into(),
        earlier_days: days,
        later_days: days,
        earlier_average: 100.0,
        later_average: 100.0 * (1.0 + change),
        change: Some(change),
    };
    let trends =
        vec![trend("fair", 0.3, 5), trend("concert", -0.3, 5), trend("talk", -0.1, 5), trend("run", -0.9, 1)];
    let patterns = AttendanceReport { trends, ..AttendanceReport::default() };
    let found = across_events(&patterns, &RoiReport::default());
    let kinds: Vec<&str> = found.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["type.falling", "type.rising"], "the warning first");
    assert!(found[0].message.contains("-30 %"), "{}", found[0].message);
}
