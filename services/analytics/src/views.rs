//! What the pages' JSON looks like, for its description: the contract's messages field by field. A test compares
//! both with real answers.
#![allow(dead_code, reason = "described, never made")]

use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// What visitors of an event do, up to the last full hour. A cell without a number has fewer people than `k`, or would
/// give such a one back; all numbers have noise.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBehaviour {
    /// The event.
    event_id: String,
    /// Scans before this time count.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// When people first came: hours from the event's beginning, `-1` for the one before it, `0` for the one after it;
    /// hours of the UTC day where the beginning is not known.
    entry_pattern: BehaviourPattern,
    /// How long they stayed, minutes.
    stay: BehaviourPattern,
    /// How many different rooms they visited.
    engagement: BehaviourPattern,
    /// The hour in which they went for good, as in the entry pattern.
    drop_off: BehaviourPattern,
    /// People who came, with noise; left out where they are fewer than `k`.
    people: Option<u64>,
    /// The fewest people in a cell.
    k: u64,
    /// The fewest cells that the people of a pattern are spread over.
    l: u64,
    /// What the answer costs.
    epsilon: f64,
    /// Whether it was told before, and so cost nothing now.
    remembered: bool,
    /// What is left of the asker's budget.
    budget: PrivacyBudget,
}

/// Counts of people by one property.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BehaviourPattern {
    /// The property's values in their order.
    cells: Vec<BehaviourCell>,
    /// Cells that are hidden.
    hidden: u64,
}

/// People of whom one value of a property holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BehaviourCell {
    /// The value, such as `30-59` minutes.
    label: String,
    /// How many people, with noise; left out where that is hidden.
    people: Option<u64>,
}

/// A privacy budget of one month (UTC), over all events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PrivacyBudget {
    /// The epsilon of a month.
    limit: f64,
    /// What is left of it.
    left: f64,
    /// When it is full again.
    #[schema(value_type = String, format = DateTime)]
    refills_at: Timestamp,
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
    /// The event days that the averages are over; hours of them in which nobody came count as none.
    event_days: u64,
    /// Arrivals for each of these event days.
    average_arrivals: f64,
    /// Their standard deviation over the event days (of hours, where the group has an hour); from two on.
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

/// How far the points of a forecast lie apart.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ForecastStep {
    /// An hour.
    Hour,
    /// A local day.
    Day,
}

/// What a sentence says: a stable code, and the values that stand in it. Who does not know the code shows the sentence.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wording {
    /// Stable, such as `forecast.over`.
    #[schema(example = "forecast.too_few_hours")]
    code: String,
    /// Numbers and texts by the names that stand in the sentence.
    #[schema(example = json!({"has": 20, "needed": 48}))]
    values: std::collections::BTreeMap<String, serde_json::Value>,
}

/// A forecast of people coming, or why there is none.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventForecast {
    /// The event.
    event_id: String,
    /// The gate; the whole event where left out.
    gate_id: Option<String>,
    /// Hour by hour or day by day.
    step: ForecastStep,
    /// Why there are no points, for people.
    refused: Option<String>,
    /// What `refused` says, for other languages.
    refused_wording: Option<Wording>,
    /// What weakens it, for people: such as how little history it stands on.
    caution: Option<String>,
    /// What `caution` says, for other languages.
    caution_wording: Option<Wording>,
    /// What made it: `mixture` or `seasonal naive`.
    model: Option<String>,
    /// The models of a mixture.
    models: Vec<ModelWorth>,
    /// The share of what comes that the intervals are made to hold, 0 to 1.
    level: f64,
    /// The first step that it learned from.
    #[schema(value_type = Option<String>, format = DateTime)]
    trained_from: Option<Timestamp>,
    /// The end of the last step that it learned from.
    #[schema(value_type = Option<String>, format = DateTime)]
    trained_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    made_at: Option<Timestamp>,
    /// What came of the forecasts before it.
    score: ForecastScore,
    /// The steps in order of time.
    points: Vec<ForecastPoint>,
}

/// One model of a mixture.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelWorth {
    /// Its name.
    model: String,
    /// Its mean error on the held-out end, over that of the season repeated.
    error: f64,
    /// Its share of the mixture, 0 to 1.
    weight: f64,
}

/// How former forecasts of the same series did, over all steps that came since.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForecastScore {
    /// Steps compared.
    steps: u64,
    /// Of these, steps within their interval.
    within: u64,
    /// The sum of absolute errors, people.
    absolute_error: f64,
    /// The sum of what came, people.
    actual: f64,
}

/// One step of a forecast.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForecastPoint {
    /// The step's beginning.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// People expected.
    value: f64,
    /// The interval's lower end.
    lower: f64,
    /// The interval's upper end.
    upper: f64,
}

/// One sum that came in or went out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoneyEntry {
    /// Its id within the event, 1 to 64 letters.
    entry_id: String,
    /// Which way it went.
    kind: MoneyKind,
    /// What it was for, for people.
    label: String,
    /// How much, in the currency's smallest unit (won, cent), from 0 on.
    amount_minor: i64,
    /// ISO 4217, such as `KRW`.
    currency: String,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Which way a sum went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MoneyKind {
    /// It came in.
    Revenue,
    /// It went out.
    Cost,
}

