//! What visitors do: told to those who may know, so that nobody is told of, within a budget.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_analytics::PrivacyOptions;
use ieum_contracts::analytics::{BehaviourAsk, BehaviourPattern, EventBehaviour, Insights};
use ieum_contracts::events::{PersonVisits, RoomVisit};
use ieum_core::{Code, Cx, Fault};
use serde_json::json;

use crate::stage::{NOON, Stage, at, minutes};

/// A visitor who came so many minutes from noon on, stayed so long, and went into so many rooms.
fn person(came: i64, stayed: i64, rooms: usize) -> PersonVisits {
    let noon = at(NOON).as_seconds();
    let visit = |room: String, came: i64, stayed: i64| RoomVisit {
        room,
        entered_at: ieum_core::Timestamp::from_seconds(noon + came * 60),
        left_at: (stayed > 0).then(|| ieum_core::Timestamp::from_seconds(noon + (came + stayed) * 60)),
    };
    let own = visit(String::new(), came, stayed);
    let rooms = (0..rooms).map(|room| visit(format!("room {room}"), came + 1, 5));
    PersonVisits { visits: [own].into_iter().chain(rooms).collect() }
}

/// Lets so many people come: most around noon, in every pattern more than one way.
pub fn crowd(stage: &Stage, count: i64) {
    let people = (0..count).map(|i| person(-90 + i % 3 * 60, 20 + i % 4 * 40, (i % 3) as usize));
    *stage.visitors.0.lock() = people.collect();
}

async fn ask(stage: &Stage, partner: &str, plan: Option<&str>) -> Result<EventBehaviour, Fault> {
    let (partner, plan) = (partner.to_owned(), plan.map(str::to_owned));
    stage.insights.behaviour(&Cx::root(), BehaviourAsk { event_id: "fair".into(), partner, plan }).await
}

fn people(pattern: &BehaviourPattern) -> BTreeMap<&str, u64> {
    pattern.cells.iter().filter_map(|cell| Some((cell.label.as_str(), cell.people?))).collect()
}

fn patterns(told: &EventBehaviour) -> [&BehaviourPattern; 4] {
    [&told.entry_pattern, &told.stay, &told.engagement, &told.drop_off]
}

/// What of an answer is about people.
fn figures(told: &EventBehaviour) -> (Vec<BehaviourPattern>, Option<u64>) {
    (patterns(told).map(BehaviourPattern::clone).into(), told.people)
}

pub async fn the_same_question_gets_the_same_answer_and_costs_once(stage: &Stage) {
    crowd(stage, 300);
    let first = ask(stage, "acme", None).await.expect("is told");
    // The link here sends every question twice; the second time it is free.
    assert_eq!((first.budget.limit, first.budget.left), (3.0, 2.0));
    let entered = people(&first.entry_pattern);
    assert_eq!(entered.keys().copied().collect::<Vec<_>>(), ["-1", "-2", "0"], "{first:?}");
    assert!(entered.values().all(|people| people.abs_diff(100) < 80), "{entered:?}");
    assert!(first.people.is_some_and(|people| people.abs_diff(300) < 80), "{first:?}");
    stage.visitors.0.lock().reverse();
    stage.clock.advance(minutes(90));
    for _ in 0..5 {
        let again = ask(stage, "acme", None).await.expect("is told");
        assert_eq!(figures(&again), figures(&first));
        assert!(again.remembered);
        assert!((again.budget.left - 2.0).abs() < 1e-9);
    }
    stage.visitors.0.lock().push(person(0, 30, 1));
    let grown = ask(stage, "acme", None).await.expect("is told");
    assert!((grown.budget.left - 1.0).abs() < 1e-9, "the visits are others: {grown:?}");
    let other = ask(stage, "other", None).await.expect("is told");
    assert!((other.budget.left - 2.0).abs() < 1e-9, "a budget of its own: {other:?}");
}

pub async fn a_used_up_budget_refuses_until_the_month_ends_and_still_tells_what_was_told(stage: &Stage) {
    crowd(stage, 200);
    let told = ask(stage, "school", Some("school")).await.expect("is told");
    assert!(told.budget.left.abs() < 1e-9);
    crowd(stage, 201);
    let refused = ask(stage, "school", Some("school")).await.expect_err("is used up");
    assert_eq!((refused.code, &*refused.reason), (Code::ResourceExhausted, "analytics.privacy.used_up"));
    assert!(refused.message.ends_with("it is full again on 2026-06-01"), "{}", refused.message);
    assert!(refused.retry_after.is_some_and(|wait| wait > Duration::from_secs(28 * 86_400)));
    crowd(stage, 200);
    let again = ask(stage, "school", Some("school")).await.expect("was told");
    assert_eq!(figures(&again), figures(&told));
    crowd(stage, 201);
    stage.clock.advance(minutes(30 * 1_440));
    let june = ask(stage, "school", Some("school")).await.expect("is told");
    assert!(june.budget.left.abs() < 1e-9, "June paid for it: {june:?}");
    crowd(stage, 200);
    let may = ask(stage, "school", Some("school")).await.expect("was told in May");
    assert_eq!((figures(&may), may.remembered), (figures(&told), true), "a new month brings no new noise");
}

