//! `analytics.insights` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::analytics::{
    AttendanceGroup, AttendanceRange, AttendanceReport, BehaviourAsk, BehaviourCell, BehaviourPattern,
    CrossEventInsights, EventBehaviour, EventForecast, EventInsights, EventProfile, EventRoi, Evidence,
    ForecastAsk, ForecastPoint, ForecastStep, ForecastsRefreshed, HistoryAnswer, HistoryCell,
    HistoryQuestion, HistoryRebuilt, INSIGHTS_CONTRACT, Insights, InsightsClient, InsightsRoutes,
    MoneyEntries, MoneyEntry, MoneyKind, MoneyRecorded, RebuildHistory, Recommendation, RefreshForecasts,
    RoiAsk, RoiFigures, RoiReport,
};
use ieum_contracts::events::{EventId, Severity};
use ieum_core::{Code, Cx, Fault, Timestamp};

use crate::every_way::Ways;

/// Says back what it is told, in messages that use every kind of field.
struct Echo;

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + seconds)
}

#[async_trait]
impl Insights for Echo {
    async fn describe(&self, _: &Cx, profile: EventProfile) -> Result<EventProfile, Fault> {
        Ok(profile)
    }

    async fn record_money(&self, _: &Cx, money: MoneyEntries) -> Result<MoneyRecorded, Fault> {
        Ok(MoneyRecorded { entries: money.entries.len() as u64 })
    }

    async fn rebuild(&self, _: &Cx, ask: RebuildHistory) -> Result<HistoryRebuilt, Fault> {
        Ok(HistoryRebuilt { events: ask.event_ids.map_or(0, |ids| ids.len() as u64), slots: u64::MAX >> 12 })
    }

    async fn ask(&self, _: &Cx, ask: HistoryQuestion) -> Result<HistoryAnswer, Fault> {
        let row = vec![
            HistoryCell::Text(ask.sql),
            HistoryCell::Null,
            HistoryCell::Int(i64::MIN),
            HistoryCell::Float(0.5),
            HistoryCell::Bool(true),
        ];
        let columns = ["text", "null", "int", "float", "bool"].map(str::to_owned).into();
        Ok(HistoryAnswer { engine: "echo".into(), columns, rows: vec![row, Vec::new()] })
    }

    async fn refresh(&self, _: &Cx, _: RefreshForecasts) -> Result<ForecastsRefreshed, Fault> {
        Err(Fault::failed_precondition("analytics.forecast.busy", "goes on already"))
    }

    async fn attendance(&self, _: &Cx, ask: AttendanceRange) -> Result<AttendanceReport, Fault> {
        let group = AttendanceGroup {
            event_type: ask.event_types.and_then(|types| types.into_iter().next()),
            hour_of_day: Some(0),
            arrivals: -0.1,
            average_attendance: Some(1.0 / 3.0),
            ..AttendanceGroup::default()
        };
        let (from, until) = (ask.from.unwrap_or_default(), ask.until.unwrap_or_default());
        Ok(AttendanceReport { from, until, cells: vec![group], ..AttendanceReport::default() })
    }

    async fn forecast(&self, _: &Cx, ask: ForecastAsk) -> Result<EventForecast, Fault> {
        let point = ForecastPoint { at: later(0), value: 1.0 / 3.0, lower: 0.0, upper: 1e9 };
        let points = vec![point; ask.steps.unwrap_or(0) as usize];
        let (event_id, gate_id, step) = (ask.event_id, ask.gate_id, ask.step);
        Ok(EventForecast { event_id, gate_id, step, points, ..EventForecast::default() })
    }

    async fn event(&self, _: &Cx, ask: EventId) -> Result<EventInsights, Fault> {
        Err(Fault::not_found("analytics.event.unknown", format!("looking for event {:?}", ask.event_id)))
    }

    async fn across(&self, cx: &Cx, ask: AttendanceRange) -> Result<CrossEventInsights, Fault> {
        let attendance_patterns = self.attendance(cx, ask).await?;
        let row =
            Evidence { source: "cells".into(), row: "0".into(), value: 0.25, unit: "share".into(), at: None };
        let advice = Recommendation {
            kind: "gates.unequal".into(),
            severity: Severity::Warning,
            event_id: None,
            message: "guide people".into(),
            message_korean: "유도하십시오".into(),
            rule: "a rule".into(),
            evidence: vec![row],
        };
        Ok(CrossEventInsights {
            attendance_patterns,
            recommendations: vec![advice],
            ..CrossEventInsights::default()
        })
    }

