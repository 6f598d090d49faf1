//! States become history; reports read it.

use ieum_contracts::analytics::{EventProfile, Insights, RebuildHistory, UNTYPED};
use ieum_contracts::events::EventId;
use ieum_core::Cx;

use crate::stage::{NOON, Stage, at, kept, minutes, state};

fn profile(event_id: &str, event_type: &str, zone: &str) -> EventProfile {
    EventProfile {
        event_id: event_id.into(),
        event_type: Some(event_type.into()),
        time_zone: Some(zone.into()),
        capacity: None,
    }
}

pub async fn a_state_becomes_history_once_however_often_it_comes(stage: &Stage) {
    stage.part.start().await.expect("starts");
    let begin = at(NOON) - minutes(120);
    let first = [state("e-1", begin, 100), state("e-1", begin + minutes(5), 130)];
    stage.live(&first).await;
    // The same states again, under ids that no inbox knows, then one that is later.
    stage.live(&[first[0].clone(), first[1].clone(), state("e-1", begin + minutes(20), 140)]).await;
    stage.part.drain().await;
    let found =
        stage.insights.event(&Cx::root(), EventId { event_id: "e-1".into() }).await.expect("is known");
    let metrics = &found.performance_metrics;
    assert_eq!((metrics.checked_in, metrics.checked_in_before, metrics.most_inside), (140, 100, 140));
    assert_eq!(metrics.most_inside_at, Some(begin + minutes(15)));
    assert_eq!(found.attendance_patterns.by_event_type[0].arrivals, 40.0, "those before are no arrivals");
    let gate = &metrics.gates[0];
    assert_eq!((gate.gate_id.as_str(), gate.people), ("north", 40.0), "two a minute for twenty minutes");
}

pub async fn reports_group_by_type_and_local_hours_with_nothing_for_what_is_not_known(stage: &Stage) {
    stage.part.start().await.expect("starts");
    stage.describe(profile("seoul", "concert", "Asia/Seoul")).await;
    stage.describe(profile("berlin", "fair", "Europe/Berlin")).await;
    // Saturday noon in Seoul is five in the morning in Berlin.
    let noon = at(NOON) - minutes(1_440);
    for event_id in ["seoul", "berlin", "nobody"] {
        let mut states = [state(event_id, noon, 0), state(event_id, noon + minutes(10), 60)];
        if event_id == "nobody" {
            states.iter_mut().for_each(|state| state.metrics.total_registered = 0);
        }
        stage.live(&states).await;
    }
    stage.part.drain().await;
    let report = stage.attendance().await;
    let cells: Vec<_> = report
        .cells
        .iter()
        .map(|cell| (cell.event_type.as_deref().unwrap_or_default(), cell.day_of_week, cell.hour_of_day))
        .collect();
    assert_eq!(
        cells,
        [("concert", Some(5), Some(12)), ("fair", Some(5), Some(5)), (UNTYPED, Some(5), Some(12))]
    );
    let concert = &report.cells[0];
    assert_eq!((concert.arrivals, concert.event_days, concert.average_attendance), (60.0, 1, Some(0.06)));
    let untyped = &report.cells[2];
    assert_eq!((untyped.sample_size, untyped.average_attendance), (0, None), "a rate of nobody is none");
    let noon_hour = report.by_time_of_day.iter().find(|hour| hour.hour_of_day == Some(12)).expect("is there");
    assert_eq!((noon_hour.arrivals, noon_hour.event_days, noon_hour.average_arrivals), (120.0, 3, 40.0));
    assert_eq!(report.by_day_of_week.len(), 1);
    assert_eq!(report.trends.iter().map(|trend| trend.later_days).sum::<u64>(), 3, "all of it is lately");
}

pub async fn a_new_time_zone_moves_the_history_along(stage: &Stage) {
    stage.part.start().await.expect("starts");
    let noon = at(NOON) - minutes(1_440);
    stage.live(&[state("e-1", noon, 0), state("e-1", noon + minutes(10), 60)]).await;
    assert_eq!(stage.attendance().await.cells[0].hour_of_day, Some(12), "the service's own zone");
    stage.describe(profile("e-1", "fair", "america/new_york")).await;
    let cell = stage.attendance().await.cells.remove(0);
    assert_eq!((cell.day_of_week, cell.hour_of_day), (Some(4), Some(23)));
    stage.live(&[state("e-1", noon + minutes(20), 70)]).await;
    stage.part.drain().await;
    let report = stage.attendance().await;
    assert_eq!((report.cells.len(), report.cells[0].arrivals), (1, 70.0));
}

pub async fn a_rebuilt_history_is_the_one_that_was_lived(stage: &Stage) {
    stage.part.start().await.expect("starts");
    stage.live(&kept()).await;
    stage.part.drain().await;
    let lived = stage.attendance().await;
    assert_eq!(lived.by_event_type[0].arrivals, 400.0);
    let rebuilt = stage.insights.rebuild(&Cx::root(), RebuildHistory::default()).await.expect("is rebuilt");
    assert_eq!((rebuilt.events, rebuilt.slots), (1, 41));
    let again = stage.attendance().await;
    assert_eq!(again, lived);
    let found =
        stage.insights.event(&Cx::root(), EventId { event_id: "kept".into() }).await.expect("is known");
    assert_eq!(found.performance_metrics.gates.len(), 1, "gates stay");
}

pub async fn a_rebuild_goes_on_with_what_is_told_next(stage: &Stage) {
    let rebuilt = stage.insights.rebuild(&Cx::root(), RebuildHistory::default()).await.expect("is rebuilt");
    assert_eq!(rebuilt.events, 1, "of an event that no state told of");
    stage.part.start().await.expect("starts");
    let last = kept().pop().expect("is a state");
    // What the hub has told already comes over the bus once more.
    stage.publish(&kept()).await;
    stage.live(&[state("kept", last.timestamp + minutes(60), 410)]).await;
    stage.part.drain().await;
    assert_eq!(stage.attendance().await.by_event_type[0].arrivals, 410.0);
}

pub async fn what_an_event_cannot_be_is_refused_by_field(stage: &Stage) {
    let good = profile("e-1", "fair", "Asia/Seoul");
    for (wrong, field) in [
        (EventProfile { event_id: "e 1".into(), ..good.clone() }, "eventId"),
        (EventProfile { event_type: Some(String::new()), ..good.clone() }, "eventType"),
        (EventProfile { time_zone: Some("Seoul".into()), ..good.clone() }, "timeZone"),
        (EventProfile { capacity: Some(0), ..good.clone() }, "capacity"),
    ] {
        let fault = stage.insights.describe(&Cx::root(), wrong).await.expect_err("is refused");
        assert_eq!(fault.reason, "analytics.profile.invalid");
        assert!(fault.message.contains(&format!("field {field}")), "{fault}");
    }
    let unknown = stage.insights.event(&Cx::root(), EventId { event_id: "e-1".into() }).await;
    assert_eq!(unknown.expect_err("nothing was saved").reason, "analytics.event.unknown");
}
