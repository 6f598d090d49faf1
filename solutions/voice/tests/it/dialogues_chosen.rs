//! Which timer, alarm or reminder is meant: chosen in answer to a question, asked for by its name, or all of them at once.

use ieum_contracts::voice::DialogOutcome;

use crate::talk::{kept, quiet, told};

/// Sets all of `set` on a stage of its own, asks `question`, and answers it.
async fn chosen(set: &[&str], question: &str, answers: &[(&str, &str)]) {
    for (answer, wanted) in answers {
        let (_sql, stage) = quiet().await;
        for said in set {
            stage.say(said).await;
        }
        let asked = stage.say(question).await;
        assert_eq!(asked.outcome, DialogOutcome::Asked, "{question}: {}", asked.text);
        let before = kept(&stage).await;
        assert_eq!(&stage.say(answer).await.text, wanted, "{question} {answer}");
        assert_eq!(kept(&stage).await, before, "{question} {answer}");
    }
}

#[tokio::test]
async fn which_timer_is_said_by_its_length_its_name_or_its_place() {
    let set = ["타이머 5분", "타이머 10분", "라면 타이머 3분"];
    let (five, ten, noodles) = (
        "타이머를 1분 늘렸어요. 이제 6분 남았어요.",
        "타이머를 1분 늘렸어요. 이제 11분 남았어요.",
        "라면 타이머를 1분 늘렸어요. 이제 4분 남았어요.",
    );
    chosen(
        &set,
        "타이머 1분 늘려 줘",
        &[
            ("5분 타이머", five),
            ("5분짜리요", five),
            ("두 번째 거", five),
            ("두 번째로 해 줘", five),
            ("2번", five),
            ("10분 거", ten),
            ("마지막 거요", ten),
            ("제일 긴 거", ten),
            ("라면 타이머요", noodles),
            ("라면이요", noodles),
            ("그 라면 타이머", noodles),
            ("라면 3분 타이머", noodles),
            ("첫 번째", noodles),
        ],
    )
    .await;
    let set = ["set a timer for 5 minutes", "set a timer for 10 minutes", "set a pasta timer for 9 minutes"];
    let (five, ten, pasta) = (
        "I added 1 minute to the timer: 6 minutes left.",
        "I added 1 minute to the timer: 11 minutes left.",
        "I added 1 minute to the pasta timer: 10 minutes left.",
    );
    chosen(
        &set,
        "add a minute to the timer",
        &[
            ("the 10 minute one", ten),
            ("the 10 minute timer", ten),
            ("the last one", ten),
            ("the longest one", ten),
            ("number 3", ten),
            ("the first", five),
            ("the 5 minute timer please", five),
            ("the second one", pasta),
            ("the pasta timer", pasta),
            ("the pasta one please", pasta),
            ("pasta 9 minutes", pasta),
            ("pasta", pasta),
        ],
    )
    .await;
}

#[tokio::test]
async fn which_alarm_or_reminder_is_said_by_its_time_its_day_or_its_place() {
    let set = ["내일 7시 알람", "내일 8시 알람", "월요일 7시 알람"];
    chosen(
        &set,
        "알람 10분 늦춰 줘",
        &[
            ("8시 알람이요", "내일 오전 8시 10분에 알람을 맞췄어요."),
            ("월요일 거", "5월 4일 월요일 오전 7시 10분에 알람을 맞췄어요."),
            ("첫 번째 알람이요", "내일 오전 7시 10분에 알람을 맞췄어요."),
            ("the 8 am alarm", "Alarm set for tomorrow at 8:10 AM."),
        ],
    )
    .await;
    chosen(
        &["remind me to call mum tomorrow at 5 pm", "remind me to buy milk tomorrow at 6 pm"],
        "move the reminder to 7 pm",
        &[
            ("the milk one", "I will remind you tomorrow at 7:00 PM: buy milk."),
            ("the first one", "I will remind you tomorrow at 7:00 PM: call mum."),
        ],
    )
    .await;
    let (_sql, stage) = quiet().await;
    for said in set {
        stage.say(said).await;
    }
    told(
        &stage,
        &[
            (
                "7시 알람 꺼 줘",
                "알람이 2개 있어요: 내일 오전 7시, 5월 4일 월요일 오전 7시. 어느 것을 말씀하세요? 모두라면 전부라고 해 \
                 주세요.",
                3,
            ),
            ("두 번째", "알람을 취소했어요.", 2),
            ("알람 뭐 있어?", "알람이 2개 있어요: 내일 오전 7시, 내일 오전 8시.", 2),
            ("두 번째 알람 꺼 줘", "알람을 취소했어요.", 1),
            ("내일 알람 꺼 줘", "알람을 취소했어요.", 0),
            ("매일 9시 알람", "매일 오전 9시에 알람을 맞췄어요.", 1),
            ("평일 8시 알람", "평일마다 오전 8시에 알람을 맞췄어요.", 2),
            (
                "내일 알람 꺼 줘",
                "그런 알람은 없어요. 맞춰 둔 건 매일 오전 9시, 평일마다 오전 8시예요.",
                2,
            ),
            ("평일 알람 꺼 줘", "알람을 취소했어요.", 1),
            ("turn off my daily alarm", "The alarm is cancelled.", 0),
        ],
    )
    .await;
}

