//! Meets the contract `analytics.insights`.

use std::collections::BTreeMap;
use std::sync::Arc;

use ieum_contracts::analytics::{
    AttendanceGroup, AttendanceRange, AttendanceReport, BehaviourAsk, CrossEventInsights, EventBehaviour,
    EventForecast, EventInsights, EventProfile, ForecastAsk, ForecastStep, ForecastsRefreshed, HistoryAnswer,
    HistoryQuestion, HistoryRebuilt, Insights, MoneyEntries, MoneyRecorded, Predictions, RebuildHistory,
    Recommendation, RefreshForecasts, RoiAsk, RoiReport, UNTYPED,
};
use ieum_contracts::events::{EventId, EventState, Severity};
use ieum_core::{Cx, Fault, SharedClock};
use tokio::sync::Semaphore;

use crate::behaviour::Behaviour;
use crate::landing::Landing;
use crate::money;
use crate::report::{Span, report};
use crate::rules::{self, Facts};
use crate::store::{AnalyticsStore, ENDED};
use crate::zone::Zone;

/// Events whose forecasts one answer over many shows.
const MOST_FORECASTS: usize = 100;

/// Analytics behind the contract.
pub(crate) struct Service {
    pub store: AnalyticsStore,
    pub events: Arc<dyn EventState>,
    pub clock: SharedClock,
    /// History as files, where an engine is set.
    pub landing: Option<Landing>,
    /// What visitors do, and what may be told of it.
    pub behaviour: Behaviour,
    /// One round of forecasts at a time.
    pub rounds: Arc<Semaphore>,
}

#[async_trait::async_trait]
impl Insights for Service {
    async fn describe(&self, _cx: &Cx, profile: EventProfile) -> Result<EventProfile, Fault> {
        let profile = checked(profile)?;
        self.store.describe(&profile).await?;
        Ok(profile)
    }

    async fn record_money(&self, _cx: &Cx, money: MoneyEntries) -> Result<MoneyRecorded, Fault> {
        check_event_id(&money.event_id, "analytics.money.invalid")?;
        money::check(&money)?;
        Ok(MoneyRecorded { entries: self.store.record_money(&money).await? })
    }

    async fn rebuild(&self, cx: &Cx, ask: RebuildHistory) -> Result<HistoryRebuilt, Fault> {
        let rebuilt = self.store.rebuild(cx, self.events.as_ref(), &ask, self.clock.now()).await?;
        if let Some(landing) = &self.landing {
            landing.land(self.clock.now(), true).await?;
        }
        Ok(rebuilt)
    }

    async fn ask(&self, _cx: &Cx, ask: HistoryQuestion) -> Result<HistoryAnswer, Fault> {
        let Some(landing) = &self.landing else {
            let message = "asking the history: no engine is set; set analytics.main, such as \"datafusion:\"";
            return Err(Fault::failed_precondition("analytics.history.off", message));
        };
        // What came since the last hour is part of the answer.
        landing.land(self.clock.now(), false).await?;
        landing.ask(&ask.sql).await
    }

    async fn refresh(&self, _cx: &Cx, _ask: RefreshForecasts) -> Result<ForecastsRefreshed, Fault> {
        let Ok(_round) = self.rounds.try_acquire() else {
            let message = "making forecasts anew goes on already; ask for them when it is done";
            return Err(Fault::failed_precondition("analytics.forecast.busy", message));
        };
        self.store.refresh_forecasts(self.clock.now()).await
    }

    async fn attendance(&self, _cx: &Cx, ask: AttendanceRange) -> Result<AttendanceReport, Fault> {
        self.patterns(&ask).await
    }

    async fn forecast(&self, _cx: &Cx, ask: ForecastAsk) -> Result<EventForecast, Fault> {
        self.store.forecast(&ask).await
    }

    async fn event(&self, _cx: &Cx, ask: EventId) -> Result<EventInsights, Fault> {
        let known = self.store.event(&ask.event_id).await?;
        let only = Some(vec![ask.event_id.clone()]);
        let attendance_patterns =
            self.patterns(&AttendanceRange { event_ids: only.clone(), ..AttendanceRange::default() }).await?;
        let usual = self.usual(known.profile.event_type.as_deref()).await?;
        let performance = self.store.performance(&known).await?;
        let forecasts = [
            self.store.forecasts(only.as_deref(), ForecastStep::Hour).await?,
            self.store.forecasts(only.as_deref(), ForecastStep::Day).await?,
        ]
        .concat();
        let roi_analysis = self.money(only.as_deref()).await?;
        let gates_needed = rules::gates_needed(&performance, &forecasts);
        let recommendations = rules::about_event(&Facts {
            event_id: &ask.event_id,
            over: known.status.as_deref() == Some(ENDED),
            performance: &performance,
            patterns: &attendance_patterns,
            usual: usual.as_ref(),
            forecasts: &forecasts,
            gates_needed: &gates_needed,
            roi: &roi_analysis,
        });
        Ok(EventInsights {
            event_id: ask.event_id,
            event_name: known.name(),
            profile: EventProfile {
                time_zone: Some(self.store.zone(&known.profile).name().to_owned()),
                ..known.profile
            },
            predictions: Predictions {
                attendance_forecast: forecasts,
                optimal_timing: rules::best_hours(&attendance_patterns),
                resource_requirements: gates_needed,
                risk_factors: risks(&recommendations),
            },
            attendance_patterns,
            performance_metrics: performance,
            roi_analysis,
            recommendations,
        })
    }

