//! Pure decisions: what to do about an event or a kind of events, each with the rows that say so.

use ieum_contracts::analytics::{
    AttendanceGroup, AttendanceReport, BusyHour, EventForecast, Evidence, ForecastStep, GatesNeeded,
    MoneyKind, PerformanceMetrics, Recommendation, RoiReport,
};
use ieum_contracts::events::Severity;
use ieum_core::Timestamp;

#[cfg(test)]
mod tests;

/// A gate is unequal from so many times its even share on.
const UNEQUAL: f64 = 2.0;
/// Fewer people than this through all gates say nothing of them.
const FEWEST_PEOPLE: f64 = 100.0;
/// An hour is a peak from so many times the mean hour on.
const PEAK: f64 = 2.0;
/// Fewer event days than this say nothing of an hour or a weekday.
const FEWEST_DAYS: u64 = 3;
/// Fewer hours than this say nothing of a type's usual attendance.
const FEWEST_HOURS: u64 = 30;
/// An event is full from this share of its capacity on.
const FULL: f64 = 0.9;
/// A weekday is better from this much more on.
const BETTER: f64 = 0.5;
/// A trend counts from this much on.
const TREND: f64 = 0.2;
/// Fewer steps than this say nothing of a forecast.
const FEWEST_STEPS: u64 = 48;
/// A forecast is unsure where fewer of what came lay within its intervals.
const UNSURE: f64 = 0.75;
/// So many rows of a kind are shown.
const MOST_ROWS: usize = 3;

/// What is known of one event.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The event.
    pub event_id: &'a str,
    /// Whether it is over.
    pub over: bool,
    /// Its figures.
    pub performance: &'a PerformanceMetrics,
    /// Its history.
    pub patterns: &'a AttendanceReport,
    /// What is usual of its type, all events together.
    pub usual: Option<&'a AttendanceGroup>,
    /// What is to come.
    pub forecasts: &'a [EventForecast],
    /// The gates that it will need.
    pub gates_needed: &'a [GatesNeeded],
    /// What it earned and cost.
    pub roi: &'a RoiReport,
}

/// Returns what to do about one event, the most urgent first.
pub fn about_event(facts: &Facts<'_>) -> Vec<Recommendation> {
    let found = [
        capacity_ahead(facts),
        too_few_gates(facts),
        was_full(facts),
        unequal_gates(facts),
        peak_hour(facts),
        low_attendance(facts),
        better_weekday(facts),
        unsure_forecast(facts),
    ];
    let mut found: Vec<Recommendation> = found.into_iter().flatten().collect();
    found.extend(losses(facts.roi));
    urgent_first(found)
}

/// Returns what to do about many events, the most urgent first.
pub fn across_events(patterns: &AttendanceReport, roi: &RoiReport) -> Vec<Recommendation> {
    urgent_first(trends(patterns).into_iter().chain(losses(roi)).collect())
}

/// Returns how many gates the hours to come need: the interval's upper end over what one gate was seen to take.
pub fn gates_needed(performance: &PerformanceMetrics, forecasts: &[EventForecast]) -> Vec<GatesNeeded> {
    let Some(gate) = performance.gates.iter().max_by(|a, b| a.most_per_hour.total_cmp(&b.most_per_hour))
    else {
        return Vec::new();
    };
    if gate.most_per_hour < 1.0 {
        return Vec::new();
    }
    let hours = forecasts.iter().filter(|made| made.step == ForecastStep::Hour && made.gate_id.is_none());
    let points = hours.flat_map(|made| made.points.iter().map(move |point| (&made.event_id, point)));
    let needed = points.map(|(event_id, point)| GatesNeeded {
        event_id: event_id.clone(),
        at: point.at,
        people: point.upper,
        per_gate: gate.most_per_hour,
        gates: (point.upper / gate.most_per_hour).ceil() as u64,
    });
    needed.filter(|needed| needed.gates > 1).collect()
}

/// Returns the hours of weekdays in which the most people come; at most three.
pub fn best_hours(patterns: &AttendanceReport) -> Vec<AttendanceGroup> {
    let mut cells: Vec<AttendanceGroup> =
        patterns.cells.iter().filter(|cell| cell.average_arrivals > 0.0).cloned().collect();
    cells.sort_by(|one, other| other.average_arrivals.total_cmp(&one.average_arrivals));
    cells.truncate(MOST_ROWS);
    cells
}

