//! What follows what was said before it: a bare cancel, another thing, another timer; and words as engines of speech write
//! them.

use std::time::Duration;

use serde_json::json;

use crate::dialogues_colours::told as commanded;
use crate::stage::{NOON, at, turn};
use crate::talk::{heard, kept, quiet, told};

#[tokio::test]
async fn what_was_set_last_is_cancelled_right_after_it() {
    for said in [
        &[
            ("타이머 5분", "5분 타이머를 시작했어요.", 1),
            ("취소해 줘", "타이머를 취소했어요.", 0),
            ("취소", "알겠어요.", 0),
        ][..],
        &[
            ("타이머 10분", "10분 타이머를 시작했어요.", 1),
            ("타이머 5분", "5분 타이머를 시작했어요.", 2),
            ("아니다 그거 취소해", "타이머를 취소했어요.", 1),
            ("타이머 얼마나 남았어", "타이머가 7분 남았어요.", 1),
            ("취소", "알겠어요.", 1),
        ],
        &[
            ("7시에 깨워 줘", "오늘 오후 7시에 알람을 맞췄어요.", 1),
            ("아니 8시로", "오늘 오후 8시에 알람을 맞췄어요.", 1),
            ("됐어", "알겠어요.", 1),
        ],
        &[
            ("8시에 약 먹으라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 약 먹기.", 1),
            ("취소해", "알림을 취소했어요.", 0),
        ],
        // A question that waits is what is cancelled.
        &[
            ("타이머 5분", "5분 타이머를 시작했어요.", 1),
            ("알람 맞춰 줘", "몇 시에 울릴까요?", 1),
            ("취소해 줘", "알겠어요.", 1),
        ],
        &[
            ("set a timer for 10 minutes", "Timer set for 10 minutes.", 1),
            ("set a timer for 5 minutes", "Timer set for 5 minutes.", 2),
            ("never mind, cancel that", "The timer is cancelled.", 1),
            ("how much time is left", "There is 7 minutes left on the timer.", 1),
            ("never mind", "All right.", 1),
        ],
        &[
            ("set an alarm for 7", "Alarm set for today at 7:00 PM.", 1),
            ("no 8", "Alarm set for today at 8:00 PM.", 1),
            ("another one at 9", "Alarm set for today at 9:00 PM.", 2),
            ("cancel", "The alarm is cancelled.", 1),
        ],
        &[
            ("set an alarm for 7", "Alarm set for today at 7:00 PM.", 1),
            ("set a timer", "For how long?", 1),
            ("cancel", "All right.", 1),
        ],
    ] {
        let (_sql, stage) = heard().await;
        for one in said {
            told(&stage, std::slice::from_ref(one)).await;
            stage.clock.advance(Duration::from_secs(60));
        }
    }
}

#[tokio::test]
async fn what_follows_takes_over_what_it_does_not_say() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([
        { "id": "k", "name": "불", "area": "주방" }, { "id": "l", "name": "불", "area": "거실" },
        { "id": "a", "name": "에어컨", "area": "거실" }, { "id": "f", "name": "fan" }, { "id": "h", "name": "heater" },
    ]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    kitchen.ask("hello").await;
    told(
        &stage,
        &[
            ("거실 불 켜 줘", "불을 켰어요.", 0),
            ("주방 불도", "불을 켰어요.", 0),
            ("에어컨도", "에어컨을 켰어요.", 0),
            ("에어컨 꺼 줘", "에어컨을 껐어요.", 0),
            ("거실 불도", "불을 껐어요.", 0),
            ("turn off the fan", "The fan is off.", 0),
            ("and the heater", "The heater is off.", 0),
            ("turn on the fan", "The fan is on.", 0),
            ("the heater too", "The heater is on.", 0),
            ("밥 타이머 20분", "밥 타이머를 20분으로 시작했어요.", 1),
            ("국 타이머 10분", "국 타이머를 10분으로 시작했어요.", 2),
            ("국 타이머 얼마나 남았어", "국 타이머가 10분 남았어요.", 2),
            ("밥은?", "밥 타이머가 20분 남았어요.", 2),
            ("내일은?", "죄송해요, 잘 이해하지 못했어요. 다르게 말씀해 주시겠어요?", 2),
            ("알람은?", "맞춰 둔 알람이 없어요.", 2),
            ("밥 타이머 멈춰", "타이머를 취소했어요.", 1),
            ("국 타이머 종료해 줘", "타이머를 취소했어요.", 0),
            ("rice timer 20 minutes", "The rice timer is set for 20 minutes.", 1),
            ("soup timer 10 minutes", "The soup timer is set for 10 minutes.", 2),
            ("how long on the soup", "There is 10 minutes left on the soup timer.", 2),
            ("what about the rice", "There is 20 minutes left on the rice timer.", 2),
            ("and the soup", "There is 10 minutes left on the soup timer.", 2),
            ("add five minutes to the soup", "I added 5 minutes to the soup timer: 15 minutes left.", 2),
            ("what about my alarms", "There is no alarm set.", 2),
            ("how long is left on the soup timer", "There is 15 minutes left on the soup timer.", 2),
            ("and cancel the rice timer", "The timer is cancelled.", 1),
            ("kill the soup timer", "The timer is cancelled.", 0),
        ],
    )
    .await;
}

