//! Several commands in one sentence: each is done, and knows what those in front of it did; what is not understood is
//! told, and nothing gets lost without a word.

use crate::talk::{kept, quiet};

/// Says all of `before`, then `said`; expects the answer and how many timers, alarms and reminders are set then.
async fn answered(cases: &[(&[&str], &str, &str, i64)]) {
    let mut wrong = Vec::new();
    for (before, said, wanted, left) in cases {
        let (_sql, stage) = quiet().await;
        for said in *before {
            stage.say(said).await;
        }
        let answer = stage.say(said).await;
        let kept = kept(&stage).await;
        if (&*answer.text, kept) != (*wanted, *left) {
            wrong.push(format!("{said}\n  {} ({kept})\n  {wanted} ({left})", answer.text));
        }
    }
    assert!(wrong.is_empty(), "answered otherwise than it should be:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn several_things_share_a_verb() {
    answered(&[
        (
            &["set an alarm for 7 am", "remind me to call Bob at 9 am", "remind me to eat at 10 am"],
            "cancel my alarm and all reminders",
            "The alarm is cancelled. 2 reminders are cancelled.",
            0,
        ),
        (
            &["7시 알람 맞춰 줘", "9시에 약 먹으라고 알려 줘", "10시에 전화하라고 알려 줘"],
            "알람 취소하고 알림도 다 취소해 줘",
            "알람을 취소했어요. 알림 2개를 취소했어요.",
            0,
        ),
        (
            &["set a timer for 5 minutes", "set a timer for 6 minutes", "set an alarm for 7 am"],
            "remove all timers and alarms",
            "2 timers are cancelled. The alarm is cancelled.",
            0,
        ),
        (
            &["타이머 5분", "타이머 6분", "7시 알람"],
            "타이머랑 알람 다 취소해 줘",
            "타이머 2개를 취소했어요. 알람을 취소했어요.",
            0,
        ),
        (&["타이머 5분이랑 10분 맞춰 줘"], "5분 타이머랑 10분 타이머 취소해 줘", "타이머 2개를 취소했어요.", 0),
        (
            &[],
            "set a timer for 10 minutes and an alarm for 7 am and remind me at 9 am to call Bob",
            "Timer set for 10 minutes. Alarm set for tomorrow at 7:00 AM. I will remind you tomorrow at 9:00 AM: call \
             Bob.",
            3,
        ),
        (
            &[],
            "remind me to take pills at 8 am and to call mom at 9 am",
            "I will remind you tomorrow at 8:00 AM: take pills. I will remind you tomorrow at 9:00 AM: call mom.",
            2,
        ),
        (
            &[],
            "remind me to call mom at 9 and dad at 10",
            "I will remind you today at 9:00 PM: call mom. I will remind you today at 10:00 PM: call dad.",
            2,
        ),
        (
            &[],
            "8시에 약 먹으라고 하고 9시에 엄마한테 전화하라고 알려 줘",
            "오늘 오후 8시에 알려 드릴게요: 약 먹기. 오늘 오후 9시에 알려 드릴게요: 엄마한테 전화하기.",
            2,
        ),
        (
            &[],
            "월요일이랑 수요일 7시에 깨워 줘",
            "5월 4일 월요일 오전 7시에 알람을 맞췄어요. 5월 6일 수요일 오전 7시에 알람을 맞췄어요.",
            2,
        ),
        (
            &[],
            "월요일이랑 수요일 오후 4시에 수영 가라고 알려 줘",
            "5월 4일 월요일 오후 4시에 알려 드릴게요: 수영 가기. 5월 6일 수요일 오후 4시에 알려 드릴게요: 수영 가기.",
            2,
        ),
        (
            &[],
            "set an alarm for 7 am on monday and tuesday",
            "Alarm set for Monday, May 4 at 7:00 AM. Alarm set for Tuesday, May 5 at 7:00 AM.",
            2,
        ),
        (
            &[],
            "set two timers, one for 5 minutes and one for 10 minutes",
            "Timer set for 5 minutes. Timer set for 10 minutes.",
            2,
        ),
        (
            &[],
            "turn on the kitchen light and the bedroom light and set a timer for 5 minutes",
            "I found no light in the kitchen. I found no light in the bedroom. Timer set for 5 minutes.",
            1,
        ),
        (
            &["set an alarm for 7 am"],
            "do I have any alarms or timers",
            "Your next alarm is tomorrow at 7:00 AM. There is no timer set.",
            1,
        ),
        (
            &[],
            "6시 반, 6시 45분, 7시에 깨워 줘",
            "오늘 오후 6시 30분에 알람을 맞췄어요. 오늘 오후 6시 45분에 알람을 맞췄어요. 오늘 오후 7시에 알람을 맞췄어요.",
            3,
        ),
        (
            &[],
            "wake me up at 6:30, 6:45 and 7 am",
            "Alarm set for tomorrow at 6:30 AM. Alarm set for tomorrow at 6:45 AM. Alarm set for tomorrow at 7:00 AM.",
            3,
        ),
        (
            &["피자 타이머 10분이랑 계란 타이머 6분 맞춰 줘"],
            "피자 타이머 취소하고 계란 타이머 2분 늘려 줘",
            "타이머를 취소했어요. 계란 타이머를 2분 늘렸어요. 이제 8분 남았어요.",
            1,
        ),
        (&[], "turn on the lamp, the fan and the tv", "I found no lamp. I found no fan. I found no tv.", 0),
        // What a reminder or a name holds is no other command.
        (
            &[],
            "remind me to buy milk and eggs at 5 pm",
            "I will remind you today at 5:00 PM: buy milk and eggs.",
            1,
        ),
        (
            &[],
            "저녁 7시에 빵이랑 우유 사라고 알려 줘",
            "오늘 오후 7시에 알려 드릴게요: 빵이랑 우유 사기.",
            1,
        ),
        (
            &[],
            "set a fish and chips timer for 5 minutes",
            "The fish and chips timer is set for 5 minutes.",
            1,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_command_knows_what_the_ones_in_front_of_it_did() {
    answered(&[
        (
            &["set a timer for 5 minutes"],
            "cancel my timer and set a new one for 20 minutes",
            "The timer is cancelled. Timer set for 20 minutes.",
            1,
        ),
        (
            &["타이머 3분"],
            "타이머 취소하고 5분 타이머 다시 맞춰 줘",
            "타이머를 취소했어요. 5분 타이머를 시작했어요.",
            1,
        ),
        (&[], "set a timer for 10 minutes and then cancel it", "Timer set for 10 minutes. The timer is cancelled.", 0),
        (&[], "알람 7시로 맞추고 그거 취소해 줘", "오늘 오후 7시에 알람을 맞췄어요. 알람을 취소했어요.", 0),
        // A timer tells its end anyway.
        (
            &[],
            "set a timer for 10 minutes and tell me when it's done",
            "Timer set for 10 minutes. I did not understand \"tell me when it's done\".",
            1,
        ),
        (&[], "10분 타이머 맞추고 끝나면 알려 줘", "10분 타이머를 시작했어요. \"끝나면 알려 줘\" 부분은 이해하지 못했어요.", 1),
        // What is set in front of it is it, whatever else runs.
        (
            &["set a timer for 3 minutes", "set a timer for 20 minutes"],
            "set a timer for 5 minutes and then cancel it",
            "Timer set for 5 minutes. The timer is cancelled.",
            2,
        ),
        (
            &["타이머 3분", "타이머 20분"],
            "타이머 5분 맞추고 그거 취소해 줘",
            "5분 타이머를 시작했어요. 타이머를 취소했어요.",
            2,
        ),
        (&["타이머 3분", "타이머 20분"], "방금 맞춘 거 취소해 줘", "타이머를 취소했어요.", 1),
        (&["타이머 3분", "타이머 20분"], "방금 맞춘 타이머 5분 늘려 줘", "타이머를 5분 늘렸어요. 이제 25분 남았어요.", 2),
        (
            &["set a timer for 20 minutes", "set a timer for 3 minutes"],
            "cancel the timer I just set",
            "The timer is cancelled.",
            1,
        ),
        (
            &[],
            "set a timer for 20 minutes and add five minutes",
            "Timer set for 20 minutes. I added 5 minutes to the timer: 25 minutes left.",
            1,
        ),
        (
            &[],
            "타이머 10분 맞추고 5분 더 하고 2분 줄여 줘",
            "10분 타이머를 시작했어요. 타이머를 5분 늘렸어요. 이제 15분 남았어요. 타이머를 2분 줄였어요. 이제 13분 남았어요.",
            1,
        ),
        (
            &["set an alarm for 7 am"],
            "move my alarm to 8 and how many alarms are set",
            "Alarm set for tomorrow at 8:00 AM. Your next alarm is tomorrow at 8:00 AM.",
            1,
        ),
        (
            &["타이머 5분 맞춰 줘 그리고 7시에 깨워 줘"],
            "그거 취소하고 8시로 다시 맞춰 줘",
            "알람을 취소했어요. 오늘 오후 8시에 알람을 맞췄어요.",
            2,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_time_is_on_the_day_of_the_one_in_front_of_it() {
    answered(&[
        (
            &[],
            "내일 아침 7시에 깨워 주고 9시에 약 먹으라고 알려 줘",
            "내일 오전 7시에 알람을 맞췄어요. 내일 오전 9시에 알려 드릴게요: 약 먹기.",
            2,
        ),
        (
            &[],
            "아침 6시 반하고 7시에 깨워 주고 8시에 약 먹으라고 알려 줘",
            "내일 오전 6시 30분에 알람을 맞췄어요. 내일 오전 7시에 알람을 맞췄어요. 내일 오전 8시에 알려 드릴게요: 약 먹기.",
            3,
        ),
        (
            &[],
            "내일 7시랑 8시에 알람 맞춰 줘",
            "내일 오전 7시에 알람을 맞췄어요. 내일 오전 8시에 알람을 맞췄어요.",
            2,
        ),
        (
            &[],
            "내일 밤 11시랑 1시에 알람 맞춰 줘",
            "내일 오후 11시에 알람을 맞췄어요. 5월 3일 일요일 오전 1시에 알람을 맞췄어요.",
            2,
        ),
        (
            &[],
            "내일 5시에 우유 사라고 알려 주고 6시에 엄마한테 전화하라고 알려 줘",
            "하나씩 여쭤볼게요. 나머지는 이따가 다시 말씀해 주세요. 내일 오전 5시인가요, 오후 5시인가요?",
            0,
        ),
        (
            &[],
            "wake me tomorrow at 7 and remind me at 9 to take my pills",
            "Alarm set for tomorrow at 7:00 AM. I will remind you tomorrow at 9:00 AM: take my pills.",
            2,
        ),
        (
            &[],
            "set an alarm for tomorrow at 7 am and 8 pm",
            "Alarm set for tomorrow at 7:00 AM. Alarm set for tomorrow at 8:00 PM.",
            2,
        ),
        (
            &[],
            "set alarms for 7 and 7:30 am",
            "Alarm set for tomorrow at 7:00 AM. Alarm set for tomorrow at 7:30 AM.",
            2,
        ),
        (
            &[],
            "set an alarm for 7 am on monday and 8 am on tuesday",
            "Alarm set for Monday, May 4 at 7:00 AM. Alarm set for Tuesday, May 5 at 8:00 AM.",
            2,
        ),
    ])
    .await;
}

#[tokio::test]
async fn timers_with_no_word_between_them_are_all_started() {
    let korean = "피자 타이머를 10분으로 시작했어요. 계란 타이머를 6분으로 시작했어요.";
    let english = "The pizza timer is set for 10 minutes. The egg timer is set for 6 minutes.";
    answered(&[
        (&[], "피자 타이머 10분 계란 타이머 6분", korean, 2),
        (&[], "피자 타이머 10분 계란 타이머 6분 맞춰 줘", korean, 2),
        (&[], "피자 타이머 10분, 계란 타이머 6분", korean, 2),
        (&[], "타이머 5분 타이머 10분", "5분 타이머를 시작했어요. 10분 타이머를 시작했어요.", 2),
        (&[], "pizza timer 10 minutes and egg timer 6 minutes", english, 2),
        (&[], "pizza timer 10 minutes egg timer 6 minutes", english, 2),
        (&[], "10 minute pizza timer 6 minute egg timer", english, 2),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_understood_of_a_sentence_is_told_and_the_rest_is_done() {
    answered(&[
        (
            &[],
            "set a timer for 5 minutes and order a pizza",
            "Timer set for 5 minutes. I did not understand \"order a pizza\".",
            1,
        ),
        (
            &[],
            "7시에 깨워 주고 피자 주문해 줘",
            "오늘 오후 7시에 알람을 맞췄어요. \"피자 주문해 줘\" 부분은 이해하지 못했어요.",
            1,
        ),
        (&["타이머 5분"], "don't set an alarm and cancel my timer", "All right, I changed nothing.", 1),
        // What was only thought of is not done.
        (&[], "7시 알람 맞추고 싶지 않아", "알겠어요. 아무것도 바꾸지 않았어요.", 0),
    ])
    .await;
}

#[tokio::test]
async fn what_is_said_last_is_meant_where_a_sentence_corrects_itself() {
    answered(&[
        (&[], "set a timer for 5 minutes, no, 10 minutes", "Timer set for 10 minutes.", 1),
        (&[], "타이머 5분 아니 10분 맞춰 줘", "10분 타이머를 시작했어요.", 1),
        (
            &[],
            "7시 알람 맞추고 5분 타이머 맞춰 줘, 아니 10분 타이머 맞춰 줘",
            "오늘 오후 7시에 알람을 맞췄어요. 10분 타이머를 시작했어요.",
            2,
        ),
        (
            &[],
            "set an alarm for 7 am and set a timer for 5 minutes, no, 10 minutes",
            "Alarm set for tomorrow at 7:00 AM. Timer set for 10 minutes.",
            2,
        ),
        (
            &[],
            "5분 타이머 맞추고 7시 알람 말고 8시 알람 맞춰 줘",
            "5분 타이머를 시작했어요. 오늘 오후 8시에 알람을 맞췄어요.",
            2,
        ),
        (
            &[],
            "remind me on May 5, 2027 to renew my passport",
            "I will remind you Wednesday, May 5, 2027 at 9:00 AM: renew my passport.",
            1,
        ),
        (
            &["what time is it"],
            "say that again and set a timer for 5 minutes",
            "It is 12:00 PM. Timer set for 5 minutes.",
            1,
        ),
        (
            &["set a timer for 5 minutes", "set an alarm for 7 am", "cancel everything"],
            "yes, all of them",
            "I cancelled 1 timer and 1 alarm.",
            0,
        ),
        (&[], "알람 말고 타이머 5분 맞춰 줘", "5분 타이머를 시작했어요.", 1),
        (&[], "not an alarm, set a timer for 5 minutes", "Timer set for 5 minutes.", 1),
    ])
    .await;
}