#[tokio::test]
async fn several_are_chosen_at_once_or_none_of_them() {
    let set = ["타이머 5분", "계란 타이머 6분", "타이머 7분"];
    let ask = "타이머 취소해 줘";
    for (answer, wanted, left) in [
        ("첫 번째랑 두 번째", "타이머 2개를 취소했어요.", 1),
        ("첫 번째 거하고 마지막 거", "타이머 2개를 취소했어요.", 1),
        ("5분이랑 계란", "타이머 2개를 취소했어요.", 1),
        ("아무것도", "그대로 둘게요.", 3),
        ("아무것도 아니야", "그대로 둘게요.", 3),
        ("됐어", "그대로 둘게요.", 3),
        ("the first and the last", "2 timers are cancelled.", 1),
        ("5 and 7", "2 timers are cancelled.", 1),
        ("none of them", "I will leave it.", 3),
        ("neither", "I will leave it.", 3),
        ("never mind", "I will leave it.", 3),
        ("no", "I will leave it.", 3),
        (
            "첫 번째랑 다섯 번째",
            "그런 타이머는 없어요. 맞춰 둔 건 5분 (5분 남음), 계란 6분 (6분 남음), 7분 (7분 남음)이에요.",
            3,
        ),
        (
            "나머지",
            "타이머가 3개 있어요: 5분 (5분 남음), 계란 6분 (6분 남음), 7분 (7분 남음). 어느 것을 말씀하세요? 모두라면 \
             전부라고 해 주세요.",
            3,
        ),
        (
            "the other one",
            "There are 3 timers: 5 minutes (5 minutes left), 계란 6 minutes (6 minutes left), 7 minutes (7 minutes \
             left). Which one? Say all for all of them.",
            3,
        ),
    ] {
        let (_sql, stage) = quiet().await;
        for said in set {
            stage.say(said).await;
        }
        stage.say(ask).await;
        told(&stage, &[(answer, wanted, left)]).await;
    }
    let (_sql, stage) = quiet().await;
    for said in
        ["set a timer for 5 minutes", "set a fish and chips timer for 7 minutes", "set a timer for 9 minutes"]
    {
        stage.say(said).await;
    }
    stage.say("cancel the timer").await;
    told(
        &stage,
        &[
            ("fish and chips", "The timer is cancelled.", 2),
            (
                "add 2 minutes to the timer",
                "There are 2 timers: 5 minutes (5 minutes left), 9 minutes (9 minutes left). Which one? Say all for all \
                 of them.",
                2,
            ),
            (
                "both",
                "I added 2 minutes to the timer: 7 minutes left. I added 2 minutes to the timer: 11 minutes left.",
                2,
            ),
            ("cancel the 7 minute timer", "The timer is cancelled.", 1),
            ("cancel the other one", "The timer is cancelled.", 0),
        ],
    )
    .await;
}

#[tokio::test]
async fn how_many_are_cancelled_is_told_of_all_of_them() {
    let set = ["타이머 5분", "계란 타이머 6분", "타이머 7분", "7시 알람", "8시 알람"];
    for (said, wanted, left) in [
        ("5분 타이머랑 7분 타이머 취소해 줘", "타이머 2개를 취소했어요.", 3),
        ("5분 타이머 취소하고 계란 타이머 취소해 줘", "타이머 2개를 취소했어요.", 3),
        ("7시 알람이랑 8시 알람 꺼 줘", "알람 2개를 취소했어요.", 3),
        ("5분 타이머 취소하고 7시 알람 꺼 줘", "타이머를 취소했어요. 알람을 취소했어요.", 3),
        ("cancel the 5 minute timer and the 7 minute timer", "2 timers are cancelled.", 3),
        (
            "cancel the 5 minute timer, the 6 minute timer and the 7 minute timer",
            "3 timers are cancelled.",
            2,
        ),
    ] {
        let (_sql, stage) = quiet().await;
        for one in set {
            stage.say(one).await;
        }
        told(&stage, &[(said, wanted, left)]).await;
    }
}