#[tokio::test]
async fn words_are_understood_as_engines_of_speech_write_them() {
    for (said, answer, count) in [
        ("타이머삼분", "3분 타이머를 시작했어요.", 1),
        ("십분뒤에알려줘", "10분 타이머를 시작했어요.", 1),
        ("라면타이머삼분", "라면 타이머를 3분으로 시작했어요.", 1),
        ("일곱시에알람맞춰줘", "오늘 오후 7시에 알람을 맞췄어요.", 1),
        ("타이머다취소해줘", "맞춰 둔 타이머가 없어요.", 0),
        ("지금몇시야", "지금은 오후 12시예요.", 0),
        ("3분 카운트다운", "3분 타이머를 시작했어요.", 1),
        ("모닝콜 7시", "오늘 오후 7시에 알람을 맞췄어요.", 1),
        ("6시 30분 기상 알람", "오늘 오후 6시 30분에 알람을 맞췄어요.", 1),
        ("내일 7시에 엄마한테 전화하라고 해 줘", "내일 오전 7시에 알려 드릴게요: 엄마한테 전화하기.", 1),
        ("set a timer for to minutes", "Timer set for 2 minutes.", 1),
        ("set a timer for for minutes", "Timer set for 4 minutes.", 1),
        ("set a timer for 5 no 10 minutes", "Timer set for 10 minutes.", 1),
        ("skip tomorrow's alarm", "There is no alarm set.", 0),
        ("are you okay", "Everything is fine. 0 devices are connected.", 0),
        ("지금 잘 돌아가고 있어", "모두 정상이에요. 기기 0대가 연결되어 있어요.", 0),
    ] {
        let (_sql, stage) = heard().await;
        told(&stage, &[(said, answer, count)]).await;
    }
}

