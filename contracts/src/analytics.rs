//! Analytics: what attendance looked like, what it will look like, what it earned, and what to do about it.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::{EventId, Severity};
use crate::wording::Wording;

/// The type that reports name where an event's own was never told.
pub const UNTYPED: &str = "untyped";

/// How a return on investment is calculated; part of every report of one.
pub const ROI_FORMULA: &str =
    "roi = (revenue - cost) / cost, within one currency; none where no cost is recorded";

/// Answers from the history of all events.
///
/// Hours and weekdays are those of the event's own time zone. A figure that nothing defines (a rate of nobody, a
/// return on no cost) is left out, never zero.
#[contract("analytics.insights")]
pub trait Insights {
    /// Says what an event is: its type, time zone, capacity. What is left out is no longer known. Fails with
    /// `analytics.profile.invalid`.
    #[command]
    async fn describe(&self, cx: &Cx, profile: EventProfile) -> Result<EventProfile, Fault>;

    /// Records revenue and cost of an event; an entry of the same id is replaced. All entries or none. Fails with
    /// `analytics.money.invalid`.
    #[command]
    async fn record_money(&self, cx: &Cx, money: MoneyEntries) -> Result<MoneyRecorded, Fault>;

    /// Makes the history anew from `events.state`, which keeps it longer than the bus. The flow of single gates
    /// is not known there and stays as it is.
    #[command]
    async fn rebuild(&self, cx: &Cx, ask: RebuildHistory) -> Result<HistoryRebuilt, Fault>;

    /// Makes every forecast anew instead of waiting for the schedule. Fails with `analytics.forecast.busy` while
    /// that goes on already.
    #[command]
    async fn refresh(&self, cx: &Cx, ask: RefreshForecasts) -> Result<ForecastsRefreshed, Fault>;

    /// Returns attendance by type, hour and weekday. Fails with `analytics.range.invalid`.
    #[query]
    async fn attendance(&self, cx: &Cx, ask: AttendanceRange) -> Result<AttendanceReport, Fault>;

    /// Returns the forecast of an event or of one of its gates, or why there is none. Fails with
    /// `analytics.event.unknown`.
    #[query]
    async fn forecast(&self, cx: &Cx, ask: ForecastAsk) -> Result<EventForecast, Fault>;

    /// Returns everything about one event. Fails with `analytics.event.unknown`.
    #[query]
    async fn event(&self, cx: &Cx, ask: EventId) -> Result<EventInsights, Fault>;

    /// Returns everything over many events. Fails with `analytics.range.invalid`.
    #[query]
    async fn across(&self, cx: &Cx, ask: AttendanceRange) -> Result<CrossEventInsights, Fault>;

    /// Answers one `SELECT` over the history of all events, kept as files: the table [`HISTORY_TABLE`]. Fails with
    /// `analytics.history.off` where no engine is set, `lake.refused`, `lake.too_much`, `lake.late`.
    #[query]
    async fn ask(&self, cx: &Cx, ask: HistoryQuestion) -> Result<HistoryAnswer, Fault>;

    /// Returns what visitors of an event do, so that nobody is told of: [`EventBehaviour`] says how. What it costs
    /// of the asker's privacy budget is spent by the answer; the same question about the same visits gets the same
    /// answer for nothing. Fails with `analytics.event.unknown`, and with `analytics.privacy.used_up` where the
    /// budget does not hold the question, naming the day on which it is full again.
    #[query]
    async fn behaviour(&self, cx: &Cx, ask: BehaviourAsk) -> Result<EventBehaviour, Fault>;

    /// Returns what events earned and cost, entry by entry.
    #[query]
    async fn roi(&self, cx: &Cx, ask: RoiAsk) -> Result<RoiReport, Fault>;
}

/// The table that questions over history read: one row per event and quarter of an hour, with `event_id`,
/// `event_name`, `event_type`, `slot_at` (UTC), `event_date`, `hour_of_day` and `day_of_week` (1 is Monday) of the
/// event's own zone, `arrivals`, `most_inside`, `registered`, `checked_in`, `attendance_rate`.
pub const HISTORY_TABLE: &str = "event_attendance_data";

// === Asking ===

/// A question over history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryQuestion {
    /// One `SELECT`, at most 16 KiB.
    pub sql: String,
}

/// The answer's rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnswer {
    /// Which engine answered.
    pub engine: String,
    /// The columns' names, in their order.
    pub columns: Vec<String>,
    /// One cell per column in each. A day is its count since 1970-01-01, a time its microseconds since then.
    pub rows: Vec<Vec<HistoryCell>>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum HistoryCell {
    /// Nothing is known.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number, a day, a time.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
}

// === Describing ===