#[tokio::test]
async fn one_is_asked_for_by_its_name_whatever_the_talk_is_about() {
    let (_sql, stage) = quiet().await;
    told(
        &stage,
        &[
            ("파스타 얼마나 남았어?", "파스타라는 타이머는 없어요.", 0),
            ("배터리 얼마나 남았어?", "배터리가 얼마나 남았는지는 몰라요.", 0),
            ("how long is left on the pasta?", "There is no timer called pasta.", 0),
            ("얼마나 남았어?", "맞춰 둔 타이머가 없어요.", 0),
            ("크리스마스까지 얼마나 남았어?", "크리스마스까지 238일 남았어요. 12월 25일 금요일이에요.", 0),
            ("크리스마스 얼마나 남았어?", "크리스마스까지 238일 남았어요. 12월 25일 금요일이에요.", 0),
            ("추석은 이제 얼마나 남았지?", "추석까지 147일 남았어요. 9월 25일 금요일이에요.", 0),
            ("how long is left until christmas", "Christmas is in 238 days, on Friday, December 25.", 0),
            ("생일까지 얼마나 남았어?", "생일까지 얼마나 남았는지는 몰라요.", 0),
            ("파스타 타이머 10분", "파스타 타이머를 10분으로 시작했어요.", 1),
            ("set a pizza timer for 12 minutes", "The pizza timer is set for 12 minutes.", 2),
        ],
    )
    .await;
    let (pasta, pizza) = ("파스타 타이머가 10분 남았어요.", "There is 12 minutes left on the pizza timer.");
    let both = "There are 2 timers: 파스타 10 minutes (10 minutes left), pizza 12 minutes (12 minutes left).";
    for (said, wanted) in [
        ("파스타 얼마나 남았어?", pasta),
        ("파스타는 몇 분 남았어?", pasta),
        (
            "계란 얼마나 남았어?",
            "그런 타이머는 없어요. 맞춰 둔 건 파스타 10분 (10분 남음), pizza 12분 (12분 남음)이에요.",
        ),
        ("얼마나 남았어?", "타이머가 2개 있어요: 파스타 10분 (10분 남음), pizza 12분 (12분 남음)."),
        ("남은 시간 알려 줘", "타이머가 2개 있어요: 파스타 10분 (10분 남음), pizza 12분 (12분 남음)."),
        ("how long is left on the pizza?", pizza),
        ("how much longer on the pizza", pizza),
        ("tell me how long is left on the pizza", pizza),
        ("tell me how long is left", both),
        ("tell me how much time I have left", both),
        (
            "how long is left on the rice?",
            "There is no such timer. I have 파스타 10 minutes (10 minutes left), pizza 12 minutes (12 minutes left).",
        ),
    ] {
        // The talk is about something else.
        stage.say("몇 시야").await;
        assert_eq!(stage.say(said).await.text, wanted, "{said}");
    }
}