#[tokio::test]
async fn the_rest_is_asked_for_where_nobody_knows_what_it_is_besides() {
    let three = "알람이 3개 있어요: 오늘 오후 6시, 오늘 오후 8시, 오늘 오후 9시. 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요.";
    let these = "There are 3 alarms: today at 6:00 PM, today at 8:00 PM, today at 9:00 PM. Which one? Say all for all of them.";
    let korean: &[&str] = &["오후 6시 알람 맞춰 줘", "오후 7시 알람 맞춰 줘", "오후 9시 알람 맞춰 줘"];
    let english: &[&str] = &["set an alarm for 6 pm", "set an alarm for 7 pm", "set an alarm for 9 pm"];
    for (before, said) in [
        // What was moved is called otherwise by then.
        (
            korean,
            &[
                ("7시 알람 8시로 바꿔 줘", "오늘 오후 8시에 알람을 맞췄어요.", 3),
                ("나머지 알람 취소해 줘", three, 3),
                ("9시 거", "알람을 취소했어요.", 2),
                ("알람 알려 줘", "알람이 2개 있어요: 오늘 오후 6시, 오늘 오후 8시.", 2),
            ][..],
        ),
        (
            english,
            &[
                ("change the 7 pm alarm to 8 pm", "Alarm set for today at 8:00 PM.", 3),
                ("cancel the rest", these, 3),
                ("all", "3 alarms are cancelled.", 0),
            ],
        ),
        (
            &["오후 7시 알람 맞춰 줘"],
            &[
                ("7시 알람 8시로 바꿔 줘", "오늘 오후 8시에 알람을 맞췄어요.", 1),
                ("나머지 알람 취소해 줘", "오늘 오후 8시 알람을 취소할까요?", 1),
                ("아니", "그대로 둘게요.", 1),
            ],
        ),
        (
            &["set an alarm for 7 pm"],
            &[
                ("change the 7 pm alarm to 8 pm", "Alarm set for today at 8:00 PM.", 1),
                ("cancel the other alarms", "Cancel the alarm today at 8:00 PM?", 1),
                ("yes", "The alarm is cancelled.", 0),
            ],
        ),
        (
            &["타이머 30분", "타이머 60분"],
            &[
                ("30분 타이머 5분 늘려 줘", "타이머를 5분 늘렸어요. 이제 33분 남았어요.", 2),
                (
                    "나머지 타이머 취소해 줘",
                    "타이머가 2개 있어요: 35분 (32분 남음), 1시간 (58분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                     주세요.",
                    2,
                ),
            ],
        ),
        (
            &["set a timer for 30 minutes", "set a timer for 60 minutes"],
            &[
                (
                    "take 5 minutes off the 30 minute timer",
                    "I took 5 minutes off the timer: 23 minutes left.",
                    2,
                ),
                (
                    "cancel the rest",
                    "There are 2 timers: 25 minutes (22 minutes left), 1 hour (58 minutes left). Which one? Say all for \
                     all of them.",
                    2,
                ),
            ],
        ),
        // All that was set at once is kept.
        (
            &["오후 6시 알람 맞춰 줘"],
            &[
                (
                    "7시랑 8시에 알람 맞춰 줘",
                    "오늘 오후 7시에 알람을 맞췄어요. 오늘 오후 8시에 알람을 맞췄어요.",
                    3,
                ),
                ("나머지는 취소해 줘", "알람을 취소했어요.", 2),
                ("알람 알려 줘", "알람이 2개 있어요: 오늘 오후 7시, 오늘 오후 8시.", 2),
            ],
        ),
        (
            &["set an alarm for 6 pm"],
            &[
                (
                    "set alarms for 7 pm and 8 pm",
                    "Alarm set for today at 7:00 PM. Alarm set for today at 8:00 PM.",
                    3,
                ),
                ("cancel the rest", "The alarm is cancelled.", 2),
                ("what alarms are set", "There are 2 alarms: today at 7:00 PM, today at 8:00 PM.", 2),
            ],
        ),
        (
            &["오후 6시 알람 맞춰 줘"],
            &[
                (
                    "7시 알람 맞추고 나머지 알람은 취소해 줘",
                    "오늘 오후 7시에 알람을 맞췄어요. 알람을 취소했어요.",
                    1,
                ),
                ("알람 알려 줘", "다음 알람은 오늘 오후 7시예요.", 1),
            ],
        ),
        // Nothing was cancelled after all, or in front of it.
        (
            &["타이머 30분", "타이머 60분"],
            &[
                (
                    "타이머 취소해 줘",
                    "타이머가 2개 있어요: 30분 (28분 남음), 1시간 (59분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                     주세요.",
                    2,
                ),
                ("둘 다 아니야", "그대로 둘게요.", 2),
                (
                    "나머지 취소해 줘",
                    "타이머가 2개 있어요: 30분 (26분 남음), 1시간 (57분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                     주세요.",
                    2,
                ),
            ],
        ),
        (
            &["set a timer for 30 minutes", "set a timer for 60 minutes"],
            &[
                (
                    "cancel the timer",
                    "There are 2 timers: 30 minutes (28 minutes left), 1 hour (59 minutes left). Which one? Say all for \
                     all of them.",
                    2,
                ),
                ("none of them", "I will leave it.", 2),
                (
                    "cancel the rest",
                    "There are 2 timers: 30 minutes (26 minutes left), 1 hour (57 minutes left). Which one? Say all for \
                     all of them.",
                    2,
                ),
            ],
        ),
        (
            &["타이머 30분", "타이머 60분"],
            &[(
                "20분 타이머 취소하고 나머지도 취소해 줘",
                "그런 타이머는 없어요. 맞춰 둔 건 30분 (28분 남음), 1시간 (59분 남음)이에요. 타이머가 2개 있어요: 30분 (28분 \
                 남음), 1시간 (59분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요.",
                2,
            )],
        ),
    ] {
        let (_sql, stage) = quiet().await;
        for one in before {
            stage.say(one).await;
            stage.clock.advance(Duration::from_secs(60));
        }
        for one in said {
            told(&stage, std::slice::from_ref(one)).await;
            stage.clock.advance(Duration::from_secs(60));
        }
    }
}

