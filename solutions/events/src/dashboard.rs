//! The unified dashboard: the live picture, each event's trend over a time range, what history says, and the
//! charts' rows.

use std::time::Duration;

use ieum_contracts::events::{
    Alert, EventMetrics, EventState, EventStatus, Freshness, HistoryRange, HistoryRow, ListEvents, LiveEvent,
    Severity, Summary,
};
use ieum_contracts::wording::Wording;
use ieum_core::{Cx, Fault, Timestamp, parse_duration};
use serde::Serialize;
use utoipa::ToSchema;

use crate::door::Sight;
use crate::insights::{Absent, DashboardInsights};
use crate::rules::summarise;

/// Points per chart.
const POINTS: u64 = 96;

/// The answer of `GET /api/dashboard`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Sums over all events.
    pub summary: Summary,
    /// The events.
    pub events: Vec<DashboardEvent>,
    /// What history says; null where it is not told, see `insightsAbsent`. A key needs `analytics:read` as well.
    #[schema(required)]
    pub insights: Option<DashboardInsights>,
    /// Why `insights` is null: analytics is not run here, is down or late, or the key may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insights_absent: Option<Absent>,
    /// What the page draws.
    pub charts: Charts,
}

/// One event on the dashboard.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DashboardEvent {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// Whether it runs.
    pub status: EventStatus,
    /// Its figures.
    pub metrics: EventMetrics,
    /// People inside now minus people inside at the range's first row; `None` without history.
    pub trend: Option<f64>,
    /// What needs attention.
    pub alerts: Vec<Alert>,
    /// How far the figures may be trusted.
    pub freshness: Freshness,
    /// Seconds since the source was last read.
    pub age_seconds: u64,
}

/// What the dashboard draws.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Charts {
    /// Attendance over time, event by event.
    pub attendance_trend: Vec<Line>,
    /// The events side by side as they stand, the best attended first.
    pub event_comparison: Vec<Compared>,
    /// The alerts that stand, by their beginning; last those of which it was not noted.
    pub alerts_timeline: Vec<Standing>,
}

/// One event's bar.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// The event.
    #[schema(example = "spring-concert")]
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// People inside now.
    pub current_attendees: u64,
    /// People who came.
    pub checked_in: u64,
    /// People registered.
    pub total_registered: u64,
    /// Came over registered, 0 to 1.
    pub attendance_rate: f64,
}

/// One alert on the line of time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Since when it stands; left out where that was not noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The event.
    pub event_id: String,
    /// Stable word, such as `capacity.90`.
    #[schema(example = "capacity.90")]
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// What `message` says, for other languages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<Wording>,
}

/// One event's line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The event.
    #[schema(example = "spring-concert")]
    pub event_id: String,
    /// Ordered by time.
    pub rows: Vec<HistoryRow>,
}

/// Reads a time range such as `24h` or `7d`, one minute to 366 days. Fails with `events.dashboard.time_range`.
pub fn parse_time_range(text: &str) -> Result<Duration, Fault> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    let range = match days {
        Some(days) => Some(Duration::from_secs(u64::from(days) * 86_400)),
        None => parse_duration(text).ok(),
    };
    let fits = |range: &Duration| (60..=366 * 86_400).contains(&range.as_secs());
    range.filter(fits).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let message = format!("reading timeRange: {shown:?} is no span such as 24h or 7d, from 1m to 366d");
        Fault::invalid_argument("events.dashboard.time_range", message)
    })
}

/// Builds the dashboard of the events asked for, over `range` up to `now`, without what history says.
pub async fn build(
    state: &dyn EventState,
    cx: &Cx,
    sight: &Sight,
    range: Duration,
    now: Timestamp,
) -> Result<Dashboard, Fault> {
    let mut states = state.list(cx, ListEvents { event_ids: sight.events.clone() }).await?;
    sight.narrow(&mut states);
    let live = states.events;
    let (summary, event_comparison, alerts_timeline) = (summarise(&live), compare(&live), timeline(&live));
    let step = u32::try_from((range.as_secs() / POINTS).clamp(1, 86_400)).unwrap_or(60);
    let (mut events, mut attendance_trend) = (Vec::new(), Vec::new());
    for event in live {
        let event_id = event.data.event_id.clone();
        let ask = HistoryRange {
            event_id: event_id.clone(),
            from: Some(now - range),
            until: Some(now),
            step_seconds: Some(step),
        };
        let rows = state.history(cx, ask).await?.rows;
        events.push(show(event, &rows));
        attendance_trend.push(Line { event_id, rows });
    }
    let charts = Charts { attendance_trend, event_comparison, alerts_timeline };
    Ok(Dashboard { summary, events, insights: None, insights_absent: None, charts })
}

impl Dashboard {
    /// Adds what history says, or why nothing.
    pub fn with(mut self, insights: Result<DashboardInsights, Absent>) -> Self {
        match insights {
            Ok(insights) => self.insights = Some(insights),
            Err(absent) => self.insights_absent = Some(absent),
        }
        self
    }
}

fn compare(live: &[LiveEvent]) -> Vec<Compared> {
    let bar = |event: &LiveEvent| Compared {
        event_id: event.data.event_id.clone(),
        event_name: event.data.event_name.clone(),
        current_attendees: event.data.metrics.current_attendees,
        checked_in: event.data.metrics.checked_in,
        total_registered: event.data.metrics.total_registered,
        attendance_rate: event.data.metrics.attendance_rate,
    };
    let mut bars: Vec<Compared> = live.iter().map(bar).collect();
    bars.sort_by(|one, other| other.attendance_rate.total_cmp(&one.attendance_rate));
    bars
}

fn timeline(live: &[LiveEvent]) -> Vec<Standing> {
    let standing = |event: &LiveEvent, alert: &Alert| Standing {
        at: alert.since,
        event_id: event.data.event_id.clone(),
        kind: alert.kind.clone(),
        severity: alert.severity,
        message: alert.message.clone(),
        wording: alert.wording.clone(),
    };
    let alerts = live.iter().flat_map(|event| event.data.alerts.iter().map(move |alert| (event, alert)));
    let mut all: Vec<Standing> = alerts.map(|(event, alert)| standing(event, alert)).collect();
    all.sort_by_key(|one| (one.at.is_none(), one.at));
    all
}

#[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
fn show(event: LiveEvent, rows: &[HistoryRow]) -> DashboardEvent {
    let inside = event.data.metrics.current_attendees as f64;
    DashboardEvent {
        trend: rows.first().map(|row| inside - row.current_attendees),
        event_id: event.data.event_id,
        event_name: event.data.event_name,
        status: event.data.status,
        metrics: event.data.metrics,
        alerts: event.data.alerts,
        freshness: event.freshness,
        age_seconds: event.age_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_range_is_read_and_nonsense_is_named() {
        assert_eq!(parse_time_range("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse_time_range("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for wrong in ["", "0d", "soon", "1s", "9999d"] {
            assert_eq!(
                parse_time_range(wrong).expect_err("is refused").reason,
                "events.dashboard.time_range"
            );
        }
    }
}