    async fn behaviour(&self, _: &Cx, ask: BehaviourAsk) -> Result<EventBehaviour, Fault> {
        if ask.plan.is_some() {
            let fault = Fault::resource_exhausted("analytics.privacy.used_up", ask.partner);
            return Err(fault.with_retry_after(std::time::Duration::from_secs(86_400)));
        }
        let cells = vec![
            BehaviourCell { label: "30-59".into(), people: Some(7) },
            BehaviourCell { label: "60+".into(), people: None },
        ];
        let stay = BehaviourPattern { cells, hidden: 1 };
        Ok(EventBehaviour { event_id: ask.event_id, stay, until: later(0), ..EventBehaviour::default() })
    }

    async fn roi(&self, _: &Cx, ask: RoiAsk) -> Result<RoiReport, Fault> {
        let figures = RoiFigures {
            currency: "KRW".into(),
            revenue_minor: 1 << 52,
            net_minor: -1,
            roi: Some(-0.5),
            ..RoiFigures::default()
        };
        let event = |event_id: String| EventRoi { event_id, figures: figures.clone(), entries: vec![hall()] };
        let events = ask.event_ids.unwrap_or_default().into_iter().map(event).collect();
        Ok(RoiReport { events, ..RoiReport::default() })
    }
}

fn hall() -> MoneyEntry {
    MoneyEntry {
        entry_id: "hall".into(),
        kind: MoneyKind::Cost,
        label: "대관료".into(),
        amount_minor: 400,
        currency: "KRW".into(),
        at: Some(later(1)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn insights_mean_the_same_every_way() {
    let ways = Ways::<dyn Insights> {
        contract: &INSIGHTS_CONTRACT,
        answerer: || Arc::new(Echo),
        routes: InsightsRoutes::of,
        meet: |link| Arc::new(InsightsClient::new(link)),
    };
    ways.run(|way, insights| async move {
        let (cx, direct) = (Cx::root(), Echo);
        let profile = EventProfile {
            event_id: "expo-1".into(),
            event_type: Some("박람회".into()),
            time_zone: None,
            capacity: Some(1 << 40),
        };
        assert_eq!(insights.describe(&cx, profile.clone()).await, Ok(profile), "{way}");
        let money = MoneyEntries { event_id: "expo-1".into(), entries: vec![hall()] };
        assert_eq!(insights.record_money(&cx, money).await, Ok(MoneyRecorded { entries: 1 }), "{way}");
        let ask = RebuildHistory { event_ids: Some(vec!["a".into()]), from: Some(later(0)) };
        assert_eq!(insights.rebuild(&cx, ask.clone()).await, direct.rebuild(&cx, ask).await, "{way}");
        let ask = HistoryQuestion { sql: "SELECT 'ß' FROM \"행사\"".into() };
        assert_eq!(insights.ask(&cx, ask.clone()).await, direct.ask(&cx, ask).await, "{way}");
        let busy = insights.refresh(&cx, RefreshForecasts {}).await.expect_err("is busy");
        assert_eq!(
            (busy.code, &*busy.reason),
            (Code::FailedPrecondition, "analytics.forecast.busy"),
            "{way}"
        );
        let range = AttendanceRange {
            until: Some(later(60)),
            event_types: Some(vec!["박람회".into()]),
            ..AttendanceRange::default()
        };
        assert_eq!(
            insights.attendance(&cx, range.clone()).await,
            direct.attendance(&cx, range.clone()).await,
            "{way}"
        );
        assert_eq!(insights.across(&cx, range.clone()).await, direct.across(&cx, range).await, "{way}");
        let ask = ForecastAsk {
            event_id: "expo-1".into(),
            gate_id: Some("북문".into()),
            step: ForecastStep::Day,
            steps: Some(14),
        };
        assert_eq!(insights.forecast(&cx, ask.clone()).await, direct.forecast(&cx, ask).await, "{way}");
        let ask = BehaviourAsk { event_id: "expo-1".into(), partner: "서울".into(), plan: None };
        let told = insights.behaviour(&cx, ask.clone()).await;
        assert_eq!(told, direct.behaviour(&cx, ask.clone()).await, "{way}");
        let school = BehaviourAsk { plan: Some("school".into()), ..ask };
        let used_up = insights.behaviour(&cx, school).await.expect_err("is used up");
        assert_eq!((used_up.code, &*used_up.message), (Code::ResourceExhausted, "서울"), "{way}");
        let ask = RoiAsk { event_ids: Some(vec!["expo-1".into()]) };
        assert_eq!(insights.roi(&cx, ask.clone()).await, direct.roi(&cx, ask).await, "{way}");
        let unknown =
            insights.event(&cx, EventId { event_id: "other".into() }).await.expect_err("is unknown");
        assert_eq!((unknown.code, &*unknown.reason), (Code::NotFound, "analytics.event.unknown"), "{way}");
    })
    .await;
}
