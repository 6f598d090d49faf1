//! Dialogues in Korean and English, as the contract leads them and as a device does.

use std::collections::HashSet;
use std::time::Duration;

use ieum_contracts::identity::UserStatus;
use ieum_contracts::voice::{DialogOutcome, DialogTurn, SlotValue};
use ieum_testkit::backend::SqlStore;
use serde_json::json;

use crate::stage::{Stage, turn};

async fn quiet() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    (sql, stage)
}

async fn heard() -> (SqlStore, Stage) {
    let sql = SqlStore::sqlite();
    let stage = Stage::heard(&sql.url).await;
    (sql, stage)
}

#[tokio::test]
async fn time_and_date_are_told_in_the_language_of_the_question() {
    let (_sql, stage) = quiet().await;
    for (said, answer) in [
        ("지금 몇 시야?", "지금은 오후 12시예요."),
        ("What time is it?", "It is 12:00 PM."),
        ("오늘 며칠이야?", "오늘은 5월 1일 금요일이에요."),
        ("what day is it", "Today is Friday, May 1."),
    ] {
        let answered = stage.say(said).await;
        assert_eq!((&*answered.text, answered.outcome), (answer, DialogOutcome::Answered), "{said}");
    }
    let told = stage.say("몇 시야").await;
    let names: Vec<&str> = told.stages.iter().map(|stage| &*stage.stage).collect();
    assert_eq!(names, ["known", "remembered", "understood", "answered"]);
    assert_eq!((told.turn_count, &*told.session_id, &*told.user_id), (5, "device:kitchen", "ada"));
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_a_command_goes_before_the_answer() {
    let (_sql, stage) = quiet().await;
    let asked = stage.say("타이머 맞춰 줘").await;
    assert_eq!((&*asked.text, asked.expects_answer), ("몇 분으로 맞출까요?", true));
    let set = stage.say("십오 분").await;
    assert_eq!((&*set.text, &*set.intent), ("15분 타이머를 시작했어요.", "timer.start"));
    assert_eq!(stage.say("set an alarm").await.text, "For what time?");
    assert_eq!(stage.say("what time is it").await.text, "It is 12:00 PM.", "a command is no answer");
    assert_eq!(stage.say("seven thirty tomorrow morning").await.outcome, DialogOutcome::NotUnderstood);
    stage.say("set an alarm").await;
    assert_eq!(stage.say("tomorrow at 7:30 am").await.text, "Alarm set for tomorrow at 7:30 AM.");
    stage.say("알람 맞춰 줘").await;
    assert_eq!(stage.say("취소").await.text, "알겠어요.");
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await, 2);
}

#[tokio::test]
async fn timers_are_told_and_cancelled_by_their_owner() {
    let (_sql, stage) = quiet().await;
    assert_eq!(stage.say("set a timer for 90 seconds").await.text, "Timer set for 1 minute 30 seconds.");
    stage.clock.advance(Duration::from_secs(30));
    assert_eq!(stage.say("타이머 얼마나 남았어?").await.text, "타이머가 1분 남았어요.");
    assert_eq!(
        stage.try_say(turn("guest", "타이머 취소해")).await.expect("answers").text,
        "맞춰 둔 타이머가 없어요."
    );
    assert_eq!(stage.say("cancel the timer").await.text, "The timer is cancelled.");
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await, 0);
}

#[tokio::test]
async fn a_command_that_lacks_something_holds_up_none_of_the_others() {
    let (_sql, stage) = quiet().await;
    let both = stage.say("타이머 맞춰 줘 그리고 지금 몇 시야").await;
    assert!(both.expects_answer && both.text.starts_with("지금은 오후 12시"), "{}", both.text);
    assert!(both.text.ends_with('?'), "the question comes last: {}", both.text);
    assert_eq!(stage.say("오 분").await.intent, "timer.start");
}

#[tokio::test]
async fn what_a_session_was_about_is_over_after_a_while() {
    let (_sql, stage) = quiet().await;
    assert!(stage.say("타이머 맞춰 줘").await.expects_answer);
    stage.clock.advance(Duration::from_secs(19 * 60));
    assert_eq!(stage.say("오 분").await.intent, "timer.start");
    assert!(stage.say("타이머 맞춰 줘").await.expects_answer);
    stage.clock.advance(Duration::from_secs(21 * 60));
    assert_eq!(stage.say("오 분").await.outcome, DialogOutcome::NotUnderstood);
}

