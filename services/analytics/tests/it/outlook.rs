//! What is to come, and what it earned.

use ieum_contracts::analytics::{
    EventForecast, ForecastAsk, ForecastStep, Insights, MoneyEntries, MoneyEntry, MoneyKind,
    RefreshForecasts, RoiAsk,
};
use ieum_contracts::events::EventStatus;
use ieum_core::Cx;

use crate::stage::{NOON, Stage, at, days, minutes, state};

async fn forecast(stage: &Stage, event_id: &str, gate: Option<&str>, step: ForecastStep) -> EventForecast {
    let ask = ForecastAsk { event_id: event_id.into(), gate_id: gate.map(str::to_owned), step, steps: None };
    stage.insights.forecast(&Cx::root(), ask).await.expect("is answered")
}

async fn refresh(stage: &Stage) -> (u64, u64) {
    let done = stage.insights.refresh(&Cx::root(), RefreshForecasts {}).await.expect("is made");
    (done.made, done.refused)
}

pub async fn a_forecast_says_what_it_stands_on_or_why_there_is_none(stage: &Stage) {
    stage.part.start().await.expect("starts");
    let begin = at("2026-04-25T00:00:00+09:00");
    let mut until_noon = days("week", begin, 8, 80);
    until_noon.retain(|state| state.timestamp < at(NOON));
    stage.live(&until_noon).await;
    stage.live(&days("new", at(NOON) - minutes(720), 0, 80)).await;
    stage.part.drain().await;
    let before = forecast(stage, "week", None, ForecastStep::Hour).await;
    assert!(before.refused.is_some_and(|why| why.contains("no forecast was made yet")));
    let (made, refused) = refresh(stage).await;
    assert_eq!(
        (made, refused),
        (2, 4),
        "hours of the event and its gate; days of neither, nothing of the new one"
    );
    let hours = forecast(stage, "week", None, ForecastStep::Hour).await;
    assert_eq!((hours.model.as_deref(), hours.points.len()), (Some("mixture"), 48), "{hours:?}");
    assert_eq!(hours.trained_from, Some(begin));
    assert_eq!(
        (hours.trained_until, hours.points[0].at),
        (Some(at(NOON)), at(NOON)),
        "whole hours before now"
    );
    let open: f64 = hours.points[22..30].iter().map(|point| point.value).sum();
    let night: f64 = hours.points[8..20].iter().map(|point| point.value).sum();
    assert!((50.0..110.0).contains(&open) && night < 20.0, "{open} by day, {night} by night");
    let gate = forecast(stage, "week", Some("north"), ForecastStep::Hour).await;
    assert!(gate.refused.is_none() && gate.gate_id.as_deref() == Some("north"), "{gate:?}");
    let few = forecast(stage, "week", None, ForecastStep::Day).await;
    assert!(few.refused.as_deref().is_some_and(|why| why.contains("7 days")), "{few:?}");
    let new = forecast(stage, "new", None, ForecastStep::Hour).await;
    assert!(new.refused.as_deref().is_some_and(|why| why.contains("12 hours")), "{new:?}");
}

pub async fn a_forecast_is_scored_by_what_came(stage: &Stage) {
    stage.part.start().await.expect("starts");
    stage.live(&days("week", at("2026-04-25T00:00:00+09:00"), 7, 80)).await;
    refresh(stage).await;
    assert_eq!(forecast(stage, "week", None, ForecastStep::Hour).await.score.steps, 0);
    stage.clock.advance(minutes(180));
    stage
        .live(&[state("week", at(NOON) + minutes(5), 570), state("week", at(NOON) + minutes(125), 590)])
        .await;
    stage.part.drain().await;
    refresh(stage).await;
    let scored = forecast(stage, "week", None, ForecastStep::Hour).await;
    assert_eq!((scored.score.steps, scored.score.actual), (3, 30.0), "{:?}", scored.score);
    assert_eq!(scored.trained_until, Some(at(NOON) + minutes(180)));
}

pub async fn an_event_that_is_over_is_not_forecast(stage: &Stage) {
    stage.part.start().await.expect("starts");
    let mut states = days("past", at("2026-04-25T00:00:00+09:00"), 7, 80);
    states.last_mut().expect("is a state").status = EventStatus::Ended;
    stage.live(&states).await;
    stage.part.drain().await;
    assert_eq!(refresh(stage).await.0, 0);
    let over = forecast(stage, "past", None, ForecastStep::Hour).await;
    assert_eq!(over.refused.as_deref(), Some("the event is over"));
    assert!(over.points.is_empty());
}

pub async fn money_is_kept_by_entry_and_answered_with_its_rows(stage: &Stage) {
    stage.part.start().await.expect("starts");
    stage.live(&[state("expo", at(NOON), 50)]).await;
    stage.part.drain().await;
    let entry = |id: &str, kind: MoneyKind, amount_minor: i64| MoneyEntry {
        entry_id: id.into(),
        kind,
        label: "입장권".into(),
        amount_minor,
        currency: "KRW".into(),
        at: Some(at(NOON)),
    };
    let entries = vec![entry("tickets", MoneyKind::Revenue, 900), entry("hall", MoneyKind::Cost, 400)];
    let money = |entries: Vec<MoneyEntry>| MoneyEntries { event_id: "expo".into(), entries };
    let cx = Cx::root();
    let record = |entries| stage.insights.record_money(&cx, money(entries));
    assert_eq!(record(entries.clone()).await.expect("is kept").entries, 2);
    assert_eq!(record(entries).await.expect("is kept").entries, 2, "the same again adds nothing");
    let corrected = vec![entry("tickets", MoneyKind::Revenue, 1_000)];
    assert_eq!(record(corrected).await.expect("is kept").entries, 2);
    let bad = vec![entry("good", MoneyKind::Cost, 1), entry("bad", MoneyKind::Cost, -1)];
    assert_eq!(record(bad).await.expect_err("is refused").reason, "analytics.money.invalid");
    let report = stage.insights.roi(&Cx::root(), RoiAsk::default()).await.expect("is answered");
    let [expo] = &report.events[..] else { panic!("one event: {report:?}") };
    assert_eq!(
        (expo.figures.revenue_minor, expo.figures.net_minor, expo.figures.roi),
        (1_000, 600, Some(1.5))
    );
    assert_eq!((expo.figures.attendees, expo.figures.revenue_per_attendee), (50, Some(20.0)));
    let rows: Vec<_> =
        expo.entries.iter().map(|entry| (entry.entry_id.as_str(), entry.label.as_str())).collect();
    assert_eq!(rows, [("hall", "입장권"), ("tickets", "입장권")], "nothing of the refused wish");
    let none =
        stage.insights.roi(&Cx::root(), RoiAsk { event_ids: Some(Vec::new()) }).await.expect("is answered");
    assert!(none.events.is_empty() && none.totals.is_empty());
}