/// What an event is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventProfile {
    /// The event.
    pub event_id: String,
    /// Its type, such as `concert`; 1 to 64 letters without control characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Its time zone by its IANA name, such as `Asia/Seoul`; the service's own where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How many people it holds at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
}

/// Revenue and cost of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoneyEntries {
    /// The event.
    pub event_id: String,
    /// At most 1000.
    pub entries: Vec<MoneyEntry>,
}

/// One sum that came in or went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoneyEntry {
    /// Its id within the event, 1 to 64 letters.
    pub entry_id: String,
    /// Which way it went.
    pub kind: MoneyKind,
    /// What it was for, for people.
    pub label: String,
    /// How much, in the currency's smallest unit (won, cent), from 0 on.
    pub amount_minor: i64,
    /// ISO 4217, such as `KRW`.
    pub currency: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Which way a sum went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// It came in.
    Revenue,
    /// It went out.
    Cost,
}

/// What came of recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoneyRecorded {
    /// Entries that the event has now.
    pub entries: u64,
}

/// Asks for a new history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebuildHistory {
    /// Of these events; of all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// From this time on; one year back where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

/// What came of making the history anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRebuilt {
    /// Events whose history was made anew.
    pub events: u64,
    /// Quarters of an hour that it holds.
    pub slots: u64,
}

/// Asks for new forecasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshForecasts {}

/// What came of making forecasts anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastsRefreshed {
    /// Forecasts made.
    pub made: u64,
    /// Series that have too little history, or are over.
    pub refused: u64,
}

// === Attendance ===

/// Which history to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttendanceRange {
    /// From this time on; one year before `until` where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this time, which itself is out; now where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Only these events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
    /// Only events of these types; [`UNTYPED`] is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<String>>,
}

/// Attendance by type, hour and weekday.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttendanceReport {
    /// The range's beginning.
    pub from: Timestamp,
    /// The range's end.
    pub until: Timestamp,
    /// By type, the one with the most arrivals a day first.
    pub by_event_type: Vec<AttendanceGroup>,
    /// By hour of the day, 0 to 23.
    pub by_time_of_day: Vec<AttendanceGroup>,
    /// By day of the week, 1 (Monday) to 7.
    pub by_day_of_week: Vec<AttendanceGroup>,
    /// By all three together.
    pub cells: Vec<AttendanceGroup>,
    /// How each type's later half of the range compares with its earlier one.
    pub trends: Vec<AttendanceTrend>,
}

/// What one group of hours looked like. An event day is a local day of one event on which anything was told of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttendanceGroup {
    /// The type, where the group has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The hour, where the group has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour_of_day: Option<u8>,
    /// The weekday, where the group has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_of_week: Option<u8>,
    /// People who came, less those whose coming was taken back.
    pub arrivals: f64,
    /// The event days that the averages are over; hours of them in which nobody came count as none.
    pub event_days: u64,
    /// Arrivals for each of these event days.
    pub average_arrivals: f64,
    /// Their standard deviation over the event days (of hours, where the group has an hour); from two on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals_deviation: Option<f64>,
    /// Hours in which anything was told, of events with people registered.
    pub sample_size: u64,
    /// The mean attendance rate of those hours, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_attendance: Option<f64>,
    /// Its standard deviation; from two hours on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance_deviation: Option<f64>,
}

/// One type's two halves of a range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttendanceTrend {
    /// The type.
    pub event_type: String,
    /// Event days of the earlier half.
    pub earlier_days: u64,
    /// Arrivals for each of them.
    pub earlier_average: f64,
    /// Event days of the later half.
    pub later_days: u64,
    /// Arrivals for each of them.
    pub later_average: f64,
    /// Later over earlier, minus one; where both halves have days and somebody came in the earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
}

// === Forecasts ===

/// Names a forecast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastAsk {
    /// The event.
    pub event_id: String,
    /// One of its gates; the whole event where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_id: Option<String>,
    /// Hour by hour or day by day.
    #[serde(default)]
    pub step: ForecastStep,
    /// How many steps; all there are (48 hours, 14 days) where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
}

/// How far the points of a forecast lie apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastStep {
    /// An hour.
    #[default]
    Hour,
    /// A local day.
    Day,
}

/// A forecast of people coming, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventForecast {
    /// The event.
    pub event_id: String,
    /// The gate; the whole event where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_id: Option<String>,
    /// Hour by hour or day by day.
    pub step: ForecastStep,
    /// Why there are no points, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What `refused` says, for other languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_wording: Option<Wording>,
    /// What weakens it, for people: such as how little history it stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
    /// What `caution` says, for other languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caution_wording: Option<Wording>,
    /// What made it: `mixture` or `seasonal naive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The models of a mixture.
    #[serde(default)]
    #[schema(required)]
    pub models: Vec<ModelWorth>,
    /// The share of what comes that the intervals are made to hold, 0 to 1.
    pub level: f64,
    /// The first step that it learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_from: Option<Timestamp>,
    /// The end of the last step that it learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_until: Option<Timestamp>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// What came of the forecasts before it.
    #[serde(default)]
    #[schema(required)]
    pub score: ForecastScore,
    /// The steps in order of time.
    pub points: Vec<ForecastPoint>,
}