#[tokio::test]
async fn another_command_is_no_answer_and_another_question_keeps_what_was_chosen() {
    let (_sql, stage) = quiet().await;
    stage.say("타이머 5분").await;
    stage.say("타이머 10분").await;
    let which = "타이머가 2개 있어요: 5분 (5분 남음), 10분 (10분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요.";
    told(
        &stage,
        &[
            ("타이머 취소해 줘", which, 2),
            ("지금 몇 시야", "지금은 오후 12시예요.", 2),
            ("타이머 취소해 줘", which, 2),
            ("20분 타이머 맞춰 줘", "20분 타이머를 시작했어요.", 3),
            ("20분 타이머 취소해 줘", "타이머를 취소했어요.", 2),
            ("타이머 취소해 줘", which, 2),
            ("전부 취소해 줘", "타이머 2개를 취소했어요.", 0),
            ("타이머 5분", "5분 타이머를 시작했어요.", 1),
            ("타이머 10분", "10분 타이머를 시작했어요.", 2),
            ("타이머 취소해 줘", which, 2),
            (
                "change it to 12 minutes",
                "There are 2 timers: 5 minutes (5 minutes left), 10 minutes (10 minutes left). Which one?",
                2,
            ),
            ("the first", "I changed the timer: 12 minutes left.", 2),
            ("타이머 다 취소해 줘", "타이머 2개를 취소했어요.", 0),
            ("내일 7시 알람", "내일 오전 7시에 알람을 맞췄어요.", 1),
            ("내일 8시 알람", "내일 오전 8시에 알람을 맞췄어요.", 2),
            (
                "알람 조금만 늦춰 줘",
                "알람이 2개 있어요: 내일 오전 7시, 내일 오전 8시. 어느 것을 말씀하세요?",
                2,
            ),
            ("두 번째 거", "얼마나 늦출까요?", 2),
            ("10분", "내일 오전 8시 10분에 알람을 맞췄어요.", 2),
            (
                "turn off the alarm",
                "There are 2 alarms: tomorrow at 7:00 AM, tomorrow at 8:10 AM. Which one? Say all for all of them.",
                2,
            ),
            ("what time is it", "It is 12:00 PM.", 2),
            (
                "turn off the alarm",
                "There are 2 alarms: tomorrow at 7:00 AM, tomorrow at 8:10 AM. Which one? Say all for all of them.",
                2,
            ),
            ("all of them", "2 alarms are cancelled.", 0),
            ("내일 7시 알람", "내일 오전 7시에 알람을 맞췄어요.", 1),
            ("내일 8시 알람", "내일 오전 8시에 알람을 맞췄어요.", 2),
            (
                "알람 꺼 줘",
                "알람이 2개 있어요: 내일 오전 7시, 내일 오전 8시. 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요.",
                2,
            ),
            ("다 꺼 줘", "알람 2개를 취소했어요.", 0),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_is_asked_for_by_its_name_and_whether_any_is_on() {
    let (_sql, stage) = quiet().await;
    for said in ["라면 타이머 3분", "set a pasta timer for 9 minutes", "내일 7시 알람", "타이머 20분"]
    {
        stage.say(said).await;
    }
    let (noodles, pasta) = ("라면 타이머가 3분 남았어요.", "There is 9 minutes left on the pasta timer.");
    let all = "There are 3 timers: 라면 3 minutes (3 minutes left), pasta 9 minutes (9 minutes left), 20 minutes (20 \
               minutes left).";
    let alarm = "Your next alarm is tomorrow at 7:00 AM.";
    for (said, told) in [
        ("라면 타이머 얼마나 남았어?", noodles),
        ("라면 얼마나 남았어", noodles),
        ("라면은 몇 분 남았어?", noodles),
        ("라면 타이머 언제 끝나?", noodles),
        ("라면 타이머 돌아가고 있어?", noodles),
        ("20분 타이머 아직 돌아가고 있니?", "타이머가 20분 남았어요."),
        ("how long left on the pasta?", pasta),
        ("how many minutes are left on the pasta", pasta),
        ("how much longer on the pasta timer", pasta),
        ("is the pasta timer still running?", pasta),
        ("is the pasta timer done yet", pasta),
        ("how long until the pasta timer goes off", pasta),
        ("how about the pasta timer", pasta),
        ("라면 타이머 끝났어?", noodles),
        ("when is the pasta timer done", pasta),
        ("is there a timer running?", all),
        ("is my timer still on?", all),
        ("how much time is there left", all),
        ("how much time do I have left", all),
        (
            "how long left on the rice?",
            "There is no such timer. I have 라면 3 minutes (3 minutes left), pasta 9 minutes (9 minutes left), 20 \
             minutes (20 minutes left).",
        ),
        ("알람 켜져 있어?", "다음 알람은 내일 오전 7시예요."),
        ("7시 알람 켜져 있어?", "다음 알람은 내일 오전 7시예요."),
        ("8시 알람 켜져 있어?", "그런 알람은 없어요. 맞춰 둔 건 내일 오전 7시예요."),
        ("is my alarm on?", alarm),
        ("is the 7 am alarm on", alarm),
        ("when does my alarm ring", alarm),
        ("when does my 7 am alarm go off", alarm),
    ] {
        let answer = stage.say(said).await;
        assert_eq!((&*answer.text, answer.confidence), (told, 1.0), "{said}");
    }
    assert_eq!(kept(&stage).await, 4);
}

#[tokio::test]
async fn what_cannot_be_paused_is_said_and_runs_on() {
    let (_sql, stage) = quiet().await;
    assert_eq!(stage.say("pause the timer").await.text, "There is no timer set.");
    stage.say("타이머 10분").await;
    for said in [
        "타이머 일시정지",
        "타이머 일시 정지해 줘",
        "타이머 잠깐 멈춰 줘",
        "타이머 재개해 줘",
        "타이머 이어서 돌려 줘",
        "잠깐 멈춰 줘",
        "pause the timer",
        "resume the timer",
        "put the timer on hold",
        "pause it",
    ] {
        let answer = stage.say(said).await;
        let told = if said.is_ascii() {
            "I cannot pause or resume a timer yet. I changed nothing."
        } else {
            "타이머를 잠깐 멈췄다가 이어서 돌리는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요."
        };
        assert_eq!((&*answer.text, answer.outcome), (told, DialogOutcome::Failed), "{said}");
    }
    assert_eq!(stage.say("타이머 얼마나 남았어?").await.text, "타이머가 10분 남았어요.");
}

#[tokio::test]
async fn everything_goes_only_where_it_is_agreed_to() {
    let (_sql, stage) = quiet().await;
    let set = ["타이머 5분", "타이머 6분", "내일 7시 알람", "저녁 8시에 약 먹으라고 알려 줘"];
    told(
        &stage,
        &[("전부 취소해 줘", "맞춰 둔 것이 없어요.", 0), ("cancel everything", "Nothing is set.", 0)],
    )
    .await;
    for (said, asked, agreed, done) in [
        (
            "전부 취소해 줘",
            "타이머 2개, 알람 1개, 알림 1개가 있어요. 모두 취소할까요?",
            "네",
            "타이머 2개, 알람 1개, 알림 1개를 취소했어요.",
        ),
        (
            "다 지워 줘",
            "타이머 2개, 알람 1개, 알림 1개가 있어요. 모두 취소할까요?",
            "네 전부 취소해 줘",
            "타이머 2개, 알람 1개, 알림 1개를 취소했어요.",
        ),
        (
            "cancel everything",
            "I have 2 timers, 1 alarm and 1 reminder. Cancel all of them?",
            "yes please",
            "I cancelled 2 timers, 1 alarm and 1 reminder.",
        ),
        (
            "clear all my timers, alarms and reminders",
            "I have 2 timers, 1 alarm and 1 reminder. Cancel all of them?",
            "yes, cancel them all",
            "I cancelled 2 timers, 1 alarm and 1 reminder.",
        ),
    ] {
        for one in set {
            stage.say(one).await;
        }
        let no =
            if said.is_ascii() { ("no", "I will leave it.") } else { ("싫어", "그대로 둘게요.") };
        told(&stage, &[(said, asked, 4), (no.0, no.1, 4), (said, asked, 4), (agreed, done, 0)]).await;
    }
    stage.say("타이머 5분").await;
    told(
        &stage,
        &[
            ("don't cancel everything", "All right, I changed nothing.", 1),
            ("전부 취소하지 마", "알겠어요. 아무것도 바꾸지 않았어요.", 1),
            ("전부 취소해 줘", "타이머를 취소했어요.", 0),
        ],
    )
    .await;
}

/// What is said before, and then: each with its answer and how many are kept after it.
type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str, i64)]);