pub async fn a_budget_is_never_overspent_by_many_at_once_and_outlives_its_process(stage: &Stage) {
    // Each process has visitors of its own, so that every one of them asks a question of its own.
    let mut others = Vec::new();
    for i in 0..6 {
        let other = stage.another().await;
        crowd(&other, 100 + i);
        others.push(other);
    }
    let asked = others.iter().map(|other| async { ask(other, "acme", None).await });
    let mut told = 0;
    for outcome in futures::future::join_all(asked).await {
        match outcome {
            Ok(_) => told += 1,
            Err(fault) => assert!(fault.reason.starts_with("analytics.privacy."), "{fault}"),
        }
    }
    assert_eq!(told, 3, "three answers are what the budget holds");
    drop(others);
    crowd(stage, 90);
    let later = ask(stage, "acme", None).await.expect_err("others have spent it");
    assert_eq!(&*later.reason, "analytics.privacy.used_up");
}

pub async fn no_group_of_fewer_than_five_is_told_or_follows(stage: &Stage) {
    let many = (0..60).map(|i| person(-30 + i % 2 * 60, 100, 1));
    let few = (0..3).map(|_| person(400, 10, 3));
    *stage.visitors.0.lock() = many.chain(few).collect();
    for partner in ["a", "b", "c"] {
        let told = ask(stage, partner, None).await.expect("is told");
        for pattern in patterns(&told) {
            assert!(
                pattern.cells.iter().all(|cell| cell.people.is_none_or(|people| people >= told.k)),
                "{pattern:?}"
            );
        }
        let entered = people(&told.entry_pattern);
        assert!(!entered.contains_key("6"), "the three came then: {entered:?}");
        assert_eq!(entered.len(), 1, "the sum and two cells would give the three back: {entered:?}");
        assert!(people(&told.engagement).is_empty(), "sixty alike and three: either gives the other back");
    }
    let alike = (0..60).map(|_| person(0, 100, 1));
    *stage.visitors.0.lock() = alike.collect();
    let told = ask(stage, "d", None).await.expect("is told");
    assert!(patterns(&told).into_iter().all(|pattern| people(pattern).is_empty()), "all are alike: {told:?}");
    *stage.visitors.0.lock() = (0..4).map(|i| person(i * 60, 100, 1)).collect();
    let told = ask(stage, "e", None).await.expect("is told");
    assert_eq!((told.people, patterns(&told).map(|pattern| people(pattern).len())), (None, [0; 4]));
}

/// Somebody knows all visitors but one, and asks on many names before and after that one comes: the shares of answers
/// above any bar differ by no more than the noise allows (e^epsilon, for the share of it that a cell costs).
pub async fn one_person_more_or_less_is_not_found_in_the_answers(stage: &Stage) {
    let rounds = 60;
    let mut above = [0_f64; 2];
    for (with, above) in above.iter_mut().enumerate() {
        crowd(stage, 300);
        if with == 1 {
            stage.visitors.0.lock().push(person(0, 100, 1));
        }
        for round in 0..rounds {
            let told = ask(stage, &format!("spy {with} {round}"), None).await.expect("is told");
            *above +=
                f64::from(u8::from(people(&told.entry_pattern).get("0").is_some_and(|people| *people > 100)));
        }
    }
    // Without noise the bar would part them: 0 of 60 against 60 of 60.
    let [without, with] = above.map(|count| count / f64::from(rounds));
    assert!((with - without).abs() < 0.5, "{without} against {with} of the answers are above 100");
    assert!(PrivacyOptions::default().answer.as_f64() <= 1.0);
}

pub async fn a_partner_is_told_of_its_own_events_alone(stage: &Stage) {
    crowd(stage, 120);
    let path = "/api/insights/fair/behaviour";
    let own = stage.key(&["fair"], &["analytics:read"]).await;
    let (status, body) = stage.get(path, Some(&own)).await;
    assert_eq!((status, &body["budget"]["limit"]), (200, &json!(3.0)), "{body}");
    let foreign = stage.key(&["other"], &["analytics:read"]).await;
    let (status, body) = stage.get(path, Some(&foreign)).await;
    assert_eq!((status, &body["reason"]), (403, &json!("gateway.event_forbidden")), "{body}");
    let (_, other) = stage.get("/api/insights/none/behaviour", Some(&own)).await;
    assert_eq!(other["reason"], body["reason"], "whether the event is there or not");
    let narrow = stage.key(&["fair"], &["events:read"]).await;
    assert_eq!(stage.get(path, Some(&narrow)).await.0, 403);
    assert_eq!(stage.get("/api/insights/none/behaviour", None).await.0, 404);
    for more in 0..3 {
        crowd(stage, 130 + more);
        let (status, body) = stage.get(path, Some(&own)).await;
        let expected = if more < 2 { 200 } else { 429 };
        assert_eq!(status, expected, "{body}");
    }
    // A second key of the same name is the same partner's.
    let second = stage.key(&["*"], &["analytics:read"]).await;
    let (status, body) = stage.get(path, Some(&second)).await;
    assert_eq!((status, &body["reason"]), (429, &json!("analytics.privacy.used_up")), "{body}");
}