#[tokio::test]
async fn a_bare_cancel_after_something_rang_asks_before_another_one_goes() {
    for (before, rang, said) in [
        (
            ["60분 타이머", "1분 타이머"],
            "1분 타이머가 끝났어요.",
            [("취소", "1시간 타이머를 취소할까요?", 1), ("아니", "그대로 둘게요.", 1)],
        ),
        (
            ["60분 타이머", "1분 타이머"],
            "1분 타이머가 끝났어요.",
            [("그거 취소해 줘", "1시간 타이머를 취소할까요?", 1), ("응", "타이머를 취소했어요.", 0)],
        ),
        (
            ["set a timer for 60 minutes", "set a timer for 1 minute"],
            "Your 1 minute timer is done.",
            [("cancel", "Cancel the 1 hour timer?", 1), ("no", "I will leave it.", 1)],
        ),
        (
            ["set a timer for 60 minutes", "set a timer for 1 minute"],
            "Your 1 minute timer is done.",
            [("cancel it", "Cancel the 1 hour timer?", 1), ("yes", "The timer is cancelled.", 0)],
        ),
        // What is named goes, and so does what was set after it rang.
        (
            ["60분 타이머", "1분 타이머"],
            "1분 타이머가 끝났어요.",
            [("타이머 5분", "5분 타이머를 시작했어요.", 2), ("취소", "타이머를 취소했어요.", 1)],
        ),
        (
            ["set a timer for 60 minutes", "set a timer for 1 minute"],
            "Your 1 minute timer is done.",
            [
                ("set a timer for 5 minutes", "Timer set for 5 minutes.", 2),
                ("cancel", "The timer is cancelled.", 1),
            ],
        ),
    ] {
        let (_sql, stage) = heard().await;
        let mut kitchen = stage.device("kitchen").await;
        for one in before {
            stage.say(one).await;
            stage.clock.advance(Duration::from_secs(1));
        }
        stage.clock.advance(Duration::from_secs(60));
        assert_eq!(stage.rung(&mut kitchen).await["text"], rang);
        for one in said {
            stage.clock.advance(Duration::from_secs(5));
            told(&stage, &[one]).await;
        }
    }
    // Of several that are left one is asked for, and all are all.
    for (before, said) in [
        (
            ["60분 타이머", "30분 타이머", "1분 타이머"],
            [
                (
                    "취소",
                    "타이머가 2개 있어요: 30분 (28분 남음), 1시간 (58분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                     주세요.",
                    2,
                ),
                ("전부", "타이머 2개를 취소했어요.", 0),
            ],
        ),
        (
            ["60분 타이머", "30분 타이머", "1분 타이머"],
            [
                (
                    "나머지는 취소해 줘",
                    "타이머가 2개 있어요: 30분 (28분 남음), 1시간 (58분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                     주세요.",
                    2,
                ),
                ("전부", "타이머 2개를 취소했어요.", 0),
            ],
        ),
        (
            ["set a timer for 60 minutes", "set a timer for 30 minutes", "set a timer for 1 minute"],
            [
                (
                    "cancel",
                    "There are 2 timers: 30 minutes (28 minutes left), 1 hour (58 minutes left). Which one? Say all for \
                     all of them.",
                    2,
                ),
                ("the 30 minute one", "The timer is cancelled.", 1),
            ],
        ),
    ] {
        let (_sql, stage) = heard().await;
        let mut kitchen = stage.device("kitchen").await;
        for one in before {
            stage.say(one).await;
        }
        stage.clock.advance(Duration::from_secs(61));
        stage.rung(&mut kitchen).await;
        let since = stage.clock.shared().now().since(at(NOON));
        stage.clock.advance(Duration::from_secs(120) - since);
        told(&stage, &said).await;
    }
}