/// Says each of `set` on a stage of its own, then `said`, and expects the answers and how much is set then.
async fn told_after(rows: &[Row<'_>]) {
    for (set, said) in rows {
        let (_sql, stage) = quiet().await;
        for one in *set {
            stage.say(one).await;
        }
        told(&stage, said).await;
    }
}

#[tokio::test]
async fn what_rang_a_moment_ago_is_none_that_still_waits() {
    let (alarm, timer) =
        ("그런 알람은 없어요. 맞춰 둔 건 내일 오전 7시예요.", "그런 타이머는 없어요. 맞춰 둔 건 10분이에요.");
    told_after(&[
        (
            &["내일 7시 알람"],
            &[
                ("방금 울린 알람 꺼 줘", alarm, 1),
                ("알람 방금 울린 거 취소해 줘", alarm, 1),
                ("방금 울린 거 꺼 줘", alarm, 1),
                ("방금 맞춘 알람 꺼 줘", "알람을 취소했어요.", 0),
            ],
        ),
        (
            &["타이머 10분"],
            &[
                ("방금 끝난 타이머 취소해 줘", timer, 1),
                ("방금 끝난 타이머 얼마나 남았어", timer, 1),
                ("방금 맞춘 타이머 취소해 줘", "타이머를 취소했어요.", 0),
                ("방금 끝난 타이머 얼마나 남았어", "맞춰 둔 타이머가 없어요.", 0),
            ],
        ),
        (
            &["set an alarm for 7 am", "set an alarm for 8 am"],
            &[
                (
                    "turn off the alarm",
                    "There are 2 alarms: tomorrow at 7:00 AM, tomorrow at 8:00 AM. Which one? Say all for all of them.",
                    2,
                ),
                (
                    "the alarm that just rang",
                    "There is no such alarm. I have tomorrow at 7:00 AM, tomorrow at 8:00 AM.",
                    2,
                ),
                (
                    "turn off the alarm that just went off",
                    "Sorry, I did not understand that. Could you say it another way?",
                    2,
                ),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_newest_of_several_that_were_set_at_once_is_the_one_said_last() {
    told_after(&[
        (
            &["타이머 5분이랑 10분"],
            &[
                ("방금 맞춘 거 취소", "타이머를 취소했어요.", 1),
                ("타이머 얼마나 남았어", "타이머가 5분 남았어요.", 1),
            ],
        ),
        (
            &["타이머 10분이랑 5분"],
            &[
                ("방금 맞춘 거 취소", "타이머를 취소했어요.", 1),
                ("타이머 얼마나 남았어", "타이머가 10분 남았어요.", 1),
            ],
        ),
        (
            &["set timers for 10 and 5 minutes"],
            &[
                ("cancel the timer I just set", "The timer is cancelled.", 1),
                ("how much time is left on it", "There is 10 minutes left on the timer.", 1),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_length_of_several_units_is_one_length() {
    told_after(&[
        (
            &["set a pasta timer for 100 minutes", "set a timer for 90 minutes", "set a timer for 30 minutes"],
            &[
                (
                    "cancel the timer",
                    "There are 3 timers: 30 minutes (30 minutes left), 1 hour 30 minutes (1 hour 30 minutes left), \
                     pasta 1 hour 40 minutes (1 hour 40 minutes left). Which one? Say all for all of them.",
                    3,
                ),
                ("pasta 1 hour and 40 minutes", "The timer is cancelled.", 2),
                (
                    "cancel the timer",
                    "There are 2 timers: 30 minutes (30 minutes left), 1 hour 30 minutes (1 hour 30 minutes left). Which \
                     one? Say all for all of them.",
                    2,
                ),
                ("1 hour and 30 minutes", "The timer is cancelled.", 1),
                ("how much time is left", "There is 30 minutes left on the timer.", 1),
            ],
        ),
        (
            &["타이머 5분", "타이머 10분", "계란 타이머 7분"],
            &[
                (
                    "타이머 취소해 줘",
                    "타이머가 3개 있어요: 5분 (5분 남음), 계란 7분 (7분 남음), 10분 (10분 남음). 어느 것을 말씀하세요? \
                     모두라면 전부라고 해 주세요.",
                    3,
                ),
                ("5분이랑 10분", "타이머 2개를 취소했어요.", 1),
            ],
        ),
        (
            &["타이머 5분", "타이머 10분", "계란 타이머 7분"],
            &[
                (
                    "타이머 취소해 줘",
                    "타이머가 3개 있어요: 5분 (5분 남음), 계란 7분 (7분 남음), 10분 (10분 남음). 어느 것을 말씀하세요? \
                     모두라면 전부라고 해 주세요.",
                    3,
                ),
                ("계란이랑 5분", "타이머 2개를 취소했어요.", 1),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_word_for_others_or_for_none_may_be_a_name_or_begin_one() {
    let which = "There are 2 timers: rest 10 minutes (10 minutes left), 20 minutes (20 minutes left). Which one? Say all \
                 for all of them.";
    let asked = "타이머가 2개 있어요: 5분 (5분 남음), 10분 (10분 남음). 어느 것을 말씀하세요? 모두라면 전부라고 해 주세요.";
    let rests: &[&str] = &["set a rest timer for 10 minutes", "set a timer for 20 minutes"];
    told_after(&[
        (rests, &[("cancel the rest timer", "The timer is cancelled.", 1)]),
        (rests, &[("cancel the timer", which, 2), ("rest", "The timer is cancelled.", 1)]),
        (
            &["나머지 타이머 5분", "타이머 10분"],
            &[
                ("나머지 타이머 취소해 줘", "타이머를 취소했어요.", 1),
                ("타이머 얼마나 남았어", "타이머가 10분 남았어요.", 1),
            ],
        ),
        (
            &["아니스 타이머 5분", "타이머 10분"],
            &[
                ("아니스 타이머 취소해 줘", "타이머를 취소했어요.", 1),
                ("타이머 5분", "5분 타이머를 시작했어요.", 2),
                ("타이머 취소해 줘", asked, 2),
                ("둘 다 아니야", "그대로 둘게요.", 2),
                ("타이머 취소해 줘", asked, 2),
                ("없어요", "그대로 둘게요.", 2),
            ],
        ),
        (
            &["set a timer for 10 minutes"],
            &[
                ("how much time is left on it", "There is 10 minutes left on the timer.", 1),
                ("how long is left on it now", "There is 10 minutes left on the timer.", 1),
                ("how much longer on this", "There is 10 minutes left on the timer.", 1),
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_rest_is_what_is_left_of_those_that_were_spoken_of() {
    let korean = ["타이머 5분", "타이머 10분", "라면 타이머 3분", "7시 알람"];
    let english =
        ["set a timer for 5 minutes", "timer 10 minutes", "pasta timer 3 minutes", "set an alarm for 7 am"];
    let asked = "타이머가 3개 있어요: 라면 3분 (3분 남음), 5분 (5분 남음), 10분 (10분 남음). 어느 것을 말씀하세요? 모두라면 \
                 전부라고 해 주세요.";
    let two = "There are 2 timers: pasta 3 minutes (3 minutes left), 10 minutes (10 minutes left). Which one? Say all \
               for all of them.";
    let such =
        "그런 타이머는 없어요. 맞춰 둔 건 라면 3분 (3분 남음), 5분 (5분 남음), 10분 (10분 남음)이에요.";
    for (before, said) in [
        (
            &korean,
            &[
                ("10분 타이머 취소해 줘", "타이머를 취소했어요.", 3),
                ("나머지도 취소해 줘", "타이머 2개를 취소했어요.", 1),
            ][..],
        ),
        (
            &korean,
            &[
                ("10분 타이머 취소해 줘", "타이머를 취소했어요.", 3),
                ("나머지도", "타이머 2개를 취소했어요.", 1),
            ],
        ),
        (
            &korean,
            &[
                ("10분 타이머 꺼 줘", "타이머를 취소했어요.", 3),
                ("나머지 타이머도 꺼 줘", "타이머 2개를 취소했어요.", 1),
            ],
        ),
        (
            &korean,
            &[
                ("타이머 취소해 줘", asked, 4),
                ("10분 거", "타이머를 취소했어요.", 3),
                ("나머지 다 취소해 줘", "타이머 2개를 취소했어요.", 1),
                ("나머지도 취소해 줘", "맞춰 둔 타이머가 없어요.", 1),
            ],
        ),
        (
            &korean,
            &[
                ("라면 타이머 얼마나 남았어", "라면 타이머가 3분 남았어요.", 4),
                ("나머지는 취소해 줘", "타이머 2개를 취소했어요.", 2),
            ],
        ),
        (&korean, &[("5분 타이머 취소하고 나머지도 취소해 줘", "타이머 3개를 취소했어요.", 1)]),
        (
            &korean,
            &[
                ("5분 타이머 취소해 줘", "타이머를 취소했어요.", 3),
                ("10분 것도 취소해 줘", "타이머를 취소했어요.", 2),
            ],
        ),
        // Nothing was cancelled, so that nobody knows which ones the rest is besides.
        (&korean, &[("20분 타이머 취소해 줘", such, 4), ("나머지 취소해 줘", asked, 4)]),
        (&korean, &[("타이머 취소해 줘", asked, 4), ("나머지 타이머 취소해 줘", asked, 4)]),
        (
            &english,
            &[
                ("cancel the 5 minute timer", "The timer is cancelled.", 3),
                ("cancel the rest too", "2 timers are cancelled.", 1),
            ],
        ),
        (
            &english,
            &[
                ("cancel the 5 minute timer", "The timer is cancelled.", 3),
                ("cancel the others", "2 timers are cancelled.", 1),
                ("and the rest too", "There is no timer set.", 1),
            ],
        ),
        (
            &english,
            &[("cancel the 5 minute timer", "The timer is cancelled.", 3), ("cancel the other one", two, 3)],
        ),
        (&english, &[("cancel the 5 minute timer and the others", "3 timers are cancelled.", 1)]),
        (
            &english,
            &[
                ("how long is left on the pasta timer", "There is 3 minutes left on the pasta timer.", 4),
                ("cancel the other timers", "2 timers are cancelled.", 2),
            ],
        ),
    ] {
        let (_sql, stage) = quiet().await;
        for one in before {
            stage.say(one).await;
        }
        told(&stage, said).await;
    }
}

#[tokio::test]
async fn how_far_away_something_is_is_told_of_what_was_asked_for() {
    let (_sql, stage) = quiet().await;
    let battery = ("배터리가 얼마나 남았는지는 몰라요.", "I do not know how much battery is left.");
    told(
        &stage,
        &[
            ("알람 얼마나 남았어", "맞춰 둔 알람이 없어요.", 0),
            ("how long until my alarm", "There is no alarm set.", 0),
            ("how long until lunch", "I do not know how long it is until lunch.", 0),
            ("how long until my birthday", "I do not know how long it is until your birthday.", 0),
            ("퇴근까지 얼마나 남았어", "퇴근까지 얼마나 남았는지는 몰라요.", 0),
            ("7시까지 얼마나 남았어", "7시까지 7시간 남았어요.", 0),
            ("how long until 7 pm", "7 pm is in 7 hours.", 0),
            ("점심 타이머 10분", "점심 타이머를 10분으로 시작했어요.", 1),
            ("점심 얼마나 남았어", "점심 타이머가 10분 남았어요.", 1),
            ("점심까지 얼마나 남았어", "점심 타이머가 10분 남았어요.", 1),
            ("알람 얼마나 남았어", "맞춰 둔 알람이 없어요.", 1),
            ("배터리 얼마나 남았어", battery.0, 1),
            ("핸드폰 배터리 얼마나 남았어", battery.0, 1),
            ("배터리 몇 퍼센트야", battery.0, 1),
            ("점심 얼마나 남았어", "점심 타이머가 10분 남았어요.", 1),
            ("생일까지 얼마나 남았어", "생일까지 얼마나 남았는지는 몰라요.", 1),
            ("크리스마스까지 얼마나 남았어", "크리스마스까지 238일 남았어요. 12월 25일 금요일이에요.", 1),
            ("얼마 남았어", "점심 타이머가 10분 남았어요.", 1),
            ("점심 타이머 취소해 줘", "타이머를 취소했어요.", 0),
            ("lunch timer 10 minutes", "The lunch timer is set for 10 minutes.", 1),
            ("how long until lunch", "There is 10 minutes left on the lunch timer.", 1),
            ("how long is left on lunch", "There is 10 minutes left on the lunch timer.", 1),
            ("how much battery is left", battery.1, 1),
            ("is the battery low", battery.1, 1),
            ("how long until my birthday", "I do not know how long it is until your birthday.", 1),
            ("how long is left on my alarm", "There is no alarm set.", 1),
            ("7시에 알람 맞춰 줘", "오늘 오후 7시에 알람을 맞췄어요.", 2),
            ("8시에 알람 맞춰 줘", "오늘 오후 8시에 알람을 맞췄어요.", 3),
            ("알람 얼마나 남았어", "다음 알람은 오늘 오후 7시예요. 7시간 남았어요.", 3),
            ("8시 알람까지 얼마나 남았어", "알람은 오늘 오후 8시예요. 8시간 남았어요.", 3),
            ("how long until my alarm", "Your next alarm is today at 7:00 PM. That is in 7 hours.", 3),
            ("how long until my 8 pm alarm", "Your alarm is today at 8:00 PM. That is in 8 hours.", 3),
            ("how long until the alarm rings", "Your next alarm is today at 7:00 PM. That is in 7 hours.", 3),
            ("3시에 회의 가라고 알려 줘", "오늘 오후 3시에 알려 드릴게요: 회의 가기.", 4),
            ("회의까지 얼마나 남았어", "오늘 오후 3시: 회의 가기. 3시간 남았어요.", 4),
            ("알림까지 얼마나 남았어", "다음 알림은 오늘 오후 3시예요: 회의 가기. 3시간 남았어요.", 4),
        ],
    )
    .await;
}