#[tokio::test]
async fn several_commands_in_one_sentence_are_all_answered() {
    let (_sql, stage) = quiet().await;
    let both = stage.say("지금 몇 시야 그리고 오 분 타이머 맞춰 줘").await;
    assert_eq!(both.text, "지금은 오후 12시예요. 5분 타이머를 시작했어요.");
    let both = stage.say("what time is it, and set a timer for five minutes").await;
    assert_eq!(both.text, "It is 12:00 PM. Timer set for 5 minutes.");
}

#[tokio::test]
async fn the_directory_decides_who_speaks_and_its_silence_stops_nobody() {
    let (_sql, stage) = quiet().await;
    let of = |user: &str| DialogTurn {
        user_id: Some(user.into()),
        text: "몇 시야".into(),
        ..DialogTurn::default()
    };
    stage.people.statuses.lock().insert("eve".into(), UserStatus::Blocked);
    let blocked = stage.try_say(of("eve")).await.expect("is an answer");
    assert_eq!((blocked.outcome, blocked.text.contains("중지")), (DialogOutcome::Blocked, true));
    let unknown = stage.try_say(of("nobody")).await.expect("is an answer");
    assert_eq!((unknown.outcome, unknown.text.contains("등록되지")), (DialogOutcome::UserNotFound, true));
    stage.say("몇 시야").await;
    *stage.people.is_down.lock() = true;
    assert_eq!(stage.say("몇 시야").await.user_id, "ada", "whose device it is was known");
    let anyway = stage.try_say(of("ada")).await.expect("is an answer");
    assert_eq!((anyway.outcome, &*anyway.user_id), (DialogOutcome::Answered, "ada"));
    let fault = stage.try_say(DialogTurn { text: "몇 시야".into(), ..DialogTurn::default() }).await;
    assert_eq!(&*fault.expect_err("names nobody").reason, "voice.turn.invalid");
}

#[tokio::test]
async fn what_nobody_can_understand_is_said_and_nothing_is_forgotten() {
    let (_sql, stage) = quiet().await;
    stage.say("타이머 맞춰 줘").await;
    let lost = stage.say("무슨 말인지 아무도 몰라").await;
    assert_eq!((lost.outcome, &*lost.intent), (DialogOutcome::NotUnderstood, "unknown"));
    assert_eq!(stage.say("삼 분").await.text, "3분 타이머를 시작했어요.", "the question still waits");
}

#[tokio::test]
async fn a_device_asks_over_mqtt_and_hears_its_answer_in_the_known_envelope() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    kitchen.send("text", json!({ "messageId": "m-1", "text": "지금 몇 시야?" })).await;
    let heard = kitchen.hear().await;
    assert_eq!(
        (&heard["type"], &heard["timestamp"]),
        (&json!("DIALOG_RESPONSE"), &json!(1_777_604_400_000_i64))
    );
    assert_eq!(heard["messageId"].as_str().map(str::len), Some(36));
    assert_eq!(heard["payload"]["text"], "지금은 오후 12시예요.");
    assert_eq!((&heard["payload"]["turnId"], &heard["payload"]["userId"]), (&json!("m-1"), &json!("ada")));
    kitchen.send("event", json!({ "eventType": "text", "data": { "text": "what time is it" } })).await;
    assert_eq!(kitchen.hear().await["payload"]["text"], "It is 12:00 PM.");
    // The first one again, as after a lost acknowledgement: it is answered once.
    kitchen.send("text", json!({ "messageId": "m-1", "text": "지금 몇 시야?" })).await;
    assert_eq!(kitchen.ask("오늘 며칠이야").await["text"], "오늘은 5월 1일 금요일이에요.");
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_voice_turn").await, 3);
}