fn capacity_ahead(facts: &Facts<'_>) -> Option<Recommendation> {
    let capacity = facts.performance.capacity.filter(|capacity| *capacity > 0)?;
    let days = facts.forecasts.iter().filter(|made| made.step == ForecastStep::Day && made.gate_id.is_none());
    let points = days.flat_map(|made| &made.points);
    let over: Vec<_> = points.filter(|point| point.upper > capacity as f64).collect();
    let first = over.first()?;
    let severity = if over.iter().any(|point| point.value > capacity as f64) {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let row = |point: &&ieum_contracts::analytics::ForecastPoint| {
        evidence("attendanceForecast", "upper", point.upper, "people").at(point.at)
    };
    Some(Recommendation {
        kind: "capacity.ahead".into(),
        severity,
        event_id: Some(facts.event_id.to_owned()),
        message: format!(
            "more people may come on {} than the {capacity} that it holds: admit them by time slots",
            first.at
        ),
        message_korean: format!(
            "{} 하루 방문객이 수용 인원 {capacity}명을 넘을 수 있습니다. 시간대별로 나누어 입장시키십시오",
            first.at
        ),
        rule: format!("the upper end of a day's forecast is above the capacity of {capacity}"),
        evidence: over.iter().take(MOST_ROWS).map(row).collect(),
    })
}

fn too_few_gates(facts: &Facts<'_>) -> Option<Recommendation> {
    let there = facts.performance.gates.len() as u64;
    let most = facts.gates_needed.iter().max_by_key(|needed| needed.gates)?;
    (most.gates > there).then(|| Recommendation {
        kind: "gates.too_few".into(),
        severity: Severity::Warning,
        event_id: Some(facts.event_id.to_owned()),
        message: format!("open {} gates at {}; {there} are known", most.gates, most.at),
        message_korean: format!("{}에는 게이트 {}개가 필요합니다. 현재 {there}개입니다", most.at, most.gates),
        rule: "people at the forecast's upper end, over the most that one gate took in an hour, is above the gates there are".into(),
        evidence: vec![
            evidence("attendanceForecast", "upper", most.people, "people").at(most.at),
            evidence("gates", "mostPerHour", most.per_gate, "people"),
        ],
    })
}

fn was_full(facts: &Facts<'_>) -> Option<Recommendation> {
    let share = facts.performance.highest_occupancy.filter(|share| *share >= FULL)?;
    let percent = (share * 100.0).round();
    let mut row =
        evidence("performanceMetrics", "mostInside", facts.performance.most_inside as f64, "people");
    row.at = facts.performance.most_inside_at;
    Some(Recommendation {
        kind: "capacity.reached".into(),
        severity: if share > 1.0 { Severity::Critical } else { Severity::Warning },
        event_id: Some(facts.event_id.to_owned()),
        message: format!("it was {percent} % full: take a larger place or admit people by time slots"),
        message_korean: format!(
            "수용 인원의 {percent}%까지 찼습니다. 더 넓은 장소나 시간대별 입장을 검토하십시오"
        ),
        rule: format!("the most people inside reach {FULL} of the capacity"),
        evidence: vec![row, evidence("performanceMetrics", "highestOccupancy", share, "share")],
    })
}

fn unequal_gates(facts: &Facts<'_>) -> Option<Recommendation> {
    let gates = &facts.performance.gates;
    let (busy, idle) = (gates.first()?, gates.last()?);
    let all: f64 = gates.iter().map(|gate| gate.people).sum();
    let even = 1.0 / gates.len() as f64;
    // Of two gates one can take twice its even share only by taking all: three quarters stand for it there.
    let limit = if gates.len() == 2 { 0.75 } else { UNEQUAL * even };
    (gates.len() > 1 && all >= FEWEST_PEOPLE && busy.share >= limit).then(|| Recommendation {
        kind: "gates.unequal".into(),
        severity: Severity::Warning,
        event_id: Some(facts.event_id.to_owned()),
        message: format!("guide people from gate {} to gate {}", busy.gate_id, idle.gate_id),
        message_korean: format!("{} 게이트의 인파를 {} 게이트로 유도하십시오", busy.gate_id, idle.gate_id),
        rule: format!(
            "one of {} gates takes at least {limit:.2} of all people, of at least {FEWEST_PEOPLE}",
            gates.len()
        ),
        evidence: [busy, idle].map(|gate| evidence("gates", &gate.gate_id, gate.share, "share")).into(),
    })
}

fn peak_hour(facts: &Facts<'_>) -> Option<Recommendation> {
    let hours: Vec<&AttendanceGroup> = facts.patterns.by_time_of_day.iter().collect();
    let busy = hours.iter().max_by(|a, b| a.average_arrivals.total_cmp(&b.average_arrivals))?;
    let open: Vec<f64> =
        hours.iter().map(|hour| hour.average_arrivals).filter(|average| *average > 0.0).collect();
    let mean = open.iter().sum::<f64>() / open.len().max(1) as f64;
    let hour = busy.hour_of_day?;
    let peak = busy.event_days >= FEWEST_DAYS && open.len() > 1 && busy.average_arrivals >= PEAK * mean;
    let busiest = facts.performance.busiest_hour.map(|BusyHour { at, arrivals }| {
        evidence("performanceMetrics", "busiestHour", arrivals, "people").at(at)
    });
    peak.then(|| Recommendation {
        kind: "hours.peak".into(),
        severity: Severity::Info,
        event_id: Some(facts.event_id.to_owned()),
        message: format!("staff every gate from {hour}:00 on, and offer reasons to come at other hours"),
        message_korean: format!(
            "{hour}시부터 모든 게이트에 인력을 배치하고, 다른 시간대의 방문을 유도하십시오"
        ),
        rule: format!(
            "an hour has at least {PEAK} times the arrivals of the mean hour, over {FEWEST_DAYS} days or more"
        ),
        evidence: [
            evidence("byTimeOfDay", &format!("{hour}"), busy.average_arrivals, "people"),
            evidence("byTimeOfDay", "mean", mean, "people"),
        ]
        .into_iter()
        .chain(busiest)
        .collect(),
    })
}

fn low_attendance(facts: &Facts<'_>) -> Option<Recommendation> {
    let usual = facts.usual.filter(|usual| usual.sample_size >= FEWEST_HOURS)?;
    let (average, deviation) = (usual.average_attendance?, usual.attendance_deviation?);
    let rate = facts.performance.attendance_rate.filter(|rate| facts.over && *rate < average - deviation)?;
    let kind = usual.event_type.clone().unwrap_or_default();
    Some(Recommendation {
        kind: "attendance.low".into(),
        severity: Severity::Warning,
        event_id: Some(facts.event_id.to_owned()),
        message: format!("fewer of those registered came than usual of {kind}: remind them the day before"),
        message_korean: format!("{kind} 유형의 평소보다 참석률이 낮습니다. 전날 안내를 보내십시오"),
        rule: "the attendance rate of an event that is over is more than one deviation below its type's mean"
            .into(),
        evidence: vec![
            evidence("performanceMetrics", "attendanceRate", rate, "share"),
            evidence("byEventType", &kind, average, "share"),
            evidence("byEventType", &format!("{kind} deviation"), deviation, "share"),
        ],
    })
}

fn better_weekday(facts: &Facts<'_>) -> Option<Recommendation> {
    let days = facts.patterns.by_day_of_week.iter().filter(|day| day.event_days >= FEWEST_DAYS);
    let days: Vec<&AttendanceGroup> = days.collect();
    let best = days.iter().max_by(|a, b| a.average_arrivals.total_cmp(&b.average_arrivals))?;
    let worst = days.iter().min_by(|a, b| a.average_arrivals.total_cmp(&b.average_arrivals))?;
    // Twice the standard error of the difference: less is chance.
    let error = |day: &AttendanceGroup| day.arrivals_deviation.unwrap_or(0.0).powi(2) / day.event_days as f64;
    let difference = best.average_arrivals - worst.average_arrivals;
    let sure = difference > 2.0 * (error(best) + error(worst)).sqrt();
    let (good, bad) = (best.day_of_week?, worst.day_of_week?);
    (sure && difference >= BETTER * worst.average_arrivals.max(1.0)).then(|| Recommendation {
        kind: "weekday.better".into(),
        severity: Severity::Info,
        event_id: Some(facts.event_id.to_owned()),
        message: format!("put what is worth more on {}, when more people come than on {}", english(good), english(bad)),
        message_korean: format!("방문객이 더 많은 {}에 주요 프로그램을 배치하십시오 ({} 대비)", korean(good), korean(bad)),
        rule: format!("a weekday has at least {BETTER} more arrivals a day than another, by more than twice the standard error, over {FEWEST_DAYS} days or more each"),
        evidence: vec![
            evidence("byDayOfWeek", &good.to_string(), best.average_arrivals, "people"),
            evidence("byDayOfWeek", &bad.to_string(), worst.average_arrivals, "people"),
        ],
    })
}

fn unsure_forecast(facts: &Facts<'_>) -> Option<Recommendation> {
    let scored = |made: &&EventForecast| made.score.steps >= FEWEST_STEPS;
    let share = |made: &EventForecast| made.score.within as f64 / made.score.steps as f64;
    let made = facts.forecasts.iter().filter(scored).find(|made| share(made) < UNSURE)?;
    let percent = (share(made) * 100.0).round();
    Some(Recommendation {
        kind: "forecast.unsure".into(),
        severity: Severity::Info,
        event_id: Some(facts.event_id.to_owned()),
        message: format!("rely less on its forecasts: {percent} % of what came lay within their intervals"),
        message_korean: format!("예측 구간에 실제 값이 든 비율이 {percent}%입니다. 예측을 참고로만 쓰십시오"),
        rule: format!(
            "of at least {FEWEST_STEPS} steps that came, fewer than {UNSURE} lay within the intervals"
        ),
        evidence: vec![
            evidence("score", "within", made.score.within as f64, "steps"),
            evidence("score", "steps", made.score.steps as f64, "steps"),
        ],
    })
}

fn losses(roi: &RoiReport) -> Vec<Recommendation> {
    let losing = roi.events.iter().filter(|event| event.figures.net_minor < 0);
    let loss = |event: &ieum_contracts::analytics::EventRoi| {
        let figures = &event.figures;
        let mut costs: Vec<_> = event.entries.iter().filter(|entry| entry.kind == MoneyKind::Cost).collect();
        costs.sort_by_key(|entry| std::cmp::Reverse(entry.amount_minor));
        let row = |entry: &&ieum_contracts::analytics::MoneyEntry| {
            let mut row = evidence("entries", &entry.entry_id, entry.amount_minor as f64, &figures.currency);
            row.at = entry.at;
            row
        };
        let sums = [("revenueMinor", figures.revenue_minor), ("costMinor", figures.cost_minor)];
        let sums = sums.map(|(name, sum)| evidence("roiAnalysis", name, sum as f64, &figures.currency));
        let needed = figures
            .break_even_attendees
            .map(|needed| evidence("roiAnalysis", "breakEvenAttendees", needed as f64, "people"));
        Recommendation {
            kind: "money.loss".into(),
            severity: Severity::Warning,
            event_id: Some(event.event_id.clone()),
            message: "it cost more than it earned: look at its largest costs first".into(),
            message_korean: "비용이 수입보다 큽니다. 가장 큰 비용부터 살펴보십시오".into(),
            rule: "revenue minus cost is below zero".into(),
            evidence: sums.into_iter().chain(needed).chain(costs.iter().take(MOST_ROWS).map(row)).collect(),
        }
    };
    losing.map(loss).collect()
}

fn trends(patterns: &AttendanceReport) -> Vec<Recommendation> {
    let known = |trend: &&ieum_contracts::analytics::AttendanceTrend| {
        trend.earlier_days >= FEWEST_DAYS && trend.later_days >= FEWEST_DAYS
    };
    let strong = patterns.trends.iter().filter(known).filter_map(|trend| {
        trend.change.filter(|change| change.abs() >= TREND).map(|change| (trend, change))
    });
    let tell = |(trend, change): (&ieum_contracts::analytics::AttendanceTrend, f64)| {
        let (kind, percent) = (&trend.event_type, (change * 100.0).round());
        let falls = change < 0.0;
        Recommendation {
            kind: if falls { "type.falling" } else { "type.rising" }.into(),
            severity: if falls { Severity::Warning } else { Severity::Info },
            event_id: None,
            message: format!(
                "{kind} has {percent:+} % arrivals a day: plan its places and staff by the later half"
            ),
            message_korean: format!(
                "{kind} 유형의 하루 방문객이 {percent:+}% 변했습니다. 최근 규모에 맞추어 준비하십시오"
            ),
            rule: format!(
                "arrivals a day differ by at least {TREND} between the halves, with {FEWEST_DAYS} days or more each"
            ),
            evidence: vec![
                evidence("trends", &format!("{kind} earlier"), trend.earlier_average, "people"),
                evidence("trends", &format!("{kind} later"), trend.later_average, "people"),
            ],
        }
    };
    strong.map(tell).collect()
}

fn urgent_first(mut found: Vec<Recommendation>) -> Vec<Recommendation> {
    found.sort_by_key(|one| std::cmp::Reverse(one.severity));
    found
}

fn evidence(source: &str, row: &str, value: f64, unit: &str) -> Evidence {
    Evidence { source: source.into(), row: row.into(), value, unit: unit.into(), at: None }
}

/// Puts a time to a row.
trait Timed {
    fn at(self, at: Timestamp) -> Self;
}

impl Timed for Evidence {
    fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}

fn english(weekday: u8) -> &'static str {
    const NAMES: [&str; 7] =
        ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];
    NAMES.get(usize::from(weekday).saturating_sub(1)).copied().unwrap_or("some days")
}

fn korean(weekday: u8) -> &'static str {
    const NAMES: [&str; 7] = ["월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"];
    NAMES.get(usize::from(weekday).saturating_sub(1)).copied().unwrap_or("다른 날")
}
