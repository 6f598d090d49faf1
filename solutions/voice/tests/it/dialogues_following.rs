//! What follows what was said before it: a bare cancel, another thing, another timer; and words as engines of speech write
//! them.

use std::time::Duration;

use serde_json::json;

use crate::talk::{heard, told};

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