    async fn across(&self, _cx: &Cx, ask: AttendanceRange) -> Result<CrossEventInsights, Fault> {
        let span = Span::of(&ask, self.clock.now())?;
        let attendance_patterns = self.patterns(&ask).await?;
        let roi_analysis = self.money(ask.event_ids.as_deref()).await?;
        let mut forecasts = self.store.forecasts(ask.event_ids.as_deref(), ForecastStep::Day).await?;
        forecasts.retain(|made| made.refused.is_none());
        forecasts.truncate(MOST_FORECASTS);
        let recommendations = rules::across_events(&attendance_patterns, &roi_analysis);
        Ok(CrossEventInsights {
            total_events: self.store.events_within(&ask, span).await?,
            performance_metrics: Some(self.store.overall(&ask, span).await?),
            predictions: Predictions {
                attendance_forecast: forecasts,
                optimal_timing: rules::best_hours(&attendance_patterns),
                resource_requirements: Vec::new(),
                risk_factors: risks(&recommendations),
            },
            attendance_patterns,
            roi_analysis,
            recommendations,
        })
    }

    async fn behaviour(&self, cx: &Cx, ask: BehaviourAsk) -> Result<EventBehaviour, Fault> {
        self.behaviour.tell(cx, ask).await
    }

    async fn roi(&self, _cx: &Cx, ask: RoiAsk) -> Result<RoiReport, Fault> {
        self.money(ask.event_ids.as_deref()).await
    }
}

impl Service {
    async fn patterns(&self, ask: &AttendanceRange) -> Result<AttendanceReport, Fault> {
        let span = Span::of(ask, self.clock.now())?;
        let cells = self.store.cells(ask, span).await?;
        let days = self.store.days(ask, span).await?;
        Ok(report(span, &cells, &days))
    }

    /// Returns what is usual of a type over the last year.
    async fn usual(&self, event_type: Option<&str>) -> Result<Option<AttendanceGroup>, Fault> {
        let kind = event_type.unwrap_or(UNTYPED).to_owned();
        let ask = AttendanceRange { event_types: Some(vec![kind]), ..AttendanceRange::default() };
        Ok(self.patterns(&ask).await?.by_event_type.into_iter().next())
    }

    async fn money(&self, only: Option<&[String]>) -> Result<RoiReport, Fault> {
        let entries = self.store.money(only).await?;
        let mut attendees = BTreeMap::new();
        for known in self.store.events(only).await? {
            let came = known.seen.map_or(0, |seen| seen.checked_in);
            attendees.insert(known.profile.event_id, came);
        }
        Ok(money::report(entries, &attendees))
    }
}

fn risks(recommendations: &[Recommendation]) -> Vec<Recommendation> {
    recommendations.iter().filter(|one| one.severity > Severity::Info).cloned().collect()
}

/// Returns the profile as it is kept. Fails with `analytics.profile.invalid`, naming the field.
fn checked(profile: EventProfile) -> Result<EventProfile, Fault> {
    check_event_id(&profile.event_id, "analytics.profile.invalid")?;
    let wrong = |field: &str, problem: &str| {
        Fault::invalid_argument("analytics.profile.invalid", format!("field {field}: {problem}"))
    };
    if let Some(kind) = &profile.event_type {
        let letters = kind.chars().count();
        if !(1..=64).contains(&letters) || kind.chars().any(char::is_control) {
            return Err(wrong("eventType", "must have 1 to 64 letters and no control characters"));
        }
    }
    if profile.capacity.is_some_and(|capacity| capacity == 0 || capacity >= 1 << 48) {
        return Err(wrong("capacity", "must be a number of people from 1 on"));
    }
    let zone = profile.time_zone.as_deref().map(Zone::named).transpose()?;
    Ok(EventProfile { time_zone: zone.map(|zone| zone.name().to_owned()), ..profile })
}

fn check_event_id(event_id: &str, reason: &'static str) -> Result<(), Fault> {
    let fits = (1..=64).contains(&event_id.len())
        && event_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let problem = "must have 1 to 64 letters, digits, '-', '_' and '.'";
    if fits { Ok(()) } else { Err(Fault::invalid_argument(reason, format!("field eventId: {problem}"))) }
}