#[tokio::test]
async fn a_bare_cancel_takes_nothing_that_was_set_on_another_device() {
    for (kitchen, bath, said) in [
        (
            "5분 타이머",
            "30분 타이머",
            [
                (
                    "취소해 줘",
                    "타이머가 2개 있어요: 5분 (4분 남음), 30분 (30분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                     주세요.",
                    2,
                ),
                ("5분 거", "타이머를 취소했어요.", 1),
            ],
        ),
        (
            "set a timer for 5 minutes",
            "set a timer for 30 minutes",
            [
                (
                    "cancel that",
                    "There are 2 timers: 5 minutes (4 minutes left), 30 minutes (30 minutes left). Which one? Say all for \
                     all of them.",
                    2,
                ),
                ("the 5 minute one", "The timer is cancelled.", 1),
            ],
        ),
        (
            "오후 7시 알람 맞춰 줘",
            "오후 9시 알람 맞춰 줘",
            [
                (
                    "나머지는 취소해 줘",
                    "알람이 2개 있어요: 오늘 오후 7시, 오늘 오후 9시. 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요.",
                    2,
                ),
                ("9시 거", "알람을 취소했어요.", 1),
            ],
        ),
    ] {
        let (_sql, stage) = quiet().await;
        stage.say(kitchen).await;
        stage.clock.advance(Duration::from_secs(60));
        stage.try_say(turn("bath", bath)).await.expect("is answered");
        assert_eq!(kept(&stage).await, 2);
        told(&stage, &said).await;
    }
}

#[tokio::test]
async fn what_is_said_of_one_thing_is_not_carried_to_another() {
    let (_sql, stage) = heard().await;
    let mut kitchen = stage.device("kitchen").await;
    let things = json!([
        { "id": "k", "name": "불", "area": "주방" }, { "id": "l", "name": "불", "area": "거실" },
        { "id": "a", "name": "에어컨", "area": "거실" }, { "id": "b", "name": "에어컨", "area": "안방" },
        { "id": "r", "name": "커튼", "area": "주방" }, { "id": "s", "name": "블라인드", "area": "주방" },
        { "id": "f", "name": "fan", "area": "주방" }, { "id": "g", "name": "fan", "area": "living room" },
        { "id": "c", "name": "curtain", "area": "주방" }, { "id": "w", "name": "window", "area": "주방" },
        { "id": "t", "name": "lamp", "area": "주방" }, { "id": "u", "name": "lamp", "area": "living room" },
    ]);
    kitchen.send("event", json!({ "eventType": "things", "data": { "things": things } })).await;
    commanded(
        &mut kitchen,
        &[
            ("거실 불 다 켜 줘", &["l on"], "불을 모두 켰어요."),
            ("에어컨도", &["a on"], "에어컨을 켰어요."),
            ("거실 불 켜 줘", &["l on"], "불을 켰어요."),
            ("에어컨도", &["a on"], "에어컨을 켰어요."),
            ("커튼도", &["r on"], "커튼을 켰어요."),
            ("거실 불 다 꺼 줘", &["l off"], "불을 모두 껐어요."),
            ("에어컨도", &["a off"], "에어컨을 껐어요."),
            ("turn on all the lamps", &["k on", "l on", "t on", "u on"], "Every lamp is on."),
            ("and the fan", &["f on"], "The fan is on."),
            ("turn off all the lamps in the living room", &["u off"], "Every lamp is off."),
            ("and the fan", &["g off"], "The fan is off."),
            ("open the curtain", &["c on"], "The curtain is open."),
            ("the lamp too", &["t on"], "The lamp is on."),
            ("open the curtain", &["c on"], "The curtain is open."),
            ("the window too", &["w on"], "The window is open."),
            ("커튼 열어 줘", &["r on"], "커튼을 열었어요."),
            ("블라인드도", &["s on"], "블라인드를 열었어요."),
            ("불도", &["k on"], "불을 켰어요."),
            ("커튼 닫아 줘", &["r off"], "커튼을 닫았어요."),
            ("불도", &["k off"], "불을 껐어요."),
        ],
    )
    .await;
}