/// One model of a mixture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelWorth {
    /// Its name.
    pub model: String,
    /// Its mean error on the held-out end, over that of the season repeated.
    pub error: f64,
    /// Its share of the mixture, 0 to 1.
    pub weight: f64,
}

/// How former forecasts of the same series did, over all steps that came since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ForecastScore {
    /// Steps compared.
    #[schema(required)]
    pub steps: u64,
    /// Of these, steps within their interval.
    #[schema(required)]
    pub within: u64,
    /// The sum of absolute errors, people.
    #[schema(required)]
    pub absolute_error: f64,
    /// The sum of what came, people.
    #[schema(required)]
    pub actual: f64,
}

/// One step of a forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastPoint {
    /// The step's beginning.
    pub at: Timestamp,
    /// People expected.
    pub value: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
}

// === Behaviour ===

/// Asks what visitors of an event do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BehaviourAsk {
    /// The event.
    pub event_id: String,
    /// Whose privacy budget pays. Partners who may talk to each other are one.
    pub partner: String,
    /// The plan of the partner, which says how large the budget is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// What visitors of an event do, up to the last full hour.
///
/// A cell is told only where it holds at least `k` people, a pattern only where its people are spread over at least `l`
/// cells. So many further cells are hidden that no sum gives a hidden one back. All counts that are told have geometric
/// noise of scale 5 / `epsilon`; one that noise brings below `k` is not told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBehaviour {
    /// The event.
    pub event_id: String,
    /// Scans before this time count.
    pub until: Timestamp,
    /// When people first came: hours from the event's beginning, `-1` for the one before it, `0` for the one after
    /// it; hours of the UTC day where the beginning is not known.
    pub entry_pattern: BehaviourPattern,
    /// How long they stayed, minutes.
    pub stay: BehaviourPattern,
    /// How many different rooms they visited.
    pub engagement: BehaviourPattern,
    /// The hour in which they went for good, as in the entry pattern.
    pub drop_off: BehaviourPattern,
    /// People who came, with noise; left out where they are fewer than `k`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u64>,
    /// The fewest people in a cell.
    pub k: u64,
    /// The fewest cells that the people of a pattern are spread over.
    pub l: u64,
    /// What the answer costs.
    pub epsilon: f64,
    /// Whether it was told before, and so cost nothing now.
    pub remembered: bool,
    /// What is left of the asker's budget.
    pub budget: PrivacyBudget,
}

/// Counts of people by one property.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviourPattern {
    /// The property's values in their order.
    pub cells: Vec<BehaviourCell>,
    /// Cells that are hidden.
    pub hidden: u64,
}

/// People of whom one value of a property holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviourCell {
    /// The value, such as `30-59` minutes.
    pub label: String,
    /// How many people, with noise; left out where that is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u64>,
}

/// A partner's privacy budget of one month (UTC), over all events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyBudget {
    /// The epsilon of a month.
    pub limit: f64,
    /// What is left of it.
    pub left: f64,
    /// When it is full again.
    pub refills_at: Timestamp,
}

// === Money ===

/// Asks for money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoiAsk {
    /// Of these events; of all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
}

/// What events earned and cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoiReport {
    /// How it is calculated.
    pub formula: String,
    /// By event and currency.
    pub events: Vec<EventRoi>,
    /// By currency.
    pub totals: Vec<RoiFigures>,
}

/// One event's money in one currency, with the entries that it is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventRoi {
    /// The event.
    pub event_id: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: RoiFigures,
    /// The entries, by id.
    pub entries: Vec<MoneyEntry>,
}

/// Sums of money in one currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoiFigures {
    /// ISO 4217.
    pub currency: String,
    /// What came in, in the smallest unit.
    pub revenue_minor: i64,
    /// What went out.
    pub cost_minor: i64,
    /// Revenue minus cost.
    pub net_minor: i64,
    /// By the report's formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roi: Option<f64>,
    /// People who came.
    pub attendees: u64,
    /// Revenue over attendees, in the smallest unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue_per_attendee: Option<f64>,
    /// Cost over attendees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_attendee: Option<f64>,
    /// How many attendees, at this revenue for each, would have covered the cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_even_attendees: Option<u64>,
}

// === Insights ===

