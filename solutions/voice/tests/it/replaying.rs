//! Turns that are led again: as they were, as they would be today, and with nothing coming of it.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::identity::UserStatus;
use ieum_contracts::voice::{ContextEngine, Effect, GetContext, ScheduleKind};
use ieum_core::{Cx, Fault};
use ieum_testkit::wait::until;
use ieum_voice::{Difference, Replay, ReplayContext, TrailTurn};
use serde_json::{Value, json};

use crate::stage::{NOON, Stage, at, turn};
use crate::talk::{heard, kept, quiet};

const PATIENCE: Duration = Duration::from_secs(20);

/// Returns the turn in which this was said.
async fn said(stage: &Stage, words: &str) -> TrailTurn {
    let turns = stage.part.trail().turns(None, 100).await.expect("is read");
    turns.into_iter().find(|turn| turn.said == words).expect("was said")
}

async fn replay(stage: &Stage, words: &str) -> Replay {
    let id = said(stage, words).await.id;
    stage.part.trail().replay(&Cx::root(), &id, false).await.expect("is led again")
}

async fn refused(stage: &Stage, id: &str) -> Fault {
    stage.part.trail().replay(&Cx::root(), id, false).await.expect_err("is refused")
}

/// Returns how many rows each table has; of the bus, how many events there are, wherever they are on their way.
async fn rows(stage: &Stage) -> BTreeMap<String, i64> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut rows = BTreeMap::new();
    for row in stage.store.fetch_all(sql, &[]).await.expect("are listed") {
        let table = row.text("name").expect("is a name");
        if !table.starts_with("ieum_bus_") {
            let count = stage.count(&format!("SELECT COUNT(*) AS n FROM \"{table}\"")).await;
            rows.insert(table, count);
        }
    }
    let events = "SELECT (SELECT COUNT(*) FROM ieum_bus_outbox) + (SELECT COUNT(*) FROM ieum_bus_log) AS n";
    rows.insert("events".to_owned(), stage.count(events).await);
    rows
}

/// Has a turn be as another version kept it.
async fn as_kept_by_another(stage: &Stage, id: &str, change: impl FnOnce(&mut Value)) {
    let sql = "SELECT answer FROM ieum_voice_turn WHERE id = ?";
    let row = stage.store.fetch_one(sql, &[id.into()]).await.expect("is kept");
    let mut kept = serde_json::from_str(&row.text("answer").expect("is text")).expect("is JSON");
    change(&mut kept);
    let sql = "UPDATE ieum_voice_turn SET answer = ? WHERE id = ?";
    stage.store.execute(sql, &[kept.to_string().into(), id.into()]).await.expect("is written");
}

#[tokio::test]
async fn a_command_is_led_again_for_when_it_was_said_and_nothing_comes_of_it() {
    for (words, answer) in [
        ("10분 타이머", "10분 타이머를 시작했어요."),
        ("set a timer for 10 minutes", "Timer set for 10 minutes."),
    ] {
        let (_sql, stage) = quiet().await;
        assert_eq!(stage.say(words).await.text, answer);
        let session = GetContext { user_id: "ada".into(), session_id: "device:kitchen".into() };
        let context = stage.contexts.get(&Cx::root(), session.clone()).await.expect("is kept");
        let before = rows(&stage).await;
        assert_eq!((before["ieum_voice_turn"], before["ieum_schedule"]), (1, 1), "{words}");
        assert!(before["events"] >= 1, "the turn itself was told: {before:?}");
        stage.clock.advance(Duration::from_secs(300));

        let again = replay(&stage, words).await;
        let timer = |at| Effect::Schedule {
            kind: ScheduleKind::Timer,
            at,
            label: String::new(),
            days: Vec::new(),
            since: None,
        };
        let due = at(NOON) + Duration::from_secs(600);
        assert_eq!((again.now, again.context), (at(NOON), ReplayContext::Kept), "{words}");
        assert_eq!((&again.answer["text"], &again.answer["intent"]), (&json!(answer), &json!("timer.start")));
        assert_eq!(again.answer["sessionId"], "device:kitchen");
        assert_eq!((&*again.meanings[0].intent, again.meanings[0].confidence), ("timer.start", 1.0));
        assert_eq!((&again.effects, &again.kept.effects), (&vec![timer(due)], &Some(vec![timer(due)])));
        assert_eq!(again.differences, [], "{words}");
        let stages = again.answer["stages"].as_array().expect("are told");
        let stages: Vec<&Value> = stages.iter().map(|stage| &stage["stage"]).collect();
        assert_eq!(stages, ["known", "remembered", "understood", "answered"]);

        let id = &again.kept.id;
        let today = stage.part.trail().replay(&Cx::root(), id, true).await.expect("is led again");
        assert_eq!(today.effects, [timer(due + Duration::from_secs(300))]);
        assert_eq!(today.differences, [Difference::Effects], "{words}");

        assert_eq!(rows(&stage).await, before, "nothing is kept, told, set or sent");
        assert_eq!(stage.contexts.get(&Cx::root(), session).await.expect("is kept"), context);
    }
}

#[tokio::test]
async fn nobody_counts_a_replay_and_no_device_hears_of_it() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.ask("몇 시야").await;
    assert_eq!(replay(&stage, "몇 시야").await.answer["intent"], "time.query");
    assert_eq!(
        kitchen.ask("오늘 며칠이야").await["intent"],
        "date.query",
        "the next that it hears is its own"
    );
    let counted = "SELECT COALESCE(SUM(turns), 0) AS n FROM ieum_voice_tally";
    until("both are counted", PATIENCE, || async { stage.count(counted).await >= 2 }).await.expect("are");
    assert_eq!(stage.count(counted).await, 2);
    // Somebody else listens for that.
    let active = "SELECT COALESCE(SUM(turns), 0) AS n FROM ieum_voice_activity WHERE user_id = 'ada'";
    until("both are remembered", PATIENCE, || async { stage.count(active).await >= 2 }).await.expect("are");
    assert_eq!(stage.count(active).await, 2);
}

