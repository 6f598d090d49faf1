//! A no: what it corrects, what it declines, and what it takes back.

use ieum_contracts::voice::DialogTurn;
use serde_json::json;

use crate::stage::turn;
use crate::talk::{heard, kept, told};

#[tokio::test]
async fn a_no_corrects_values_and_nothing_within_words_that_are_kept() {
    for (said, answer, count) in [
        (
            "remind me at 5 that there is no school",
            "I will remind you today at 5:00 PM: there is no school.",
            1,
        ),
        (
            "remind me at 5 that he actually called",
            "I will remind you today at 5:00 PM: he actually called.",
            1,
        ),
        ("5시에 학교 아니 학원 가라고 알려 줘", "오늘 오후 5시에 알려 드릴게요: 학교 아니 학원 가기.", 1),
        ("set a timer for 5 actually 10 minutes", "Timer set for 10 minutes.", 1),
        ("set an alarm for 7 no 8", "Alarm set for today at 8:00 PM.", 1),
        ("set an alarm for 7 am actually 8 am", "Alarm set for tomorrow at 8:00 AM.", 1),
        ("타이머 5분 아니 10분 맞춰 줘", "10분 타이머를 시작했어요.", 1),
    ] {
        let (_sql, stage) = heard().await;
        told(&stage, &[(said, answer, count)]).await;
    }
    let (_sql, stage) = heard().await;
    let (mut kitchen, mut bath) = (stage.device("kitchen").await, stage.device("bath").await);
    for (said, passed) in [
        ("announce dinner is no longer at six", "dinner is no longer at six"),
        ("announce dinner is actually ready", "dinner is actually ready"),
    ] {
        assert_eq!(kitchen.ask(said).await["text"], "I passed it on.", "{said}");
        assert_eq!(bath.hear().await["payload"]["text"], passed, "{said}");
    }
}

#[tokio::test]
async fn a_no_in_front_of_a_name_declines_it() {
    let sorry = "Sorry, I did not understand that. Could you say it another way?";
    let (_sql, stage) = heard().await;
    told(
        &stage,
        &[
            ("no alarm at 7", sorry, 0),
            ("no lights on", sorry, 0),
            ("no timer for 5 minutes", sorry, 0),
            ("no tea timer for 5 minutes", sorry, 0),
            ("no, alarm at 7", "Alarm set for today at 7:00 PM.", 1),
            ("no, tea timer for 5 minutes", "The tea timer is set for 5 minutes.", 2),
            ("아니 7시 알람", "오늘 오후 7시에 알람을 맞췄어요.", 3),
        ],
    )
    .await;
}

#[tokio::test]
async fn it_is_what_rings_where_that_is_named() {
    let sorry = "Sorry, I did not understand that. Could you say it another way?";
    for said in [
        &[
            ("set a timer for 5 minutes", "Timer set for 5 minutes.", 1),
            ("set an alarm for 7", "Alarm set for today at 7:00 PM.", 2),
            ("there's a timer running cancel it", "The timer is cancelled.", 1),
            ("is there an alarm", "Your next alarm is today at 7:00 PM.", 1),
        ][..],
        &[
            ("set a timer for 5 minutes", "Timer set for 5 minutes.", 1),
            ("turn on the fan", "The fan is on.", 1),
            ("the timer is too loud turn it off", sorry, 1),
            ("turn it off, the alarm is too loud", sorry, 1),
            ("the fan is too loud, turn it off", "The fan is off.", 1),
            ("there is an alarm turn on the fan", "The fan is on.", 1),
        ],
        &[
            ("타이머 5분", "5분 타이머를 시작했어요.", 1),
            ("선풍기 켜 줘", "선풍기를 켰어요.", 1),
            ("타이머가 너무 시끄럽다 꺼 줘", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?", 1),
            ("그거 꺼 줘 알람 시끄러워", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?", 1),
            ("선풍기 꺼 줘 너무 시끄러워", "선풍기를 껐어요.", 1),
        ],
    ] {
        let (_sql, stage) = heard().await;
        let mut kitchen = stage.device("kitchen").await;
        let things = json!([{ "id": "f", "name": "fan" }, { "id": "s", "name": "선풍기" }]);
        kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
        kitchen.ask("hello").await;
        told(&stage, said).await;
    }
}

#[tokio::test]
async fn a_command_that_is_taken_back_behind_it_does_nothing() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([{ "id": "b", "name": "불" }, { "id": "f", "name": "fan" }]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    kitchen.ask("hello").await;
    let sent = async || stage.count("SELECT COUNT(*) AS n FROM ieum_voice_reply").await;
    let before = sent().await;
    let (nothing, sorry) =
        ("알겠어요. 아무것도 바꾸지 않았어요.", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?");
    for (said, answer) in [
        ("거실 불 꺼 줘 아니다", nothing),
        ("불 꺼 줘, 아니다", nothing),
        ("불 켜 줘 아니야", nothing),
        ("불 켜 줘 됐다", nothing),
        ("불 켜 줘 싫다", nothing),
        ("불 켜 줘 안 된다", nothing),
        ("타이머 5분 맞춰 줘 안 돼", nothing),
        ("불 켜 줘 안 덥다", sorry),
        ("불 켜 줘 라고 했다", sorry),
        ("불 꺼 줘 라고 하면 안 된다", sorry),
        ("turn on the fan never mind", "All right, I changed nothing."),
        ("set a timer for 5 minutes, never mind", "All right, I changed nothing."),
        (
            "turn on the fan, that's not what I want",
            "Sorry, I did not understand that. Could you say it another way?",
        ),
    ] {
        let session = Some(format!("about {said}"));
        let turn = DialogTurn { session_id: session, ..turn("kitchen", said) };
        let answered = stage.try_say(turn).await.expect("is answered");
        assert_eq!((&*answered.text, kept(&stage).await), (answer, 0), "{said}");
    }
    assert_eq!(sent().await, before);
    assert_eq!(stage.say("tell everyone to forget it").await.text, "I passed it on.");
}