/// Everything about one event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventInsights {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// What it is.
    pub profile: EventProfile,
    /// Its history of a year, by hour and weekday.
    pub attendance_patterns: AttendanceReport,
    /// Its figures.
    pub performance_metrics: PerformanceMetrics,
    /// What is to come.
    pub predictions: Predictions,
    /// What it earned and cost.
    pub roi_analysis: RoiReport,
    /// What to do, the most urgent first.
    pub recommendations: Vec<Recommendation>,
}

/// Everything over many events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrossEventInsights {
    /// How many events have history in the range.
    pub total_events: u64,
    /// Their history by type, hour and weekday.
    pub attendance_patterns: AttendanceReport,
    /// Their figures, all together; left out by who does not know them yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance_metrics: Option<OverallPerformance>,
    /// What is to come, day by day and event by event.
    pub predictions: Predictions,
    /// What they earned and cost.
    pub roi_analysis: RoiReport,
    /// What to do, the most urgent first.
    pub recommendations: Vec<Recommendation>,
}

/// One event's figures over all its history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PerformanceMetrics {
    /// People registered.
    pub total_registered: u64,
    /// People who came at least once.
    pub checked_in: u64,
    /// Of these, those who had come before the history begins; nobody knows in which hour.
    pub checked_in_before: u64,
    /// Came over registered, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance_rate: Option<f64>,
    /// One minus that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_show_rate: Option<f64>,
    /// The most people inside at once.
    pub most_inside: u64,
    /// The quarter of an hour when that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_inside_at: Option<Timestamp>,
    /// How many people it holds, where that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// The most inside over what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest_occupancy: Option<f64>,
    /// The hour in which the most people came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busiest_hour: Option<BusyHour>,
    /// Local days on which anything was told.
    pub event_days: u64,
    /// The gates, the busiest first.
    pub gates: Vec<GateFlow>,
}

/// The figures of many events together, of those that have history in the range asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverallPerformance {
    /// People registered.
    pub total_registered: u64,
    /// People who came at least once.
    pub checked_in: u64,
    /// Came over registered, 0 to 1: weighted by people registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance_rate: Option<f64>,
    /// One minus that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_show_rate: Option<f64>,
    /// The most people inside one event at once.
    pub most_inside: u64,
    /// Which event that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_inside_event_id: Option<String>,
    /// The hour in which the most people came, all events together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busiest_hour: Option<BusyHour>,
    /// Local days of single events on which anything was told.
    pub event_days: u64,
}

/// An hour and who came in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusyHour {
    /// Its beginning.
    pub at: Timestamp,
    /// People who came.
    pub arrivals: f64,
}

/// What went through one gate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateFlow {
    /// The gate.
    pub gate_id: String,
    /// People, from the throughput that it told and for how long it told it.
    pub people: f64,
    /// Its share of all gates, 0 to 1.
    pub share: f64,
    /// The most people in one hour.
    pub most_per_hour: f64,
}

/// What is to come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Predictions {
    /// The forecasts.
    pub attendance_forecast: Vec<EventForecast>,
    /// Hours of weekdays by arrivals, the busiest first; at most three.
    pub optimal_timing: Vec<AttendanceGroup>,
    /// Hours to come that need more than one gate, in order of time.
    pub resource_requirements: Vec<GatesNeeded>,
    /// The recommendations that warn.
    pub risk_factors: Vec<Recommendation>,
}

/// How many gates an hour needs: the interval's upper end over what the busiest gate took in its busiest hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatesNeeded {
    /// The event.
    pub event_id: String,
    /// The hour's beginning.
    pub at: Timestamp,
    /// The most people to be expected.
    pub people: f64,
    /// What one gate was seen to take in an hour.
    pub per_gate: f64,
    /// The gates.
    pub gates: u64,
}

/// Something to do, with the rows that say so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// Stable word, such as `gates.unequal`.
    pub kind: String,
    /// How urgent it is.
    pub severity: Severity,
    /// The event that it is about; several where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// For people, in English.
    pub message: String,
    /// The same in Korean.
    pub message_korean: String,
    /// The rule that applied, with its threshold.
    pub rule: String,
    /// The figures that it applied to; never empty.
    pub evidence: Vec<Evidence>,
}

impl Recommendation {
    /// Tells whether it says something of money, which not everybody may know.
    pub fn tells_money(&self) -> bool {
        self.kind.starts_with("money.")
    }
}

/// One row that justifies a recommendation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Where the row is found: `gates`, `cells`, `byDayOfWeek`, `attendanceForecast`, `entries`, …
    pub source: String,
    /// Which row.
    pub row: String,
    /// Its figure.
    pub value: f64,
    /// What the figure counts: `people`, `share`, `KRW`.
    pub unit: String,
    /// Its time, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}