#[tokio::test]
async fn what_follows_up_is_led_again_within_what_was_asked_before_it() {
    for (asks, words, answer, other) in [
        ("타이머 맞춰 줘", "5분", "5분 타이머를 시작했어요.", "몇 시야"),
        ("set a timer", "five minutes", "Timer set for 5 minutes.", "what time is it"),
    ] {
        let (_sql, stage) = quiet().await;
        // What is kept of a time has no less than milliseconds.
        stage.clock.advance(Duration::from_micros(1));
        assert!(stage.say(asks).await.expects_answer, "{asks}");
        assert_eq!(stage.say(words).await.text, answer);
        stage.say(other).await;
        stage.clock.advance(Duration::from_secs(3_600));
        let again = replay(&stage, words).await;
        assert_eq!((&again.answer["text"], again.differences), (&json!(answer), Vec::new()), "{words}");
        assert_eq!(replay(&stage, asks).await.answer["expectsAnswer"], true, "{asks}");

        as_kept_by_another(&stage, &again.kept.id, |kept| {
            let kept = kept.as_object_mut().expect("is one");
            assert!(kept.remove("setting").is_some() && kept.remove("effects").is_some());
        })
        .await;
        let without = replay(&stage, words).await;
        assert_eq!((without.context, without.kept.effects), (ReplayContext::Unknown, None), "{words}");
        assert_ne!(without.answer["text"], answer, "nothing was asked that it could answer");
        assert!(!without.differences.contains(&Difference::Effects), "what happened is not known");
    }
}

#[tokio::test]
async fn what_was_answered_last_is_said_again_as_it_was() {
    for (first, words) in [("몇 시야", "뭐라고?"), ("what time is it", "what did you say")] {
        let (_sql, stage) = quiet().await;
        let told = stage.say(first).await.text;
        assert_eq!(stage.say(words).await.text, told, "{words}");
        stage.clock.advance(Duration::from_secs(7_200));
        let again = replay(&stage, words).await;
        assert_eq!((&again.answer["text"], again.differences), (&json!(told), Vec::new()), "{words}");
    }
}

#[tokio::test]
async fn what_is_understood_otherwise_today_is_told_as_different() {
    let (_sql, stage) = quiet().await;
    let kept = stage.say("몇 시야").await;
    let id = said(&stage, "몇 시야").await.id;
    as_kept_by_another(&stage, &id, |kept| {
        kept["answer"]["intent"] = json!("unknown");
        kept["answer"]["confidence"] = json!(0.0);
        kept["answer"]["outcome"] = json!("not_understood");
        kept["answer"]["text"] = json!("잘 이해하지 못했어요.");
    })
    .await;
    let again = replay(&stage, "몇 시야").await;
    assert_eq!(again.differences, [Difference::Intent, Difference::Outcome, Difference::Text]);
    assert_eq!(again.kept.answer["outcome"], "not_understood", "what was is told beside");
    assert_eq!((&again.answer["text"], &again.answer["outcome"]), (&json!(kept.text), &json!("answered")));
}

#[tokio::test]
async fn who_may_speak_today_and_not_whose_the_device_is_now_says_how_it_goes() {
    let (_sql, stage) = quiet().await;
    stage.say("10분 타이머").await;
    stage.people.owners.lock().insert("kitchen".into(), "eve".into());
    let again = replay(&stage, "10분 타이머").await;
    assert_eq!((&again.answer["userId"], again.differences), (&json!("ada"), Vec::new()));
    stage.people.statuses.lock().insert("ada".into(), UserStatus::Blocked);
    let again = replay(&stage, "10분 타이머").await;
    assert_eq!((&again.answer["outcome"], again.effects), (&json!("blocked"), Vec::new()));
    assert_eq!(kept(&stage).await, 1, "the one that was set");
    // A device that is nobody's speaks for itself.
    let hall = stage.try_say(turn("hall", "what time is it")).await.expect("is answered");
    let again = replay(&stage, "what time is it").await;
    assert_eq!((&again.answer["userId"], &*hall.user_id), (&json!("device:hall"), "device:hall"));
    assert_eq!(again.differences, []);
}

#[tokio::test]
async fn a_turn_that_is_not_kept_and_one_without_words_are_refused_by_reason() {
    let (_sql, stage) = heard().await;
    let fault = refused(&stage, "none").await;
    assert_eq!(&*fault.reason, "voice.turn.unknown");
    assert_eq!(
        fault.message,
        "replaying turn \"none\": none is kept; turns are kept for a day, and go when their person does"
    );
    stage.say("몇 시야").await;
    let id = said(&stage, "몇 시야").await.id;
    as_kept_by_another(&stage, &id, |kept| kept["said"] = json!("")).await;
    let fault = refused(&stage, &id).await;
    assert_eq!(&*fault.reason, "voice.turn.wordless");
    assert_eq!(fault.message, format!("replaying turn {id:?}: its words are not kept"));
    stage.happened("identity.user.removed.v1", "ada", json!({ "userId": "ada" })).await;
    let turns = "SELECT COUNT(*) AS n FROM ieum_voice_turn";
    until("Ada is forgotten", PATIENCE, || async { stage.count(turns).await == 0 }).await.expect("is");
    assert_eq!(&*refused(&stage, &id).await.reason, "voice.turn.unknown");
}
