//! What the dashboard tells of history, for its description: the messages of analytics field by field.
#![allow(dead_code, reason = "described, never made")]

use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Severity;

/// What history says.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DashboardInsights {
    /// A year of history by type, hour and weekday.
    attendance_patterns: AttendanceReport,
    /// The figures of all events together; none where analytics does not know them yet.
    performance_metrics: Option<OverallPerformance>,
    /// What to do, the most urgent first. A key without `finance:read` sees nothing about money.
    recommendations: Vec<Recommendation>,
}

/// Why a part of the answer is left out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Absent {
    /// Stable word: `events.insights.not_run`, `events.insights.late`, `events.insights.failed` or
    /// `gateway.scope_missing`.
    #[schema(example = "events.insights.late")]
    reason: String,
    /// For people.
    message: String,
}

/// Attendance by type, hour and weekday.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttendanceReport {
    /// The range's beginning.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The range's end.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// By type, the one with the most arrivals a day first.
    by_event_type: Vec<AttendanceGroup>,
    /// By hour of the day, 0 to 23.
    by_time_of_day: Vec<AttendanceGroup>,
    /// By day of the week, 1 (Monday) to 7.
    by_day_of_week: Vec<AttendanceGroup>,
    /// By all three together.
    cells: Vec<AttendanceGroup>,
    /// How each type's later half of the range compares with its earlier one.
    trends: Vec<AttendanceTrend>,
}

/// What one group of hours looked like. An event day is a local day of one event on which anything was told of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttendanceGroup {
    /// The type, where the group has one.
    event_type: Option<String>,
    /// The hour, where the group has one.
    hour_of_day: Option<u8>,
    /// The weekday, where the group has one.
    day_of_week: Option<u8>,
    /// People who came, less those whose coming was taken back.
    arrivals: f64,
    /// The event days that the averages are over.
    event_days: u64,
    /// Arrivals for each of these event days.
    average_arrivals: f64,
    /// Their standard deviation; from two on.
    arrivals_deviation: Option<f64>,
    /// Hours in which anything was told, of events with people registered.
    sample_size: u64,
    /// The mean attendance rate of those hours, 0 to 1.
    average_attendance: Option<f64>,
    /// Its standard deviation; from two hours on.
    attendance_deviation: Option<f64>,
}

/// One type's two halves of a range.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttendanceTrend {
    /// The type.
    event_type: String,
    /// Event days of the earlier half.
    earlier_days: u64,
    /// Arrivals for each of them.
    earlier_average: f64,
    /// Event days of the later half.
    later_days: u64,
    /// Arrivals for each of them.
    later_average: f64,
    /// Later over earlier, minus one; where both halves have days and somebody came in the earlier.
    change: Option<f64>,
}

/// The figures of many events together, of those that have history in the range.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverallPerformance {
    /// People registered.
    total_registered: u64,
    /// People who came at least once.
    checked_in: u64,
    /// Came over registered, 0 to 1: weighted by people registered.
    attendance_rate: Option<f64>,
    /// One minus that.
    no_show_rate: Option<f64>,
    /// The most people inside one event at once.
    most_inside: u64,
    /// Which event that was.
    most_inside_event_id: Option<String>,
    /// The hour in which the most people came, all events together.
    busiest_hour: Option<BusyHour>,
    /// Local days of single events on which anything was told.
    event_days: u64,
}

/// An hour and who came in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BusyHour {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// People who came.
    arrivals: f64,
}

/// Something to do, with the rows that say so.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recommendation {
    /// Stable word, such as `type.rising`.
    #[schema(example = "type.rising")]
    kind: String,
    /// How urgent it is.
    severity: Severity,
    /// The event that it is about; several where left out.
    event_id: Option<String>,
    /// For people, in English.
    message: String,
    /// The same in Korean.
    message_korean: String,
    /// The rule that applied, with its threshold.
    rule: String,
    /// The figures that it applied to; never empty.
    evidence: Vec<Evidence>,
}

/// One row that justifies a recommendation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Evidence {
    /// Where the row is found, such as `trends`.
    source: String,
    /// Which row.
    row: String,
    /// Its figure.
    value: f64,
    /// What the figure counts: `people`, `share`, `KRW`.
    unit: String,
    /// Its time, where it has one.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}
