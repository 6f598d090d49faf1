//! What the dashboard tells of history: asked of analytics, which may be late, down or not run at all.

use std::time::Duration;

use ieum_contracts::analytics::{
    AttendanceRange, AttendanceReport, Insights, OverallPerformance, Recommendation,
};
use ieum_core::{Clock, Cx, Fault};
use ieum_gateway::Partner;
use serde::Serialize;
use utoipa::ToSchema;

/// What a key needs to see history.
const HISTORY: &str = "analytics:read";
/// What a key needs to see money.
const MONEY: &str = "finance:read";

/// How long the dashboard waits for history: people look at what happens now, which is there at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// What history says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DashboardInsights {
    /// A year of history by type, hour and weekday.
    pub attendance_patterns: AttendanceReport,
    /// The figures of all events together; none where analytics does not know them yet.
    pub performance_metrics: Option<OverallPerformance>,
    /// What to do, the most urgent first. A key without `finance:read` sees nothing about money.
    pub recommendations: Vec<Recommendation>,
}

/// Why history is left out.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Absent {
    /// Stable word: `events.insights.not_run`, `events.insights.late`, `events.insights.failed` or
    /// `gateway.scope_missing`.
    #[schema(example = "events.insights.late")]
    pub reason: String,
    /// For people.
    pub message: String,
}

/// Asks `source` for the history of the events that `partner` may see, as far as that one may know it, and waits no
/// longer than [`PATIENCE`]. Who needs no key sees everything.
pub async fn look(
    source: Option<&dyn Insights>,
    cx: &Cx,
    partner: Option<&Partner>,
    clock: &dyn Clock,
) -> Result<DashboardInsights, Absent> {
    let may = |scope: &str| partner.map_or(Ok(()), |partner| partner.require(scope));
    may(HISTORY).map_err(|fault| Absent { reason: fault.reason.to_string(), message: fault.message })?;
    let Some(source) = source else {
        let message = "no part of this process answers analytics.insights, and no link names one";
        return Err(Absent::because("not_run", message));
    };
    let ask = AttendanceRange {
        event_ids: partner.and_then(|partner| partner.events().ids()),
        ..AttendanceRange::default()
    };
    let cx = cx.with_timeout(clock.moment(), PATIENCE);
    let found = tokio::select! {
        found = source.across(&cx, ask) => found.map_err(|fault| failed(&fault))?,
        () = clock.sleep(PATIENCE) => {
            let message = format!("analytics gave no answer within {} s", PATIENCE.as_secs());
            return Err(Absent::because("late", &message));
        }
    };
    let mut recommendations = found.recommendations;
    if may(MONEY).is_err() {
        recommendations.retain(|one| !one.tells_money());
    }
    Ok(DashboardInsights {
        attendance_patterns: found.attendance_patterns,
        performance_metrics: found.performance_metrics,
        recommendations,
    })
}

/// What failed may name addresses within the platform, which is for its log alone.
fn failed(fault: &Fault) -> Absent {
    tracing::warn!(error = %fault, "asking analytics for the dashboard failed; the rest of it is told");
    Absent::because("failed", "asking analytics failed; the log of this process says why")
}

impl Absent {
    fn because(word: &str, message: &str) -> Self {
        Self { reason: format!("events.insights.{word}"), message: message.to_owned() }
    }
}