/// What events earned and cost.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoiReport {
    /// the formula.
    formula: String,
    /// By event and currency.
    events: Vec<EventRoi>,
    /// By currency.
    totals: Vec<RoiFigures>,
}

/// One event's money in one currency, with the entries that it is made of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventRoi {
    /// The event.
    event_id: String,
    /// The figures.
    #[serde(flatten)]
    figures: RoiFigures,
    /// The entries, by id.
    entries: Vec<MoneyEntry>,
}

/// Sums of money in one currency.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoiFigures {
    /// ISO 4217.
    currency: String,
    /// What came in, in the smallest unit.
    revenue_minor: i64,
    /// What went out.
    cost_minor: i64,
    /// Revenue minus cost.
    net_minor: i64,
    /// By the formula.
    roi: Option<f64>,
    /// People who came.
    attendees: u64,
    /// Revenue over attendees, in the smallest unit.
    revenue_per_attendee: Option<f64>,
    /// Cost over attendees.
    cost_per_attendee: Option<f64>,
    /// How many attendees, at this revenue for each, would have covered the cost.
    break_even_attendees: Option<u64>,
}

/// What an event is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventProfile {
    /// The event.
    event_id: String,
    /// Its type, such as `concert`; 1 to 64 letters without control characters.
    event_type: Option<String>,
    /// Its time zone by its IANA name, such as `Asia/Seoul`; the service's own where left out.
    time_zone: Option<String>,
    /// How many people it holds at once.
    capacity: Option<u64>,
}

/// Everything about one event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventInsights {
    /// The event.
    event_id: String,
    /// Its name.
    event_name: String,
    /// What it is.
    profile: EventProfile,
    /// Its history of a year, by hour and weekday.
    attendance_patterns: AttendanceReport,
    /// Its figures.
    performance_metrics: PerformanceMetrics,
    /// What is to come.
    predictions: Predictions,
    /// What it earned and cost.
    roi_analysis: RoiReport,
    /// What to do, the most urgent first.
    recommendations: Vec<Recommendation>,
}

/// Everything over many events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CrossEventInsights {
    /// How many events have history in the range.
    total_events: u64,
    /// Their history by type, hour and weekday.
    attendance_patterns: AttendanceReport,
    /// Their figures, all together.
    performance_metrics: Option<OverallPerformance>,
    /// What is to come, day by day and event by event.
    predictions: Predictions,
    /// What they earned and cost.
    roi_analysis: RoiReport,
    /// What to do, the most urgent first.
    recommendations: Vec<Recommendation>,
}

/// The figures of many events together, of those that have history in the range asked for.
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

/// One event's figures over all its history.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PerformanceMetrics {
    /// People registered.
    total_registered: u64,
    /// People who came at least once.
    checked_in: u64,
    /// Of these, those who had come before the history begins; nobody knows in which hour.
    checked_in_before: u64,
    /// Came over registered, 0 to 1.
    attendance_rate: Option<f64>,
    /// One minus that.
    no_show_rate: Option<f64>,
    /// The most people inside at once.
    most_inside: u64,
    /// The quarter of an hour when that was.
    #[schema(value_type = Option<String>, format = DateTime)]
    most_inside_at: Option<Timestamp>,
    /// How many people it holds, where that was told.
    capacity: Option<u64>,
    /// The most inside over what it holds.
    highest_occupancy: Option<f64>,
    /// The hour in which the most people came.
    busiest_hour: Option<BusyHour>,
    /// Local days on which anything was told.
    event_days: u64,
    /// The gates, the busiest first.
    gates: Vec<GateFlow>,
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

/// What went through one gate.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateFlow {
    /// The gate.
    gate_id: String,
    /// People, from the throughput that it told and for how long it told it.
    people: f64,
    /// Its share of all gates, 0 to 1.
    share: f64,
    /// The most people in one hour.
    most_per_hour: f64,
}

/// What is to come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Predictions {
    /// The forecasts.
    attendance_forecast: Vec<EventForecast>,
    /// Hours of weekdays by arrivals, the busiest first; at most three.
    optimal_timing: Vec<AttendanceGroup>,
    /// Hours to come that need more than one gate, in order of time.
    resource_requirements: Vec<GatesNeeded>,
    /// The recommendations that warn.
    risk_factors: Vec<Recommendation>,
}

/// How many gates an hour needs: the interval's upper end over what the busiest gate took in its busiest hour.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatesNeeded {
    /// The event.
    event_id: String,
    /// The hour's beginning.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The most people to be expected.
    people: f64,
    /// What one gate was seen to take in an hour.
    per_gate: f64,
    /// The gates.
    gates: u64,
}

/// Something to do, with the rows that say so.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recommendation {
    /// Stable word, such as `gates.unequal`.
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
    /// Where the row is found: `gates`, `cells`, `byDayOfWeek`, `attendanceForecast`, `entries`, …
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

/// How urgent something is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// Look soon.
    Warning,
    /// Act now.
    Critical,
}

/// A question over history.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryQuestion {
    /// One SELECT, at most 16 KiB.
    sql: String,
}

/// The answer's rows.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryAnswer {
    /// Which engine answered.
    engine: String,
    /// The columns' names, in their order.
    columns: Vec<String>,
    /// One cell per column in each: null, truth, number or text. A day is its count since 1970-01-01, a time its
    /// microseconds since then.
    rows: Vec<Vec<serde_json::Value>>,
}