#[tokio::test]
async fn garbage_is_refused_clearly_and_costs_no_later_message() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    for (kind, body, reason) in [
        ("text", "{", "voice.message.invalid"),
        ("text", r#"{"text": 5}"#, "voice.message.invalid"),
        ("text", r#"{"text": " "}"#, "voice.turn.invalid"),
        ("text", r#"{"text": "몇 시야", "deviceId": "bath"}"#, "voice.message.foreign"),
        (
            "event",
            r#"{"eventType": "things", "data": {"things": [{"id": "", "name": "x"}]}}"#,
            "voice.message.invalid",
        ),
    ] {
        kitchen.send(kind, body).await;
        let heard = kitchen.hear().await;
        assert_eq!(
            (&heard["type"], &heard["payload"]["reason"]),
            (&json!("DIALOG_ERROR"), &json!(reason)),
            "{body}"
        );
    }
    assert_eq!(kitchen.ask("몇 시야").await["text"], "지금은 오후 12시예요.");
}

#[tokio::test]
async fn each_wrong_message_gets_its_refusal_within_a_rate() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let mut told = HashSet::new();
    for _ in 0..20 {
        kitchen.send("text", "{").await;
        let heard = kitchen.hear().await;
        assert_eq!(
            (&heard["type"], &heard["payload"]["reason"]),
            (&json!("DIALOG_ERROR"), &json!("voice.message.invalid"))
        );
        told.insert(heard["messageId"].as_str().expect("has an id").to_owned());
    }
    assert_eq!(told.len(), 20, "the same words said again are told again");
    // A device that says nothing else is told no more for a while, and what it says right is answered.
    for _ in 0..50 {
        kitchen.send("text", "{").await;
    }
    assert_eq!(kitchen.ask("몇 시야").await["text"], "지금은 오후 12시예요.");
    stage.clock.advance(Duration::from_secs(60));
    kitchen.send("telemetry", "[").await;
    assert_eq!(kitchen.hear().await["payload"]["reason"], "voice.message.invalid");
}

#[tokio::test]
async fn things_are_switched_where_they_are_meant() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things =
        json!([{ "id": "l1", "name": "불", "area": "주방" }, { "id": "l2", "name": "불", "area": "거실" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    kitchen.send("text", json!({ "text": "불 켜 줘" })).await;
    let (command, answer) = (kitchen.hear().await, kitchen.hear().await);
    assert_eq!((&command["type"], &command["payload"]["thing"]), (&json!("DEVICE_COMMAND"), &json!("l1")));
    assert_eq!(answer["payload"]["text"], "불을 켰어요.");
    kitchen.send("text", json!({ "text": "거실 불 꺼 줘" })).await;
    let command = kitchen.hear().await["payload"].clone();
    assert_eq!((&command["thing"], &command["action"]), (&json!("l2"), &json!("off")));
    kitchen.hear().await;
    assert_eq!(kitchen.ask("선풍기 켜 줘").await["text"], "선풍기를 찾지 못했어요.");
}

#[tokio::test]
async fn a_timer_rings_once_at_its_device() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    assert_eq!(kitchen.ask("삼 분 타이머").await["text"], "3분 타이머를 시작했어요.");
    assert_eq!(
        kitchen.ask("remind me to call mom tomorrow").await["text"],
        "I will remind you tomorrow at 9:00 AM: call mom."
    );
    stage.clock.advance(Duration::from_secs(181));
    let rang = stage.rung(&mut kitchen).await;
    assert_eq!((&rang["intent"], &rang["text"]), (&json!("timer.rang"), &json!("3분 타이머가 끝났어요.")));
    assert_eq!(stage.count("SELECT COUNT(*) AS n FROM ieum_schedule").await, 1);
}

#[tokio::test]
async fn an_announcement_is_said_by_the_other_devices() {
    let (_sql, stage) = heard().await;
    let (mut kitchen, mut bath) = (stage.device("kitchen").await, stage.device("bath").await);
    assert_eq!(kitchen.ask("announce that dinner is ready").await["text"], "I passed it on.");
    assert_eq!(bath.hear().await["payload"]["text"], "dinner is ready");
}

#[tokio::test]
async fn words_are_read_in_the_speakers_zone() {
    let (_sql, stage) = quiet().await;
    let set = stage.say("내일 아침 일곱 시에 깨워 줘").await;
    assert_eq!(set.text, "내일 오전 7시에 알람을 맞췄어요.");
    let Some(SlotValue::Moment { at, .. }) = set.slots.get("when").map(|slot| slot.value.clone()) else {
        panic!("has a time: {:?}", set.slots);
    };
    assert_eq!(at.to_string(), "2026-05-01T22:00:00.000Z");
}

#[tokio::test]
async fn a_session_that_a_kill_kept_from_hearing_of_a_turn_hears_of_it_when_it_comes_again() {
    let (_sql, stage) = quiet().await;
    let turn = DialogTurn { turn_id: Some("t1".into()), ..turn("kitchen", "타이머 맞춰 줘") };
    let first = stage.try_say(turn.clone()).await.expect("is answered");
    stage.store.execute("DELETE FROM ieum_voice_context", &[]).await.expect("is as before its recording");
    assert_eq!(stage.try_say(turn).await.expect("is answered"), first);
    assert_eq!(stage.say("오 분").await.text, "5분 타이머를 시작했어요.");
    assert_eq!(stage.count("SELECT turn_count AS n FROM ieum_voice_context").await, 2);
}
